"""ministack as `python -m ministack` runs it, where functions are made and updated within milliseconds.

ministack takes half a second for each, and no setting of it says otherwise. A function whose name ends in `Slow` takes
that half second here too. It is run as a file, by the interpreter that has ministack.
"""

from __future__ import annotations

from typing import Any

from ministack import app
from ministack.services import lambda_svc

SECONDS_TO_UPDATE = 0.01


def main() -> None:
    """Run ministack; what it is to do lies in the environment."""
    functions: Any = lambda_svc
    finish = functions._schedule_state_transition

    def finish_soon(name: str, seconds: float) -> None:
        finish(name, seconds if name.endswith("Slow") else SECONDS_TO_UPDATE)

    functions._schedule_state_transition = finish_soon
    app.main()


if __name__ == "__main__":
    main()
