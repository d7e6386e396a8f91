"""HTTP/1.1 responses that are split, truncated or malformed, and servers with invalid certificates."""

from __future__ import annotations

import contextlib
import itertools
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from arc.sessions.stores.dynamodb.connections import (
    LONGEST_BODY,
    Connections,
    Response,
    UnexpectedResponse,
    read_response,
    tls_context,
)
from tests.sessions.stores.servers import answer, serving

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: 1\r\n\r\n"
REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


def read(*pieces: bytes) -> Response:
    """Read a response that arrives in these pieces before the connection ends."""
    left = iter([piece for piece in pieces if piece])
    return read_response(lambda: next(left, b""))


@given(st.sampled_from([PLAIN, CHUNKED]), st.lists(st.integers(0, 90)))
def test_a_response_can_be_split_anywhere(text: bytes, places: list[int]) -> None:
    """Pieces may end anywhere, also within a line's end."""
    ends = [0, *sorted(places), len(text)]
    found = read(*(text[begin:end] for begin, end in itertools.pairwise(ends)))
    assert (found.status, found.body, found.reusable) == (200, b"hello", True)


@given(st.sampled_from([PLAIN, CHUNKED]), st.data())
def test_a_truncated_response_is_a_broken_connection(text: bytes, data: st.DataObject) -> None:
    """A response with a missing part raises `ConnectionError`."""
    end = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(ConnectionError):
        read(text[:end])


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: "])
)
def test_s10_any_bytes_raise_no_other_error(text: bytes, begin: bytes) -> None:
    """Any bytes are a response, unexpected or truncated."""
    with contextlib.suppress(UnexpectedResponse, ConnectionError):
        read(begin + text)


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
        b"x" * 40_000,
    ],
)
def test_ambiguous_malformed_and_long_responses_are_refused(text: bytes) -> None:
    """The end of a response is never guessed."""
    with pytest.raises(UnexpectedResponse):
        read(text)


@pytest.mark.parametrize(
    "text",
    [PLAIN.replace(b"1.1", b"1.0"), PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: Close\r\n\r\n"), PLAIN + b"more"],
)
def test_a_connection_with_further_data_is_closed(text: bytes) -> None:
    """Bytes after a response never become part of the next one."""
    found = read(text)
    assert (found.body, found.reusable) == (b"hello", False)


# -- TLS


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """Return a server's settings with a new certificate for the host `name`, and a file to trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return context, file


def trusting(file: Path) -> ssl.SSLContext:
    """Return TLS settings with one more certificate."""
    context = tls_context()
    context.load_verify_locations(file)
    return context


def test_requests_use_tls_with_a_trusted_certificate(tmp_path: Path) -> None:
    """Several requests use one TLS connection."""
    server_side, file = certificate(tmp_path, "localhost")
    with serving(answer({}), answer({}), context=server_side) as server:
        connections = Connections("localhost", server.port, tls=True, context=lambda: trusting(file))
        for _ in range(2):
            assert connections.exchange(REQUEST, 10, 10).body == b"{}"
        connections.close()
    assert server.connections == 1


@pytest.mark.parametrize("name", ["localhost", "dynamodb.eu-west-1.amazonaws.com"], ids=["unknown", "of another host"])
def test_nothing_is_sent_to_a_server_with_an_invalid_certificate(tmp_path: Path, name: str) -> None:
    """The certificate is unknown, or belongs to another host."""
    server_side, file = certificate(tmp_path, name)
    with serving(answer({}), context=server_side) as server:
        context = tls_context if name == "localhost" else lambda: trusting(file)
        with pytest.raises(UnexpectedResponse, match="certificate"):
            Connections("localhost", server.port, tls=True, context=context).exchange(REQUEST, 10, 10)
    assert server.requests == []


def test_tls_is_verified_and_at_least_1_2() -> None:
    """These are the defaults, without older versions."""
    context = tls_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


# -- chunks


def chunked(*chunks: bytes, trailers: bytes = b"") -> bytes:
    """An answer in these chunks."""
    parts = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%b0\r\n%b\r\n" % (parts, trailers)


def test_the_size_of_a_chunk_is_hexadecimal() -> None:
    """Chunks of more than fifteen bytes are read to their end."""
    assert read(chunked(b"a" * 16, b"b" * 255, b"c" * 4096)).body == b"a" * 16 + b"b" * 255 + b"c" * 4096


def test_chunks_together_may_have_16_megabytes() -> None:
    """As much as an answer with a length, to the byte."""
    half = b"x" * (LONGEST_BODY // 2)
    assert len(read(chunked(half, half)).body) == LONGEST_BODY
    with pytest.raises(UnexpectedResponse):
        read(chunked(half, half, b"x"))


@pytest.mark.parametrize(("first", "second"), [(1021, 0), (500, 518), (0, 1021)])
def test_trailers_together_may_have_a_kilobyte(first: int, second: int) -> None:
    """They are read and dropped, and one byte more is too long."""
    lines = [b"A: " + b"x" * size + b"\r\n" for size in (first, second) if size]
    assert sum(len(line) - 2 for line in lines) == 1024
    assert read(chunked(b"hello", trailers=b"".join(lines))).body == b"hello"
    for longer in (b"x", b"B: x\r\n"):
        with pytest.raises(UnexpectedResponse):
            read(chunked(b"hello", trailers=longer + b"".join(lines)))
