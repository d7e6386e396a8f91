"""Changing a function's variables: guarded, waited for, and its old versions not forgotten."""

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
    """Functions of a cloud that answers everything like this."""
    answering = Answering(lambda _name, _body: told({"FunctionName": "f", "RevisionId": "1", **configuration}))
    cloud = Cloud(answering.session, clock=clock, sleep=clock.sleep)
    cloud.hide(SECRET)
    return Functions(cloud, "shop", "staging", clock=clock, sleep=clock.sleep), answering


def test_a_function_is_read_as_it_is(cloud: Engine, deployed: Deployed) -> None:
    """With its variables, which it does not show, and the revision that guards them."""
    deployed.set_variables({"ARC_APP_SECRET": SECRET})
    function = functions(cloud.url, deployed).read(deployed.functions[INDEX])
    assert function.name == deployed.functions[INDEX]
    assert function.variables == {"ARC_APP_SECRET": SECRET}
    assert function.revision == deployed.configuration()["RevisionId"]
    assert (function.status, function.reason) == ("Successful", "")
    assert SECRET not in repr(function)


def test_an_update_is_waited_for(faulty: FaultyCloud, deployed: Deployed) -> None:
    """The function that comes back is the one that AWS has everywhere."""
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


def test_all_variables_can_be_taken_away(cloud: Engine, deployed: Deployed) -> None:
    """A function with none is a function."""
    own = functions(cloud.url, deployed)
    name = deployed.functions[INDEX]
    assert own.update(own.read(name), {}).variables == {}
    assert own.read(name).variables == deployed.variables() == {}


def test_a_change_behind_the_back_is_not_overwritten(cloud: Engine, faulty: FaultyCloud, deployed: Deployed) -> None:
    """The update is refused; read again, it passes."""
    own, name = functions(faulty.url, deployed), deployed.functions[INDEX]
    faulty.begin(on(READ, afterwards(lambda: deployed.set_variables({"K": "theirs"}))))
    seen = own.read(name)
    with pytest.raises(Refused, match=f"^Updating the function {name}: PreconditionFailedException: ") as caught:
        own.update(seen, {"K": "ours"})
    assert caught.value.code == "PreconditionFailedException"
    assert deployed.variables() == {"K": "theirs"}
    own.update(own.read(name), {"K": "ours"})
    assert deployed.variables() == {"K": "ours"}


def test_an_update_during_another_is_refused(faulty: FaultyCloud, deployed: Deployed) -> None:
    """At once, so that the function can be read again; nothing of the other is lost."""
    own, name = functions(faulty.url, deployed), deployed.functions[INDEX]
    faulty.begin(on(UPDATE, "conflict", times=100))
    with pytest.raises(Refused, match=": ResourceConflictException: ") as caught:
        own.update(own.read(name), {"K": "ours"})
    assert caught.value.code == "ResourceConflictException"
    assert faulty.calls == [READ, UPDATE]


def test_an_update_whose_answer_was_lost_looks_like_somebody_elses(faulty: FaultyCloud, deployed: Deployed) -> None:
    """The second attempt finds another revision, or an update under way; read again, the function has it."""
    own, name = functions(faulty.url, deployed), deployed.functions[INDEX]
    seen = own.read(name)
    faulty.begin(on(UPDATE, "lost"))
    with pytest.raises(Refused) as caught:
        own.update(seen, {"K": "ours"})
    assert caught.value.code in ("PreconditionFailedException", "ResourceConflictException")
    assert faulty.calls == [UPDATE, UPDATE]
    assert own.settled(own.read(name)).variables == {"K": "ours"}


def test_an_update_that_did_not_arrive_is_made_again(faulty: FaultyCloud, deployed: Deployed) -> None:
    """Its revision is still good."""
    own, name = functions(faulty.url, deployed), deployed.functions[INDEX]
    seen = own.read(name)
    faulty.begin(on(UPDATE, "unsent", times=3))
    assert own.update(seen, {"K": "ours"}).variables == {"K": "ours"}
    assert faulty.calls[:4] == [UPDATE] * 4


def test_an_update_that_failed_tells_why_and_no_secret() -> None:
    """In AWS's words."""
    failed = {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": f"No key for '{SECRET}'"}
    own, answering = made_up(failed, Clock())
    with pytest.raises(ToolError) as caught:
        own.update(Function("f", {}, "1"), {"ARC_APP_SECRET": SECRET})
    assert str(caught.value) == "Updating the function f: AWS could not finish it: No key for '********'"
    (name, body), *_ = answering.calls
    assert (name, body["RevisionId"]) == (UPDATE, "1")


def test_an_update_that_failed_without_a_reason_is_told() -> None:
    """AWS does not always give one."""
    own, _ = made_up({"LastUpdateStatus": "Failed"}, Clock())
    with pytest.raises(ToolError, match="could not finish it: no reason given"):
        own.update(Function("f", {}, "1"), {})


def test_an_update_that_does_not_end_is_given_up() -> None:
    """After five minutes, in which it was looked at again and again."""
    clock = Clock()
    own, answering = made_up({"LastUpdateStatus": "InProgress"}, clock)
    with pytest.raises(ToolError) as caught:
        own.update(Function("f", {}, "1"), {})
    assert str(caught.value) == ("The function f is still being updated after 300 seconds. Run the command again.")
    assert 1300 <= clock.now <= 1301
    assert answering.names[:2] == [UPDATE, READ]
    assert len(answering.calls) > 100


def test_a_settled_function_is_not_asked_about() -> None:
    """What was read says it already."""
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
def test_variables_that_cannot_be_decrypted_are_not_taken_for_none(use: Callable[[Functions], object]) -> None:
    """An update would take them all away."""
    denied = {"Error": {"ErrorCode": "AccessDeniedException", "Message": f"KMS access was denied for {SECRET}."}}
    own, _ = made_up({"Environment": denied}, Clock())
    with pytest.raises(ToolError) as caught:
        use(own)
    assert str(caught.value) == (
        "The variables of the function f cannot be read: KMS access was denied for ********. Let these credentials use "
        "kms:Decrypt with the function's key, if the key is there."
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


def test_an_update_waits_for_a_pending_function() -> None:
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
        f"Updating the function f: Lambda does not update it in its state {state}. Deploy it again; if that fails too, "
        "delete it first."
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


def test_versions_keep_what_they_were_published_with(cloud: Engine, deployed: Deployed) -> None:
    """Each alias leads to one, or to two with a share of the visitors; the function itself is none."""
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


def test_a_function_without_versions_has_none(cloud: Engine, deployed: Deployed) -> None:
    """What most have."""
    own, name = functions(cloud.url, deployed), deployed.functions[INDEX]
    assert (own.aliases(name), own.versions(name)) == ({}, [])


def test_more_versions_and_aliases_than_a_page_holds_are_found() -> None:
    """Fifty at a time; answers are made up here, since so many take long to publish."""

    def answer(name: str, body: dict[str, Any]) -> Reply:
        number = body.get("Marker", "1")
        further = {"NextMarker": "2"} if number == "1" else {}
        if name == "lambda.ListAliases":
            return told({"Aliases": [{"Name": f"alias-{number}", "FunctionVersion": number}], **further})
        return told({"Versions": [{"FunctionName": "f", "RevisionId": number, "Version": number}], **further})

    own = Functions(Cloud(Answering(answer).session, sleep=lambda _seconds: None), "shop", "staging")
    assert own.aliases("f") == {"1": ["alias-1"], "2": ["alias-2"]}
    assert own.versions("f") == ["1", "2"]


def test_a_function_that_has_gone_is_told(cloud: Engine, deployed: Deployed) -> None:
    """By its name, and with the code by which callers know it."""
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
