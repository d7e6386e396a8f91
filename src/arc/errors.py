"""Every exception of the package.

ArcError
├── ConfigurationError      what the operator set is missing or wrong
│   ├── MissingSecret       no ARC_APP_SECRET where one is needed
│   ├── UnknownTable        the service map has no table of this name
│   ├── UnknownEvent        the service map has no event of this name
│   └── UnknownQueue        the service map has no queue of this name
├── SessionTooLarge         the session does not fit its store
├── LateChange              the session was changed after the response was made
├── StoreError              the store could not be reached, or refused
├── BadRequest              the visitor's request is malformed (400)
│   └── ForgedRequest       the CSRF check failed (403)
├── FreshSignInRequired     the sign-in is too old for this action (401)
├── ManifestError           app.arc does not parse
├── InventoryError          the app as a whole is not valid; every fault at once
└── ToolError               a command could not do what it was asked
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


_MOST_SHOWN = 100  # characters of a faulty line: a minified file is one line


class ArcError(Exception):
    """Anything this package raises on purpose."""


class ConfigurationError(ArcError):
    """A setting is missing or wrong; the message names the variable and what mends it."""


class MissingSecret(ConfigurationError):
    """`ARC_APP_SECRET` is not set where a session must be sealed or signed."""


class UnknownTable(ConfigurationError, NameError):
    """The app's stack has no table of this name; the message tells those it has.

    A `NameError` as well, because that is what `tables.name` of architect-functions raises.
    """


class UnknownEvent(ConfigurationError, TypeError, KeyError):
    """The app's stack has no event of this name; the message lists those it has.

    A `TypeError` and a `KeyError` as well, because `events.publish` of architect-functions raises one or the other.
    """

    __str__ = Exception.__str__  # a KeyError would quote the message


class UnknownQueue(ConfigurationError, TypeError, KeyError):
    """The app's stack has no queue of this name; the message lists those it has.

    A `TypeError` and a `KeyError` as well, because `queues.publish` of architect-functions raises one or the other.
    """

    __str__ = Exception.__str__  # a KeyError would quote the message


class SessionTooLarge(ArcError):
    """The session does not fit its store; the message names the largest keys. Nothing was sent."""


class LateChange(ArcError):
    """The session was changed after the response was made, so nothing would store the change."""


class StoreError(ArcError):
    """The store could not be reached or refused; the session's state is unknown, not empty."""


class BadRequest(ArcError, ValueError):
    """The visitor's request is malformed; `@arc.http.handler` answers `status`.

    A `ValueError` as well, because that is what `parse_body` of architect-functions raises.
    """

    status = 400


class ForgedRequest(BadRequest):
    """The request did not prove that it comes from the application's own page."""

    status = 403


class FreshSignInRequired(ArcError):
    """The visitor must sign in again before this action; `@arc.http.handler` answers 401."""


class ManifestError(ArcError):
    """A manifest does not parse.

    `file` (str), `line` and `column` (from 1) say where; `source` is the line as written; `hint` says
    what to write instead. `str()` shows all of it, with a caret under the column.
    """

    def __init__(self, message: str, *, file: str, line: int, column: int, source: str, hint: str) -> None:
        self.message, self.file, self.line, self.column = message, file, line, column
        self.source, self.hint = source, hint
        start = max(0, column - _MOST_SHOWN // 2) if len(source) > _MOST_SHOWN else 0
        shown = source[start : start + _MOST_SHOWN]
        caret = "".join("\t" if character == "\t" else " " for character in source[start : column - 1]) + "^"
        super().__init__(f"{file}:{line}:{column}: {message}\n  {shown}\n  {caret}\n  {hint}")


class InventoryError(ArcError):
    """The app is not valid. `faults` lists every fault found, one `ManifestError` or `ToolError` each."""

    def __init__(self, faults: Sequence[ArcError]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n\n".join(str(fault) for fault in self.faults))


class ToolError(ArcError):
    """A command failed; the message says what happened, what was found and what to do."""
