"""Run ministack like `python -m ministack`, but create, update and start functions within milliseconds.

ministack takes half a second to create or update a function, which no setting changes. Functions whose names end in
`Slow` take that half second here too. ministack also imports botocore in each process of a function, to detect
functions that call themselves. On AWS a process begins with the function's own imports, and so does it here, several
times as fast. This file is run by the interpreter that has ministack.
"""

from __future__ import annotations

from typing import Any

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

SECONDS_TO_UPDATE = 0.01
_IMPORT = "    _ms_install_invoke_depth()\n"


def main() -> None:
    """Run ministack, which reads its settings from the environment."""
    functions: Any = lambda_svc
    processes: Any = lambda_runtime
    finish = functions._schedule_state_transition

    def finish_soon(name: str, seconds: float) -> None:
        finish(name, seconds if name.endswith("Slow") else SECONDS_TO_UPDATE)

    functions._schedule_state_transition = finish_soon
    assert processes._PYTHON_WORKER_SCRIPT.count(_IMPORT) == 1
    processes._PYTHON_WORKER_SCRIPT = processes._PYTHON_WORKER_SCRIPT.replace(_IMPORT, "")
    app.main()


if __name__ == "__main__":
    main()
