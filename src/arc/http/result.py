"""The type of a handler's result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003  # so that the hints can be evaluated
from typing import Any, TypedDict  # this file is imported for type checkers alone


class Response(TypedDict, total=False):
    """An Architect response; every key is optional (Architect, "HTTP functions").

    - `status` (also `code`, `statusCode` or `status_code`) is 200 by default, with `location` 302.
    - One of `html`, `css`, `js`, `text`, `json` and `xml` is the body with its type. Otherwise `body` is the body
      and `type` its type.
    - `session` replaces the session's data.
    """

    status: int
    code: int
    statusCode: int
    status_code: int
    type: str
    headers: Mapping[str, str | float]
    multiValueHeaders: Mapping[str, Sequence[str | float]]
    body: str | bytes
    html: str | bytes
    css: str | bytes
    js: str | bytes
    text: str | bytes
    json: Any
    xml: str | bytes
    location: str
    cookie: str
    cookies: Sequence[str]
    session: dict[str, Any]
    cors: bool | str
    cache_control: str
    cacheControl: str
    compression: bool | str
    isBase64Encoded: bool
