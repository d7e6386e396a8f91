"""The inventory: a folder's manifest, files and preferences as one validated app.

reading           the whole of it            manifest_file     finds and parses the manifest
app, aws, http, tables, tables_indexes, shared                 one file per pragma
function_config   a function's config.arc    preferences, sandbox_preferences, env_file   what the developer set here
matching          a request's route          findings          faults and warnings, reported at once
"""

from __future__ import annotations

from arc.inventory.aws import Aws
from arc.inventory.function_config import FunctionConfig
from arc.inventory.inventory import Inventory
from arc.inventory.matching import match
from arc.inventory.reading import read
from arc.inventory.route import Route
from arc.inventory.sandbox_preferences import SandboxPreferences
from arc.inventory.table import Index, Key, Table

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
