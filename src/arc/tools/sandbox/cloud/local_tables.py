"""The app's tables in the local cloud: made from the manifest and seeded."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.inventory.files import check_within
from arc.sessions.stores.dynamodb.attributes import encode
from arc.tools.cloud.cloud import Refused, local_cloud
from arc.tools.cloud.table_plan import plan_table
from arc.tools.cloud.tables import Tables, physical_name
from arc.tools.env.variables import SEALED
from arc.tools.sandbox.addresses import Addresses
from arc.tools.sandbox.cloud.local_cloud import INSTALL, is_installed
from arc.tools.sandbox.cloud.shared_cloud import SharedCloud
from arc.tools.sandbox.cloud.state import COMMAND, FOLDER, SANDBOX, StateTaken, passing_state, take_state
from arc.tools.session_tables import chosen_store, store_warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from arc.inventory import Inventory
    from arc.inventory.tables import Key, Table
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.cloud.table_plan import Step
    from arc.tools.sandbox.cloud.local_cloud import LocalCloud
    from arc.tools.sandbox.cloud.state import CloudState


_PAUSE = 0.1  # seconds
_PATIENCE = 5.0  # seconds for a connection
ENVIRONMENT = "testing"
_REMEDY = "Give the table another name, or begin with empty tables: arc sandbox --fresh"


def _without_guards(table: Table) -> Table:
    """The table without what protects deployed ones from loss and theft."""
    return replace(table, encrypt=False, pitr=False)


def region_of(inventory: Inventory) -> str:
    """The region in which an app's functions and tables are."""
    return inventory.aws.region or "us-east-1"


class ExternalDatabase:
    """A DynamoDB that the developer has started at `port` of this machine."""

    failure: str | None = None

    def __init__(self, port: int) -> None:
        """Raise `ToolError` when nothing answers there."""
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE).close()
        except OSError:
            raise ToolError(
                f"Nothing answers at {self.url}, where the external database should be. Start it, or leave out "
                "external-db (in the preferences) and ARC_DB_EXTERNAL."
            ) from None


class LocalTables:
    """The tables of an app, in a local cloud that starts when the manifest first has some.

    `addresses` may choose its port, or name a database of the developer's own, which is neither started nor emptied.
    `say` tells the developer what may be left out, `alarm` what may not. `installed` says whether there is a
    local cloud to start.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        alarm: Callable[[str], None],
        addresses: Addresses = Addresses(),  # noqa: B008  # it is frozen
        *,
        fresh: bool = False,
        installed: Callable[[], bool] = is_installed,
    ) -> None:
        self._say, self._alarm, self._addresses = say, alarm, addresses
        self._fresh, self._installed = fresh, installed
        self._shared: SharedCloud | None = None
        self._external: ExternalDatabase | None = None
        self._made_from: tuple[object, ...] = ()
        self._said: set[str] = set()
        self.names: dict[str, str] = {}
        """The physical name of each table that was made, by the manifest's."""

    @property
    def port(self) -> int | None:
        """Where DynamoDB answers; None without tables."""
        return None if self._cloud is None else self._cloud.port

    @property
    def _cloud(self) -> LocalCloud | ExternalDatabase | None:
        return self._external if self._shared is None else self._shared.cloud

    def prepare(self, inventory: Inventory, *, patience: float = 0.0) -> None:
        """Make what the manifest declares and is not there yet.

        A command that has the local cloud is waited for, up to `patience` seconds. Raises `ToolError`; it is
        `StateTaken` when that was too short.
        """
        if inventory.tables and self._cloud is None:
            self._start(inventory, patience)
        if self._cloud is not None:
            self._make(inventory, self._cloud)
        for warning in store_warnings(inventory, ENVIRONMENT, inventory.env.get(ENVIRONMENT, {})):
            self._warn(warning)

    def close(self) -> None:
        """End the local cloud, which saves its data."""
        if self._shared is not None:
            self._shared.close()

    def _start(self, inventory: Inventory, patience: float) -> None:
        if self._addresses.is_external and self._addresses.tables is not None:
            self._external = ExternalDatabase(self._addresses.tables)
            self._say(f"The tables are in the external database at {self._external.url}")
            return
        if not self._installed():
            chosen = chosen_store(inventory.env.get("testing", {}))
            if chosen != SEALED:
                raise ToolError(f"Sessions are to live in the table {chosen!r}, and tables here need: {INSTALL}")
            self._warn(f"the app runs without its tables, which need: {INSTALL}")
            return
        self._shared = SharedCloud(self._state(inventory.root, patience), self._alarm, port=self._addresses.tables)

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

    def _make(self, inventory: Inventory, cloud: LocalCloud | ExternalDatabase) -> None:
        file = self._seed_file(inventory)
        seeds = read_seeds(inventory.root, inventory.tables, file)
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
                self._take(step)
        for table in inventory.tables:
            self._seed(here, table, names[table.name], file, seeds.get(table.name, []))
        self.names, self._made_from = names, made_from

    def _take(self, step: Step) -> None:
        """Do a step; what an external database does not know, such as time to live in dynalite, is a warning."""
        try:
            step.do()
        except Refused as refused:
            if self._external is None or refused.code != "UnknownOperationException":
                raise
            self._warn(f"The external database cannot {step.said}.")

    def _seed_file(self, inventory: Inventory) -> str:
        named = inventory.sandbox.seed_data
        fault = None if named is None else fault_of(inventory.root, named)
        if fault is not None:
            self._warn(fault)
        return FILE if named is None or fault is not None else named

    def _seed(self, cloud: Cloud, table: Table, name: str, file: str, rows: list[dict[str, Any]]) -> None:
        doing = f"Reading the table {table.name}"
        if not rows or cloud.call("dynamodb", "scan", doing, TableName=name, Limit=1)["Items"]:
            return
        keys = [key.name for key in (table.partition, table.sort) if key is not None]
        for place, row in enumerate(rows, start=1):
            try:
                doing = f"{file}: row {place} of {table.name} was refused"
                cloud.call("dynamodb", "put_item", doing, TableName=name, Item=row)
            except ToolError:
                for written in rows[: place - 1]:  # The table is empty again, and seeded once the file is mended.
                    key = {key: written[key] for key in keys}
                    cloud.call("dynamodb", "delete_item", f"Emptying {table.name}", TableName=name, Key=key)
                raise
        self._say(f"{table.name} begins with {len(rows)} row{'' if len(rows) == 1 else 's'} of {file}")

    def _warn(self, warning: str) -> None:
        if warning not in self._said:
            self._said.add(warning)
            self._say(f"Warning: {warning}")


FILE = "sandbox-seed.json"
UNREAD = ("sandbox-seed.js", "sandbox-seed.mjs", "sandbox-seed.cjs")
"""Architect's other names, which hold code for Node."""
_CODE = (".js", ".mjs", ".cjs")
_SHAPE = 'Write {"name of the table": [{"key": "value"}]}'


def fault_of(root: Path, name: str) -> str | None:
    """Return why the file that `seed-data` names has no effect, None where it has one."""
    if name.endswith(_CODE):
        return f"{name} is not read, because it is JavaScript. Write its rows as JSON into {FILE}."
    if ".." in Path(name).parts:
        return f"{name} (seed-data) is not read, because it is not below the app's folder."
    return None if seed_file(root, name).is_file() else f"There is no file {name}, which seed-data names."


def seed_file(root: Path, name: str) -> Path:
    """Return the file of that name in the app's folder."""
    return Path(root, *name.split("/"))


def read_seeds(root: Path, tables: Sequence[Table], file: str = FILE) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table, by the manifest's name, in DynamoDB's JSON. Raises `ToolError` naming the row."""
    check_within(root, seed_file(root, file))
    try:
        text = seed_file(root, file).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(f"{file} cannot be read: {error}. It has to be JSON in UTF-8.") from None
    try:
        seeds = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{file} is not JSON: {error}. {_SHAPE}") from None
    if not isinstance(seeds, dict):
        raise ToolError(f"{file} is not an object. {_SHAPE}")
    known = {table.name: table for table in tables}
    for name, rows in seeds.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise ToolError(f"{file} has rows for a table {name!r}, and the manifest declares {names}. Mend the name.")
        if not isinstance(rows, list):
            raise ToolError(f"{file}: {name!r} does not hold a list of rows. {_SHAPE}")
    return {
        name: [_row(known[name], row, f"{file}: row {place} of {name}") for place, row in enumerate(rows, start=1)]
        for name, rows in seeds.items()
    }


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number that JSON or DynamoDB has")


def _row(table: Table, row: Any, place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ToolError(f"{place} is not an object. {_SHAPE}")
    for key in (table.partition, table.sort):
        if key is None:
            continue
        if key.name not in row:
            raise ToolError(f"{place} lacks the key {key.name!r}. Give it a {key.kind}.")
        if not _fits(key, row[key.name]):
            raise ToolError(
                f"{place} has the key {key.name!r} as {json.dumps(row[key.name], default=float)}. Give it a {key.kind}."
            )
    return {name: encode(value) for name, value in row.items()}


def _fits(key: Key, value: Any) -> bool:
    if key.kind == "String":
        return isinstance(value, str) and value != ""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
