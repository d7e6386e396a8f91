"""The desired variables of a function, and its drift from them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arc.tools.env.deployed import Drift, desired_variables, find_drift
from arc.tools.env.variables import RESERVED

OWN = {"ARC_APP_NAME": "shop", "ARC_ENV": "staging"}
NAMES = st.sampled_from(
    [*sorted(RESERVED), "ARC_SESSION_TABLE_NAME", "SESSION_TABLE_NAME", "KEY", "OTHER", "1", "AWS_REGION"]
)
SETS = st.dictionaries(NAMES, st.text(min_size=1, max_size=3), max_size=6)


def goal(current: dict[str, str], variables: dict[str, str]) -> dict[str, str]:
    """Return the desired variables of a function of shop in staging."""
    return desired_variables(current, variables, "shop", "staging")


def test_a_function_has_default_variables() -> None:
    """The app, the environment, and the sealed cookie."""
    assert goal({}, {}) == {**OWN, "ARC_SESSION_TABLE_NAME": "jwe"}


def test_reserved_names_are_kept_and_others_removed() -> None:
    """Variables that deployment has set are kept; surplus ones are not."""
    current = {**OWN, "ARC_ROLE": "arn", "ARC_STACK_NAME": "ShopStaging", "NODE_ENV": "staging", "LEFT": "over"}
    kept = {**current, "ARC_SESSION_TABLE_NAME": "jwe", "KEY": "1"}
    del kept["LEFT"]
    assert goal(current, {"KEY": "1"}) == kept


def test_the_store_is_set_under_both_names() -> None:
    """`SESSION_TABLE_NAME` is copied; without it `ARC_SESSION_TABLE_NAME` is what was set, or `jwe`."""
    table = {"SESSION_TABLE_NAME": "shop-staging-session"}
    assert goal({}, table) == {**OWN, **table, "ARC_SESSION_TABLE_NAME": "shop-staging-session"}
    assert goal({}, {"ARC_SESSION_TABLE_NAME": "old"})["ARC_SESSION_TABLE_NAME"] == "old"
    assert goal({}, {**table, "ARC_SESSION_TABLE_NAME": "old"})["ARC_SESSION_TABLE_NAME"] == "shop-staging-session"
    assert goal(goal({}, table), {})["ARC_SESSION_TABLE_NAME"] == "jwe"


def test_names_that_lambda_refuses_are_left_out() -> None:
    """One invalid name in SSM would stop every update of a function."""
    assert goal({}, {"1X": "a", "K": "b", "AWS_REGION": "c", "ARC_ENV": "production", "KEY": "d"}) == {
        **OWN,
        "ARC_SESSION_TABLE_NAME": "jwe",
        "KEY": "d",
    }


def test_drift_names_each_kind() -> None:
    """Missing, different and surplus variables are sorted; without any there is no drift."""
    assert find_drift({"B": "1", "C": "1", "Z": "1"}, {"A": "1", "B": "2", "C": "1"}) == Drift(("A",), ("B",), ("Z",))
    assert not find_drift({"A": "1"}, {"A": "1"})
    assert find_drift({}, {"A": "1"})


@given(SETS, SETS)
def test_a_synced_function_has_no_drift(current: dict[str, str], variables: dict[str, str]) -> None:
    """Applied twice, the desired variables are the same."""
    once = goal(current, variables)
    assert goal(once, variables) == once
    assert not find_drift(once, goal(once, variables))
