"""Run ministack like `python -m ministack`, but create and update functions within milliseconds.

ministack takes half a second for each, which no setting changes. Functions whose names end in `Slow` take that half
second here too. This file is run by the interpreter that has ministack.
"""

from __future__ import annotations

from typing import Any

from ministack import app
from ministack.services import lambda_svc

SECONDS_TO_UPDATE = 0.01


def main() -> None:
    """Run ministack, which reads its settings from the environment."""
    functions: Any = lambda_svc
    finish = functions._schedule_state_transition

    def finish_soon(name: str, seconds: float) -> None:
        finish(name, seconds if name.endswith("Slow") else SECONDS_TO_UPDATE)

    functions._schedule_state_transition = finish_soon
    app.main()


if __name__ == "__main__":
    main()
