"""Which pages count as the application's own when a form is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as each
from hypothesis import settings as tested
from hypothesis import strategies as st

import arc
from arc.testing import payload_v2
from tests.sessions.making import Made

GATEWAY = "a1b2c3.execute-api.eu-west-1.amazonaws.com"


def send(made: Made, *, token: bool = True, **headers: str | None) -> int:
    """The status of a form that a visitor sends with these headers, after the page was shown."""
    shown = arc.http.handler(manager=made.manager)(lambda req: {"text": arc.http.csrf.token(req)})
    page = shown(payload_v2(headers={"host": "app.example"}), None)
    sent = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    if token:
        sent["x-csrf-token"] = page["body"]
    cookies = [page["headers"]["set-cookie"].partition(";")[0]]
    save = arc.http.handler(manager=made.manager, csrf=True)(lambda _req: {"text": "saved"})
    return int(save(payload_v2("POST", headers=sent, cookies=cookies), None)["statusCode"])


@pytest.mark.parametrize("site", [None, "same-site", "cross-site", "same-origin"])
def test_s41_trusted_origin_is_accepted(site: str | None) -> None:
    """Its pages may send forms to another host, and to a host that a CDN hides; other origins may not."""
    made = Made(trusted_origins=("https://www.shop.example", "https://app.shop.example:8443"))
    for origin in ("https://www.shop.example", "https://app.shop.example:8443"):
        assert send(made, host=GATEWAY, origin=origin, sec_fetch_site=site) == 200
        assert send(made, host=GATEWAY, origin=origin, sec_fetch_site=site, token=False) == 403
    for foreign in ("https://shop.example", "https://app.shop.example", "http://www.shop.example", "null", ""):
        expected = 200 if site == "same-origin" else 403
        assert send(made, host=GATEWAY, origin=foreign, sec_fetch_site=site) == expected


@tested(deadline=None, max_examples=100)
@each(
    scheme=st.sampled_from(["https", "HTTPS", "Https"]),
    host=st.sampled_from(["www.shop.example", "WWW.Shop.Example", "[2001:db8::1]", "[2001:DB8::1]", "x_y.example"]),
    origin_port=st.sampled_from(["", ":443", ":8443"]),
    host_port=st.sampled_from(["", ":443", ":8443", ":80", ":0443"]),
    other_case=st.booleans(),
)
def test_s41_origins_are_compared_by_rfc_9110(
    scheme: str, host: str, origin_port: str, host_port: str, other_case: bool
) -> None:
    """Case and the scheme's default port make no difference, and any other port does."""
    same = (origin_port or ":443") == (host_port or ":443")
    shown = host.swapcase() if other_case else host
    assert send(Made(), host=shown + host_port, origin=f"{scheme}://{host}{origin_port}") == (200 if same else 403)
    made = Made(trusted_origins=(f"https://{shown}{host_port if host_port != ':0443' else ':1'}",))
    assert send(made, host=GATEWAY, origin=f"{scheme}://{host}{origin_port}") == (200 if same else 403)


@tested(deadline=None, max_examples=200)
@each(
    origin=st.text(max_size=20)
    | st.from_regex(r"\A(https?|null|file)(://)?[a-z.@:/*\[\]0-9-]{0,20}\Z")
    | st.sampled_from(["https://", "https://app.example.", "https://app.example:99999", "https://app.example/"])
)
def test_s41_only_the_exact_origin_is_own(origin: str) -> None:
    """An Origin is the host's own only if it is written as a browser writes it."""
    expected = 200 if origin.lower() in ("https://app.example", "https://app.example:443") else 403
    assert send(Made(), host="app.example", origin=origin) == expected


@pytest.mark.parametrize("digits", [6, 4_000, 5_000, 60_000])
def test_s41_overlong_port_is_refused_without_an_error(digits: int) -> None:
    """Python converts no text of more than 4,300 digits to a number, and a visitor may send one in either header."""
    port = f":{'1' * digits}"
    assert send(Made(), host="app.example", origin=f"https://app.example{port}") == 403
    assert send(Made(), host=f"app.example{port}", origin=f"https://app.example{port}") == 403


@pytest.mark.parametrize("environment", ["testing", "staging", "production"])
def test_s41_forwarded_host_counts_only_in_testing(environment: str) -> None:
    """A tunnel sets X-Forwarded-Host in testing, and on AWS only a client sets it."""
    made = Made(environment=environment)
    own = 200 if environment == "testing" else 403
    headers: dict[str, Any] = {"host": "localhost:3333", "x_forwarded_host": "tunnel.example, proxy.internal"}
    assert send(made, **headers, origin="https://tunnel.example") == own
    assert send(made, **headers, origin="https://proxy.internal") == 403


def test_s41_refusal_names_both_values_and_the_remedy(caplog: pytest.LogCaptureFixture) -> None:
    """The event and the log line quote and shorten the values, and name ARC_TRUSTED_ORIGINS."""
    made = Made()
    with caplog.at_level("WARNING", "arc.sessions"):
        assert send(made, host="internal.example", origin="https://www.shop.example", sec_fetch_site="same-site") == 403
    (event,) = [event for event in made.events if event.name == "csrf_refused"]
    assert event.reason == (
        "'POST /': Sec-Fetch-Site is 'same-site' and Origin is 'https://www.shop.example', but this application is "
        "https://internal.example. If https://www.shop.example is yours, add it to ARC_TRUSTED_ORIGINS."
    )
    assert [record.getMessage() for record in caplog.records] == [f"session csrf_refused: {event.reason}"]
    send(made, host="app.example", origin="null")
    assert made.events[-1].reason.endswith("Use same-origin, which is as private.")
    send(made, host="a b", origin="x\n" * 5000)
    assert made.events[-1].reason.endswith("this application is under no valid Host.")
    assert len(made.events[-1].reason) < 500
    assert "\n" not in made.events[-1].reason


def test_s41_without_origin_and_fetch_metadata_the_token_decides() -> None:
    """A client that sends neither is not a browser, or a very old one."""
    assert send(Made(), host="app.example") == 200
    assert send(Made(), host="app.example", token=False) == 403


@pytest.mark.parametrize("same_site", ["Lax", "Strict", "None"])
def test_s24_csrf_cookie_has_the_sessions_same_site(same_site: str) -> None:
    """Both cookies are sent with the same requests."""
    made = Made(same_site=same_site)
    page: dict[str, Any] = arc.http.handler(manager=made.manager)(lambda req: {"text": arc.http.csrf.token(req)})(
        payload_v2(), None
    )
    assert f"; SameSite={same_site}" in page["headers"]["set-cookie"]
