"""Generate `tests/vectors/*-from-node.json`: `python -m tests.interop.generate`, or `make vectors`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.interop.peer import HERE, Peer, peer

VECTORS = Path(__file__).parents[1] / "vectors"
NOTE = (
    "Set-Cookie strings that Node's @architect/functions 8.1.10 wrote under the given variables (and ARC_ENV=testing). "
    "Freeze the clock within 604,800 seconds of generated_unix. read_back is what Node reads again."
)
ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"ARC_APP_SECRET": "abcdefghijklmnopqrstuvwxyz012345"},
    {"ARC_APP_SECRET": "abcdefghijklmnopqrstuvwxyz012345-longer-is-truncated"},
    {"ARC_APP_SECRET": "abcdefghijklmnopqrstuvwx", "ARC_APP_SECRET_ALGO": "A192GCM"},
    {"ARC_APP_SECRET": "abcdefghijklmnop", "ARC_APP_SECRET_ALGO": "A128GCM"},
    {"ARC_FORCE_LEGACY_JWE_SECRET": "1"},
    {"ARC_FORCE_LEGACY_JWE_SECRET": "1", "ARC_APP_SECRET": "something-much-better-than-this"},
    {"ARC_APP_SECRET": "é" * 32},
    {"ARC_APP_SECRET": "x" * 31 + "🔑"},
]
PAYLOADS: list[dict[str, object]] = [{}, {"count": 1}, {"cart": {"items": ["é", "🔑"], "total": 1.5}, "none": None}]
SECRETS = ("fallback", "testapp", "something-much-better-than-this")
IDS = ("abc", "7Lk-sK0LoscLEOTDWKIbnfJl", "k1")


def sealed(node: Peer) -> dict[str, object]:
    """The vectors of sealed sessions."""
    cases = []
    for env in ENVIRONMENTS:
        for payload in PAYLOADS:
            cookie = node.ask("write", env, payload=payload)
            read_back = node.ask("read", env, headers={"cookie": cookie.partition(";")[0]})
            cases.append({"env": env, "payload": payload, "set_cookie": cookie, "read_back": read_back})
    return {"generated_unix": int(time.time()), "note": NOTE, "cases": cases}


def signed(node: Peer) -> list[dict[str, str]]:
    """The vectors of signed ids."""
    return [
        {
            "value": value,
            "secret": secret,
            "signed": node.ask("sign", value=value, secret=secret),
            "cookie": node.ask("signedCookie", value=value, secret=secret),
        }
        for value in IDS
        for secret in SECRETS
    ]


def main() -> None:
    """Install the pinned library and write both files."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        sys.exit("Node.js and npm are needed. On Debian: sudo apt-get install nodejs npm")
    subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, check=True)
    with peer(node) as library:
        for name, made in (("jwe-from-node.json", sealed(library)), ("signed-id-from-node.json", signed(library))):
            (VECTORS / name).write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"wrote {VECTORS / name}")


if __name__ == "__main__":
    main()
