"""The words of `arc env`, old forms and new: what is asked for."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arc.inventory.preferences import ENVIRONMENTS
from arc.tools.env.variables import DEPLOYED, unknown_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

_FLAGS = {
    "--add": "add",
    "-a": "add",
    "--remove": "remove",
    "-r": "remove",
    "--print": "print",
    "-p": "print",
    "--adopt": "adopt",
    "--prune": "prune",
    "--check": "check",
    "--force": "force",
    "--json": "json",
    "--local": "local",
    "--show": "show",
    "--help": "help",
    "-h": "help",
    "--verbose": "verbose",  # of Architect, like the next three; nothing is left out without them
    "-v": "verbose",
    "--debug": "debug",
    "-d": "debug",
}
_WITH_VALUE = {"--env": "environment", "-e": "environment", "--from-file": "file"}
_ONE_VALUE = "A value is one word: put it in quotes, or send it to standard input and write - in its place."
_ACTIONS = ("remove", "verify")
_VERBS = {  # before the environment or after it, as other tools have them
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


class WrongUsage(Exception):
    """Words that are no form of the command; the message says what to write."""


@dataclass(frozen=True)
class Asked:
    """What the words of `arc env` ask for."""

    action: str
    """`show`, `set`, `load` (from `file`), `remove`, `verify` or `help`."""
    environment: str | None = None
    key: str = ""
    value: str = field(default="", repr=False)
    file: str = ""
    flags: frozenset[str] = frozenset()
    """`adopt`, `check`, `force`, `prune`, `json`, `local`, `show`."""
    value_at: int | None = None
    """Which of the words is the value, counted from 0."""


def understood(words: Sequence[str]) -> Asked:
    """What `words` ask for. The word after KEY is the value, whatever it is. Raises `WrongUsage`."""
    return _Reading(list(words)).asked()


class _Reading:
    """One pass over the words, from left to right."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._flags: set[str] = set()
        self._options: dict[str, str] = {}
        self._action = ""
        self._key: str | None = None
        self._value: str | None = None
        self._value_at: int | None = None

    def asked(self) -> Asked:
        place = 0
        while place < len(self._words):
            place = self._word(place)
        if "help" in self._flags:
            return Asked("help")
        action = self._chosen()
        self._check(action)
        return Asked(
            action,
            self._options.get("environment"),
            self._key or "",
            self._value or "",
            self._options.get("file", ""),
            frozenset(self._flags - {"add", "remove", "print", "verbose", "debug"}),
            self._value_at,
        )

    def _word(self, place: int) -> int:
        """Take the word at `place`; where the next one is."""
        word = self._words[place]
        if word.startswith("-") and word != "-":
            return self._option(word, place)
        if self._key is not None:
            raise WrongUsage(f"There are more words after the value. {_ONE_VALUE}")
        if "environment" not in self._options:
            self._first(word)
            return place + 1
        if word in _VERBS and not self._action and not self._flags & {"add", "remove"}:
            self._action = _VERBS[word]
            return place + 1
        self._key = word
        if self._removes or place + 1 == len(self._words):
            return place + 1
        self._value, self._value_at = self._words[place + 1], place + 1
        return place + 2

    def _first(self, word: str) -> None:
        """A word before any environment is known: an action, or the environment."""
        if word in _VERBS and not self._action:
            self._action = _VERBS[word]
        else:
            self._options["environment"] = _environment(word, *_ACTIONS)

    def _option(self, word: str, place: int) -> int:
        name, equals, value = word.partition("=")
        if name in _WITH_VALUE:
            if not equals:
                place += 1
                if place == len(self._words):
                    raise WrongUsage(f"{name} needs a value after it.")
                value = self._words[place]
            option = _WITH_VALUE[name]
            self._options[option] = _environment(value) if option == "environment" else value
        elif word in _FLAGS:
            self._flags.add(_FLAGS[word])
        else:
            close = difflib.get_close_matches(name, (*_FLAGS, *_WITH_VALUE), n=1)
            raise WrongUsage(f"{name} is no option.{f' Did you mean {close[0]}?' if close else ''}")
        return place + 1

    @property
    def _removes(self) -> bool:
        return self._action == "remove" or "remove" in self._flags

    def _chosen(self) -> str:
        if self._removes and self._action not in ("", "remove"):
            raise WrongUsage(f"{self._action} and --remove exclude each other.")
        if self._action == "get":
            place = "".join(f" {one}" for one in (self._options.get("environment"),) if one)
            raise WrongUsage(f"'get' is not part of this command. Show every variable with: arc env{place} --show")
        if self._action in ("verify", "show"):
            return self._action
        if self._removes:
            return "remove"
        if "file" in self._options:
            return "load"
        if self._key in _VERBS:
            raise WrongUsage(f"A variable cannot be called {self._key!r}, which is an action. Choose another name.")
        return "set" if self._action == "set" or self._key is not None or "add" in self._flags else "show"

    def _check(self, action: str) -> None:
        """Raise `WrongUsage` for what an action lacks or has too much."""
        environment, key = self._options.get("environment"), self._key
        if action == "verify":
            if environment not in (None, *DEPLOYED):
                raise WrongUsage(
                    f"There is nothing to verify in {environment}: its variables are this machine's own. "
                    f"Name one of {', '.join(DEPLOYED)}, or none for both."
                )
        elif action != "show" and environment is None:
            raise WrongUsage(f"Which environment? There are {', '.join(ENVIRONMENTS)}.")
        if action == "set":
            self._check_value(environment)
        elif action == "remove":
            if key is None:
                raise WrongUsage(f"Which variable? Write: arc env remove {environment} KEY")
        elif key is not None:
            raise WrongUsage(f"{key!r} is one word too many.")
        self._check_options(action)

    def _check_options(self, action: str) -> None:
        if "check" in self._flags and action != "verify":
            raise WrongUsage("--check belongs to verify: arc env verify --check")
        decided = sorted(self._flags & {"adopt", "prune"})
        if len(decided) > 1:
            raise WrongUsage("--adopt and --prune exclude each other.")
        if decided and (action in ("show", "help") or "check" in self._flags):
            raise WrongUsage(f"--{decided[0]} belongs to a change or to verify: arc env verify --{decided[0]}")
        if decided and self._options.get("environment") == "testing":
            raise WrongUsage(f"--{decided[0]} is for deployed functions, and testing has none.")
        if self._removes and "add" in self._flags:
            raise WrongUsage("--add and --remove exclude each other.")
        if "file" in self._options and action != "load":
            raise WrongUsage(f"--from-file sets variables; it cannot be used to {action}.")

    def _check_value(self, environment: str | None) -> None:
        if self._key is None:
            raise WrongUsage(f"Which variable? Write: arc env {environment} KEY VALUE")
        if self._value is None:
            raise WrongUsage(
                f"What value? Write: arc env {environment} {self._key} VALUE (- reads it from standard input), "
                f"or to remove it: arc env remove {environment} {self._key}"
            )


def _environment(word: str, *others: str) -> str:
    if word in ENVIRONMENTS:
        return word
    raise WrongUsage(unknown_environment(word, others=others))
