"""One session table that Node's library and ours both use, under the same secret."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from arc.http import build_manager
from arc.settings import Settings
from tests.interop.peer import Peer, peer
from tests.sandbox_services import sandbox_services
from tests.sessions.making import SECRET, value_of
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arc.sessions.session import Session
    from tests.engines import Engine


class Both:
    """A table's two users: `kept` is the table with our store, `node` the other library in its process."""

    def __init__(self, kept: Kept, node: Peer) -> None:
        self.kept, self.node = kept, node
        self.manager = build_manager(kept.settings, store=kept.store)

    def ours(self, value: str) -> Session:
        """Our session of a cookie value."""
        return self.manager.load([value])

    def commit(self, session: Session) -> str:
        """The cookie value that we give."""
        return value_of(self.manager.commit(session)[0])

    def nodes(self, value: str) -> dict[str, Any]:
        """Node's session of a cookie value."""
        session: dict[str, Any] = self.node.ask("read", headers={"cookie": f"_idx={value}"})
        return session

    def node_rewrites(self, value: str, **changes: Any) -> str:
        """The cookie value that Node gives after it wrote the whole session with `changes`."""
        return value_of(self.node.ask("rewrite", headers={"cookie": f"_idx={value}"}, changes=changes))

    def row(self, value: str) -> dict[str, Any]:
        """The row of a cookie value, in DynamoDB's JSON."""
        key = {"_idx": {"S": value.partition(".")[0]}}
        found = self.kept.engine.client().get_item(TableName=self.kept.table, Key=key, ConsistentRead=True)
        row: dict[str, Any] = found["Item"]
        return row

    def put(self, row: dict[str, Any]) -> None:
        """Put a row, in DynamoDB's JSON, as somebody else would."""
        self.kept.engine.client().put_item(TableName=self.kept.table, Item=row)


@contextmanager
def on_both(engine: Engine, library: str, secret: str | None = SECRET) -> Iterator[Both]:
    """A new table on `engine`, and Node's library on it until the block ends; `library` is the path of Node."""
    kept = Kept(engine, settings=Settings(environment="testing", app_name="testapp", secret=secret))
    with sandbox_services({"/TestappTesting/tables/session": kept.table}) as services:
        environ = {
            "ARC_ENV": "testing",
            "ARC_SESSION_TABLE_NAME": "session",
            "ARC_SANDBOX": json.dumps({"ports": {"_arc": services.port, "tables": engine.port}, "version": "x"}),
        }
        with peer(library, environ if secret is None else {**environ, "ARC_APP_SECRET": secret}) as node:
            yield Both(kept, node)
