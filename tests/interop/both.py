"""One session table that Node's library and this one both use, each under the same variables."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import arc
from tests.interop.peer import AWS, Peer, peer
from tests.sandbox_services import sandbox_services
from tests.sessions.making import SECRET, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arc.sessions.session import Session
    from tests.engines import Engine


class Both:
    """`node` is Node's library in a process, `manager` this library's, and `table` on `engine` is theirs."""

    def __init__(self, engine: Engine, table: str, node: Peer, environ: dict[str, str]) -> None:
        self.engine, self.table, self.node, self.environ = engine, table, node, environ
        self.manager = arc.http.build_manager(arc.Settings.from_env(environ))

    def under(self, secret: str | None) -> Both:
        """The same table and Node process, with another secret for both libraries, or none."""
        environ = {name: value for name, value in self.environ.items() if name != "ARC_APP_SECRET"}
        return Both(
            self.engine, self.table, self.node, environ if secret is None else {**environ, "ARC_APP_SECRET": secret}
        )

    def ours(self, value: str) -> Session:
        """This library's session of a cookie value."""
        return self.manager.load([value])

    def commit(self, session: Session) -> str:
        """The cookie value of a commit."""
        return value_of(self.manager.commit(session)[0])

    def nodes(self, value: str) -> dict[str, Any]:
        """Node's session of a cookie value."""
        session: dict[str, Any] = self.node.ask("read", self.environ, headers={"cookie": f"_idx={value}"})
        return session

    def node_rewrites(self, value: str, /, **changes: Any) -> str:
        """The cookie value after Node wrote the whole session with `changes`."""
        headers = {"cookie": f"_idx={value}"} if value else {}
        return value_of(self.node.ask("rewrite", self.environ, headers=headers, changes=changes))

    def row(self, value: str) -> dict[str, Any]:
        """The row of a cookie value, in DynamoDB's JSON."""
        key = {"_idx": {"S": value.partition(".")[0]}}
        answer = self.engine.client().get_item(TableName=self.table, Key=key, ConsistentRead=True)
        row: dict[str, Any] = answer["Item"]
        return row

    def put(self, row: dict[str, Any]) -> None:
        """Put a row, in DynamoDB's JSON, like another program."""
        self.engine.client().put_item(TableName=self.table, Item=row)


@contextmanager
def on_both(engine: Engine, library: str) -> Iterator[Both]:
    """A new table on `engine`, and Node's library on it until the block ends. `library` is the path of Node."""
    table = engine.table()
    with sandbox_services({"/TestappTesting/tables/session": table}) as services:
        environ = {
            **AWS,
            "ARC_ENV": "testing",
            "ARC_APP_NAME": "testapp",
            "ARC_APP_SECRET": SECRET,
            "ARC_SESSION_TABLE_NAME": table,
            "ARC_SANDBOX": json.dumps({"ports": {"_arc": services.port, "tables": engine.port}, "version": "x"}),
        }
        with peer(library) as node:
            yield Both(engine, table, node, environ)
