"""Ways to keep a session in a cookie, each in its own process: `python -m benchmarks.candidates NAME`.

Each candidate does its own imports: no environment has all of them, and two are imported as `arc`.
"""

from __future__ import annotations

import json
import sys
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import partial
from importlib import import_module
from os import environ, urandom
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.payloads import PAYLOADS, event
from benchmarks.process import answer

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = max(PAYLOADS)
WEEK = 604_800  # seconds


class Candidate(NamedTuple):
    """The operations of one candidate.

    They take `name=value` in an event and return a Set-Cookie string; candidates without events take and return the
    cookie's value. `start` seals new data. `change` opens a session, adds 1 to its `count`, and seals it. `read` opens
    a session, looks at its `count`, and returns it. `handle` is a whole handler that adds 1 and returns a response.
    """

    start: Callable[[dict[str, Any]], Any]
    change: Callable[[Any], Any]
    read: Callable[[Any], Any]
    handle: Callable[[Any], Any] | None = None


def arc_sessions() -> Candidate:
    """This library. Like the end of a handler, `read` also looks for changes, and finds none."""
    import arc
    from arc.sessions.manager import manager_of

    session = arc.http.session

    def change(cookie: str) -> str:
        data = session.read(event(cookie))
        data["count"] += 1
        return session.write(data)

    def read(cookie: str) -> dict[str, Any]:
        data = session.read(event(cookie))
        _ = data["count"]
        manager_of(data).commit(data)
        return data

    @arc.http.handler
    def count(req: arc.Request) -> dict[str, Any]:
        req.session["count"] += 1
        return {"json": {"count": req.session["count"]}}

    return Candidate(lambda data: session.write(dict(data)), change, read, lambda cookie: count(event(cookie), None))


def architect_functions() -> Candidate:
    """Architect's Python library, version 1.0."""
    http: Any = import_module("arc.http")

    def change(cookie: str) -> Any:
        data = http.session_read(event(cookie))
        data["count"] += 1
        return http.session_write(data)

    def read(cookie: str) -> Any:
        data = http.session_read(event(cookie))
        _ = data["count"]
        return data

    def count(cookie: str) -> Any:
        req = event(cookie)
        data = http.session_read(req)
        data["count"] += 1
        return http.res(req, {"json": {"count": data["count"]}, "session": data})

    return Candidate(http.session_write, change, read, count)


def floor(*, fast: bool) -> Candidate:
    """The least that the same cookie takes: base64, AES-GCM, JSON and one f-string; if `fast`, by orjson and pybase64.

    It has one key, no session object and no settings, and checks only the seal and the age.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(environ["ARC_APP_SECRET"].encode()[:32])
    header = urlsafe_b64encode(b'{"alg":"dir","enc":"A256GCM"}').rstrip(b"=")
    prefix = f"_idx={header.decode()}.."
    to_json, from_json, to_base64, from_base64 = _codecs(fast=fast)

    def base64url(part: bytes) -> str:
        return str(to_base64(part).rstrip(b"="), "ascii")

    def write(data: dict[str, Any]) -> str:
        nonce = urandom(12)
        sealed = cipher.encrypt(nonce, to_json({**data, "iat": int(time.time())}), header)
        token = f"{prefix}{base64url(nonce)}.{base64url(sealed[:-16])}.{base64url(sealed[-16:])}"
        return f"{token}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax; Secure"

    def load(req: dict[str, Any]) -> Any:
        for cookie in req["cookies"]:
            if cookie.startswith(prefix):
                nonce, sealed, tag = cookie[len(prefix) :].split(".")
                parts = from_base64(sealed + "=" * (-len(sealed) % 4)) + from_base64(f"{tag}==")
                data = from_json(cipher.decrypt(from_base64(nonce), parts, header))
                if data.pop("iat") + WEEK > time.time():
                    return data
        return {}

    def change(cookie: str) -> str:
        data = load(event(cookie))
        data["count"] += 1
        return write(data)

    def read(cookie: str) -> Any:
        data = load(event(cookie))
        _ = data["count"]
        return data

    def count(cookie: str) -> dict[str, Any]:
        data = load(event(cookie))
        data["count"] += 1
        headers = {"content-type": "application/json; charset=utf8", "cache-control": "private, no-store"}
        body = to_json({"count": data["count"]}).decode()
        return {"statusCode": 200, "headers": headers, "cookies": [write(data)], "body": body}

    return Candidate(write, change, read, count)


def _codecs(*, fast: bool) -> tuple[Callable[..., Any], ...]:
    """Return functions that encode and decode JSON, then base64url."""
    if fast:
        import orjson  # type: ignore[import-not-found, unused-ignore]
        import pybase64

        return orjson.dumps, orjson.loads, pybase64.urlsafe_b64encode, pybase64.urlsafe_b64decode
    encode = json.JSONEncoder(separators=(",", ":")).encode
    return (lambda data: encode(data).encode()), json.loads, urlsafe_b64encode, urlsafe_b64decode


def litestar() -> Candidate:
    """Litestar's client-side sessions, by AES-GCM too; they take and return cookies' values."""
    from litestar.middleware.session.client_side import ClientSideSessionBackend, CookieBackendConfig

    backend = ClientSideSessionBackend(CookieBackendConfig(secret=environ["ARC_APP_SECRET"].encode()[:32]))
    return _of_values(backend.load_data, backend.dump_data)


def joserfc() -> Candidate:
    """A JWE made with joserfc, around the standard library's JSON."""
    from joserfc import jwe
    from joserfc.jwk import OctKey

    key = OctKey.import_key(environ["ARC_APP_SECRET"].encode()[:32])
    header = {"alg": "dir", "enc": "A256GCM"}
    encode = json.JSONEncoder(separators=(",", ":")).encode
    return _of_values(
        lambda value: json.loads(jwe.decrypt_compact(value, key).plaintext or b"{}"),
        lambda data: jwe.encrypt_compact(header, encode(data).encode(), key),
    )


def flask() -> Candidate:
    """Flask's sessions, which are signed and compressed; their serializer takes and returns cookies' values."""
    from flask import Flask
    from flask.sessions import SecureCookieSessionInterface

    app = Flask("benchmark")
    app.secret_key = environ["ARC_APP_SECRET"]
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    return _of_values(partial(serializer.loads, max_age=WEEK), serializer.dumps)


def django() -> Candidate:
    """Django's sessions in signed, compressed cookies; a store takes and returns their values."""
    from django.conf import settings

    settings.configure(SECRET_KEY=environ["ARC_APP_SECRET"])
    store: Any = import_module("django.contrib.sessions.backends.signed_cookies").SessionStore

    def start(data: dict[str, Any]) -> Any:
        session = store()
        session.update(data)
        session.save()
        return session.session_key

    def change(value: str) -> Any:
        session = store(value)
        session["count"] += 1
        session.save()
        return session.session_key

    def read(value: str) -> Any:
        session = store(value)
        _ = session["count"]
        return session

    return Candidate(start, change, read)


def starlette() -> Candidate:
    """Starlette's sessions, which are signed: its middleware around a bare ASGI application, without a server."""
    last: list[Any] = [None]

    def count_up(session: Any) -> bytes:
        session["count"] += 1
        return json.dumps({"count": session["count"]}).encode()

    def change_session(session: Any) -> bytes:
        session["count"] += 1
        return b""

    def read_session(session: Any) -> bytes:
        _ = session["count"]
        last[0] = session
        return b""

    change, read, count = _application(change_session), _application(read_session), _application(count_up)

    def start(data: dict[str, Any]) -> str:
        return _cookie_of(_application(lambda session: session.update(data) or b"")(""))

    def load(cookie: str) -> Any:
        read(cookie)
        return last[0]

    def handle(cookie: str) -> dict[str, Any]:
        head, body = count(cookie)
        return {**head, **body}

    return Candidate(start, lambda cookie: _cookie_of(change(cookie)), load, handle)


def _application(work: Callable[[Any], bytes]) -> Callable[[str], list[Any]]:
    """Return a function that takes a cookie and returns the messages of an application that answers `work(session)`."""
    from starlette.middleware.sessions import SessionMiddleware

    response_headers = [(b"content-type", b"application/json"), (b"cache-control", b"private, no-store")]
    headers = [(name.encode(), value.encode()) for name, value in event("")["headers"].items()]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": "/cart",
        "raw_path": b"/cart",
        "query_string": b"",
        "root_path": "",
        "client": ("192.0.2.44", 50_000),
        "server": ("api.example.com", 443),
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001  # the protocol of ASGI
        body = work(scope["session"])
        await send({"type": "http.response.start", "status": 200, "headers": [*response_headers]})
        await send({"type": "http.response.body", "body": body})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    middleware = SessionMiddleware(app, secret_key=environ["ARC_APP_SECRET"], max_age=WEEK, https_only=True)

    def call(cookie: str) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        coroutine: Any = middleware({**scope, "headers": [*headers, (b"cookie", cookie.encode())]}, receive, send)
        try:
            coroutine.send(None)  # It runs to its end, since it waits for nothing.
        except StopIteration:
            return sent
        raise RuntimeError("The application did not run to its end.")

    return call


def _cookie_of(sent: list[Any]) -> str:
    """Return the Set-Cookie string in an application's messages."""
    return next(str(value, "latin-1") for name, value in sent[0]["headers"] if name == b"set-cookie")


def _of_values(load: Callable[[Any], Any], dump: Callable[[Any], Any]) -> Candidate:
    """Return a candidate that opens a cookie's value with `load` and makes one with `dump`."""

    def change(value: Any) -> Any:
        data = load(value)
        data["count"] += 1
        return dump(data)

    def read(value: Any) -> Any:
        data = load(value)
        _ = data["count"]
        return data

    return Candidate(dump, change, read)


CANDIDATES: dict[str, Callable[[], Candidate]] = {
    "arc-sessions": arc_sessions,
    "architect-functions": architect_functions,
    "floor-json": partial(floor, fast=False),
    "floor-orjson": partial(floor, fast=True),
    "litestar": litestar,
    "joserfc": joserfc,
    "starlette": starlette,
    "flask": flask,
    "django": django,
}


def build_operations(candidate: Candidate) -> dict[str, Callable[[], object]]:
    """Return the operations to measure. Raises `ValueError` if a session is not what was put into the cookie."""
    operations: dict[str, Callable[[], object]] = {}
    for size, data in PAYLOADS.items():
        cookie = _request_cookie(candidate.start(data))
        read, changed = candidate.read(cookie), candidate.read(_request_cookie(candidate.change(cookie)))
        expected = {**data, "count": data["count"] + 1}
        if any(read[key] != value for key, value in data.items()) or any(
            changed[key] != expected[key] for key in expected
        ):
            raise ValueError(f"The session of {size} bytes is not what was put into it.")
        operations[f"change-{size}"] = partial(candidate.change, cookie)
    operations[f"read-{LARGEST}"] = partial(candidate.read, cookie)
    if candidate.handle is not None:
        cookie = _request_cookie(candidate.start({"count": 1}))
        if json.loads(candidate.handle(cookie)["body"]) != {"count": 2}:
            raise ValueError("The handler does not count.")
        operations["count"] = partial(candidate.handle, cookie)
    return operations


def _request_cookie(cookie: Any) -> Any:
    """Return what a browser sends after a Set-Cookie string; the value of a cookie is returned as it is."""
    return cookie.partition(";")[0].strip() if isinstance(cookie, str) else cookie


if __name__ == "__main__":
    answer(build_operations(CANDIDATES[sys.argv[1]]()))
