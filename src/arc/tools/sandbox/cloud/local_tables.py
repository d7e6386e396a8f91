"""The app's tables on this machine: created from the manifest, in the local cloud, and filled from a seed file."""

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
from arc.tools.sandbox.cloud.local_cloud import INSTALL, is_installed
from arc.tools.sandbox.cloud.shared_cloud import SharedCloud
from arc.tools.sandbox.cloud.state import COMMAND, FOLDER, SANDBOX, StateTaken, take_state, temporary_state
from arc.tools.session_tables import chosen_store, store_warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from arc.inventory import Inventory
    from arc.inventory.tables import Key, Table
    from arc.tools.cloud.cloud import Cloud
    from arc.tools.cloud.table_plan import Step
    from arc.tools.sandbox.addresses import Addresses
    from arc.tools.sandbox.cloud.local_cloud import LocalCloud
    from arc.tools.sandbox.cloud.state import CloudState


ENVIRONMENT = "testing"
FILE = "sandbox-seed.json"
UNREAD = ("sandbox-seed.js", "sandbox-seed.mjs", "sandbox-seed.cjs")
"""Architect's other names for the seed file, which contain JavaScript."""
_CODE = (".js", ".mjs", ".cjs")
_SHAPE = 'Write {"name of the table": [{"key": "value"}]}'
_REMEDY = "Rename the table, or start with empty tables: arc sandbox --fresh"
_POLL = 0.1  # seconds
_CONNECT_TIMEOUT = 5.0  # seconds


def region_of(inventory: Inventory) -> str:
    """Return the region of an app's functions and tables."""
    return inventory.aws.region or "us-east-1"


class ExternalDatabase:
    """A DynamoDB that the developer runs at `port` of this machine."""

    failure: str | None = None

    def __init__(self, port: int) -> None:
        """Raise `ToolError` if nothing answers there."""
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=_CONNECT_TIMEOUT).close()
        except OSError:
            raise ToolError(
                f"The external database at {self.url} does not answer. Start it, or remove external-db from the "
                "preferences and unset ARC_DB_EXTERNAL."
            ) from None


class LocalTables:
    """The tables of an app, in a local cloud that is started when the manifest first declares tables.

    `addresses` may set the cloud's port, or name an external database, which is neither started nor emptied. `say`
    prints a message; `quiet` omits information and warnings.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        addresses: Addresses,
        *,
        fresh: bool,
        quiet: bool,
        cloud: LocalCloud | None = None,
    ) -> None:
        """With a running `cloud`, the tables are created there, and it is not stopped."""
        self._given = cloud
        self._say, self._addresses, self._fresh, self._quiet = say, addresses, fresh, quiet
        self._shared: SharedCloud | None = None
        self._external: ExternalDatabase | None = None
        self._prepared: tuple[object, ...] = ()
        self._warnings: set[str] = set()
        self.names: dict[str, str] = {}
        """The physical names of the created tables, by their names in the manifest."""

    @property
    def port(self) -> int | None:
        """DynamoDB's port, or None without tables."""
        return None if self._cloud is None else self._cloud.port

    @property
    def _cloud(self) -> LocalCloud | ExternalDatabase | None:
        return self._given or (self._external if self._shared is None else self._shared.cloud)

    def prepare(self, inventory: Inventory, *, patience: float = 0.0) -> None:
        """Create and seed the tables that are missing.

        Wait up to `patience` seconds for a command that is using the local cloud. Raises `ToolError`, in particular
        `StateTaken` if the command takes longer.
        """
        if inventory.tables and self._cloud is None:
            self._start(inventory, patience)
        if self._cloud is not None:
            self._create(inventory, self._cloud)
        for warning in store_warnings(inventory, ENVIRONMENT, inventory.env.get(ENVIRONMENT, {})):
            self._warn(warning)

    def close(self) -> None:
        """Stop the local cloud, which saves its data."""
        if self._shared is not None:
            self._shared.close()

    def _start(self, inventory: Inventory, patience: float) -> None:
        if self._addresses.is_external and self._addresses.tables is not None:
            self._external = ExternalDatabase(self._addresses.tables)
            self._inform(f"Using the external database at {self._external.url}")
        elif is_installed():
            state = self._take_state(inventory.root, patience)
            self._shared = SharedCloud(state, self._say, port=self._addresses.tables)
        else:
            store = chosen_store(inventory.env.get(ENVIRONMENT, {}))
            if store != SEALED:
                raise ToolError(f"Sessions are stored in the table {store!r}, which requires a local cloud: {INSTALL}")
            self._warn(
                f"The app runs without its tables. To create them, run: {INSTALL} (a running sandbox notices it)"
            )

    def _take_state(self, root: Path, patience: float) -> CloudState:
        end, notified = time.monotonic() + patience, False
        while True:
            try:
                return take_state(root, SANDBOX, fresh=self._fresh)
            except StateTaken as taken:
                reason = str(taken)
                if taken.by == COMMAND:
                    if time.monotonic() >= end:
                        raise
                    if not notified:
                        self._say(reason)
                    notified = True
                    time.sleep(_POLL)
                    continue
            except OSError as error:
                reason = f"Cannot write to {error.filename or root / FOLDER}: {error.strerror}."
            self._warn(f"{reason} This sandbox starts with empty tables and deletes them when it ends.")
            return temporary_state()

    def _create(self, inventory: Inventory, cloud: LocalCloud | ExternalDatabase) -> None:
        file = self._choose_seed_file(inventory)
        seeds = read_seeds(inventory.root, inventory.tables, file)
        desired = (inventory.app, inventory.tables, region_of(inventory), seeds)
        if desired == self._prepared:
            return
        if cloud.failure is not None:
            raise ToolError(f"{cloud.failure}\nRestart the sandbox.")
        names = {table.name: physical_name(inventory.app, ENVIRONMENT, table) for table in inventory.tables}
        here = local_cloud(cloud.url, region_of(inventory))
        for table in inventory.tables:
            unprotected = replace(table, encrypt=False, pitr=False)  # A developer's data needs neither.
            if self._given is not None:  # Tests have a clock of their own, by which no row may expire yet.
                unprotected = replace(unprotected, ttl=None)
            plan = plan_table(Tables(here), unprotected, names[table.name], remedy=_REMEDY)
            for message in plan.left:
                self._warn(message)
            for step in plan.steps:
                self._run(step)
        for table in inventory.tables:
            self._seed(here, table, names[table.name], file, seeds.get(table.name, []))
        self.names, self._prepared = names, desired

    def _run(self, step: Step) -> None:
        """Run a step. An operation that an external database lacks, such as TTL in dynalite, causes a warning."""
        try:
            step.do()
        except Refused as refused:
            if self._external is None or refused.code != "UnknownOperationException":
                raise
            self._warn(f"The external database cannot {step.action}.")

    def _choose_seed_file(self, inventory: Inventory) -> str:
        name = inventory.sandbox.seed_data
        if name is None:
            return FILE
        fault = fault_of(inventory.root, name)
        if fault is not None:
            self._warn(fault)
            return FILE
        return name

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
                for written in rows[: place - 1]:  # Only an empty table is seeded once the file is fixed.
                    key = {key: written[key] for key in keys}
                    cloud.call("dynamodb", "delete_item", f"Emptying {table.name}", TableName=name, Key=key)
                raise
        self._inform(f"Added {len(rows)} row{'' if len(rows) == 1 else 's'} from {file} to {table.name}")

    def _warn(self, warning: str) -> None:
        if warning not in self._warnings:
            self._warnings.add(warning)
            self._inform(f"Warning: {warning}")

    def _inform(self, message: str) -> None:
        if not self._quiet:
            self._say(message)


def fault_of(root: Path, name: str) -> str | None:
    """Return why the file that `seed-data` names is ignored, or None if it is valid."""
    if name.endswith(_CODE):
        return javascript_warning(name)
    if ".." in Path(name).parts:
        return f"{name} (seed-data) is ignored because it is outside the app's folder."
    return None if seed_file(root, name).is_file() else f"The seed-data file {name} does not exist."


def javascript_warning(name: str) -> str:
    """Return the warning about a seed file in JavaScript."""
    return f"{name} is ignored because it is JavaScript. Write its rows as JSON to {FILE}."


def seed_file(root: Path, name: str) -> Path:
    """Return the path of the seed file with that name."""
    return Path(root, *name.split("/"))


def read_seeds(root: Path, tables: Sequence[Table], file: str = FILE) -> dict[str, list[dict[str, Any]]]:
    """Return the rows in DynamoDB's JSON, by the table's name in the manifest. Raises `ToolError`, naming the row."""
    path = seed_file(root, file)
    check_within(root, path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(f"{file} cannot be read: {error}. Save it as JSON in UTF-8.") from None
    try:
        seeds = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{file} is not JSON: {error}. {_SHAPE}") from None
    if not isinstance(seeds, dict):
        raise ToolError(f"{file} is not an object. {_SHAPE}")
    known = {table.name: table for table in tables}
    for name, rows in seeds.items():
        if name not in known:
            names = ", ".join(known) or "no tables"
            raise ToolError(f"{file}: unknown table {name!r}. The manifest declares {names}.")
        if not isinstance(rows, list):
            raise ToolError(f"{file}: {name!r} is not a list of rows. {_SHAPE}")
    return {
        name: [_encode(known[name], row, f"{file}: row {place} of {name}") for place, row in enumerate(rows, start=1)]
        for name, rows in seeds.items()
    }


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a valid number in JSON or DynamoDB")


def _encode(table: Table, row: Any, place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ToolError(f"{place} is not an object. {_SHAPE}")
    for key in (table.partition, table.sort):
        if key is None:
            continue
        if key.name not in row:
            raise ToolError(f"{place} lacks the key {key.name!r}. Add it as a {key.kind}.")
        if not _fits(key, row[key.name]):
            value = json.dumps(row[key.name], default=float)
            raise ToolError(f"{place} has {value} as the key {key.name!r}. Use a {key.kind}.")
    return {name: encode(value) for name, value in row.items()}


def _fits(key: Key, value: Any) -> bool:
    if key.kind == "String":
        return isinstance(value, str) and value != ""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
