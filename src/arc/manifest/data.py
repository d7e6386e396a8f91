"""Manifests in JSON and YAML, as the same values with the same positions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from arc.errors import ManifestError
from arc.manifest.lexer import meaning, split_lines
from arc.manifest.values import Array, Entry, Item, Manifest, Map, Pragma, Scalar, Vector, fault_at

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    import yaml

    Node: TypeAlias = yaml.Node


def parse_json(
    text: str, file: str, *, keys: Sequence[str] = (), known: Container[str] | None = None
) -> Manifest | None:
    """The manifest in JSON `text`; with `keys`, in the first of these keys of its object, None without one.

    A pragma that is not `known` may be of any shape (None: every pragma is known); one that is no manifest's is read
    as empty. Raises `ManifestError`.
    """
    text = text.removeprefix("\N{BYTE ORDER MARK}")
    line, column, problem = 1, 1, ""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        line, column, problem = error.lineno, error.colno, error.msg
    except (RecursionError, ValueError):  # thousands of levels, or of digits
        problem = "it is nested too deeply, or holds too long a number"
    if problem:
        message = f"This is no JSON for a manifest: {problem}."
        raise fault_at(file, split_lines(text), line, column, message, "Mend it here or just before.")
    if keys and not (isinstance(value, dict) and any(key in value for key in keys)):
        return None
    return _Reader(text, file, known).manifest(text.replace("\t", " "), keys)  # YAML reads JSON, but for tabs


def parse_yaml(text: str, file: str, *, known: Container[str] | None = None) -> Manifest:
    """The manifest in YAML `text`, with `known` as in `parse_json`. Raises `ManifestError`."""
    text = text.removeprefix("\N{BYTE ORDER MARK}")
    manifest = _Reader(text, file, known).manifest(text, ())
    return manifest if manifest is not None else Manifest(file, split_lines(text), ())


class _Reader:
    """Turns YAML's nodes, which know their places, into a manifest's values."""

    def __init__(self, text: str, file: str, known: Container[str] | None) -> None:
        self._file, self._lines, self._known = file, split_lines(text), known

    def manifest(self, text: str, keys: Sequence[str]) -> Manifest | None:
        root: Node | None = self._compose(text)
        if keys:
            found = [value for key, value in self._pairs(root) if key.text in keys] if root is not None else []
            if not found:
                return None
            root = found[0]
        pragmas: list[Pragma] = []
        for name, node in self._pairs(root) if root is not None else ():
            if any(pragma.name == name.text for pragma in pragmas):
                raise self._fault(name, f"'{name.text}' is there twice.", "Keep one of the two.")
            pragmas.append(self._pragma(name, node))
        return Manifest(self._file, self._lines, tuple(pragmas))

    def _pragma(self, name: Scalar, node: Node) -> Pragma:
        items: list[Item] = []
        try:
            items = self._items(node)
        except ManifestError:
            if self._known is None or name.text in self._known:
                raise
        return Pragma(name.text, name.line, name.column, tuple(items))

    def _compose(self, text: str) -> Node | None:
        import yaml

        try:
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
            problem = error.problem or error.context or "it cannot be read"
        except RecursionError:
            line, column, problem = 1, 1, "it is nested too deeply"
        except yaml.YAMLError:
            line, column, problem = 1, 1, "it holds a character that YAML does not allow"
        raise fault_at(
            self._file, self._lines, line, column, f"This is no YAML: {problem}.", "Mend it here or just before."
        )

    def _items(self, node: Node) -> list[Item]:
        import yaml

        if isinstance(node, yaml.ScalarNode):
            return [] if self._is_nothing(node) else [self._scalar(node)]
        if isinstance(node, yaml.MappingNode):
            return [self._named(key, value) for key, value in self._pairs(node)]
        items: list[Item] = []
        for each in self._elements(node):
            if isinstance(each, yaml.ScalarNode):
                items.append(self._scalar(each))
            elif isinstance(each, yaml.MappingNode):
                items.extend(self._named(key, value) for key, value in self._pairs(each))
            else:
                items.append(self._row(each))
        return items

    def _row(self, node: Node) -> Item:
        scalars = self._scalars(node)
        return scalars[0] if len(scalars) == 1 else Array(scalars)

    def _named(self, name: Scalar, node: Node) -> Item:
        import yaml

        if isinstance(node, yaml.ScalarNode):
            return Array((name, self._scalar(node)))
        if isinstance(node, yaml.SequenceNode):
            return Vector(name, self._scalars(node))
        entries: list[Entry] = []
        for key, value in self._pairs(node):
            several = not isinstance(value, yaml.ScalarNode)
            entries.append(Entry(key, self._scalars(value) if several else (self._scalar(value),), several=several))
        return Map(name, tuple(entries))

    def _pairs(self, node: Node) -> list[tuple[Scalar, Node]]:
        import yaml

        if isinstance(node, yaml.MappingNode):
            return [(self._scalar(key), value) for key, value in node.value]
        if isinstance(node, yaml.ScalarNode) and self._is_nothing(node):
            return []
        raise self._fault(self._place(node), "An object of names is expected here.", "Write it as {name: value}.")

    def _scalars(self, node: Node) -> tuple[Scalar, ...]:
        scalars = tuple(self._scalar(each) for each in self._elements(node))
        if not scalars:
            raise self._fault(self._place(node), "This list is empty.", "Give it values, or remove it.")
        return scalars

    def _elements(self, node: Node) -> list[Node]:
        import yaml

        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        raise self._fault(self._place(node), "A list of values is expected here.", "Write it as [value, value].")

    def _scalar(self, node: Node) -> Scalar:
        import yaml

        if not isinstance(node, yaml.ScalarNode) or self._is_nothing(node):
            raise self._fault(self._place(node), "Text, a number or a boolean is expected here.", "Write one value.")
        # A pair of JSON's escapes is one character beyond the first plane (RFC 8259 §7); YAML leaves the halves.
        text = str(node.value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        place = self._place(node)
        return Scalar(meaning(text) if node.style is None else text, text, place.line, place.column)

    @staticmethod
    def _is_nothing(node: yaml.ScalarNode) -> bool:
        return node.style is None and node.value in ("", "null", "~")

    @staticmethod
    def _place(node: Node) -> Scalar:
        return Scalar("", "", node.start_mark.line + 1, node.start_mark.column + 1)

    def _fault(self, where: Scalar, message: str, hint: str) -> ManifestError:
        return fault_at(self._file, self._lines, where.line, where.column, message, hint)
