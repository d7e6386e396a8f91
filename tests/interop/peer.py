"""Node's `@architect/functions` in a Node process, called over a pipe."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
AWS = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}


class NodeError(Exception):
    """An exception of Node's library."""


class Peer:
    """A Node process with the real library. Each call names its environment."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, question: str, env: Mapping[str, str] | None = None, **details: Any) -> Any:
        """The library's answer. Raises `NodeError` with its message."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": question, "env": dict(env or {}), **details}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline(), object_hook=_exact)
        if "error" in answer:
            raise NodeError(answer["error"])
        return answer.get("answer")


def _exact(found: dict[str, Any]) -> Any:
    """The int of a BigInt from Node, or the object unchanged."""
    return int(found["$bigint"]) if found.keys() == {"$bigint"} else found


@contextmanager
def peer(node: str) -> Iterator[Peer]:
    """A peer that ends with the block. `node` is the path of Node."""
    with subprocess.Popen(
        [node, "peer.js"],
        cwd=HERE,
        env={"ARC_APP_NAME": "testapp", **AWS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield Peer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)
