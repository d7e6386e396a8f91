"""What commands remember of an environment between two runs, beside its variables."""

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
    """What is remembered of an app."""
    return Memo(local_cloud(url, "us-east-1"), app, "staging", name)


def test_a_memo_is_no_variable(cloud: Engine) -> None:
    """It comes back as it was written, until it is forgotten; forgetting twice is fine."""
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


def test_a_memo_is_written_over_only_when_that_is_meant(cloud: Engine) -> None:
    """Two who begin at once agree on the first one's."""
    app = fresh_app()
    assert memo(cloud.url, app).write({"secret": "first"}, over=False)
    assert not memo(cloud.url, app).write({"secret": "second"}, over=False)
    assert memo(cloud.url, app).read() == {"secret": "first"}
    assert memo(cloud.url, app).write({"secret": "third"})
    assert memo(cloud.url, app).read() == {"secret": "third"}


def test_a_memo_whose_answer_was_lost_is_there(cloud: Engine, faulty: FaultyCloud) -> None:
    """It looks like somebody else's; read, it is ours."""
    app = fresh_app()
    faulty.begin(on("ssm.PutParameter", "lost"))
    assert not memo(faulty.url, app).write({"secret": "ours"}, over=False)
    assert memo(cloud.url, app).read() == {"secret": "ours"}


@pytest.mark.parametrize("content", ["no JSON", "[1]", '"text"'])
def test_a_memo_that_somebody_damaged_is_told(cloud: Engine, content: str) -> None:
    """With its name and how to go on, and without what is in it."""
    app = fresh_app()
    name = f"/arc-sessions/{app}/staging/rotation"
    cloud.client("ssm").put_parameter(Name=name, Value=content, Type="SecureString")
    with pytest.raises(ToolError) as caught:
        memo(cloud.url, app).read()
    assert str(caught.value) == (
        f"The parameter {name} in SSM holds nothing that arc has written. Look what it is, and remove it: "
        f"aws ssm delete-parameter --name {name}"
    )


def test_what_a_memo_is_read_from_is_hidden(cloud: Engine) -> None:
    """The run that goes on after an interruption knows the secrets from here alone."""
    app, reader = fresh_app(), local_cloud(cloud.url, "us-east-1")
    memo(cloud.url, app).write({"secret": "new-one", "known": ["old-one"]})
    Memo(reader, app, "staging", "rotation").read()
    assert reader.masked("'new-one' and 'old-one'") == "'********' and '********'"


def test_no_secret_in_a_memo_is_ever_quoted() -> None:
    """Neither the whole nor any text in it, written or read."""

    def answer(_name: str, body: dict[str, Any]) -> Reply:
        return refused("ValidationException", f"Value '{body['Value']}' failed, as do 'new-one' and 'old-one'")

    cloud = Cloud(Answering(answer).session)
    with pytest.raises(Refused) as caught:
        Memo(cloud, "shop", "staging", "rotation").write({"secret": "new-one", "known": ["old-one"]})
    assert str(caught.value) == (
        "Noting the rotation of staging: ValidationException: Value '********' failed, as do '********' and '********'"
    )
