"""AWS's events beside these tests, one JSON file for each format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from arc.http.events import Shape, shape_of
from arc.http.response import PreparedResponse

FOLDER = Path(__file__).parent / "events"
FORMATS = (
    "http_api_v2",
    "function_url",
    "http_api_v1",
    "rest_v1",
    "alb_single",
    "alb_multi",
    "lattice_v1",
    "lattice_v2",
)


def event(name: str) -> dict[str, Any]:
    """The event in the file called `name`."""
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return loaded


def shape(name: str, **changes: Any) -> Shape:
    """The shape of the event called `name`, or of a bare one for `bare`, with `changes` of its keys."""
    return shape_of({**({} if name == "bare" else event(name)), **changes})


def format_response(result: object, on: Shape, **options: Any) -> dict[str, Any]:
    """The response for `result` to the event of the shape `on`, with the options of `PreparedResponse.reply`."""
    return PreparedResponse(result, on).reply(**options)
