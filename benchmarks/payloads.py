"""The sessions of a shop's visitors that are measured, and the event that brings their cookie."""

from __future__ import annotations

import json
from typing import Any

_WORDS = ("black", "green", "oolong", "white", "herbal", "second flush", "loose leaf", "gift box")


def _line(number: int) -> dict[str, Any]:
    """Return a line of a cart."""
    return {
        "sku": f"tea-{number:04}",
        "price": round(4.75 + number * 1.35, 2),
        "quantity": 1 + number % 3,
        "options": [_WORDS[number % 8], _WORDS[(number * 3 + 1) % 8]],
    }


def _visitor(lines: int, remark: str) -> dict[str, Any]:
    """Return the session of a visitor with so many lines in the cart."""
    return {
        "count": 7,
        "user": {"id": "u-20417", "name": "Ada Example", "languages": ["en", "pt"], "newsletter": False},
        "cart": [_line(number) for number in range(lines)],
        "shipping": {"method": "parcel", "price": 4.9, "to": {"city": "Lisbon", "zip": "1100-148"}},
        "discount": None,
        "remark": remark,
    }


PAYLOADS: dict[int, dict[str, Any]] = {
    54: {"count": 7, "user": "u-20417", "prices": [4.75, 12.5, 18.9]},
    523: _visitor(4, "Ring us!"),
    2206: _visitor(25, "Please leave it with the neighbors on the left side"),
}
"""By the bytes of their JSON. `count` keeps its one digit when it is counted up."""

_HEADERS = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "en-US,en;q=0.5",
    "host": "api.example.com",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "x-forwarded-for": "192.0.2.44",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}
_EVENT: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "GET /cart",
    "rawPath": "/cart",
    "rawQueryString": "",
    "headers": _HEADERS,
    "requestContext": {
        "accountId": "123456789012",
        "apiId": "api",
        "domainName": "api.example.com",
        "http": {
            "method": "GET",
            "path": "/cart",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.44",
            "userAgent": _HEADERS["user-agent"],
        },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": "GET /cart",
        "stage": "$default",
        "timeEpoch": 1_800_000_000_000,
    },
    "isBase64Encoded": False,
}


def event(cookie: str) -> dict[str, Any]:
    """Return a new event of an HTTP API, payload 2.0, with this cookie. No Accept-Encoding: nothing is compressed."""
    return {**_EVENT, "cookies": [cookie]}


def size(data: dict[str, Any]) -> int:
    """Return the bytes of the JSON of `data`, without spaces."""
    return len(json.dumps(data, separators=(",", ":")))
