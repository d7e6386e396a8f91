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


def test_a_rotation_pauses_until_published_versions_accept_the_new_secret(cloud: Engine, tmp_path: Path) -> None:
    """It continues after publishing again and moving the alias."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    for _ in range(2):
        with pytest.raises(ToolError) as raised:
            rotating.rotate()
        assert f"  {publisher.name}: alias live points to version 1\nPublish the functions again" in str(raised.value)
        assert rotating.everywhere() == ACCEPTING
    publisher.lead(publisher.publish())
    rotating.rotate()
    assert rotating.everywhere() == AFTER
    assert f"Do not invoke them: {publisher.name} 1." in rotating.warned[-2]


def test_every_alias_and_every_weight_counts(cloud: Engine, tmp_path: Path) -> None:
    """Also where an old version serves a tenth of the visitors, or where two aliases point to one version."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    old = publisher.publish()
    publisher.lead(old)
    publisher.lead(old, alias="beta")
    with pytest.raises(ToolError) as raised:
        rotating.rotate()
    assert {"alias live points to version 1", "alias beta points to version 1"} <= {
        line.partition(": ")[2] for line in str(raised.value).splitlines()
    }
    good = publisher.publish()
    publisher.lead(good, alias="beta")
    publisher.lead(good, old)
    with pytest.raises(ToolError, match="alias live points to version 1") as raised:
        rotating.rotate()
    assert "beta" not in str(raised.value)
    publisher.lead(good)
    rotating.rotate()
    assert rotating.everywhere() == AFTER


def test_force_continues_despite_published_versions(cloud: Engine, tmp_path: Path) -> None:
    """It reports them."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    rotating.rotate(force=True)
    assert rotating.everywhere() == AFTER
    assert rotating.warned[0] == (
        "These have variables of their own, and do not accept the new secret:\n"
        f"  {publisher.name}: alias live points to version 1"
    )


def test_versions_without_an_alias_are_reported_and_do_not_stop_a_rotation(cloud: Engine, tmp_path: Path) -> None:
    """Nor does an alias of the function itself."""
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
        "Published versions without an alias keep old variables. Do not invoke them: "
        f"{publisher.name} 1, 2, 3 and 2 more."
    )


def test_retiring_waits_from_when_no_version_seals_with_an_old_secret(cloud: Engine, tmp_path: Path) -> None:
    """A version of the first phase accepts the new secret, and still seals with the old one."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    with pytest.raises(ToolError):
        rotating.rotate()
    publisher.lead(publisher.publish())
    rotating.rotate()
    assert f"still seal with an old secret:\n  {publisher.name}: alias live points" in rotating.warned[-1]
    rotating.time += WEEK
    with pytest.raises(ToolError, match=r"by\n  .*: alias live points to version 2\n"):
        rotating.retire()
    publisher.lead(publisher.publish())
    rotating.time += WEEK
    with pytest.raises(ToolError, match="in 7 days"):  # It is unknown when the alias was moved.
        rotating.retire()
    rotating.time += WEEK
    rotating.retire()
    assert rotating.everywhere() == {(NEW, ())}


def test_forced_retirement_ignores_published_versions(cloud: Engine, tmp_path: Path) -> None:
    """It still waits for the idle lifetime."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    rotating.rotate(force=True)
    with pytest.raises(ToolError, match="in 7 days"):
        rotating.retire(force=True)
    rotating.time += WEEK
    rotating.retire(force=True)
    assert rotating.everywhere() == {(NEW, ())}


def test_a_rotation_does_not_begin_with_outdated_aliases(cloud: Engine, tmp_path: Path) -> None:
    """Publishing for the rotation would also release earlier changes."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    change(rotating, {"GREETING": "hello"})
    for _ in range(2):
        with pytest.raises(ToolError) as raised:
            rotating.rotate()
        assert str(raised.value) == (
            "Aliases point to versions that were published with other variables than staging has now:\n"
            f"  {publisher.name}: alias live points to version 1 (missing: GREETING)\n"
            "Publish the functions again and move the aliases. Then run the command again, or use "
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


def test_the_secret_of_a_published_version_is_accepted_by_all(cloud: Engine, tmp_path: Path) -> None:
    """Its visitors would be signed out when the alias moves to a version without that secret."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    own = {**rotating.functions.variables("GetIndex"), SECRET: THEIRS}
    now = rotating.functions.variables("GetIndex")
    rotating.functions.set_variables(own, "GetIndex")
    publisher.lead(publisher.publish())
    rotating.functions.set_variables(now, "GetIndex")
    with pytest.raises(ToolError, match="do not accept the new secret"):
        rotating.rotate()
    assert f"{publisher.name}: alias live points to version 1, which seals with a secret of its own" in str(
        rotating.warned
    )
    assert rotating.everywhere() == {(OLD, (OLD, OLDER, THEIRS, NEW))}
    publisher.lead(publisher.publish())
    rotating.rotate()
    assert rotating.everywhere() == {(NEW, (OLD, OLDER, THEIRS, NEW))}


def test_force_begins_with_outdated_aliases(cloud: Engine, tmp_path: Path) -> None:
    """It reports them."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    publisher = Publisher(rotating.functions)
    publisher.lead(publisher.publish())
    change(rotating, {"GREETING": "hello"})
    rotating.rotate(force=True)
    assert rotating.everywhere() == AFTER
    assert "alias live points to version 1 (missing: GREETING)" in rotating.warned[0]
