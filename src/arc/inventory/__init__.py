"""The inventory: a folder's manifest, files and preferences as one validated app.

inventory         reads an app               files             finds and parses the files
http, tables,     one pragma each            routes            matches a request with a route
static
function_config   `@aws` and config.arc      preferences       the settings of a developer
findings          faults and warnings, reported all at once
"""

from __future__ import annotations

from arc.inventory.function_config import Aws, FunctionConfig
from arc.inventory.inventory import Inventory, read
from arc.inventory.preferences import SandboxPreferences
from arc.inventory.routes import Route, match
from arc.inventory.static import Static
from arc.inventory.tables import Index, Key, Table

__all__ = [
    "Aws",
    "FunctionConfig",
    "Index",
    "Inventory",
    "Key",
    "Route",
    "SandboxPreferences",
    "Static",
    "Table",
    "match",
    "read",
]
