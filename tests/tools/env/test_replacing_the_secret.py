"""A secret that sessions are sealed with is not replaced or removed by accident."""

from __future__ import annotations

import pytest

from arc.errors import ToolError
from tests.deployed import deploy
from tests.engines import Engine
from tests.tools.env.conftest import Make
from tests.tools.operator import parameters

OLD, NEW = "an old secret of the tests, long enough", "a new secret of the tests, long enough"


@pytest.mark.parametrize("value", [NEW, OLD[:32] + "another end", None], ids=["another", "the same key", "removed"])
def test_a_secret_in_use_is_not_replaced_without_force(
    cloud: Engine, app: str, change: Make, value: str | None
) -> None:
    """The refusal names the rotation and what `--force` would end, shows no secret, and changes nothing."""
    functions = deploy(cloud, app)
    change(app, "staging", {"ARC_APP_SECRET": OLD})
    with pytest.raises(ToolError) as refused:
        change(app, "staging", {"ARC_APP_SECRET": value, "GREETING": "hello"})
    message = str(refused.value)
    assert f"{'replac' if value else 'remov'}ing it ends every session" in message
    assert "arc secret rotate staging" in message
    assert "--force" in message
    assert OLD[:32] not in message
    assert NEW not in message
    assert parameters(cloud, app) == {"ARC_APP_SECRET": OLD}
    assert functions.variables()["ARC_APP_SECRET"] == OLD


@pytest.mark.parametrize("value", [NEW, None])
def test_force_replaces_a_secret_in_use_and_reports_the_loss(
    cloud: Engine, app: str, change: Make, value: str | None
) -> None:
    """The outcome says that every session has ended."""
    functions = deploy(cloud, app)
    change(app, "staging", {"ARC_APP_SECRET": OLD})
    outcome = change(app, "staging", {"ARC_APP_SECRET": value}, force=True)
    assert "Every session in staging has ended, because the secret that sealed them is gone." in outcome.notes
    assert functions.variables().get("ARC_APP_SECRET") == value


def test_the_same_secret_again_is_accepted(cloud: Engine, app: str, change: Make) -> None:
    """Setting the value that is set already changes nothing and is not refused."""
    deploy(cloud, app)
    change(app, "staging", {"ARC_APP_SECRET": OLD})
    assert change(app, "staging", {"ARC_APP_SECRET": OLD}).written == ()


def test_a_secret_that_no_function_has_is_replaced(cloud: Engine, app: str, change: Make) -> None:
    """Nothing is sealed with a secret that has not reached a function."""
    change(app, "staging", {"ARC_APP_SECRET": OLD})
    functions = deploy(cloud, app)
    change(app, "staging", {"ARC_APP_SECRET": NEW})
    assert functions.variables()["ARC_APP_SECRET"] == NEW
    change(app, "production", {"ARC_APP_SECRET": OLD})
    assert change(app, "production", {"ARC_APP_SECRET": None}).removed == ("ARC_APP_SECRET",)


def test_a_secret_that_no_function_can_use_is_replaced(cloud: Engine, app: str, change: Make) -> None:
    """A function with a short secret has sealed nothing, so its advice to set another can be followed."""
    functions = deploy(cloud, app, variables={"ARC_APP_SECRET": "short"})
    change(app, "staging", {"ARC_APP_SECRET": NEW})
    assert functions.variables()["ARC_APP_SECRET"] == NEW


def test_a_secret_that_only_functions_have_is_not_replaced(cloud: Engine, app: str, change: Make) -> None:
    """Another tool gave functions their secret: SSM does not know it, and sessions are sealed with it."""
    functions = deploy(cloud, app, variables={"ARC_APP_SECRET": OLD})
    with pytest.raises(ToolError, match="ends every session"):
        change(app, "staging", {"ARC_APP_SECRET": NEW})
    assert functions.variables()["ARC_APP_SECRET"] == OLD
    assert change(app, "staging", {"ARC_APP_SECRET": OLD}).written == ("ARC_APP_SECRET",)


def test_a_rotation_by_hand_is_not_refused(cloud: Engine, app: str, change: Make) -> None:
    """Once every function accepts both secrets, the new one takes its place; not one step earlier."""
    functions = deploy(cloud, app)
    change(app, "staging", {"ARC_APP_SECRET": OLD})
    both = f'["{OLD}","{NEW}"]'
    with pytest.raises(ToolError, match="ends every session"):
        change(app, "staging", {"ARC_APP_SECRET": NEW, "ARC_APP_SECRET_FALLBACKS": both})
    change(app, "staging", {"ARC_APP_SECRET_FALLBACKS": both})
    change(app, "staging", {"ARC_APP_SECRET": NEW})
    assert functions.variables()["ARC_APP_SECRET"] == NEW
