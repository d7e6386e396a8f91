"""The Host headers that the sandbox answers to."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arc.errors import ToolError
from arc.tools.sandbox.front.hosts import Hosts
from tests.tools.sandbox.apps import says, write_app
from tests.tools.sandbox.running import PATIENCE, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tools.sandbox.running import Sandbox

LOCAL = [
    *("localhost", "LOCALHOST:3333", "localhost.", "app.localhost", "a.b.localhost:80", "localhost:"),
    *("127.0.0.1", "127.0.0.1:3333", "127.8.8.8", "[::1]", "[::1]:3333", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]"),
]
FOREIGN = [
    *("evil.example", "evil.example:3333", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost"),
    *("10.0.0.1", "192.0.2.1:3333", "[2001:db8::1]", "0.0.0.0", "[::]", "127.1", "2130706433"),  # noqa: S104
]
INVALID = [
    *("", ":3333", "http://localhost", "localhost/", "localhost:x", "user@localhost", "local host", "localhost:1:2"),
    *(
        ".",
        "localhost..",
        ".localhost",
        "a;b",
        "-rf.localhost",
        "::1",
        "[127.0.0.1]",
        "[::1",
        "[localhost]",
        "localhost\\",
        "[::1%lo]",
        "localhost:\u0663",
        "\u212aelvin",
    ),
]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox on the default addresses."""
    with running(write_app(tmp_path_factory.mktemp("hosts"), {"get /": says("the app")})) as sandbox:
        yield sandbox


def ask(sandbox: Sandbox, *headers: bytes, line: bytes = b"GET / HTTP/1.1") -> tuple[int, bytes]:
    """Return the status and body of the response to a request with exactly these header lines."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=PATIENCE) as connection:
        connection.sendall(b"\r\n".join([line, *headers, b"Connection: close", b"", b""]))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("host", LOCAL)
def test_loopback_hosts_are_answered(sandbox: Sandbox, host: str) -> None:
    """These are loopback addresses, `localhost` and its subdomains, in any case and with any port."""
    assert ask(sandbox, b"Host: " + host.encode()) == (200, b"the app")


@pytest.mark.parametrize("path", [b"/", b"/nothing", b"/_arc/ssm"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:3333", "localhost.evil.example", "192.0.2.1"])
def test_foreign_host_is_refused_with_a_message(sandbox: Sandbox, host: str, path: bytes) -> None:
    """A web page whose host name resolves to this machine (DNS rebinding) cannot reach the app."""
    status, body = ask(sandbox, b"Host: " + host.encode(), line=b"GET " + path + b" HTTP/1.1")
    assert status == 403
    message = json.loads(body)["message"]
    name = host.removesuffix(":3333")
    assert f"'{name}'" in message
    assert f"arc sandbox --host localhost --host {name}" in message
    sandbox.wait_for(rf"403: .*'{name}'")


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], "0 Host headers"),
        ([b"Host: localhost", b"Host: localhost"], "2 Host headers"),
        ([b"Host: localhost", b"host: evil.example"], "2 Host headers"),
        ([b"Host: evil.example", b"HOST: localhost"], "2 Host headers"),
    ],
)
def test_request_without_exactly_one_host_header_is_refused(
    sandbox: Sandbox, headers: list[bytes], found: str, version: bytes
) -> None:
    """The status is 400 (RFC 9112 §3.2)."""
    status, body = ask(sandbox, *headers, line=b"GET / " + version)
    assert (status, found in json.loads(body)["message"]) == (400, True)


@pytest.mark.parametrize("host", INVALID)
def test_invalid_host_header_is_a_bad_request(sandbox: Sandbox, host: str) -> None:
    """The status is 400 (RFC 9112 §3.2, RFC 9110 §4.2.1)."""
    assert ask(sandbox, b"Host: " + host.encode())[0] == 400


def test_named_hosts_are_answered(tmp_path: Path) -> None:
    """The sandbox listens on the first `--host`, and still answers to loopback names."""
    app = write_app(tmp_path, {"get /": says("the app")})
    with running(app, "host=127.0.0.1", "host=Shop.Test", "host=b\u00fccher.test") as sandbox:
        for host in (b"shop.test", b"SHOP.test.:3333", b"xn--bcher-kva.test", b"localhost", b"127.0.0.1:1"):
            assert ask(sandbox, b"Host: " + host) == (200, b"the app")
        for host in (b"test", b"a.shop.test", b"shop.test.evil.example"):
            status, body = ask(sandbox, b"Host: " + host)
            assert status == 403
            named = "--host 127.0.0.1 --host shop.test --host xn--bcher-kva.test"
            assert f"arc sandbox {named} --host {host.decode()}" in body.decode()


@pytest.mark.parametrize(("wildcard", "host"), [("0.0.0.0", "192.0.2.5"), ("::", "[2001:db8::1]")])  # noqa: S104
def test_address_of_the_connection_is_answered(wildcard: str, host: str) -> None:
    """`--host 0.0.0.0` stands for every address of the machine, and no other address."""
    address = host.strip("[]")
    hosts = Hosts([wildcard])
    assert hosts.refusal([host], address) is None
    assert hosts.refusal([f"{host}:3333"], f"{address}%eth0") is None
    assert hosts.refusal([host], "192.0.2.6") is not None
    assert hosts.refusal(["evil.example"], address) is not None
    assert hosts.refusal([f"[{wildcard}]" if ":" in wildcard else wildcard], address) is None


@pytest.mark.parametrize(
    "name", ["", "http://a.test", "a.test:80", "a.test/", "a b", "*", "*.test", "[::1]:80", "-x", "a" * 64]
)
def test_invalid_host_option_is_an_error(name: str) -> None:
    """The message quotes it and says what to omit."""
    with pytest.raises(ToolError, match="is neither a name nor an address"):
        Hosts([name])


@given(
    st.lists(st.sampled_from(["a.test", "192.0.2.1", "2001:db8::1", "[::1]", "localhost"])),
    st.text(max_size=30) | st.text("localhst.:[]@/%0123 \n", max_size=15),
)
@example([], "localhost\n")
@example([], "[::1]\n")
@example(["a.test"], "a.test\n")
@example(["a.test"], "a.test@evil.example")
def test_arbitrary_host_header_is_answered_only_if_it_is_a_known_host(named: list[str], text: str) -> None:
    """All others are refused with a message on one line."""
    refusal = Hosts(named).refusal([text], "127.0.0.1")
    if refusal is None:
        host = urlsplit(f"http://{text}/").hostname or ""
        assert host.removesuffix(".") in {"localhost", "::1", *named} or host.endswith(".localhost")
        assert text.isprintable()
    else:
        assert refusal.status in (400, 403)
        assert refusal.message.isprintable()


@given(st.from_regex(r"\A[a-z0-9-]{1,10}(\.[a-z0-9-]{1,10}){0,2}\Z"), st.integers(0, 65535))
def test_variations_of_a_known_host_are_refused(name: str, port: int) -> None:
    """No prefix, suffix or port turns another name into a known host."""
    for host in (f"{name}.example", f"localhost.{name}.example", f"127.0.0.1.{name}.example", f"x{name}localhost"):
        refusal = Hosts(["shop.test"]).refusal([f"{host}:{port}"], "127.0.0.1")
        assert refusal is not None


@pytest.mark.parametrize("host", FOREIGN)
def test_hosts_that_resemble_loopback_are_refused(host: str) -> None:
    """This includes addresses in forms that no browser sends."""
    refusal = Hosts([]).refusal([host], "127.0.0.1")
    assert refusal is not None
    assert refusal.status == 403
