"""Deployments that fail or are killed at any call: the old version keeps responding, and the next run succeeds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from arc.errors import ToolError
from tests.cloud_faults import Death, FaultyCloud, MortalCloud, Plan, on
from tests.engines import Engine
from tests.tools.deploy.apps import app_of
from tests.tools.deploy.owner import Owner
from tests.tools.pauses import quick_cloud

# Every kind of call of a deployment, in order. HEAD looks for packages, PUT uploads them, POST deletes old ones.
CALLS = (
    *("ssm.GetParameter", "cloudformation.DescribeStacks", "ssm.GetParametersByPath", "sts.GetCallerIdentity"),
    *("s3.HEAD", "cloudformation.GetTemplate", "cloudformation.CreateChangeSet", "cloudformation.DescribeChangeSet"),
    *("s3.PUT", "cloudformation.DescribeStackEvents", "cloudformation.ExecuteChangeSet"),
    *("lambda.ListFunctions", "s3.POST"),
)
PAGE = """
def handler(event, context):
    print("asked")
    return {{"statusCode": 200, "body": {!r}}}
"""


class Shopkeeper(Owner):
    """Someone who deploys an app of two pages that show their version."""

    def publish(self, version: str) -> None:
        """Write a version of the pages."""
        app_of(self.folder, self.name, dict.fromkeys(("get /", "get /about"), PAGE.format(version)))

    def shown(self) -> set[str]:
        """The versions that visitors see."""
        visitor = self.visitor()
        answers = [visitor.get(path) for path in ("/", "/about")]
        assert [answer.status for answer in answers] == [200, 200], answers
        return {answer.text for answer in answers}


@pytest.fixture
def keeper(cloud: Engine, tmp_path: Path) -> Iterator[Shopkeeper]:
    """Someone whose app is not deployed."""
    keeper = Shopkeeper(cloud, tmp_path / "app")
    keeper.publish("first")
    yield keeper
    with suppress(ToolError):
        keeper.deployment().delete(tables=False)


def first(count: int, call: str, word: str) -> Plan:
    """A plan with the fault `word` for the first `count` calls of a kind."""
    words = itertools.repeat(word, count)
    return lambda name, _number: next(words, None) if name.startswith(call) else None


def test_every_kind_of_call_is_one_that_a_deployment_makes(keeper: Shopkeeper, faulty: FaultyCloud) -> None:
    """So that no test below injects a failure that never happens."""
    keeper.deploy()
    keeper.publish("second")
    faulty.begin(lambda _name, _number: None)
    keeper.deploy(quick_cloud(faulty.url))
    kinds = {name.partition(" ")[0] for name in faulty.calls}
    assert set(CALLS) <= kinds
    assert kinds - set(CALLS) <= {
        *("cloudformation.ListStackResources", "tagging.GetResources", "lambda.GetFunctionConfiguration"),
        *("lambda.ListAliases", "ssm.PutParameter"),
    }


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.sampled(2)
def test_a_call_that_keeps_failing_leaves_a_version_that_responds(
    keeper: Shopkeeper, faulty: FaultyCloud, call: str
) -> None:
    """The old one unless the change had begun; the next deployment succeeds in any case."""
    keeper.deploy()
    before = "first"
    for word in ("error", "lost"):
        keeper.publish(word)
        faulty.begin(first(1000, call, word))
        with suppress(ToolError):
            keeper.deploy(quick_cloud(faulty.url))
        assert any(name.startswith(call) for name in faulty.calls)
        has_begun = "cloudformation.ExecuteChangeSet" in faulty.calls
        assert keeper.shown() <= ({before, word} if has_begun else {before})
        keeper.deploy_when_free()
        assert keeper.shown() == {word}
        before = word


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.sampled(1, always=["cloudformation.CreateChangeSet", "cloudformation.ExecuteChangeSet"])
def test_a_call_that_fails_once_does_not_stop_a_deployment(keeper: Shopkeeper, faulty: FaultyCloud, call: str) -> None:
    """It is repeated; one whose answer was lost does not take effect twice."""
    keeper.deploy()
    for word in ("throttle", "unsent", "lost"):
        keeper.publish(word)
        faulty.begin(first(1, call, word))
        keeper.deploy(quick_cloud(faulty.url))
        assert any(name.startswith(call) for name in faulty.calls)
        assert keeper.shown() == {word}


@pytest.mark.parametrize("word", ["error", "throttle"])
def test_a_first_deployment_that_cannot_begin_can_be_repeated(
    keeper: Shopkeeper, faulty: FaultyCloud, word: str
) -> None:
    """Nothing is left that stops the next one."""
    faulty.begin(on("cloudformation.ExecuteChangeSet", word, times=100))
    with pytest.raises(ToolError, match=r"Deploying \("):
        keeper.deploy(quick_cloud(faulty.url))
    keeper.deploy()
    assert keeper.shown() == {"first"}


STRIDE = 12
# Killed before a call, a deployment leaves what it leaves when it is killed after the call before.


@pytest.mark.parametrize("first", range(1, STRIDE + 1))
@pytest.mark.sampled(1)
def test_a_deployment_killed_at_each_call_is_completed(keeper: Shopkeeper, first: int) -> None:
    """Visitors see the old version or the new one, and the same command, run again, deploys what was meant."""
    keeper.publish("version 0")
    keeper.deploy()
    for number in itertools.count(first, STRIDE):
        before = keeper.shown()
        keeper.publish(f"version {number}")
        mortal = MortalCloud(keeper.engine.url, number, after=True)
        with suppress(Death, ToolError):
            keeper.deploy(mortal)
        assert keeper.shown() <= {*before, f"version {number}"}
        if not mortal.dead:
            break
        keeper.deploy_when_free()
        assert keeper.shown() == {f"version {number}"}
        assert keeper.deploy().is_empty
    assert number > 12


@pytest.mark.parametrize("first", range(1, STRIDE + 1))
@pytest.mark.sampled(1)
def test_a_first_deployment_killed_at_each_call_is_completed(cloud: Engine, tmp_path: Path, first: int) -> None:
    """Whatever it has left: a bucket, a secret, an empty stack or a half-made one."""
    for number in itertools.count(first, STRIDE):
        keeper = Shopkeeper(cloud, tmp_path / str(number))
        keeper.publish("first")
        mortal = MortalCloud(cloud.url, number, after=True)
        with suppress(Death, ToolError):
            keeper.deploy(mortal)
        if mortal.dead:
            keeper.deploy_when_free()
        assert keeper.shown() == {"first"}
        keeper.deployment().delete(tables=False)
        if not mortal.dead:
            break
    assert number > 12


def test_throttling_slows_a_deployment_and_does_not_stop_it(keeper: Shopkeeper, faulty: FaultyCloud) -> None:
    """Every third call is refused."""
    keeper.deploy()
    keeper.publish("second")
    faulty.begin(lambda _name, number: "throttle" if number % 3 == 0 else None)
    keeper.deploy(quick_cloud(faulty.url))
    assert keeper.shown() == {"second"}


def test_a_function_that_cannot_be_created_leaves_the_old_version(keeper: Shopkeeper) -> None:
    """The stack is rolled back, and visitors notice nothing.

    Only the other function's code changes: the local cloud does not undo half of an update that failed.
    """
    keeper.deploy()
    keeper.save("get-index", PAGE.format("second"))
    config = keeper.folder / "src/http/get-about/config.arc"
    config.write_text("@aws\nlayers arn:aws:lambda:us-east-1:000000000000:layer:missing:7\n", encoding="utf-8")
    with pytest.raises(ToolError, match=r"status UPDATE_ROLLBACK_COMPLETE\). GetAboutHTTPLambda \(Lambda::Function\)"):
        keeper.deploy()
    assert keeper.shown() == {"first"}
    config.unlink()
    keeper.deploy()
    assert keeper.shown() == {"first", "second"}
