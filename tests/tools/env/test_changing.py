"""`arc env` sets a variable in SSM and in every function, despite failures and concurrent changes."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from arc.errors import ToolError
from tests.cloud_faults import Fault, FaultyCloud, Plan, afterwards, on
from tests.deployed import Deployed, deploy
from tests.engines import Engine
from tests.tools.env.conftest import Make
from tests.tools.operator import parameters

SECRET = "a secret of the tests, long enough"


def values(functions: Deployed, name: str) -> list[str | None]:
    """Return the value of a variable in each function."""
    return [functions.variables(function).get(name) for function in functions.functions]


def test_fifty_functions_get_a_variable(cloud: Engine, app: str, change: Make) -> None:
    """It reaches and leaves all of them, and the second run has nothing to do."""
    functions = deploy(cloud, app, names=[f"Get{number}" for number in range(50)])
    first = change(app, "staging", {"GREETING": "hello"})
    assert values(functions, "GREETING") == ["hello"] * 50
    assert [state.updated for state in first.states] == [True] * 50
    assert parameters(cloud, app) == {"GREETING": "hello"}
    again = change(app, "staging", {"GREETING": "hello"})
    assert (again.written, [state.updated for state in again.states]) == ((), [False] * 50)
    gone = change(app, "staging", {"GREETING": None})
    assert gone.removed == ("GREETING",)
    assert values(functions, "GREETING") == [None] * 50
    assert parameters(cloud, app) == {}


def test_throttling_and_conflicts_lose_nothing(cloud: Engine, faulty: FaultyCloud, app: str, change: Make) -> None:
    """Of twenty functions every third call is throttled, answers are lost, and one update conflicts with another."""
    functions = deploy(cloud, app, names=[f"Get{number}" for number in range(20)])

    def faults(name: str, number: int) -> str | None:
        if number % 3 == 0:
            return "throttle"
        if name == "lambda.UpdateFunctionConfiguration" and number % 7 == 0:
            return "conflict"
        return "lost" if number % 11 == 0 else None

    faulty.begin(faults)
    outcome = change(app, "staging", {"GREETING": "hello"}, faulty.url)
    assert outcome.in_sync
    assert values(functions, "GREETING") == ["hello"] * 20
    assert len(faulty.calls) > 80


def test_a_concurrent_update_is_kept(cloud: Engine, faulty: FaultyCloud, app: str, change: Make) -> None:
    """Another process changes a function between our read and our update, and neither change is lost."""
    functions = deploy(cloud, app, names=["GetIndex"])

    def meanwhile() -> None:
        functions.set_variables({**functions.variables("GetIndex"), "ARC_ROLE": "another"}, "GetIndex")

    faulty.begin(on("lambda.GetFunctionConfiguration", afterwards(meanwhile), first=2))
    assert change(app, "staging", {"GREETING": "hello"}, faulty.url).in_sync
    assert functions.variables("GetIndex")["ARC_ROLE"] == "another"
    assert functions.variables("GetIndex")["GREETING"] == "hello"


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.sampled(1)
def test_concurrent_commands_both_take_effect(
    cloud: Engine, faulty: FaultyCloud, app: str, change: Make, first: int
) -> None:
    """One operator sets a variable during any call of the other's command, and functions end up with both."""
    functions = deploy(cloud, app, names=["GetIndex"])
    theirs: list[str] = []
    for number in itertools.count(first, 2):
        before = len(theirs)

        def other(number: int = number) -> None:
            theirs.append(str(number))
            change(app, "staging", {"THEIRS": str(number)})

        faulty.begin(at(number, afterwards(other)))
        assert change(app, "staging", {"OURS": str(number)}, faulty.url).in_sync
        if len(theirs) == before:
            break
        wanted = {"OURS": str(number), "THEIRS": str(number)}
        assert parameters(cloud, app) == wanted
        assert {name: functions.variables("GetIndex").get(name) for name in wanted} == wanted
    assert len(theirs) > 4


def at(wanted: int, fault: Fault) -> Plan:
    """Return a plan with a fault at one call, counted from 1."""
    return lambda _name, number: fault if number == wanted else None


def test_an_app_with_the_same_prefix_is_left_alone(cloud: Engine, app: str, change: Make) -> None:
    """`shop` in staging and `shop-staging` in staging share a prefix, and nothing else."""
    ours = deploy(cloud, app, "staging", ["GetIndex"], tags=False)
    theirs = deploy(cloud, f"{app}-staging", "staging", ["GetIndex"], tags=False)
    change(app, "staging", {"OURS": "1"})
    change(f"{app}-staging", "staging", {"THEIRS": "1"})
    assert (values(ours, "OURS"), values(ours, "THEIRS")) == (["1"], [None])
    assert (values(theirs, "OURS"), values(theirs, "THEIRS")) == ([None], ["1"])


def test_functions_in_a_stack_are_found(cloud: Engine, app: str, change: Make) -> None:
    """Architect's deployment gives functions random names, which their stack knows."""
    functions = deploy(cloud, app, stack=True)
    outcome = change(app, "staging", {"GREETING": "hello"})
    assert values(functions, "GREETING") == ["hello"]
    assert [state.function.name for state in outcome.states] == list(functions.functions.values())


@pytest.mark.parametrize("stack", [False, True])
def test_a_function_that_opts_out_is_left_alone(
    cloud: Engine, app: str, change: Make, tmp_path: Path, *, stack: bool
) -> None:
    """With `env false` in its config.arc, a function does not get the environment's variables."""
    folder = tmp_path / app / "src/http/get-index"
    folder.mkdir(parents=True)
    (folder / "config.arc").write_text("@arc\nenv false\n")
    names = ["GetIndexHTTPLambda", "PostLoginHTTPLambda"] if stack else ["GetIndex", "PostLogin"]
    functions = deploy(cloud, app, names=names, stack=stack)
    outcome = change(app, "staging", {"GREETING": "hello"})
    assert values(functions, "GREETING") == [None, "hello"]
    assert outcome.opted_out == (functions.functions[names[0]],)


def test_the_session_table_is_set_under_both_names(cloud: Engine, app: str, change: Make) -> None:
    """SESSION_TABLE_NAME is copied to ARC_SESSION_TABLE_NAME; without it, sessions are in the sealed cookie."""
    functions = deploy(cloud, app, names=["GetIndex"])
    table = cloud.table()
    change(app, "staging", {"SESSION_TABLE_NAME": table})
    assert functions.variables("GetIndex")["ARC_SESSION_TABLE_NAME"] == table
    change(app, "staging", {"SESSION_TABLE_NAME": None})
    assert functions.variables("GetIndex")["ARC_SESSION_TABLE_NAME"] == "jwe"
    assert "SESSION_TABLE_NAME" not in functions.variables("GetIndex")


REFUSED: list[tuple[dict[str, str | None], str]] = [
    ({"ARC_ENV": "production"}, "ARC_ENV is reserved"),
    ({"K": "1"}, "at least two characters"),
    ({"KEY": "x" * 4097}, "SSM's limit is 4,096"),
    ({"KEY": "x" * 4000}, "Lambda's limit is 4,096 in total"),
    ({"KEY": "🎉" * 420}, "Lambda requires less than 5,120"),
    ({"ARC_APP_SECRET": "short"}, "ARC_APP_SECRET has 5 characters, and at least 16 are required"),
    ({"ARC_APP_SECRET": "12345678901234567890123456789012"}, "a published development key"),
    ({"ARC_APP_SECRET_FALLBACKS": SECRET}, "is not a JSON list of secrets"),
    ({"ARC_SESSION_TTL": "a week"}, "Use whole seconds"),
    ({"SESSION_TABLE_NAME": "nope"}, "Unknown table 'nope'"),
    ({"KEY": "1", "SESSION_TABLE_NAME": "nope"}, "Unknown table 'nope'"),
    ({"MISSING": None}, "MISSING is not set in staging. Choose ARC_APP_SECRET."),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
@pytest.mark.sampled(4)
def test_a_refused_change_writes_nothing(
    cloud: Engine, faulty: FaultyCloud, app: str, change: Make, changes: dict[str, str | None], message: str
) -> None:
    """The message says why, and neither a variable nor a function has changed."""
    deploy(cloud, app, names=["GetIndex"])
    change(app, "staging", {"ARC_APP_SECRET": SECRET})
    with pytest.raises(ToolError) as refused:
        change(app, "staging", changes, faulty.url)
    assert message in str(refused.value)
    assert SECRET not in str(refused.value)
    assert not [name for name in faulty.calls if name.partition(".")[2].startswith(("Put", "Update", "Delete"))]


def test_force_accepts_an_unknown_table(cloud: Engine, app: str, change: Make) -> None:
    """With `force` the table is not looked for."""
    functions = deploy(cloud, app, names=["GetIndex"])
    change(app, "staging", {"SESSION_TABLE_NAME": "later"}, force=True)
    assert values(functions, "ARC_SESSION_TABLE_NAME") == ["later"]


def test_the_example_secret_is_accepted_with_a_warning(cloud: Engine, app: str, change: Make) -> None:
    """The warning does not repeat the value."""
    functions = deploy(cloud, app, "production", ["GetIndex"])
    outcome = change(app, "production", {"ARC_APP_SECRET": "something-much-better-than-this"})
    (note,) = outcome.notes
    assert note.startswith("ARC_APP_SECRET is a well-known example value.")
    assert "something-much-better" not in note
    assert values(functions, "ARC_APP_SECRET") == ["something-much-better-than-this"]


def test_the_next_run_completes_a_failed_change(cloud: Engine, faulty: FaultyCloud, app: str, change: Make) -> None:
    """The outcome names the function that failed, and the next run updates it."""
    functions = deploy(cloud, app, names=["GetOne", "GetTwo"])
    faulty.begin(on("lambda.UpdateFunctionConfiguration", "error", first=2, times=100))
    outcome = change(app, "staging", {"GREETING": "hello"}, faulty.url)
    assert sorted(values(functions, "GREETING"), key=str) == [None, "hello"]
    (failed,) = outcome.failed
    (logical,) = (key for key, name in functions.functions.items() if name == failed.function.name)
    assert "GREETING" not in functions.variables(logical)
    assert "Updating the function" in failed.failure
    assert change(app, "staging", {"GREETING": "hello"}).in_sync
    assert values(functions, "GREETING") == ["hello", "hello"]


def test_an_environment_without_functions_has_variables(cloud: Engine, app: str, change: Make) -> None:
    """They are stored for functions that are deployed later."""
    outcome = change(app, "staging", {"GREETING": "hello"})
    assert (outcome.states, outcome.in_sync) == ((), True)
    assert parameters(cloud, app) == {"GREETING": "hello"}


@pytest.mark.parametrize("call", ["GetFunctionConfiguration", "UpdateFunctionConfiguration"])
@pytest.mark.parametrize("first", [1, 2])
def test_a_function_deleted_during_a_change_is_no_failure(
    cloud: Engine, faulty: FaultyCloud, app: str, change: Make, call: str, first: int
) -> None:
    """The other functions get the variable."""
    functions = deploy(cloud, app, names=["GetGone", "GetIndex"])
    deleted: list[str] = []

    def delete(before: bool) -> None:
        if before:
            cloud.client("lambda").delete_function(FunctionName=functions.functions["GetGone"])
            deleted.append("GetGone")

    faulty.begin(on(f"lambda.{call}", delete, first=first))
    outcome = change(app, "staging", {"GREETING": "hello"}, faulty.url)
    assert deleted
    assert outcome.in_sync
    assert functions.variables("GetIndex")["GREETING"] == "hello"


def test_a_table_with_a_numeric_key_is_refused(cloud: Engine, app: str, change: Make) -> None:
    """It has the right name, but the id of a session is a string."""
    cloud.client().create_table(
        TableName=f"{app}-staging-session",
        AttributeDefinitions=[{"AttributeName": "_idx", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "_idx", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(ToolError, match=r"cannot store sessions, because its key is _idx \*Number\."):
        change(app, "staging", {"SESSION_TABLE_NAME": "session"})
    assert parameters(cloud, app) == {}


@pytest.mark.parametrize("ttl", [None, "until"])
def test_a_table_without_ttl_is_accepted_with_a_warning(cloud: Engine, app: str, change: Make, ttl: str | None) -> None:
    """Its TTL is off, or on another attribute."""
    table = cloud.table(ttl=ttl)
    outcome = change(app, "staging", {"SESSION_TABLE_NAME": table})
    assert [note for note in outcome.notes if note.startswith(f"Expired sessions stay in the table {table} forever")]
    assert parameters(cloud, app) == {"SESSION_TABLE_NAME": table}
