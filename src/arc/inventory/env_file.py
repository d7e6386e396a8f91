"""`.env`: the variables of the testing environment, in place of those in the preferences."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from arc.errors import ManifestError, ToolError
from arc.inventory.preferences import is_variable
from arc.inventory.source_file import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from arc.inventory.findings import Findings


def read_env_file(file: Path, findings: Findings) -> dict[str, str] | None:
    """The variables in a `.env` file, None when there is no file.

    Values are taken as they stand: `$` has no meaning. Messages never quote a line, because it may hold a secret.
    """
    if not file.is_file():
        return None
    from dotenv.parser import parse_stream

    try:
        text = read_text(file, file.name)
    except ToolError as fault:
        findings.faults.append(fault)
        return {}
    except ManifestError as fault:
        findings.faults.append(ToolError(f"{fault.file}:{fault.line}: {fault.message} {fault.hint}"))
        return {}
    variables: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text.removeprefix("\N{BYTE ORDER MARK}"), newline="")):
        place = f"{file.name}:{binding.original.line}"
        if binding.error:
            findings.faults.append(ToolError(f"{place}: This line cannot be read. Write NAME=value."))
        elif binding.key is not None and not is_variable(binding.key):
            hint = "Use letters, digits and '_', a letter first."
            findings.warnings.append(
                f"{place}: {binding.key!r} is left out: it cannot be the name of a variable. {hint}"
            )
        elif binding.key is not None and binding.value is None:
            findings.faults.append(ToolError(f"{place}: {binding.key} has no value. Write {binding.key}=value."))
        elif binding.key is not None:
            variables[binding.key] = binding.value or ""
    return variables
