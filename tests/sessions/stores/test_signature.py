"""Signatures of requests to DynamoDB, compared with botocore's."""

from __future__ import annotations

import string
import time
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from arc.sessions.stores.dynamodb.lean import Credentials, Signer

VISIBLE = st.text(string.ascii_letters + string.digits + "+/=_-", min_size=1, max_size=40)
TOKENS = st.none() | st.text(string.ascii_letters + string.digits + "+/=", min_size=1, max_size=1200)
NAMES = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
HOSTS = st.one_of(
    st.builds("dynamodb.{}.amazonaws.com".format, NAMES),
    st.builds("{}:{}".format, st.sampled_from(["localhost", "127.0.0.1", "[::1]"]), st.integers(1024, 65_535)),
)
REQUESTS = st.tuples(
    VISIBLE,
    VISIBLE,
    TOKENS,
    NAMES,
    HOSTS,
    st.sampled_from(["GetItem", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]),
    st.binary(max_size=3000),
    st.integers(0, 4_102_444_800),
    st.booleans(),
)


def headers_of(head: bytes) -> dict[str, str]:
    """Return the headers in a request's head."""
    line, *rest = head.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    assert line == "POST / HTTP/1.1"
    headers = dict(one.split(": ", 1) for one in rest)
    assert len(headers) == len(rest)
    return headers


def by_botocore(
    headers: dict[str, str], body: bytes, credentials: Credentials, region: str, now: int, *, tls: bool
) -> str:
    """Return botocore's Authorization header for the same request at the same time."""
    sent = ("Host", "Content-Type", "X-Amz-Target", "User-Agent")
    request = AWSRequest(
        method="POST",
        url=f"{'https' if tls else 'http'}://{headers['Host']}/",
        headers={name: headers[name] for name in sent},
        data=body,
    )
    request.context["timestamp"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    auth = SigV4Auth(BotoCredentials(credentials.key, credentials.secret, credentials.token), "dynamodb", region)
    auth._modify_request_before_signing(request)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(text, request))
    return str(request.headers["Authorization"])


def check(request: tuple[Any, ...]) -> None:
    """Compare the signatures of `request`, and check that the signed values are sent."""
    key, secret, token, region, host, operation, body, now, tls = request
    credentials = Credentials(key, secret, token)
    headers = headers_of(Signer(credentials, region, host, clock=lambda: now).head(operation, body))
    assert headers["Authorization"] == by_botocore(headers, body, credentials, region, now, tls=tls)
    assert (headers["Content-Length"], headers.get("X-Amz-Security-Token")) == (str(len(body)), token)


@given(REQUESTS)
@settings(max_examples=300)
def test_any_request_is_signed_as_in_botocore(request: tuple[Any, ...]) -> None:
    """This is a sample of the exhaustive test."""
    check(request)


@pytest.mark.exhaustive
@given(REQUESTS)
@settings(max_examples=10_000)
def test_ten_thousand_requests_are_signed_as_in_botocore(request: tuple[Any, ...]) -> None:
    """Any credentials, region, host, operation, body and time, with and without a session token."""
    check(request)


def test_one_signer_signs_across_midnight() -> None:
    """The key of a day is not used for the next day or the one before."""
    credentials, times = Credentials("key", "secret", "token"), [86_399, 86_400, 86_401, 86_399]
    clock = iter(times)
    signer = Signer(credentials, "eu-west-1", "localhost:1", clock=lambda: next(clock))
    for now in times:
        headers = headers_of(signer.head("GetItem", b"{}"))
        assert headers["Authorization"] == by_botocore(headers, b"{}", credentials, "eu-west-1", now, tls=False)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("text", ["a\r\nX-Injected: 1", "a\nb", "a b", "a\x00", "é"])
def test_credentials_that_would_break_a_header_are_ignored(name: str, text: str) -> None:
    """A variable cannot add a header to a request."""
    environ = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
    assert Credentials.from_env(environ) == Credentials("key", "secret", "token")
    assert Credentials.from_env({**environ, name: text}) is None


def test_s42_credentials_are_not_shown() -> None:
    """The repr has neither key, secret nor token."""
    shown = repr(Credentials("hidden-key", "hidden-secret", "hidden-token"))
    assert "hidden" not in shown


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_credentials_need_a_key_and_its_secret(missing: str) -> None:
    """One without the other is none; only the session token may be missing."""
    environ = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    assert Credentials.from_env(environ) == Credentials("key", "secret")
    assert Credentials.from_env({**environ, missing: ""}) is None
    del environ[missing]
    assert Credentials.from_env(environ) is None


def test_equal_credentials_have_one_hash() -> None:
    """Others have others."""
    first, other = Credentials("key", "secret", "token"), Credentials("key", "secret", "another")
    assert hash(first) == hash(Credentials("key", "secret", "token"))
    assert hash(first) != hash(other)
