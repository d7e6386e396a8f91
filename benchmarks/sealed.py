"""What a sealed session costs, beside peers: `python benchmarks/sealed.py` prints one table.

Times are the best of several rounds, in one process and one thread. A peer that is not installed is named and
left out. itsdangerous (Flask's sessions) only signs: it hides nothing, and is here as the floor.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from rich.console import Console
from rich.table import Table

import arc
from arc.sessions.jwe import seal, unseal
from arc.testing import payload_v2

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "a secret of the benchmark, long enough for AES-256"
KEY = SECRET[:32].encode()
PAYLOADS: dict[str, dict[str, Any]] = {
    "small": {"visits": 7, "iat": 1_800_000_000},
    "2 KB": {"visits": 7, "cart": [{"sku": f"book-{n:04}", "count": n} for n in range(60)], "iat": 1_800_000_000},
}
ROUNDS, SECONDS = 5, 0.1
IMPORTS = {
    "nothing": "pass",
    "arc.http.handler": "import arc; arc.http.handler",
    "arc and a first session": f"import arc; arc.http.build_manager(arc.Settings(secret={SECRET!r})).load(['x'])",
    "boto3's DynamoDB client": "import boto3; boto3.client('dynamodb', region_name='us-east-1')",
    "joserfc": "from joserfc import jwe, jwk",
    "python-jose": "from jose import jwe",
    "itsdangerous": "import itsdangerous",
}


class Row(NamedTuple):
    """One line of the table."""

    what: str
    who: str
    found: str


class Peer(NamedTuple):
    """A way to make a token of bytes and to get them back."""

    name: str
    make: Callable[[bytes], Any]
    read: Callable[[Any], Any]


def microseconds(work: Callable[[], Any]) -> float:
    """The time of one call, the best of several rounds."""
    count, best = 1, float("inf")
    while True:
        begun = time.perf_counter()
        for _ in range(count):
            work()
        took = time.perf_counter() - begun
        if took > SECONDS / 4:
            break
        count *= 4
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(count):
            work()
        best = min(best, (time.perf_counter() - begun) / count)
    return best * 1e6


def peers() -> tuple[list[Peer], list[str]]:
    """Those that are installed, ourselves first, and the names of those that are not."""
    cipher = AESGCM(KEY)
    found = [
        Peer(
            "arc-sessions",
            lambda payload: seal(payload, cipher, "A256GCM", os.urandom(12)),
            lambda token: unseal(token, (cipher,), "A256GCM"),
        )
    ]
    absent = []
    for name, peer in (("joserfc", _joserfc), ("python-jose", _python_jose), ("itsdangerous", _itsdangerous)):
        try:
            found.append(peer())
        except ImportError:
            absent.append(name)
    return found, absent


def _joserfc() -> Peer:
    jwe = importlib.import_module("joserfc.jwe")
    key = importlib.import_module("joserfc.jwk").OctKey.import_key(KEY)
    header = {"alg": "dir", "enc": "A256GCM"}
    return Peer(
        "joserfc",
        lambda payload: jwe.encrypt_compact(header, payload, key),
        lambda token: jwe.decrypt_compact(token, key).plaintext,
    )


def _python_jose() -> Peer:
    jwe = importlib.import_module("jose.jwe")
    return Peer(
        "python-jose",
        lambda payload: jwe.encrypt(payload, KEY, algorithm="dir", encryption="A256GCM"),
        lambda token: jwe.decrypt(token, KEY),
    )


def _itsdangerous() -> Peer:
    signer = importlib.import_module("itsdangerous").TimestampSigner(SECRET)
    base64 = importlib.import_module("itsdangerous.encoding")
    return Peer(
        "itsdangerous (signs only)",
        lambda payload: signer.sign(base64.base64_encode(payload)),
        lambda token: base64.base64_decode(signer.unsign(token)),
    )


def tokens(found: list[Peer]) -> list[Row]:
    """Making and reading a token, everybody beside us."""
    rows = []
    for size, data in PAYLOADS.items():
        payload = _json(data)
        for peer in found:
            token = peer.make(payload)
            rows.append(Row(f"seal, {size} ({len(payload):,} bytes)", peer.name, _shown(partial(peer.make, payload))))
            rows.append(Row(f"unseal, {size}", peer.name, _shown(partial(peer.read, token))))
    return sorted(rows, key=lambda row: (list(PAYLOADS).index("small") if "small" in row.what else 1, row.what))


def _shown(work: Callable[[], Any]) -> str:
    return f"{microseconds(work):.1f} µs"


def sessions(others: list[Peer]) -> list[Row]:
    """A whole session: a cookie in, the dict, a cookie out. A peer does JSON and its token, and no more than that."""
    manager = arc.http.build_manager(arc.Settings(environment="production", secret=SECRET))
    rows = []
    for size, data in PAYLOADS.items():
        session = manager.load([])
        session.update({key: value for key, value in data.items() if key != "iat"})
        value = manager.commit(session)[0].partition("=")[2].partition(";")[0]

        def read(value: str = value) -> None:
            manager.commit(manager.load([value]))

        def change(value: str = value) -> None:
            session = manager.load([value])
            session["visits"] += 1
            manager.commit(session)

        rows += [
            Row(f"load, commit unchanged, {size}", "arc-sessions", _shown(read)),
            Row(f"load, change, commit, {size}", "arc-sessions", _shown(change)),
        ]
        rows += [
            Row(f"load, change, commit, {size}", peer.name, _shown(partial(_counted, peer, peer.make(_json(data)))))
            for peer in others
        ]
    return rows


def _counted(peer: Peer, token: Any) -> Any:
    """The token of a session that `peer` opened and that has counted one visit more."""
    data = json.loads(peer.read(token))
    data["visits"] += 1
    return peer.make(_json(data))


def _json(data: dict[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()


def handlers() -> list[Row]:
    """A whole invocation: a Lambda event in, a response out."""
    os.environ.update(ARC_ENV="production", ARC_APP_SECRET=SECRET, ARC_SESSION_TABLE_NAME="jwe")

    @arc.http.handler
    def untouched(req: arc.Request) -> dict[str, Any]:
        return {"html": req.path}

    @arc.http.handler
    def counting(req: arc.Request) -> dict[str, Any]:
        return {"html": str(req.session.increment("visits"))}

    cookie = counting(payload_v2(), None)["cookies"][0].partition(";")[0]
    event = payload_v2(cookies=[cookie])
    return [
        Row("handler that takes no session", "arc-sessions", _shown(lambda: untouched(event, None))),
        Row("handler that counts in a session", "arc-sessions", _shown(lambda: counting(event, None))),
    ]


def imports() -> list[Row]:
    """Cold starts: the wall clock of a fresh interpreter, less that of one that imports nothing."""
    best = {}
    for name, program in IMPORTS.items():
        times = []
        for _ in range(10):
            begun = time.perf_counter()
            run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
            times.append(time.perf_counter() - begun)
            if run.returncode != 0:
                break
        else:
            best[name] = min(times) * 1000
    nothing = best.pop("nothing")
    return [Row("cold import", name, f"{took - nothing:.0f} ms") for name, took in best.items()]


def main() -> None:
    """Measure everything and print the table."""
    found, absent = peers()
    table = Table(
        "what", "who", title=f"CPython {sys.version.split()[0]}, one thread; cold imports less an empty interpreter"
    )
    table.add_column("found", justify="right")
    for row in (*tokens(found), *sessions(found[1:]), *handlers(), *imports()):
        table.add_row(*row)
    console = Console()
    console.print(table)
    if absent:
        console.print(f"Not installed, so not measured: {', '.join(absent)}. Add them: pip install {' '.join(absent)}")


if __name__ == "__main__":
    main()
