"""The app's tables in the local cloud: made from the manifest and seeded."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.tools.cloud.cloud import local_cloud
from arc.tools.cloud.table_plan import plan_table
from arc.tools.cloud.tables import Tables, physical_name
from arc.tools.env.names import SEALED
from arc.tools.sandbox.cloud_state import COMMAND, FOLDER, SANDBOX, StateTaken, passing_state, take_state
from arc.tools.sandbox.local_cloud import INSTALL, is_installed
from arc.tools.sandbox.seeds import FILE, read_seeds
from arc.tools.sandbox.shared_cloud import SharedCloud
from arc.tools.session_tables import chosen_store, store_warnings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from arc.inventory import Inventory, Table
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.sandbox.cloud_state import CloudState
    from arc.tools.sandbox.local_cloud import LocalCloud

_PAUSE = 0.1  # seconds
ENVIRONMENT = "testing"
_REMEDY = "Give the table another name, or begin with empty tables: arc sandbox --fresh"


def _without_guards(table: Table) -> Table:
    """The table without what protects deployed ones from loss and theft."""
    return replace(table, encrypt=False, pitr=False)


def region_of(inventory: Inventory) -> str:
    """The region in which an app's functions and tables are."""
    return inventory.aws.region or "us-east-1"


class LocalTables:
    """The tables of an app, in a local cloud that starts when the manifest first has some.

    `say` tells the developer what may be left out, `alarm` what may not. `installed` says whether there is a
    local cloud to start.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        alarm: Callable[[str], None],
        *,
        fresh: bool = False,
        installed: Callable[[], bool] = is_installed,
    ) -> None:
        self._say, self._alarm = say, alarm
        self._fresh, self._installed = fresh, installed
        self._shared: SharedCloud | None = None
        self._made_from: tuple[object, ...] = ()
        self._said: set[str] = set()
        self.names: dict[str, str] = {}
        """The physical name of each table that was made, by the manifest's."""

    @property
    def port(self) -> int | None:
        """Where DynamoDB answers; None without tables."""
        return None if self._shared is None else self._shared.cloud.port

    def prepare(self, inventory: Inventory, *, patience: float = 0.0) -> None:
        """Make what the manifest declares and is not there yet.

        A command that has the local cloud is waited for, up to `patience` seconds. Raises `ToolError`; it is
        `StateTaken` when that was too short.
        """
        if inventory.tables and self._shared is None:
            self._start(inventory, patience)
        if self._shared is not None:
            self._make(inventory, self._shared.cloud)
        for warning in store_warnings(inventory, ENVIRONMENT, inventory.env.get(ENVIRONMENT, {})):
            self._warn(warning)

    def close(self) -> None:
        """End the local cloud, which saves its data."""
        if self._shared is not None:
            self._shared.close()

    def _start(self, inventory: Inventory, patience: float) -> None:
        if not self._installed():
            chosen = chosen_store(inventory.env.get("testing", {}))
            if chosen != SEALED:
                raise ToolError(f"Sessions are to live in the table {chosen!r}, and tables here need: {INSTALL}")
            self._warn(f"the app runs without its tables, which need: {INSTALL}")
            return
        self._shared = SharedCloud(self._state(inventory.root, patience), self._alarm)

    def _state(self, root: Path, patience: float) -> CloudState:
        end, told = time.monotonic() + patience, False
        while True:
            try:
                return take_state(root, SANDBOX, fresh=self._fresh)
            except StateTaken as taken:
                reason = str(taken)
                if taken.by == COMMAND:
                    if time.monotonic() >= end:
                        raise
                    if not told:
                        self._alarm(reason)
                    told = True
                    time.sleep(_PAUSE)
                    continue
            except OSError as error:
                reason = f"{error.filename or root / FOLDER} cannot be used ({error.strerror})"
            self._warn(f"{reason}: the tables begin empty here, and are gone when this sandbox ends.")
            return passing_state()

    def _make(self, inventory: Inventory, cloud: LocalCloud) -> None:
        seeds = read_seeds(inventory.root, inventory.tables)
        made_from = (inventory.app, inventory.tables, region_of(inventory), seeds)
        if made_from == self._made_from:
            return
        if cloud.failure is not None:
            raise ToolError(f"{cloud.failure}\nStart the sandbox again.")
        names = {table.name: physical_name(inventory.app, ENVIRONMENT, table) for table in inventory.tables}
        here = local_cloud(cloud.url, region_of(inventory))
        for table in inventory.tables:
            plan = plan_table(Tables(here), _without_guards(table), names[table.name], remedy=_REMEDY)
            for sentence in plan.left:
                self._warn(sentence)
            for step in plan.steps:
                step.do()
        for table in inventory.tables:
            self._seed(here, table, names[table.name], seeds.get(table.name, []))
        self.names, self._made_from = names, made_from

    def _seed(self, cloud: Cloud, table: Table, name: str, rows: list[dict[str, Any]]) -> None:
        doing = f"Reading the table {table.name}"
        if not rows or cloud.call("dynamodb", "scan", doing, TableName=name, Limit=1)["Items"]:
            return
        keys = [key.name for key in (table.partition, table.sort) if key is not None]
        for place, row in enumerate(rows, start=1):
            try:
                doing = f"{FILE}: row {place} of {table.name} was refused"
                cloud.call("dynamodb", "put_item", doing, TableName=name, Item=row)
            except ToolError:
                for written in rows[: place - 1]:  # The table is empty again, and seeded once the file is mended.
                    key = {key: written[key] for key in keys}
                    cloud.call("dynamodb", "delete_item", f"Emptying {table.name}", TableName=name, Key=key)
                raise
        self._say(f"{table.name} begins with {len(rows)} row{'' if len(rows) == 1 else 's'} of {FILE}")

    def _warn(self, warning: str) -> None:
        if warning not in self._said:
            self._said.add(warning)
            self._say(f"Warning: {warning}")
