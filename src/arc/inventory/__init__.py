"""The inventory: a folder's manifest, files and preferences as one validated app.

reading           the whole of it            manifest_file     finds and parses the manifest
app, aws, http, tables, tables_indexes, shared                 one file per pragma
function_config   a function's config.arc    preferences, sandbox_preferences, env_file   what the developer set here
matching          a request's route          findings          faults and warnings, reported at once
"""

from __future__ import annotations

from arc.inventory.function_config import Aws, FunctionConfig
from arc.inventory.inventory import Inventory, read
from arc.inventory.preferences import SandboxPreferences
from arc.inventory.routes import Route, match
from arc.inventory.tables import Index, Key, Table

__all__ = [
    "Aws",
    "FunctionConfig",
    "Index",
    "Inventory",
    "Key",
    "Route",
    "SandboxPreferences",
    "Table",
    "match",
    "read",
]
