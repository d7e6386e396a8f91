"""The words of `arc env`, in Architect's forms and in ours.

Click parses the options. The words are parsed here, because the meaning of each depends on those before it, and the
value may begin with a hyphen.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from arc.inventory.findings import choose
from arc.inventory.preferences import ENVIRONMENTS
from arc.tools.env.variables import DEPLOYED, unknown_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

_ACTIONS = {  # before the environment or after it, and under the names that other tools use
    "remove": "remove",
    "delete": "remove",
    "unset": "remove",
    "rm": "remove",
    "verify": "verify",
    "set": "set",
    "add": "set",
    "list": "show",
    "ls": "show",
    "show": "show",
    "get": "get",
}
_SUGGESTED = ("remove", "verify")


class WrongUsage(Exception):
    """The words are not a form of the command; the message says what to write."""


@dataclass(frozen=True)
class Options:
    """The options of `arc env`."""

    environment: str | None = None
    file: str | None = None
    add: bool = False
    remove: bool = False
    show: bool = False
    as_json: bool = False
    local: bool = False
    adopt: bool = False
    prune: bool = False
    check: bool = False
    force: bool = False


@dataclass(frozen=True)
class Request:
    """What the words `[ACTION] [ENVIRONMENT] [ACTION] [KEY [VALUE]]` ask for."""

    action: str
    """`show`, `set`, `load` (from a file), `remove` or `verify`."""
    environment: str | None = None
    key: str | None = None
    value: str | None = field(default=None, repr=False)
    """None to read it from standard input or a prompt."""
    surplus: int = 0
    """How many words follow the value."""
    options: Options = Options()


def split_words(words: Sequence[str], environment: str | None) -> Request:
    """Return the words by position, unchecked; `environment` is the one that `--env` names."""
    rest = list(words)
    action = _ACTIONS[rest.pop(0)] if rest and rest[0] in _ACTIONS else ""
    if environment is not None:
        environment = environment.removeprefix("=")  # of -e=staging, where Click keeps it
    elif rest:
        environment = rest.pop(0)
    if not action and rest and rest[0] in _ACTIONS:
        action = _ACTIONS[rest.pop(0)]
    key = rest.pop(0) if rest else None
    value = None
    if action != "remove" and key is not None:
        key, equals, value = key.partition("=")
        value = value if equals else rest.pop(0) if rest else None
    return Request(action, environment, key, value, len(rest))


def parse_request(words: Sequence[str], options: Options) -> Request:
    """Return what the words and options ask for. Raises `WrongUsage`."""
    parts = split_words(words, options.environment)
    environment, key = parts.environment, parts.key
    if environment is not None and "=" in environment:  # The value may be a secret.
        name = environment.partition("=")[0]
        raise WrongUsage(f"The environment is missing in front of {name}. {choose(ENVIRONMENTS)}")
    if environment not in (None, *ENVIRONMENTS):
        raise WrongUsage(unknown_environment(str(environment), others=_SUGGESTED))
    action = _action(parts, options)
    _check_options(action, environment, options)
    if action == "verify" and environment == "testing":
        raise WrongUsage(f"testing cannot be verified, because it has no deployed functions. {choose(DEPLOYED)}")
    if action not in ("show", "verify") and environment is None:
        raise WrongUsage(f"The environment is missing. {choose(ENVIRONMENTS)}")
    if action in ("set", "remove") and key is None:
        form = f"arc env {environment} KEY VALUE" if action == "set" else f"arc env remove {environment} KEY"
        raise WrongUsage(f"The name of the variable is missing. Write `{form}`.")
    if action not in ("set", "remove") and key is not None:
        raise WrongUsage(f"Unexpected argument {key!r}. Only setting and removing a variable take a name.")
    if action == "remove" and key is not None and "=" in key:
        name = key.partition("=")[0]
        raise WrongUsage(f"Only the name of a variable is needed. Write `arc env remove {environment} {name}`.")
    if parts.surplus or (action == "remove" and parts.value is not None):
        end = "name" if action == "remove" else "value. Put a value with spaces in quotes, or pipe it to standard input"
        raise WrongUsage(f"Unexpected arguments follow the {end}.")
    return replace(parts, action=action, options=options)


def _action(parts: Request, options: Options) -> str:
    verb = parts.action
    if options.remove and verb not in ("", "remove"):
        raise WrongUsage(f"{verb} and --remove cannot be combined. Choose one.")
    if options.add and verb not in ("", "set"):
        raise WrongUsage(f"{verb} and --add cannot be combined. Choose one.")
    if verb == "get":
        place = f" {parts.environment}" if parts.environment else ""
        raise WrongUsage(f"Unknown action 'get'. To show every variable, run `arc env{place} --show`.")
    if verb in ("verify", "show", "remove") or options.remove:
        return verb or "remove"
    if options.file is not None:
        return "load"
    if parts.key in _ACTIONS:
        raise WrongUsage(f"A variable cannot be called {parts.key!r}, which is an action. Choose another name.")
    return "set" if verb or parts.key is not None or options.add else "show"


def _check_options(action: str, environment: str | None, options: Options) -> None:
    """Raise `WrongUsage` for options that exclude each other or that the action does not have."""
    for first, second, are_both in (
        ("--adopt", "--prune", options.adopt and options.prune),
        ("--add", "--remove", options.add and options.remove),
    ):
        if are_both:
            raise WrongUsage(f"{first} and {second} cannot be combined. Choose one.")
    if options.check and action != "verify":
        raise WrongUsage("--check works only with verify. Write `arc env verify --check`.")
    if options.adopt or options.prune:
        option = "--adopt" if options.adopt else "--prune"
        if action == "show" or options.check:
            raise WrongUsage(f"{option} works only with a change or verify. Write `arc env verify {option}`.")
        if environment == "testing":
            raise WrongUsage(f"{option} is for deployed functions, and testing has none. {choose(DEPLOYED)}")
    if options.file is not None and action != "load":
        raise WrongUsage(f"--from-file sets variables, and cannot be combined with {action}.")
