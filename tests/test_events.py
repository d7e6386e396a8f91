"""`arc.events` and `arc.queues`: messages by the manifest's names, on AWS and in a sandbox."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import arc
from arc.messaging import client
from arc.service_map import service_map
from arc.settings import Settings
from tests.architect_sandbox import architect_sandbox, sandbox_environ
from tests.engines import AWS
from tests.test_services import fresh_stack, proxied, put, run

if TYPE_CHECKING:
    from tests.engines import Engine

PAYLOAD = {"to": "ada@example.org", "items": [1, 2.5, None, "ü"]}
KINDS = pytest.mark.parametrize("kind", ["events", "queues"])
PUBLISH = """
import arc, json
answers = [arc.{kind}.publish({name!r}, {payload!r}) for _ in range({times})]
print(json.dumps([answer["MessageId"] for answer in answers]))
"""


def module(kind: str) -> Any:
    """`arc.events` or `arc.queues`."""
    found = getattr(arc, kind)
    assert isinstance(found, ModuleType)
    return found


def published(engine: Engine, kind: str, value: str, *, times: int = 1) -> tuple[str, list[str]]:
    """The stack in which a fresh process published to `mail`, whose ARN or URL is `value`, and the messages' ids."""
    stack = fresh_stack()
    put(engine, **{f"{stack}__{kind}__mail": value})
    environ = {**AWS, "ARC_ENV": "production", "ARC_STACK_NAME": stack, "AWS_ENDPOINT_URL": engine.url}
    ids: list[str] = json.loads(run(PUBLISH.format(kind=kind, name="mail", payload=PAYLOAD, times=times), environ))
    return stack, ids


def received(engine: Engine, url: str) -> list[dict[str, Any]]:
    """The messages in a queue, with all their attributes."""
    answer = engine.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], WaitTimeSeconds=1
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def queue(engine: Engine, *, fifo: bool = False) -> str:
    """The URL of a new queue."""
    attributes = {"FifoQueue": "true"} if fifo else {}
    name = fresh_stack() + (".fifo" if fifo else "")
    url: str = engine.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def test_event_reaches_the_subscribers_of_its_topic(ministack: Engine) -> None:
    """A function parses the payload from the notification."""
    sns, sqs, subscriber = ministack.client("sns"), ministack.client("sqs"), queue(ministack)
    topic = sns.create_topic(Name=fresh_stack())["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=subscriber, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    _, ids = published(ministack, "events", topic)
    (message,) = received(ministack, subscriber)
    notification = json.loads(message["Body"])
    assert [notification["MessageId"]] == ids
    assert arc.events.parse({"Records": [{"EventSource": "aws:sns", "Sns": notification}]}) == PAYLOAD


def test_fifo_messages_are_in_one_group(ministack: Engine) -> None:
    """Equal payloads are separate messages in the stack's group."""
    url = queue(ministack, fifo=True)
    stack, ids = published(ministack, "queues", url, times=2)
    messages = received(ministack, url)
    assert [message["MessageId"] for message in messages] == ids
    assert [message["Attributes"]["MessageGroupId"] for message in messages] == [stack] * 2
    assert len({message["Attributes"]["MessageDeduplicationId"] for message in messages}) == 2
    assert arc.queues.parse({"Records": [{"body": message["Body"]} for message in messages]}) == [PAYLOAD] * 2


def test_standard_messages_have_no_deduplication_id(ministack: Engine) -> None:
    """AWS refuses it there."""
    url = queue(ministack)
    _, ids = published(ministack, "queues", url)
    (message,) = received(ministack, url)
    assert [message["MessageId"]] == ids
    assert not {"MessageGroupId", "MessageDeduplicationId"} & message["Attributes"].keys()
    assert arc.queues.parse({"Records": [{"body": message["Body"]}]}) == PAYLOAD


@KINDS
def test_refusals_of_aws_are_boto3_exceptions(ministack: Engine, kind: str) -> None:
    """A deleted destination is reported by AWS."""
    stack, url = fresh_stack(), queue(ministack)
    ministack.client("sqs").delete_queue(QueueUrl=url)
    put(ministack, **{f"{stack}__{kind}__mail": url if kind == "queues" else "arn:aws:sns:us-east-1:000000000000:gone"})
    code = f"""
import arc
from botocore.exceptions import ClientError
try:
    arc.{kind}.publish("mail", 1)
except ClientError as error:
    print(error.response["Error"]["Code"])
"""
    environ = {**AWS, "ARC_ENV": "staging", "ARC_STACK_NAME": stack, "AWS_ENDPOINT_URL": ministack.url}
    assert any(word in run(code, environ) for word in ("NotFound", "NonExistentQueue"))


@KINDS
def test_unknown_name_is_a_configuration_error(ministack: Engine, kind: str) -> None:
    """The message lists the known names and how to add one, and nothing is published."""
    stack = fresh_stack()
    put(ministack, **{f"{stack}__{kind}__mail": "x", f"{stack}__{kind}__audit": "y"})
    code = f"""
import arc
for kind in (TypeError, KeyError, arc.ConfigurationError, arc.Unknown{kind.removesuffix("s").capitalize()}):
    try:
        arc.{kind}.publish("letters", 1)
    except kind as error:
        print(error)
"""
    environ = {**AWS, "ARC_ENV": "staging", "ARC_STACK_NAME": stack, "AWS_ENDPOINT_URL": ministack.url}
    message = (
        f"Unknown {kind.removesuffix('s')} 'letters'. The service map /{stack} has audit, mail. "
        f"Write letters below @{kind} in app.arc and deploy the app again.\n"
    )
    assert run(code, environ) == message * 4


@KINDS
def test_app_without_events_is_reported(ministack: Engine, kind: str) -> None:
    """The service map may have none of the kind."""
    code = f"import arc\ntry: arc.{kind}.publish('mail', 1)\nexcept arc.ArcError as error: print(error)"
    environ = {**AWS, "ARC_ENV": "staging", "ARC_STACK_NAME": fresh_stack(), "AWS_ENDPOINT_URL": ministack.url}
    assert f"has no {kind}. Write mail below @{kind}" in run(code, environ)


def test_one_client_serves_all_threads() -> None:
    """The first messages of many threads create one client for each service, address and region."""
    settings = Settings(environment="testing")
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: client(settings, "sqs", "http://localhost:9"), range(8)))
    assert len({id(one) for one in made}) == 1
    others = [
        client(settings, "sns", "http://localhost:9"),
        client(settings, "sqs", "http://localhost:99"),
        client(Settings(environment="testing", region="eu-west-1"), "sqs", "http://localhost:9"),
    ]
    assert len({id(one) for one in (made[0], *others)}) == 4
    assert others[2].meta.region_name == "eu-west-1"


@pytest.mark.parametrize(
    ("bare", "message"),
    [
        ({"AWS_REGION": "us-east-1", "BLOCKED": "1"}, "Tables and services need boto3"),
        ({}, "No AWS region is set. Set AWS_REGION"),
    ],
)
@KINDS
def test_missing_boto3_or_region_is_reported(kind: str, bare: dict[str, str], message: str) -> None:
    """The service map needs both first."""
    code = f"""
import os, sys
if "BLOCKED" in os.environ:
    sys.modules["boto3"] = None
import arc
try: arc.{kind}.publish("mail", 1)
except arc.ConfigurationError as error: print(error)
"""
    environ = {"ARC_ENV": "staging", "ARC_STACK_NAME": "Mine", "HOME": "/nowhere", **bare}
    assert run(code, environ).startswith(message)


# -- in a sandbox


@KINDS
def test_architects_sandbox_gets_name_and_payload(kind: str) -> None:
    """It accepts both kinds on the port `events` of ARC_SANDBOX, and its answer is returned."""
    with architect_sandbox("mail") as sandbox:
        assert module(kind).publish(name="mail", payload=PAYLOAD, environ=sandbox_environ(events=sandbox.port)) == "ok"
    assert sandbox.calls == [("POST", f"/{kind}", {"name": "mail", "payload": PAYLOAD})]


def test_queues_may_have_a_separate_port() -> None:
    """The port `queues` is used if there is one."""
    with architect_sandbox("mail") as own, architect_sandbox() as other:
        assert arc.queues.publish("mail", 1, environ=sandbox_environ(events=other.port, queues=own.port)) == "ok"
    assert (len(own.calls), other.calls) == (1, [])


def test_ports_are_read_from_the_service_map(ministack: Engine) -> None:
    """A process without ARC_SANDBOX uses the ports in the map."""
    environ = {"ARC_ENV": "testing", "ARC_STACK_NAME": fresh_stack()}
    with architect_sandbox("mail") as sandbox:
        put(ministack, **{f"{environ['ARC_STACK_NAME']}__ARC_SANDBOX__ports": json.dumps({"events": sandbox.port})})
        service_map(Settings.from_env(environ), client=ministack.client("ssm"))
        assert arc.events.publish("mail", 1, environ=environ) == "ok"
    assert sandbox.calls == [("POST", "/events", {"name": "mail", "payload": 1})]


def test_no_proxy_is_used_for_the_sandbox() -> None:
    """The sandbox is on this machine."""
    with architect_sandbox() as gone:
        pass
    with architect_sandbox("mail") as sandbox:
        environ = {**sandbox_environ(events=sandbox.port), **proxied(gone.port)}
        assert run("import arc; print(arc.events.publish('mail', 1))", environ) == "ok\n"


@pytest.mark.parametrize("error", [TypeError, KeyError, arc.ConfigurationError])
@KINDS
def test_name_that_the_sandbox_lacks_is_reported(kind: str, error: type[Exception]) -> None:
    """Its 404 raises the same error as on AWS."""
    name = f"{kind.removesuffix('s')} 'letters'"
    message = rf"^Unknown {name}\. The sandbox does not have it\. Write letters below @{kind}"
    with architect_sandbox("mail") as sandbox, pytest.raises(error, match=message):
        module(kind).publish("letters", 1, environ=sandbox_environ(events=sandbox.port))


@KINDS
def test_failing_sandbox_is_reported(kind: str) -> None:
    """A refusal has its status, and an unreachable sandbox its address."""
    with architect_sandbox("mail") as sandbox:
        sandbox.failure = 500
        environ = sandbox_environ(events=sandbox.port)
        with pytest.raises(arc.StoreError, match="refused a message to 'mail' with status 500: broken"):
            module(kind).publish("mail", 1, environ=environ)
    with pytest.raises(arc.StoreError, match=rf"cannot be reached at http://localhost:{sandbox.port}/{kind}: "):
        module(kind).publish("mail", 1, environ=environ)


@KINDS
def test_sandbox_without_events_warns_once_for_each_name(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """`publish` returns None, and the handler continues."""
    environ = sandbox_environ(http=3333, _arc=3333, tables=5555)
    name, other = fresh_stack(), fresh_stack()
    with caplog.at_level(logging.WARNING, logger=f"arc.{kind}"), ThreadPoolExecutor(8) as threads:
        publish = module(kind).publish
        answers = list(threads.map(lambda one: publish(one, PAYLOAD, environ=environ), [name, other] * 8))
    assert answers == [None] * 16
    lines = [record.getMessage() for record in caplog.records if record.name == f"arc.{kind}"]
    assert sorted(lines) == sorted(
        f"The sandbox does not run @{kind} yet: a message to {one!r} was not published." for one in (name, other)
    )


@KINDS
def test_payload_must_be_json(kind: str) -> None:
    """A sandbox that publishes nothing raises TypeError too, so the mistake is found before a deployment."""
    for environ in (sandbox_environ(http=3333), {"ARC_ENV": "staging", "ARC_STACK_NAME": "Nobody"}):
        with pytest.raises(TypeError, match="set is not JSON serializable"):
            module(kind).publish("mail", {1, 2}, environ=environ)


# -- in the function that is called


@pytest.mark.parametrize("payloads", [[PAYLOAD], [None], [[1, 2]], [1, "two"], []])
def test_parse_returns_a_payload_or_a_list(payloads: list[Any]) -> None:
    """A single record, which is what SNS sends, is its payload, as in Architect."""
    texts = [json.dumps(payload) for payload in payloads]
    expected = payloads[0] if len(payloads) == 1 else payloads
    assert arc.events.parse({"Records": [{"Sns": {"Message": text}} for text in texts]}) == expected
    assert arc.queues.parse(event={"Records": [{"body": text} for text in texts]}) == expected
