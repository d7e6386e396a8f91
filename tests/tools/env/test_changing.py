"""A variable is written once and every function of the environment has it, whatever goes wrong on the way."""

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
    """What each function has as the variable `name`."""
    return [functions.variables(function).get(name) for function in functions.functions]


def test_fifty_functions_have_it(cloud: Engine, app: str, change: Make) -> None:
    """A variable reaches all of them, and its removal too; the second run finds nothing to do."""
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


def test_throttling_and_others_updates_lose_nothing(cloud: Engine, faulty: FaultyCloud, app: str, change: Make) -> None:
    """Of twenty functions every third call is throttled, answers are lost, and one update meets another's."""
    functions = deploy(cloud, app, names=[f"Get{number}" for number in range(20)])

    def faults(name: str, number: int) -> str | None:
        if number % 3 == 0:
            return "throttle"
        if name == "lambda.UpdateFunctionConfiguration" and number % 7 == 0:
            return "conflict"
        return "lost" if number % 11 == 0 else None

    faulty.begin(faults)
    outcome = change(app, "staging", {"GREETING": "hello"}, faulty.url)
    assert outcome.in_step
    assert values(functions, "GREETING") == ["hello"] * 20
    assert len(faulty.calls) > 80


def test_a_change_that_comes_between_is_kept(cloud: Engine, faulty: FaultyCloud, app: str, change: Make) -> None:
    """Somebody changes a function between our read and our update: neither change is lost."""
    functions = deploy(cloud, app, names=["GetIndex"])

    def meanwhile() -> None:
        functions.set_variables({**functions.variables("GetIndex"), "ARC_ROLE": "another"}, "GetIndex")

    faulty.begin(on("lambda.GetFunctionConfiguration", afterwards(meanwhile), first=2))
    assert change(app, "staging", {"GREETING": "hello"}, faulty.url).in_step
    assert functions.variables("GetIndex")["ARC_ROLE"] == "another"
    assert functions.variables("GetIndex")["GREETING"] == "hello"


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.sampled(1)
def test_two_operators_at_once_both_win(cloud: Engine, faulty: FaultyCloud, app: str, change: Make, first: int) -> None:
    """One sets a variable while the other's command runs, at any of its calls: functions end with both."""
    functions = deploy(cloud, app, names=["GetIndex"])
    theirs: list[str] = []
    for number in itertools.count(first, 2):
        before = len(theirs)

        def other(number: int = number) -> None:
            theirs.append(str(number))
            change(app, "staging", {"THEIRS": str(number)})

        faulty.begin(at(number, afterwards(other)))
        assert change(app, "staging", {"OURS": str(number)}, faulty.url).in_step
        if len(theirs) == before:
            break
        wanted = {"OURS": str(number), "THEIRS": str(number)}
        assert parameters(cloud, app) == wanted
        assert {name: functions.variables("GetIndex").get(name) for name in wanted} == wanted
    assert len(theirs) > 4


def at(wanted: int, fault: Fault) -> Plan:
    """A plan with a fault at one call, counted from 1."""
    return lambda _name, number: fault if number == wanted else None


def test_an_app_whose_name_begins_alike_is_another(cloud: Engine, app: str, change: Make) -> None:
    """`shop` in staging and `shop-staging` in staging share a beginning of names, and nothing else."""
    ours = deploy(cloud, app, "staging", ["GetIndex"], tags=False)
    theirs = deploy(cloud, f"{app}-staging", "staging", ["GetIndex"], tags=False)
    change(app, "staging", {"OURS": "1"})
    change(f"{app}-staging", "staging", {"THEIRS": "1"})
    assert (values(ours, "OURS"), values(ours, "THEIRS")) == (["1"], [None])
    assert (values(theirs, "OURS"), values(theirs, "THEIRS")) == ([None], ["1"])


def test_the_functions_of_a_stack_have_it(cloud: Engine, app: str, change: Make) -> None:
    """Architect's own deployment names functions by chance: their stack knows them."""
    functions = deploy(cloud, app, stack=True)
    outcome = change(app, "staging", {"GREETING": "hello"})
    assert values(functions, "GREETING") == ["hello"]
    assert [state.function.name for state in outcome.states] == list(functions.functions.values())


@pytest.mark.parametrize("stack", [False, True])
def test_a_function_that_opts_out_is_left_alone(
    cloud: Engine, app: str, change: Make, tmp_path: Path, *, stack: bool
) -> None:
    """`env false` in its config.arc keeps the environment's variables from it."""
    folder = tmp_path / app / "src/http/get-index"
    folder.mkdir(parents=True)
    (folder / "config.arc").write_text("@arc\nenv false\n")
    names = ["GetIndexHTTPLambda", "PostLoginHTTPLambda"] if stack else ["GetIndex", "PostLogin"]
    functions = deploy(cloud, app, names=names, stack=stack)
    outcome = change(app, "staging", {"GREETING": "hello"})
    assert values(functions, "GREETING") == [None, "hello"]
    assert outcome.opted_out == (functions.functions[names[0]],)


def test_the_table_of_sessions_is_there_under_both_names(cloud: Engine, app: str, change: Make) -> None:
    """SESSION_TABLE_NAME is ARC_SESSION_TABLE_NAME too; removed, sessions are back in the sealed cookie."""
    functions = deploy(cloud, app, names=["GetIndex"])
    table = cloud.table()
    change(app, "staging", {"SESSION_TABLE_NAME": table})
    assert functions.variables("GetIndex")["ARC_SESSION_TABLE_NAME"] == table
    change(app, "staging", {"SESSION_TABLE_NAME": None})
    assert functions.variables("GetIndex")["ARC_SESSION_TABLE_NAME"] == "jwe"
    assert "SESSION_TABLE_NAME" not in functions.variables("GetIndex")


REFUSED: list[tuple[dict[str, str | None], str]] = [
    ({"ARC_ENV": "production"}, "ARC_ENV is reserved"),
    ({"K": "1"}, "two characters at least"),
    ({"KEY": "x" * 4097}, "SSM takes 4,096"),
    ({"KEY": "x" * 4000}, "Lambda takes 4,096 in all"),
    ({"KEY": "🎉" * 420}, "Lambda takes less than 5,120"),
    ({"ARC_APP_SECRET": "short"}, "ARC_APP_SECRET has 5 characters, and at least 16 are needed"),
    ({"ARC_APP_SECRET": "12345678901234567890123456789012"}, "a published development key"),
    ({"ARC_APP_SECRET_FALLBACKS": SECRET}, "is not a JSON list of secrets"),
    ({"ARC_SESSION_TTL": "a week"}, "Use whole seconds"),
    ({"SESSION_TABLE_NAME": "nope"}, "There is no table 'nope'"),
    ({"KEY": "1", "SESSION_TABLE_NAME": "nope"}, "There is no table 'nope'"),
    ({"MISSING": None}, "MISSING is not set in staging. There is ARC_APP_SECRET."),
]


@pytest.mark.parametrize(("changes", "told"), REFUSED)
@pytest.mark.sampled(4)
def test_what_is_refused_is_refused_before_anything_is_written(
    cloud: Engine, faulty: FaultyCloud, app: str, change: Make, changes: dict[str, str | None], told: str
) -> None:
    """The message says why, and neither a variable nor a function has changed."""
    deploy(cloud, app, names=["GetIndex"])
    change(app, "staging", {"ARC_APP_SECRET": SECRET})
    with pytest.raises(ToolError) as refused:
        change(app, "staging", changes, faulty.url)
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)
    assert not [name for name in faulty.calls if name.partition(".")[2].startswith(("Put", "Update", "Delete"))]


def test_a_table_that_is_not_there_can_be_forced(cloud: Engine, app: str, change: Make) -> None:
    """With `force` nobody looks for it."""
    functions = deploy(cloud, app, names=["GetIndex"])
    change(app, "staging", {"SESSION_TABLE_NAME": "later"}, force=True)
    assert values(functions, "ARC_SESSION_TABLE_NAME") == ["later"]


def test_the_secret_of_the_page_is_taken_with_a_warning(cloud: Engine, app: str, change: Make) -> None:
    """Everybody can read it there; the warning does not repeat it."""
    functions = deploy(cloud, app, "production", ["GetIndex"])
    outcome = change(app, "production", {"ARC_APP_SECRET": "something-much-better-than-this"})
    (note,) = outcome.notes
    assert note.startswith("ARC_APP_SECRET is a well-known example value.")
    assert "something-much-better" not in note
    assert values(functions, "ARC_APP_SECRET") == ["something-much-better-than-this"]


def test_a_failure_in_the_middle_is_told_and_completed_by_the_next_run(
    cloud: Engine, faulty: FaultyCloud, app: str, change: Make
) -> None:
    """One function has it and one does not, and the outcome says which; the next run gives it to the rest."""
    functions = deploy(cloud, app, names=["GetOne", "GetTwo"])
    faulty.begin(on("lambda.UpdateFunctionConfiguration", "error", first=2, times=100))
    outcome = change(app, "staging", {"GREETING": "hello"}, faulty.url)
    assert sorted(values(functions, "GREETING"), key=str) == [None, "hello"]
    (failed,) = outcome.failed
    (logical,) = (key for key, name in functions.functions.items() if name == failed.function.name)
    assert "GREETING" not in functions.variables(logical)
    assert "Updating the function" in failed.failure
    assert change(app, "staging", {"GREETING": "hello"}).in_step
    assert values(functions, "GREETING") == ["hello", "hello"]


def test_without_functions_the_variable_is_kept_for_them(cloud: Engine, app: str, change: Make) -> None:
    """An environment that has not been deployed takes variables too."""
    outcome = change(app, "staging", {"GREETING": "hello"})
    assert (outcome.states, outcome.in_step) == ((), True)
    assert parameters(cloud, app) == {"GREETING": "hello"}


@pytest.mark.parametrize("call", ["GetFunctionConfiguration", "UpdateFunctionConfiguration"])
@pytest.mark.parametrize("first", [1, 2])
def test_a_function_that_goes_meanwhile_is_no_failure(
    cloud: Engine, faulty: FaultyCloud, app: str, change: Make, call: str, first: int
) -> None:
    """Deleted before one of our calls: the other function has the variable, and that is all."""
    functions = deploy(cloud, app, names=["GetGone", "GetIndex"])
    deleted: list[str] = []

    def delete(before: bool) -> None:
        if before:
            cloud.client("lambda").delete_function(FunctionName=functions.functions["GetGone"])
            deleted.append("GetGone")

    faulty.begin(on(f"lambda.{call}", delete, first=first))
    outcome = change(app, "staging", {"GREETING": "hello"}, faulty.url)
    assert deleted
    assert outcome.in_step
    assert functions.variables("GetIndex")["GREETING"] == "hello"


def test_a_table_whose_key_is_a_number_is_refused(cloud: Engine, app: str, change: Make) -> None:
    """Its name is right, and no id of a session would fit."""
    cloud.client().create_table(
        TableName=f"{app}-staging-session",
        AttributeDefinitions=[{"AttributeName": "_idx", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "_idx", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(ToolError, match=r"cannot hold sessions: its key is _idx \*Number, not _idx \*String\."):
        change(app, "staging", {"SESSION_TABLE_NAME": "session"})
    assert parameters(cloud, app) == {}


@pytest.mark.parametrize("ttl", [None, "until"])
def test_a_table_that_keeps_ended_sessions_is_taken_with_a_warning(
    cloud: Engine, app: str, change: Make, ttl: str | None
) -> None:
    """Its TTL is off, or on another attribute."""
    table = cloud.table(ttl=ttl)
    outcome = change(app, "staging", {"SESSION_TABLE_NAME": table})
    assert [note for note in outcome.notes if note.startswith(f"Ended sessions stay in the table {table} for ever")]
    assert parameters(cloud, app) == {"SESSION_TABLE_NAME": table}
