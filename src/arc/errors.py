"""The package's exceptions.

ArcError
├── ConfigurationError      a setting is missing or wrong
│   ├── MissingSecret       ARC_APP_SECRET is not set and is required
│   ├── UnknownTable        the service map has no table with this name
│   ├── UnknownEvent        the service map has no event with this name
│   └── UnknownQueue        the service map has no queue with this name
├── SessionTooLarge         the session does not fit into its store
├── LateChange              the session was changed after the response was made
├── StoreError              the store failed or refused a request
├── BadRequest              the visitor's request is malformed (400)
│   ├── MissingField        the form, query or path has no such field (400)
│   └── ForgedRequest       the CSRF check failed (403)
├── FreshSignInRequired     the sign-in is too old for this action (401)
├── ManifestError           app.arc has a syntax error
├── InventoryError          the app is not valid; lists every fault
└── ToolError               a command failed
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


_MOST_SHOWN = 100  # characters of a faulty line, which may be a whole minified file


class ArcError(Exception):
    """The base class of the package's exceptions."""


class ConfigurationError(ArcError):
    """A setting is missing or wrong. The message names the variable and the remedy."""


class MissingSecret(ConfigurationError):
    """`ARC_APP_SECRET` is not set, and sealing or signing a session requires it."""


class UnknownTable(ConfigurationError, NameError):
    """The app's stack has no table with this name. The message lists its tables.

    Also a `NameError`, which `tables.name` of architect-functions raises.
    """


class UnknownEvent(ConfigurationError, TypeError, KeyError):
    """The app's stack has no event with this name. The message lists its events.

    Also a `TypeError` and a `KeyError`, either of which `events.publish` of architect-functions raises.
    """

    __str__ = Exception.__str__  # KeyError's own quotes the message.


class UnknownQueue(ConfigurationError, TypeError, KeyError):
    """The app's stack has no queue with this name. The message lists its queues.

    Also a `TypeError` and a `KeyError`, either of which `queues.publish` of architect-functions raises.
    """

    __str__ = Exception.__str__  # KeyError's own quotes the message.


class SessionTooLarge(ArcError):
    """The session does not fit into its store. The message names the largest keys."""


class LateChange(ArcError):
    """The session was changed after the response was made, so the change would be lost."""


class StoreError(ArcError):
    """The store failed or refused a request. The session's state is unknown, and not empty."""


class BadRequest(ArcError, ValueError):
    """The visitor's request is malformed. `@arc.http.handler` responds with `status`.

    Also a `ValueError`, which `parse_body` of architect-functions raises.
    """

    status = 400


class MissingField(BadRequest, KeyError):
    """The handler read a field that the request's form, query or path does not have. The message names it.

    Also a `KeyError`, as for any dict. Use `get(name)` for a field that may be absent.
    """

    def __init__(self, name: str, part: str = "form has no field") -> None:
        self._part = part
        super().__init__(name)

    def __str__(self) -> str:
        return f"The request's {self._part} {self.args[0]!r}."


class ForgedRequest(BadRequest):
    """The request does not prove that it comes from one of the app's pages."""

    status = 403


class FreshSignInRequired(ArcError):
    """The visitor must sign in again for this action. `@arc.http.handler` responds with 401."""


class ManifestError(ArcError):
    """A manifest has a syntax error.

    `file` (str), `line` and `column` (from 1) are its place, `source` is the line's text, and `hint` says what to write
    instead. `str()` shows all of them, with a caret under the column.
    """

    def __init__(self, message: str, *, file: str, line: int, column: int, source: str, hint: str) -> None:
        self.message, self.file, self.line, self.column = message, file, line, column
        self.source, self.hint = source, hint
        start = max(0, column - _MOST_SHOWN // 2) if len(source) > _MOST_SHOWN else 0
        shown = source[start : start + _MOST_SHOWN]
        caret = "".join("\t" if character == "\t" else " " for character in source[start : column - 1]) + "^"
        super().__init__(f"{file}:{line}:{column}: {message}\n  {shown}\n  {caret}\n  {hint}")


class InventoryError(ArcError):
    """The app is not valid. `faults` has a `ManifestError` or `ToolError` for every fault."""

    def __init__(self, faults: Sequence[ArcError]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n\n".join(str(fault) for fault in self.faults))


class ToolError(ArcError):
    """A command failed. The message says what happened, what was found and what to do."""
