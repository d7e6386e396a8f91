"""How Node's dotenv reads a `.env` file, which Architect's tools bundle.

The rules are those of dotenv 16 (https://github.com/motdotla/dotenv, `lib/main.js`), with JavaScript's white space and
line ends in place of Python's.
"""

from __future__ import annotations

import re

_ENDS = "\n\r\u2028\u2029"
_WHITE = "\t\v\f \xa0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff" + _ENDS
_START, _END = rf"(?:\A|(?<=[{_ENDS}]))", rf"(?=[{_ENDS}]|\Z)"
_LINE = re.compile(
    rf"""{_START}[{_WHITE}]*(?:export[{_WHITE}]+)?([A-Za-z0-9_.-]+)(?:[{_WHITE}]*=[{_WHITE}]*?|:[{_WHITE}]+?)"""
    rf"""([{_WHITE}]*'(?:\\'|[^'])*'|[{_WHITE}]*"(?:\\"|[^"])*"|[{_WHITE}]*`(?:\\`|[^`])*`|[^\#\r\n]+)?"""
    rf"""[{_WHITE}]*(?:\#[^{_ENDS}]*)?{_END}"""
)
_QUOTED = re.compile(rf"""{_START}(['"`])(.*)\1{_END}""", re.DOTALL)
_STRIPPED = re.compile(rf"\A[{_WHITE}]+|[{_WHITE}]+\Z")


def variables_in_node(text: str) -> dict[str, str]:
    """Return name and value of each variable as Node reads them."""
    variables: dict[str, str] = {}
    for line in _LINE.finditer(re.sub(r"\r\n?", "\n", text)):
        value = _STRIPPED.sub("", line[2] or "")
        is_double = value.startswith('"')
        value = _QUOTED.sub(lambda quoted: quoted[2], value)
        variables[line[1]] = value.replace("\\n", "\n").replace("\\r", "\r") if is_double else value
    return variables
