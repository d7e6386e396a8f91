"""What the request that a session belongs to says besides its cookies."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Visit:
    """A request as a session manager sees it: this one is a plain navigation, and a web framework's says its own.

    `navigation`: a page was asked for, as far as the browser tells. `safe`: the method changes nothing (RFC 9110
    §9.2.1). `seen`: somebody will see the response, as nobody does after HEAD or a prefetch. `host`: the name of the
    host that was asked, in lower case, "" when it is not known. `plain_http`: it was asked without TLS.
    """

    __slots__ = ()

    navigation = True
    safe = True
    seen = True
    host = ""
    plain_http = False

    def withheld(self, same_site: str) -> bool:  # noqa: ARG002  # what others go by
        """True when the browser kept back a cookie of this SameSite, so that its absence says nothing."""
        return False

    def is_request(self, data: dict[str, Any]) -> bool:  # noqa: ARG002  # what others go by
        """True when `data` is a whole request, headers included, which is no session's data."""
        return False

    def places(self) -> Iterable[tuple[str | None, str]]:
        """The domain (None: host-only) and the path of every other cookie of the name that may have come."""
        return ()


PLAIN = Visit()
