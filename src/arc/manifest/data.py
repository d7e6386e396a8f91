"""Manifests in JSON and YAML, as the same values with the same positions.

A module of its own because it imports PyYAML, which few apps need.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

import yaml

from arc.errors import ManifestError
from arc.manifest.lexer import meaning, split_lines
from arc.manifest.values import Array, Entry, Item, Manifest, Map, Pragma, Scalar, Vector, fault_at

if TYPE_CHECKING:
    from collections.abc import Container, Sequence


def parse_json(
    text: str, file: str, *, keys: Sequence[str] = (), known: Container[str] | None = None
) -> Manifest | None:
    """Parse a manifest in JSON; with `keys`, the one below the first of these keys, None without any of them.

    A pragma that is not `known` may have any shape, and is read as empty when its shape is not a manifest's. By
    default, every pragma is known. Raises `ManifestError`.
    """
    text = text.removeprefix("\N{BYTE ORDER MARK}")
    reader = _Reader(text, file, known)
    line, column, problem = 1, 1, ""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        line, column, problem = error.lineno, error.colno, error.msg
    except (RecursionError, ValueError):  # thousands of levels, or of digits
        problem = "it is nested too deeply, or contains a number that is too long"
    if problem:
        reader.fail(line, column, f"The file is not valid JSON: {problem}.", "Correct it here or just before.")
    if keys and not (isinstance(value, dict) and any(key in value for key in keys)):
        return None
    return reader.manifest(text.replace("\t", " "), keys)  # YAML reads JSON, but for tabs


def parse_yaml(text: str, file: str, *, known: Container[str] | None = None) -> Manifest:
    """Parse a manifest in YAML, with `known` as in `parse_json`. Raises `ManifestError`."""
    text = text.removeprefix("\N{BYTE ORDER MARK}")
    return _Reader(text, file, known).manifest(text, ())


class _Reader:
    """Turns YAML's nodes, which know their places, into a manifest's values."""

    def __init__(self, text: str, file: str, known: Container[str] | None) -> None:
        self._file, self._lines, self._known = file, split_lines(text), known

    def manifest(self, text: str, keys: Sequence[str]) -> Manifest:
        root = self._compose(text)
        pairs = self._pairs(root) if root is not None else []
        if keys:
            pairs = self._pairs(next(value for key, value in pairs if key.text in keys))
        pragmas: dict[str, Pragma] = {}
        for name, node in pairs:
            if name.text in pragmas:
                self.fail(name.line, name.column, f"'{name.text}' is repeated.", "Remove one of the two.")
            pragmas[name.text] = Pragma(name.text, name.line, name.column, tuple(self._pragma(name.text, node)))
        return Manifest(self._file, self._lines, tuple(pragmas.values()))

    def fail(self, line: int, column: int, message: str, hint: str) -> NoReturn:
        """Raise the `ManifestError` for a place."""
        raise fault_at(self._file, self._lines, line, column, message, hint)

    def _compose(self, text: str) -> yaml.Node | None:
        line, column = 1, 1
        try:
            root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            if mark is not None:
                line, column = mark.line + 1, mark.column + 1
            problem = error.problem or error.context or "it cannot be read"
        except RecursionError:
            problem = "it is nested too deeply"
        except yaml.YAMLError:
            problem = "it contains a character that YAML does not allow"
        else:
            return root
        hint = "Indent with spaces instead of tabs." if "'\\t'" in problem else "Correct it here or just before."
        return self.fail(line, column, f"The file is not valid YAML: {problem}.", hint)

    def _pragma(self, name: str, node: yaml.Node) -> list[Item]:
        try:
            return self._items(node)
        except ManifestError:
            if self._known is None or name in self._known:
                raise
            return []

    def _items(self, node: yaml.Node) -> list[Item]:
        if isinstance(node, yaml.MappingNode):
            return [self._named(key, value) for key, value in self._pairs(node)]
        if isinstance(node, yaml.ScalarNode):
            return [] if _is_nothing(node) else [self._scalar(node)]
        items: list[Item] = []
        for element in self._elements(node):
            if isinstance(element, yaml.SequenceNode):
                row = self._scalars(element)
                items.append(row[0] if len(row) == 1 else Array(row))
            else:
                items.extend(self._items(element) if isinstance(element, yaml.MappingNode) else [self._scalar(element)])
        return items

    def _named(self, name: Scalar, node: yaml.Node) -> Item:
        if isinstance(node, yaml.ScalarNode):
            return Array((name, self._scalar(node)))
        if isinstance(node, yaml.SequenceNode):
            return Vector(name, self._scalars(node))
        entries: list[Entry] = []
        for key, value in self._pairs(node):
            several = not isinstance(value, yaml.ScalarNode)
            entries.append(Entry(key, self._scalars(value) if several else (self._scalar(value),), several=several))
        return Map(name, tuple(entries))

    def _pairs(self, node: yaml.Node) -> list[tuple[Scalar, yaml.Node]]:
        if isinstance(node, yaml.MappingNode):
            return [(self._scalar(key), value) for key, value in node.value]
        if _is_nothing(node):
            return []
        return self._refuse(node, "Expected an object.", "Write {name: value}.")

    def _elements(self, node: yaml.Node) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        return self._refuse(node, "Expected a list of values.", "Write [value, value].")

    def _scalars(self, node: yaml.Node) -> tuple[Scalar, ...]:
        scalars = tuple(self._scalar(element) for element in self._elements(node))
        return scalars or self._refuse(node, "This list is empty.", "Add a value, or remove the list.")

    def _scalar(self, node: yaml.Node) -> Scalar:
        if not isinstance(node, yaml.ScalarNode) or _is_nothing(node):
            self._refuse(node, "Expected text, a number or a boolean.", "Write one value.")
        # A pair of JSON's escapes is one character beyond the first plane (RFC 8259 §7); YAML leaves the halves.
        text = str(node.value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        mark = node.start_mark
        return Scalar(meaning(text) if node.style is None else text, text, mark.line + 1, mark.column + 1)

    def _refuse(self, node: yaml.Node, message: str, hint: str) -> NoReturn:
        self.fail(node.start_mark.line + 1, node.start_mark.column + 1, message, hint)


def _is_nothing(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in ("", "null", "~")
