"""Detects likely mistakes: guessable secrets, misspelled names, another environment's tables, local settings."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from arc.errors import ToolError
from arc.inventory.findings import did_you_mean
from arc.inventory.preferences import ENVIRONMENTS
from arc.service_map import stack_name
from arc.settings import Settings
from arc.tools.cloud.cloud import host_on_this_machine
from arc.tools.env.variables import OLD_STORE, RESERVED, SECRET, STORE

if TYPE_CHECKING:
    from collections.abc import Mapping

_TABLES = (STORE, OLD_STORE, "ARC_SESSION_MIGRATE_FROM")
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html, and AWS_DEFAULT_PROFILE of boto3
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_ENDPOINT = re.compile("AWS_ENDPOINT_URL(_[A-Z0-9_]+)?")
# https://arc.codes/docs/en/reference/project-manifest/static, read by Architect's libraries
_ARCHITECTS = ("ARC_STATIC_BUCKET", "ARC_STATIC_FOLDER", "ARC_STATIC_PREFIX", "ARC_STATIC_SPA")
_OURS = re.compile(r"ARC|SESSION_", re.IGNORECASE)
_CLOSE = 0.8  # the least similarity of a misspelled name, as difflib measures it
_ALMOST_SAME = 0.9  # that of a name whose beginning is misspelled

_LONGEST_UNIT = 8  # characters that a guessable secret repeats
_LEAST_UNKNOWN = 9  # letters and digits beside placeholder words; with fewer a secret is guessable
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
    """Return a message for a variable that is almost certainly a mistake, else None.

    The message never contains a secret. Any secret is accepted in testing.
    """
    if name == SECRET:
        fault = _guessable(value) if environment != "testing" else None
        remedy = f"Run `arc secret rotate {environment}` to get a random one without signing anyone out."
        return f"{name} is easy to guess: it {fault}. {remedy}" if fault else None
    if name in _TABLES:
        owner = _other_environment(value, app, environment)
        return f"{name} is {value!r}, a table of {owner}. Choose a table of {environment}." if owner else None
    if environment != "testing" and (fault := _local_setting(name, value, environment)) is not None:
        return f"{name} {fault} Leave it out, or run `arc env remove {environment} {name}`."
    return _misspelled(name)


def mistakes(variables: Mapping[str, str], *, app: str, environment: str) -> list[str]:
    """Return the messages for those of `variables` that are almost certainly mistakes."""
    found = (mistake(name, value, app=app, environment=environment) for name, value in variables.items())
    return [message for message in found if message is not None]


def check_mistakes(variables: Mapping[str, str], *, app: str, environment: str) -> None:
    """Raise `ToolError` for new `variables` that are almost certainly mistakes."""
    found = mistakes(variables, app=app, environment=environment)
    if found:
        raise ToolError("\n".join((*found, "To set it anyway, use --force. Nothing was changed.")))


def _guessable(secret: str) -> str | None:
    """Return what makes a secret guessable, as the end of a sentence, else None."""
    text = secret.lower()
    for unit in range(1, min(_LONGEST_UNIT, len(text) // 2) + 1):
        if text == (text[:unit] * len(text))[: len(text)]:
            return "repeats one character" if unit == 1 else "repeats a few characters"
    unknown = re.sub(r"[\W_]", "", _without_sequences(text))
    if len(unknown) < _LEAST_UNKNOWN:
        return "is a sequence of the alphabet or the keyboard"
    for spelled in (text, text.translate(_LEETSPEAK)):
        rest = _PLACEHOLDER.sub(" ", _without_sequences(re.sub(r"[\W_]", "", spelled)))
        if len(re.sub(r"\W", "", rest)) < _LEAST_UNKNOWN:
            return "consists of placeholder words"
    return None


def _without_sequences(text: str) -> str:
    """Return the text with a space in place of repeated characters and of parts of well-known sequences."""
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
    """Return another environment of this app whose table has that name, if any."""
    for other in ENVIRONMENTS:
        if other != environment and table.startswith((f"{app}-{other}-", f"{stack_name(app, other)}-")):
            return other
    return None


def _local_setting(name: str, value: str, environment: str) -> str | None:
    """Return why a developer's local setting fails in a deployed function, as the end of a sentence, else None."""
    if name in _PROFILES:
        return (
            f"names a profile of your machine, without which boto3 fails in {environment}. Functions get their "
            "credentials from their role."
        )
    host = host_on_this_machine(value) if _ENDPOINT.fullmatch(name) else None
    return f"points to {host}, where functions in {environment} find no AWS service." if host else None


def _misspelled(name: str) -> str | None:
    """Return a message for an unknown name that looks like a misspelling of a known one, else None."""
    known = _known_names()
    if name in known:
        return None
    upper = name.upper()
    if not _OURS.match(name):
        known, cutoff = tuple(filter(_OURS.match, known)), _ALMOST_SAME
    else:
        cutoff = _CLOSE
    begun = [] if upper in known else [one for one in known if one.startswith(f"{upper}_")]
    meant = did_you_mean(upper, begun or known, cutoff=cutoff)
    return f"Unknown variable {name!r}, which nothing reads. {meant.rstrip()}" if meant else None


@functools.cache
def _known_names() -> tuple[str, ...]:
    """Return the names that the runtime or Architect reads."""
    environ = _RecordingEnviron()
    Settings.from_env(environ)
    ours = (name for name in environ.names if _OURS.match(name))
    return tuple(dict.fromkeys((*ours, *sorted(RESERVED), *_ARCHITECTS, "ARC_LOCAL")))


class _RecordingEnviron(dict[str, str]):
    """An empty environment that records the names that are looked up in it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Record the name, and return the default."""
        self.names.append(name)
        return default
