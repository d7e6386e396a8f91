"""What a function's variables are to be, and how far from it they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arc.tools.env.deployed import Drift, drift, wanted
from arc.tools.env.variables import RESERVED

OWN = {"ARC_APP_NAME": "shop", "ARC_ENV": "staging"}
NAMES = st.sampled_from(
    [*sorted(RESERVED), "ARC_SESSION_TABLE_NAME", "SESSION_TABLE_NAME", "KEY", "OTHER", "1", "AWS_REGION"]
)
SETS = st.dictionaries(NAMES, st.text(min_size=1, max_size=3), max_size=6)


def goal(current: dict[str, str], variables: dict[str, str]) -> dict[str, str]:
    """What a function of shop in staging is to have."""
    return wanted(current, variables, "shop", "staging")


def test_without_variables_a_function_has_what_the_tools_set() -> None:
    """The app, the environment, and the sealed cookie."""
    assert goal({}, {}) == {**OWN, "ARC_SESSION_TABLE_NAME": "jwe"}


def test_reserved_names_are_kept_and_others_go() -> None:
    """What deployment has set stays; what nobody sets goes."""
    current = {**OWN, "ARC_ROLE": "arn", "ARC_STACK_NAME": "ShopStaging", "NODE_ENV": "staging", "LEFT": "over"}
    kept = {**current, "ARC_SESSION_TABLE_NAME": "jwe", "KEY": "1"}
    del kept["LEFT"]
    assert goal(current, {"KEY": "1"}) == kept


def test_the_store_is_there_under_both_names() -> None:
    """`SESSION_TABLE_NAME` is copied; without it `ARC_SESSION_TABLE_NAME` is what was set, or `jwe`."""
    table = {"SESSION_TABLE_NAME": "shop-staging-session"}
    assert goal({}, table) == {**OWN, **table, "ARC_SESSION_TABLE_NAME": "shop-staging-session"}
    assert goal({}, {"ARC_SESSION_TABLE_NAME": "old"})["ARC_SESSION_TABLE_NAME"] == "old"
    assert goal({}, {**table, "ARC_SESSION_TABLE_NAME": "old"})["ARC_SESSION_TABLE_NAME"] == "shop-staging-session"
    assert goal(goal({}, table), {})["ARC_SESSION_TABLE_NAME"] == "jwe"


def test_what_lambda_would_refuse_is_left_out() -> None:
    """One bad name in SSM would keep every function from its variables."""
    assert goal({}, {"1X": "a", "K": "b", "AWS_REGION": "c", "ARC_ENV": "production", "KEY": "d"}) == {
        **OWN,
        "ARC_SESSION_TABLE_NAME": "jwe",
        "KEY": "d",
    }


def test_drift_names_each_kind() -> None:
    """Missing, different and surplus variables, sorted; nothing is no drift."""
    assert drift({"B": "1", "C": "1", "Z": "1"}, {"A": "1", "B": "2", "C": "1"}) == Drift(("A",), ("B",), ("Z",))
    assert not drift({"A": "1"}, {"A": "1"})
    assert drift({}, {"A": "1"})


@given(SETS, SETS)
def test_a_function_that_has_its_goal_is_in_step(current: dict[str, str], variables: dict[str, str]) -> None:
    """Applied once, the goal stays the same."""
    once = goal(current, variables)
    assert goal(once, variables) == once
    assert not drift(once, goal(once, variables))
