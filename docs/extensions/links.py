"""Links that need not be written, to the reference, and those of included pages that lie beside this folder."""

import posixpath
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import desc_signature, pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

_RELATIVE = re.compile(r"\[(?P<text>[^]]*)\]\((?!https?://)(?P<target>[^)\s]+)\)")
# What examples call the objects that a handler has.
_VARIABLES = {
    "req.session": "arc.Session",
    "session": "arc.Session",
    "req": "arc.Request",
    "browser": "arc.testing.Browser",
}
_NAME = re.compile(r"@?([A-Za-z_][\w.]*)(?:\(.*\))?", re.DOTALL)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is done when all pages are read."""
    app.connect("include-read", relocate_links)
    app.connect("missing-reference", link_type)
    app.connect("doctree-resolved", link_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def relocate_links(app: Sphinx, _file: Path, _page: str, content: list[str]) -> None:
    """Let the links of a page from the repository's root lead to the site; the text of one to elsewhere stays."""

    def relocated(link: re.Match[str]) -> str:
        name, _, fragment = link["target"].partition("#")
        path = name.removeprefix("docs/") if name.startswith("docs/") else name.lower()
        if not name or not (Path(app.srcdir) / path).exists():
            return link["text"]
        return f"[{link['text']}](/{posixpath.normpath(path)}{fragment and '#' + fragment})"

    content[0] = _RELATIVE.sub(relocated, content[0])


def link_type(
    app: Sphinx, env: BuildEnvironment, reference: pending_xref, shown: nodes.TextElement
) -> nodes.Element | None:
    """Return the link of a type in a signature; the name alone for a type that the reference does not have.

    Links that a page or a docstring writes out are not touched, so that a broken one is a warning.
    """
    if _inside(reference, desc_signature):
        return _link(app, env, reference["refdoc"], str(reference["reftarget"]), shown) or shown
    return None


def link_code(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Link code that is a public name, such as `arc.http.handler` or `UnknownTable`, to its place in the reference."""
    for code in list(doctree.findall(nodes.literal)):
        found = _NAME.fullmatch(code.astext())
        if found and not _inside(code, nodes.reference, nodes.title, desc_signature):
            link = _link(app, app.env, page, found[1], code.deepcopy())
            if link is not None:
                code.replace_self(link)


def _inside(node: nodes.Node, *kinds: type[nodes.Node]) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def _link(app: Sphinx, env: BuildEnvironment, page: str, name: str, shown: Any) -> nodes.reference | None:
    """Return a link to the object called `name`; None when the reference has none."""
    objects = env.domains.python_domain.objects
    full = next((one for one in _full_names(name) if one in objects), None)
    if full is None:
        return None
    entry = objects[full]
    return make_refnode(app.builder, page, entry.docname, entry.node_id, shown, full)


def _full_names(name: str) -> tuple[str, ...]:
    """Return what `name` may stand for: itself, a name of `arc`, or an attribute of one of the usual variables."""
    variable, _, attribute = name.rpartition(".")
    return name, f"arc.{name}", f"arc.errors.{name}", f"{_VARIABLES.get(variable, '')}.{attribute}"
