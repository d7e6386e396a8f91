"""Changes of a function's variables: guarded by revisions, completed, and compared with old versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from arc.errors import ToolError
from arc.tools.cloud.cloud import Cloud, Refused, local_cloud
from arc.tools.cloud.functions import Function, Functions
from tests.cloud_calls import Reply
from tests.cloud_faults import FaultyCloud, afterwards, on
from tests.deployed import INDEX, Deployed, deploy
from tests.engines import Engine, fresh_app
from tests.tools.cloud.answering import Answering, refused, told
from tests.tools.cloud.clock import Clock

SECRET = "hush-hush-hush"
UPDATE, READ = "lambda.UpdateFunctionConfiguration", "lambda.GetFunctionConfiguration"


@pytest.fixture
def deployed(cloud: Engine) -> Deployed:
    """An app with one function."""
    return deploy(cloud, fresh_app())


def functions(url: str, deployed: Deployed) -> Functions:
    """The app's functions at a cloud."""
    return Functions(local_cloud(url, "us-east-1"), deployed.app, deployed.environment)


def made_up(configuration: dict[str, Any], clock: Clock) -> tuple[Functions, Answering]:
    """Return functions in a cloud that answers every call like this."""
    answering = Answering(lambda _name, _body: told({"FunctionName": "f", "RevisionId": "1", **configuration}))
    cloud = Cloud(answering.session, clock=clock, sleep=clock.sleep)
    cloud.hide(SECRET)
    return Functions(cloud, "shop", "staging", clock=clock, sleep=clock.sleep), answering


def test_read_returns_variables_and_revision(cloud: Engine, deployed: Deployed) -> None:
    """`repr` does not show the variables."""
    deployed.set_variables({"ARC_APP_SECRET": SECRET})
    function = functions(cloud.url, deployed).read(deployed.functions[INDEX])
    assert function.name == deployed.functions[INDEX]
    assert function.variables == {"ARC_APP_SECRET": SECRET}
    assert function.revision == deployed.configuration()["RevisionId"]
    assert (function.status, function.reason) == ("Successful", "")
    assert SECRET not in repr(function)


def test_update_waits_until_it_is_complete(faulty: FaultyCloud, deployed: Deployed) -> None:
    """It returns the updated function."""
    own = functions(faulty.url, deployed)
    before = own.read(deployed.functions[INDEX])
    faulty.begin(lambda _name, _number: None)
    after = own.update(before, {**before.variables, "GREETING": "hello"})
    assert faulty.calls[:2] == [UPDATE, READ]
    assert set(faulty.calls[1:]) == {READ}
    assert after.status == "Successful"
    assert after.revision != before.revision
    assert deployed.variables() == after.variables == {**before.variables, "GREETING": "hello"}
    assert deployed.environ("GREETING")["GREETING"] == "hello"


def test_all_variables_can_be_removed(cloud: Engine, deployed: Deployed) -> None:
    """A function may have none."""
    own = functions(cloud.url, deployed)
    name = deployed.functions[INDEX]
    assert own.update(own.read(name), {}).variables == {}
    assert own.read(name).variables == deployed.variables() == {}


def test_concurrent_change_is_not_overwritten(cloud: Engine, faulty: FaultyCloud, deployed: Deployed) -> None:
    """The update is refused; after another read it succeeds."""
    own, name = functions(faulty.url, deployed), deployed.functions[INDEX]
    faulty.begin(on(READ, afterwards(lambda: deployed.set_variables({"K": "theirs"}))))
    seen = own.read(name)
    with pytest.raises(Refused, match=f"^Updating the function {name}: PreconditionFailedException: ") as caught:
        own.update(seen, {"K": "ours"})
    assert caught.value.code == "PreconditionFailedException"
    assert deployed.variables() == {"K": "theirs"}
    own.update(own.read(name), {"K": "ours"})
    assert deployed.variables() == {"K": "ours"}


def test_update_during_another_is_refused(faulty: FaultyCloud, deployed: Deployed) -> None:
    """It is not repeated, so that the function can be read again."""
    own, name = functions(faulty.url, deployed), deployed.functions[INDEX]
    faulty.begin(on(UPDATE, "conflict", times=100))
    with pytest.raises(Refused, match=": ResourceConflictException: ") as caught:
        own.update(own.read(name), {"K": "ours"})
    assert caught.value.code == "ResourceConflictException"
    assert faulty.calls == [READ, UPDATE]


def test_repeated_update_is_refused_after_a_lost_answer(faulty: FaultyCloud, deployed: Deployed) -> None:
    """The second attempt finds another revision or a running update; after another read it is complete."""
    own, name = functions(faulty.url, deployed), deployed.functions[INDEX]
    seen = own.read(name)
    faulty.begin(on(UPDATE, "lost"))
    with pytest.raises(Refused) as caught:
        own.update(seen, {"K": "ours"})
    assert caught.value.code in ("PreconditionFailedException", "ResourceConflictException")
    assert faulty.calls == [UPDATE, UPDATE]
    assert own.settled(own.read(name)).variables == {"K": "ours"}


def test_update_that_did_not_arrive_is_repeated(faulty: FaultyCloud, deployed: Deployed) -> None:
    """Its revision is still valid."""
    own, name = functions(faulty.url, deployed), deployed.functions[INDEX]
    seen = own.read(name)
    faulty.begin(on(UPDATE, "unsent", times=3))
    assert own.update(seen, {"K": "ours"}).variables == {"K": "ours"}
    assert faulty.calls[:4] == [UPDATE] * 4


def test_failed_update_reports_the_reason_without_secrets() -> None:
    """The reason is AWS's."""
    failed = {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": f"No key for '{SECRET}'"}
    own, answering = made_up(failed, Clock())
    with pytest.raises(ToolError) as caught:
        own.update(Function("f", {}, "1"), {"ARC_APP_SECRET": SECRET})
    assert str(caught.value) == "Updating the function f: AWS could not finish the update: No key for '********'"
    (name, body), *_ = answering.calls
    assert (name, body["RevisionId"]) == (UPDATE, "1")


def test_failed_update_without_a_reason_is_reported() -> None:
    """AWS does not always give one."""
    own, _ = made_up({"LastUpdateStatus": "Failed"}, Clock())
    with pytest.raises(ToolError, match="could not finish the update: no reason given"):
        own.update(Function("f", {}, "1"), {})


def test_update_times_out() -> None:
    """After five minutes of repeated reads."""
    clock = Clock()
    own, answering = made_up({"LastUpdateStatus": "InProgress"}, clock)
    with pytest.raises(ToolError) as caught:
        own.update(Function("f", {}, "1"), {})
    assert str(caught.value) == ("The function f is still being updated after 300 seconds. Run the command again.")
    assert 1300 <= clock.now <= 1301
    assert answering.names[:2] == [UPDATE, READ]
    assert len(answering.calls) > 100


def test_settled_function_is_not_read_again() -> None:
    """Its status is known."""
    own, answering = made_up({}, Clock())
    for status in ("Successful", "Failed"):
        function = Function("f", {}, "1", status)
        assert own.settled(function) is function
    assert answering.calls == []


@pytest.mark.parametrize(
    "use",
    [
        lambda own: own.read("f"),
        lambda own: own.update(Function("f", {}, "1"), {}),
        lambda own: own.read("f", "1"),
    ],
    ids=["read", "update", "a version"],
)
def test_variables_that_cannot_be_decrypted_are_an_error(use: Callable[[Functions], object]) -> None:
    """An update would remove them all."""
    denied = {"Error": {"ErrorCode": "AccessDeniedException", "Message": f"KMS access was denied for {SECRET}."}}
    own, _ = made_up({"Environment": denied}, Clock())
    with pytest.raises(ToolError) as caught:
        use(own)
    assert str(caught.value) == (
        "Cannot read the variables of the function f: KMS access was denied for ********. These credentials need "
        "kms:Decrypt with the function's KMS key, and the key must exist."
    )


def changing(
    *answers: Reply,
    state: str = "Active",
    status: str = "Successful",
    on_wait: Callable[[str], None] = lambda _sentence: None,
) -> tuple[Functions, Answering, Clock]:
    """Functions whose updates get these answers in turn, the last one for ever; a read returns `state` and `status`."""
    clock, left = Clock(), list(answers)

    def answer(name: str, _body: dict[str, Any]) -> Reply:
        if name == READ:
            return told({"FunctionName": "f", "RevisionId": "2", "State": state, "LastUpdateStatus": status})
        return left.pop(0) if len(left) > 1 else left[0]

    answering = Answering(answer)
    cloud = Cloud(answering.session, clock=clock, sleep=clock.sleep, on_wait=on_wait)
    return Functions(cloud, "shop", "staging", clock=clock, sleep=clock.sleep), answering, clock


def in_state(state: str) -> Reply:
    """Lambda's refusal to update a function in a state that takes no updates."""
    text = f"The operation cannot be performed at this time. The function is currently in the following state: {state}"
    return refused("ResourceConflictException", text, 409)


DONE = told({"FunctionName": "f", "RevisionId": "3", "Environment": {"Variables": {"K": "v"}}})


def test_update_waits_for_a_pending_function() -> None:
    """Lambda refuses updates for the minutes in which it creates a function from a container image or in a VPC."""
    own, answering, clock = changing(*[in_state("Pending")] * 100, DONE)
    assert own.update(Function("f", {}, "1"), {"K": "v"}).variables == {"K": "v"}
    assert answering.names == [UPDATE] * 101
    assert 60 < clock.now - 1000 < 300


def test_a_wait_for_a_pending_function_is_reported_once() -> None:
    """The sentence names the function and its state as soon as the wait is no longer that of every new function."""
    reported: list[str] = []
    own, _, clock = changing(*[in_state("Pending")] * 50, DONE, on_wait=reported.append)
    own.settled(Function("f", {}, "1", "InProgress"))
    own.update(own.settled(Function("f", {}, "1", state="Pending")), {"K": "v"})
    assert reported == ["Waiting for the function f, which Lambda is still creating (its state is Pending)."]
    assert clock.now - 1000 > 20


def test_a_short_wait_for_a_pending_function_is_not_reported() -> None:
    """Every function is Pending for a moment after its deployment."""
    reported: list[str] = []
    own, _, clock = changing(*[in_state("Pending")] * 10, DONE, on_wait=reported.append)
    own.update(Function("f", {}, "1"), {"K": "v"})
    assert reported == []
    assert 2 < clock.now - 1000 < 5


def test_a_long_update_is_not_reported_as_pending() -> None:
    """It is an update of another operator or of a deployment."""
    reported: list[str] = []
    own, _, _ = changing(DONE, status="InProgress", on_wait=reported.append)
    with pytest.raises(ToolError, match="still being updated after 300 seconds"):
        own.settled(own.read("f"))
    assert reported == []


def test_settled_waits_for_a_pending_function() -> None:
    """A function that was read as Pending is read again until it is Active, and an update of it in progress ends."""
    own, answering, _ = changing(DONE)
    assert own.settled(Function("f", {}, "1", "InProgress", state="Pending")).busy == ""
    assert answering.names == [READ]


def test_a_new_function_is_read_with_its_state() -> None:
    """So that an update of it can be put off."""
    own, _, _ = changing(DONE, state="Pending")
    assert own.read("f").busy == "Pending"


def test_a_function_that_stays_pending_is_reported_after_five_minutes() -> None:
    """The error contains its state and what to do."""
    own, answering, clock = changing(in_state("Pending"), state="Pending")
    waits: list[Callable[[], object]] = [
        lambda: own.update(Function("f", {}, "1"), {"K": "v"}),
        lambda: own.settled(Function("f", {}, "1", state="Pending")),
    ]
    for wait in waits:
        before = clock.now
        with pytest.raises(ToolError, match=r"^The function f is still Pending after 300 seconds\. Run the command"):
            wait()
        assert 300 <= clock.now - before <= 301
    assert 300 < len(answering.calls) < 700


@pytest.mark.parametrize("state", ["Failed", "Inactive"])
def test_a_function_whose_state_takes_no_updates_is_reported_by_its_state(state: str) -> None:
    """Waiting does not help, and no other operator is blamed."""
    own, answering, _ = changing(in_state(state))
    with pytest.raises(ToolError) as caught:
        own.update(Function("f", {}, "1"), {"K": "v"})
    assert str(caught.value) == (
        f"Updating the function f: Lambda does not update a function in the state {state}. Deploy it again. If that "
        "fails too, delete it first."
    )
    assert not isinstance(caught.value, Refused)
    assert answering.names == [UPDATE]


@pytest.mark.parametrize("state", ["Active", "InProgress", "Pendingish"])
def test_a_conflict_in_no_known_state_is_another_operators_update(state: str) -> None:
    """It is refused at once, so that the function can be read again."""
    own, answering, _ = changing(in_state(state))
    with pytest.raises(Refused) as caught:
        own.update(Function("f", {}, "1"), {"K": "v"})
    assert caught.value.code == "ResourceConflictException"
    assert answering.names == [UPDATE]


def test_a_state_in_another_refusal_means_nothing() -> None:
    """Only a conflict is about the function's state."""
    text = "Value 'in the following state: Pending' is not allowed"
    own, answering, _ = changing(refused("InvalidParameterValueException", text))
    with pytest.raises(Refused, match="InvalidParameterValueException"):
        own.update(Function("f", {}, "1"), {"K": "v"})
    assert answering.names == [UPDATE]


def test_versions_keep_their_variables(cloud: Engine, deployed: Deployed) -> None:
    """Each alias has one version, or two with a share of the traffic; $LATEST is not a version."""
    client, name = cloud.client("lambda"), deployed.functions[INDEX]
    for value in ("1", "2", "3", "4"):
        deployed.set_variables({"K": value})
        client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="old", FunctionVersion="1")
    client.create_alias(
        FunctionName=name, Name="live", FunctionVersion="3", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}}
    )
    client.create_alias(FunctionName=name, Name="current", FunctionVersion="$LATEST")
    deployed.set_variables({"K": "5"})
    own = functions(cloud.url, deployed)
    aliases = {version: sorted(names) for version, names in own.aliases(name).items()}
    assert aliases == {"1": ["live", "old"], "3": ["live"]}
    assert own.versions(name) == ["1", "2", "3", "4"]
    assert [own.read(name, version).variables for version in ("1", "3")] == [{"K": "1"}, {"K": "3"}]


def test_function_without_versions(cloud: Engine, deployed: Deployed) -> None:
    """Most functions have none."""
    own, name = functions(cloud.url, deployed), deployed.functions[INDEX]
    assert (own.aliases(name), own.versions(name)) == ({}, [])


def test_versions_and_aliases_on_several_pages_are_found() -> None:
    """The answers are written here, since publishing so many takes long."""

    def answer(name: str, body: dict[str, Any]) -> Reply:
        number = body.get("Marker", "1")
        further = {"NextMarker": "2"} if number == "1" else {}
        if name == "lambda.ListAliases":
            return told({"Aliases": [{"Name": f"alias-{number}", "FunctionVersion": number}], **further})
        return told({"Versions": [{"FunctionName": "f", "RevisionId": number, "Version": number}], **further})

    own = Functions(Cloud(Answering(answer).session, sleep=lambda _seconds: None), "shop", "staging")
    assert own.aliases("f") == {"1": ["alias-1"], "2": ["alias-2"]}
    assert own.versions("f") == ["1", "2"]


def test_deleted_function_is_reported(cloud: Engine, deployed: Deployed) -> None:
    """By its name, and with the code that callers check."""
    name = deployed.functions[INDEX]
    own = functions(cloud.url, deployed)
    function = own.read(name)
    cloud.client("lambda").delete_function(FunctionName=name)
    for fails in (
        lambda: own.read(name),
        lambda: own.update(function, {}),
        lambda: own.versions(name),
        lambda: own.aliases(name),
    ):
        with pytest.raises(Refused, match=name) as caught:
            fails()
        assert caught.value.code == "ResourceNotFoundException"
