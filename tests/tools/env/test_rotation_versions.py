"""Published versions keep the variables that they were published with: a rotation knows where they are in use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arc.errors import ToolError
from tests.engines import Engine
from tests.tools.env.publishing import Publisher
from tests.tools.env.rotating import FALLBACKS, NEW, OLD, OLDER, SECRET, Rotating, change

WEEK = 604_800
BEFORE = {SECRET: OLD, FALLBACKS: json.dumps([OLDER])}
THEIRS = "a secret of one function alone, with which it was published"
ACCEPTING, AFTER = {(OLD, (OLD, OLDER, NEW))}, {(NEW, (OLD, OLDER, NEW))}


def test_it_waits_until_aliases_lead_to_versions_that_accept_the_new_secret(cloud: Engine, tmp_path: Path) -> None:
    """Publish again, move the alias, and run the command again."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    for _ in range(2):
        with pytest.raises(ToolError) as raised:
            rotating.rotate()
        assert f"  {publisher.name}: the alias live leads to version 1\nPublish the functions again" in str(
            raised.value
        )
        assert rotating.everywhere() == ACCEPTING
    publisher.lead(publisher.publish())
    rotating.rotate()
    assert rotating.everywhere() == AFTER
    assert f"nobody should call them any more: {publisher.name} 1." in rotating.warned[-2]


def test_every_alias_and_every_weight_counts(cloud: Engine, tmp_path: Path) -> None:
    """Also where an old version serves a tenth of the visitors, or where two aliases lead to one version."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    old = publisher.publish()
    publisher.lead(old)
    publisher.lead(old, alias="beta")
    with pytest.raises(ToolError) as raised:
        rotating.rotate()
    assert {"the alias live leads to version 1", "the alias beta leads to version 1"} <= {
        line.partition(": ")[2] for line in str(raised.value).splitlines()
    }
    good = publisher.publish()
    publisher.lead(good, alias="beta")
    publisher.lead(good, old)
    with pytest.raises(ToolError, match="the alias live leads to version 1") as raised:
        rotating.rotate()
    assert "beta" not in str(raised.value)
    publisher.lead(good)
    rotating.rotate()
    assert rotating.everywhere() == AFTER


def test_force_goes_on(cloud: Engine, tmp_path: Path) -> None:
    """And tells what it left."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    rotating.rotate(force=True)
    assert rotating.everywhere() == AFTER
    assert rotating.warned[0] == (
        "These keep variables of their own, and do not accept the new secret:\n"
        f"  {publisher.name}: the alias live leads to version 1"
    )


def test_versions_that_nobody_calls_are_named_and_do_not_stop_it(cloud: Engine, tmp_path: Path) -> None:
    """Nor does an alias of the function as it is."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    for number in range(5):
        rotating.functions.set_variables({**rotating.functions.variables("GetIndex"), "N": str(number)}, "GetIndex")
        publisher.publish()
    publisher.lead("$LATEST")
    rotating.rotate()
    assert rotating.everywhere() == AFTER
    kept, warning = rotating.warned
    assert kept.startswith("Only functions have N; ")
    assert warning == (
        "Published versions without an alias keep old variables; nobody should call them any more: "
        f"{publisher.name} 1, 2, 3 and 2 more."
    )


def test_retiring_counts_from_when_no_alias_leads_to_an_old_secret(cloud: Engine, tmp_path: Path) -> None:
    """A version of the first phase accepts the new secret, and goes on sealing with the old one."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    with pytest.raises(ToolError):
        rotating.rotate()
    publisher.lead(publisher.publish())
    rotating.rotate()
    assert f"go on sealing with an old secret:\n  {publisher.name}: the alias live leads" in rotating.warned[-1]
    rotating.time += WEEK
    with pytest.raises(ToolError, match=r"by\n  .*: the alias live leads to version 2\n"):
        rotating.retire()
    publisher.lead(publisher.publish())
    rotating.time += WEEK
    with pytest.raises(ToolError, match="in 7 days"):  # nobody knows when the alias was moved
        rotating.retire()
    rotating.time += WEEK
    rotating.retire()
    assert rotating.everywhere() == {(NEW, ())}


def test_retiring_by_force_does_not_mind_aliases(cloud: Engine, tmp_path: Path) -> None:
    """It minds the lifetime of sessions all the same."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    rotating.rotate(force=True)
    with pytest.raises(ToolError, match="in 7 days"):
        rotating.retire(force=True)
    rotating.time += WEEK
    rotating.retire(force=True)
    assert rotating.everywhere() == {(NEW, ())}


def test_it_does_not_begin_before_aliases_are_in_step(cloud: Engine, tmp_path: Path) -> None:
    """Publishing for the rotation would also bring visitors what somebody changed before."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    change(rotating, {"GREETING": "hello"})
    for _ in range(2):
        with pytest.raises(ToolError) as raised:
            rotating.rotate()
        assert str(raised.value) == (
            "Aliases lead to versions that were published with other variables than those of staging:\n"
            f"  {publisher.name}: the alias live leads to version 1 (missing: GREETING)\n"
            "Publish the functions again and move the aliases. Then run the command again; or begin nevertheless with "
            "--force. Nothing was changed."
        )
        assert rotating.noted() is None
        assert rotating.everywhere() == {(OLD, (OLDER,))}
    publisher.lead(publisher.publish())
    with pytest.raises(ToolError, match="do not accept the new secret"):
        rotating.rotate()
    publisher.lead(publisher.publish())
    rotating.rotate()
    assert rotating.everywhere() == AFTER


def test_what_only_a_published_version_seals_with_is_accepted_by_all(cloud: Engine, tmp_path: Path) -> None:
    """Its visitors would be signed out when the alias is moved to a version that does not know it."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    own = {**rotating.functions.variables("GetIndex"), SECRET: THEIRS}
    now = rotating.functions.variables("GetIndex")
    rotating.functions.set_variables(own, "GetIndex")
    publisher.lead(publisher.publish())
    rotating.functions.set_variables(now, "GetIndex")
    with pytest.raises(ToolError, match="do not accept the new secret"):
        rotating.rotate()
    assert f"{publisher.name}: the alias live leads to version 1, which seals with a secret of its own" in str(
        rotating.warned
    )
    assert rotating.everywhere() == {(OLD, (OLD, OLDER, THEIRS, NEW))}
    publisher.lead(publisher.publish())
    rotating.rotate()
    assert rotating.everywhere() == {(NEW, (OLD, OLDER, THEIRS, NEW))}


def test_force_begins_although_aliases_are_not_in_step(cloud: Engine, tmp_path: Path) -> None:
    """And tells what it left."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    change(rotating, {"GREETING": "hello"})
    rotating.rotate(force=True)
    assert rotating.everywhere() == AFTER
    assert "the alias live leads to version 1 (missing: GREETING)" in rotating.warned[0]
