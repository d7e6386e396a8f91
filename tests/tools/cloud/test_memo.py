"""Memos: what commands remember of an environment between two runs."""

from __future__ import annotations

from typing import Any

import pytest

from arc.errors import ToolError
from arc.tools.cloud.cloud import Cloud, Refused, local_cloud
from arc.tools.cloud.parameters import Memo, Parameters
from tests.cloud_calls import Reply
from tests.cloud_faults import FaultyCloud, on
from tests.engines import Engine, fresh_app
from tests.tools.cloud.answering import Answering, refused


def memo(url: str, app: str, name: str = "rotation") -> Memo:
    """Return a memo of an app."""
    return Memo(local_cloud(url, "us-east-1"), app, "staging", name)


def test_memo_is_not_a_variable(cloud: Engine) -> None:
    """It is read as it was written until it is removed, and may be removed twice."""
    app = fresh_app()
    content = {"secret": 'h\u00fcsh "hush"\n', "known": ["a", "b"], "at": 1.5}
    assert memo(cloud.url, app).read() is None
    assert memo(cloud.url, app).write(content)
    assert memo(cloud.url, app).read() == content
    assert memo(cloud.url, app, "rotated").read() is None
    assert Parameters(local_cloud(cloud.url, "us-east-1"), app, "staging").read() == {}
    stored = cloud.client("ssm").get_parameter(Name=f"/arc-sessions/{app}/staging/rotation")["Parameter"]
    assert stored["Type"] == "SecureString"
    memo(cloud.url, app).remove()
    memo(cloud.url, app).remove()
    assert memo(cloud.url, app).read() is None


def test_memo_is_overwritten_only_on_request(cloud: Engine) -> None:
    """Two processes that begin at once use the first one's."""
    app = fresh_app()
    assert memo(cloud.url, app).write({"secret": "first"}, over=False)
    assert not memo(cloud.url, app).write({"secret": "second"}, over=False)
    assert memo(cloud.url, app).read() == {"secret": "first"}
    assert memo(cloud.url, app).write({"secret": "third"})
    assert memo(cloud.url, app).read() == {"secret": "third"}


def test_memo_is_written_when_the_answer_is_lost(cloud: Engine, faulty: FaultyCloud) -> None:
    """The call returns False, but the content is this process's."""
    app = fresh_app()
    faulty.begin(on("ssm.PutParameter", "lost"))
    assert not memo(faulty.url, app).write({"secret": "ours"}, over=False)
    assert memo(cloud.url, app).read() == {"secret": "ours"}


@pytest.mark.parametrize("content", ["no JSON", "[1]", '"text"'])
def test_damaged_memo_is_an_error(cloud: Engine, content: str) -> None:
    """The message has its name and what to do, but not its content."""
    app = fresh_app()
    name = f"/arc-sessions/{app}/staging/rotation"
    cloud.client("ssm").put_parameter(Name=name, Value=content, Type="SecureString")
    with pytest.raises(ToolError) as caught:
        memo(cloud.url, app).read()
    assert str(caught.value) == (
        f"The parameter {name} in SSM was not written by arc. Check what it is, and remove it: "
        f"aws ssm delete-parameter --name {name}"
    )


def test_content_of_a_memo_is_hidden(cloud: Engine) -> None:
    """After an interruption, only the memo tells the next run what is secret."""
    app, reader = fresh_app(), local_cloud(cloud.url, "us-east-1")
    memo(cloud.url, app).write({"secret": "new-one", "known": ["old-one"]})
    Memo(reader, app, "staging", "rotation").read()
    assert reader.masked("'new-one' and 'old-one'") == "'********' and '********'"


def test_errors_mask_the_content_of_a_memo() -> None:
    """Neither the whole content nor any text in it is shown."""

    def answer(_name: str, body: dict[str, Any]) -> Reply:
        return refused("ValidationException", f"Value '{body['Value']}' failed, as do 'new-one' and 'old-one'")

    cloud = Cloud(Answering(answer).session)
    with pytest.raises(Refused) as caught:
        Memo(cloud, "shop", "staging", "rotation").write({"secret": "new-one", "known": ["old-one"]})
    assert str(caught.value) == (
        "Writing the rotation of staging: ValidationException: Value '********' failed, as do '********' and '********'"
    )
