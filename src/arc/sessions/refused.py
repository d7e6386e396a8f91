"""Why a visitor's cookie was not taken."""

from __future__ import annotations


class Refused(Exception):  # not an error: a visitor may send anything
    """A token or signed id that opens no session; never leaves the core.

    `reason` is one of `malformed`, `too-long`, `forged`, `expired`, `clock`, `unknown-id`, `ended` and `ambiguous`.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
