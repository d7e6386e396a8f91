"""On a phone, a long name such as `ARC_SESSION_TABLE_NAME` breaks after an underscore; copied, it is unchanged."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

_WORD_OF_CODE = re.compile(r'(?<=<span class="pre">)[^<]*_[^<]*')


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is done to each finished page."""
    app.connect("html-page-context", allow_breaks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def allow_breaks(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Let names in code break where they have an underscore."""
    if "body" in context:
        context["body"] = _WORD_OF_CODE.sub(lambda word: word[0].replace("_", "_<wbr>"), context["body"])
