"""Bytes that Node's library wrote, read without Node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import arc
from arc.sessions.signing import sign, unsign
from tests.sessions.making import value_of

HERE = Path(__file__).parent
SEALED = json.loads((HERE / "jwe-from-node.json").read_text(encoding="utf-8"))
SIGNED = json.loads((HERE / "signed-id-from-node.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", SEALED["cases"], ids=range(len(SEALED["cases"])))
def test_a_cookie_of_node_is_loaded(case: dict[str, Any]) -> None:
    """At its time each cookie has the session that Node reads, and a week later none has."""
    clock = [float(SEALED["generated_unix"])]
    settings = arc.Settings.from_env({"ARC_ENV": "testing", **case["env"]})
    manager = arc.http.build_manager(settings, clock=lambda: clock[0])
    session = manager.load([value_of(case["set_cookie"])])
    assert {**session, "iat": session.created_at} == case["read_back"]
    assert not session.is_new
    clock[0] += 604_801
    assert manager.load([value_of(case["set_cookie"])]).is_new


@pytest.mark.parametrize("case", SIGNED, ids=range(len(SIGNED)))
def test_an_id_signed_by_node_is_verified_and_signed_equally(case: dict[str, str]) -> None:
    """The signature and the cookie are equal."""
    assert sign(case["value"], case["secret"].encode()) == case["signed"]
    assert unsign(value_of(case["cookie"]), [case["secret"].encode()]) == (case["value"], 0)
