"""Variables that no one sets on purpose.

Guessable secrets, tables of another environment, misspelled names, and what belongs to a developer's machine.
"""

from __future__ import annotations

import difflib
import functools
import re
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.inventory.preferences import ENVIRONMENTS
from arc.service_map import stack_name
from arc.settings import Settings
from arc.tools.cloud.cloud import host_on_this_machine
from arc.tools.env.variables import OLD_STORE, RESERVED, SECRET, STORE

if TYPE_CHECKING:
    from collections.abc import Mapping

_TABLES = (STORE, OLD_STORE, "ARC_SESSION_MIGRATE_FROM")
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html, and boto3's own AWS_DEFAULT_PROFILE
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_ENDPOINT = re.compile("AWS_ENDPOINT_URL(_[A-Z0-9_]+)?")
# https://arc.codes/docs/en/reference/project-manifest/static: read by Architect's own libraries.
_ARCHITECTS = ("ARC_STATIC_BUCKET", "ARC_STATIC_FOLDER", "ARC_STATIC_PREFIX", "ARC_STATIC_SPA")
_OURS = re.compile(r"ARC|SESSION_", re.IGNORECASE)
_ALIKE = 0.8  # of 1.0, as difflib compares names

_LONGEST_UNIT = 8  # characters that a guessable secret repeats
_LEAST_UNKNOWN = 9  # letters and digits beside placeholder words that make a secret hard to guess
_LEETSPEAK = str.maketrans("013457@$", "oieastas")
_PLACEHOLDER = re.compile(
    "password|passwort|passwd|secret|changeme|change|replace|insert|enter|placeholder|default|example|sample|dummy|"
    "testing|test|todo|fixme|admin|letmein|welcome|iloveyou|development|production|staging|session|super|token|please|"
    "before|deploy|value|foobar|your|this|with|here|goes|long|some|random|string|pass|key|top|the|my|app|arc|me|a"
)
_SEQUENCES = tuple(
    sequence
    for forward in ("abcdefghijklmnopqrstuvwxyz0123456789", "01234567890" * 4, "qwertyuiop", "asdfghjkl", "zxcvbnm")
    for sequence in (forward, forward[::-1])
)
_SHORTEST_RUN = 4


def mistake(name: str, value: str, *, app: str, environment: str) -> str | None:
    """Return a sentence about a variable that is almost certainly a mistake, None for any other.

    The sentence never contains a secret. In testing any secret is good.
    """
    if name == SECRET:
        what = _guessable(value) if environment != "testing" else None
        remedy = f"A random one, without signing anyone out: arc secret rotate {environment}."
        return f"{name} {what}, which anyone can guess. {remedy}" if what else None
    if name in _TABLES:
        owner = _other_environment(value, app, environment)
        return f"{name} is {value!r}, a table of {owner}, but this is {environment}." if owner else None
    if environment != "testing" and (what := _of_a_developer(name, value, environment)) is not None:
        return f"{name} {what} Leave it out, or remove it: arc env remove {environment} {name}"
    meant = _meant(name)
    return f"Nothing reads a variable {name}. Did you mean {meant}?" if meant else None


def mistakes(variables: Mapping[str, str], *, app: str, environment: str) -> list[str]:
    """Return the sentences about `variables` that are almost certainly mistakes."""
    found = (mistake(name, value, app=app, environment=environment) for name, value in variables.items())
    return [sentence for sentence in found if sentence is not None]


def check_mistakes(variables: Mapping[str, str], *, app: str, environment: str) -> None:
    """Raise `ToolError` for new `variables` of an environment that are almost certainly mistakes."""
    found = mistakes(variables, app=app, environment=environment)
    if found:
        told = "\n".join(found)
        raise ToolError(f"{told}\nSet {'it' if len(found) == 1 else 'them'} anyway with --force. Nothing was changed.")


def _guessable(secret: str) -> str | None:
    """What makes a secret guessable, as the end of a sentence; None for one that is not."""
    text = secret.lower()
    for unit in range(1, min(_LONGEST_UNIT, len(text) // 2) + 1):
        if text == (text[:unit] * len(text))[: len(text)]:
            return "is one character repeated" if unit == 1 else "is a few characters repeated"
    unknown = re.sub(r"[\W_]", "", _without_sequences(text))
    if len(unknown) < _LEAST_UNKNOWN:
        return "is a sequence of the alphabet or the keyboard"
    for spelled in (text, text.translate(_LEETSPEAK)):
        rest = _PLACEHOLDER.sub(" ", _without_sequences(re.sub(r"[\W_]", "", spelled)))
        if len(re.sub(r"\W", "", rest)) < _LEAST_UNKNOWN:
            return "is made of placeholder words"
    return None


def _without_sequences(text: str) -> str:
    """The text with a space in place of each repeated character and of each part of a well-known sequence."""
    text = re.sub(r"(.)\1{2,}", " ", text)
    kept, place = [], 0
    while place < len(text):
        end = place + 1
        while end < len(text) and any(text[place : end + 1] in sequence for sequence in _SEQUENCES):
            end += 1
        kept.append(" " if end - place >= _SHORTEST_RUN else text[place:end])
        place = end
    return "".join(kept)


def _other_environment(table: str, app: str, environment: str) -> str | None:
    """The environment of this app whose table has that name, when it is another one."""
    for other in ENVIRONMENTS:
        if other != environment and table.startswith((f"{app}-{other}-", f"{stack_name(app, other)}-")):
            return other
    return None


def _of_a_developer(name: str, value: str, environment: str) -> str | None:
    """How a variable that fits a developer's machine fails in a deployed function; None for any other."""
    if name in _PROFILES:
        return (
            f"names a profile of a developer's machine, without which boto3 fails in {environment}. Functions get "
            "their credentials from their role."
        )
    host = host_on_this_machine(value) if _ENDPOINT.fullmatch(name) else None
    return f"leads to {host}, where functions in {environment} find no AWS service." if host else None


def _meant(name: str) -> str | None:
    """The known name that an unknown one is a misspelling of."""
    known = _known_names()
    if name in known or not _OURS.match(name):
        return None
    upper = name.upper()
    begun = [] if upper in known else [one for one in known if one.startswith(f"{upper}_")]
    close = difflib.get_close_matches(upper, begun or known, n=1, cutoff=_ALIKE)
    return close[0] if close else None


@functools.cache
def _known_names() -> tuple[str, ...]:
    """Every variable that the runtime asks for, and those of Architect's tools."""
    asked = _Asked()
    Settings.from_env(asked)
    ours = (name for name in asked.names if _OURS.match(name))
    return tuple(dict.fromkeys((*ours, *sorted(RESERVED), *_ARCHITECTS, "ARC_LOCAL")))


class _Asked(dict[str, str]):
    """An environment without variables, which remembers the names that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Remember the name."""
        self.names.append(name)
        return default
