"""Errors of boto3 while a client is created or cannot connect: the log has the cause."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.engines import AWS
from tests.local_server import Handler, serving
from tests.sessions.making import SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engines import Engine

SHOW = """
import os, arc

def store():
    manager = arc.http.build_manager(arc.Settings.from_env(os.environ))
    session = manager.load([])
    session["count"] = 1
    manager.commit(session)

for work in (store, arc.services):
    try:
        work()
    except arc.ArcError as error:
        print(type(error).__name__, error)
"""
SHOW_TABLE = """
import arc
try:
    arc.tables.table("session")
except arc.ArcError as error:
    print(type(error).__name__, error)
"""
CONFIG = """\
[profile process]
credential_process = /bin/false
[profile role]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = nobody
[profile dev]
sso_session = s
sso_account_id = 111122223333
sso_role_name = Dev
[sso-session s]
sso_region = us-east-1
sso_start_url = https://example.awsapps.com/start
"""
NOBODY_LISTENS = "http://127.0.0.1:9"
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


def run(code: str, home: Path, **environ: str) -> list[str]:
    """The lines that `code` prints in a function of staging. An empty variable is left out."""
    (home / "config").write_text(CONFIG)
    (home / "broken").write_text("[default\n")
    variables = {
        **AWS,
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": NOBODY_LISTENS,
        "ARC_ENV": "staging",
        "ARC_APP_NAME": "shop",
        "ARC_APP_SECRET": SECRET,
        "SESSION_TABLE_NAME": "shop-staging-session",
        **{name: value.replace("HOME", str(home)) for name, value in environ.items()},
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={name: value for name, value in variables.items() if value},
        cwd=home,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"AWS_ENDPOINT_URL": "localhost:8000"}, ["localhost:8000", "AWS_ENDPOINT_URL", "http://"]),
        ({"AWS_REGION": "us-east-1 "}, ["'us-east-1 '", "AWS_REGION"]),
        ({"AWS_REGION": "us_east_1"}, ["us_east_1", "AWS_REGION"]),
        ({"AWS_RETRY_MODE": "fast"}, ["fast", "AWS_RETRY_MODE"]),
        ({"AWS_DEFAULTS_MODE": "fast"}, ["fast", "AWS_DEFAULTS_MODE"]),
        ({"AWS_CONFIG_FILE": "HOME/broken"}, ["broken", "AWS_CONFIG_FILE"]),
        ({**NO_KEYS, "AWS_PROFILE": "role"}, ["nobody", "AWS_PROFILE"]),
    ],
    ids="-".join,
)
@pytest.mark.sampled(3)
def test_invalid_setting_is_a_configuration_error(tmp_path: Path, environ: dict[str, str], words: list[str]) -> None:
    """The message has the value and the variable to set, for sessions and for the service map."""
    lines = run(SHOW, tmp_path, **environ)
    assert [line.partition(" ")[0] for line in lines] == ["ConfigurationError"] * 2
    assert [word for line in lines for word in words if word not in line] == []


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": ""}, ["AWS_SECRET_ACCESS_KEY"]),
        (NO_KEYS, ["credentials", "role"]),
        ({**NO_KEYS, "AWS_PROFILE": "process"}, ["custom-process", "role"]),
        ({**NO_KEYS, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{NOBODY_LISTENS}/x"}, ["credentials", "role"]),
        ({**NO_KEYS, "AWS_PROFILE": "dev"}, ["SSO", "aws sso login"]),
    ],
    ids=["half", "none", "process", "container", "sso"],
)
@pytest.mark.sampled(2)
def test_s38_missing_credentials_are_a_store_error(tmp_path: Path, environ: dict[str, str], words: list[str]) -> None:
    """They may come back without a deployment, so the visitor gets a 503 and the message says what is missing."""
    lines = run(SHOW, tmp_path, **environ)
    assert [line.partition(" ")[0] for line in lines] == ["StoreError"] * 2
    assert [word for line in lines for word in words if word not in line] == []


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({}, "127.0.0.1:9"),
        ({"AWS_ENDPOINT_URL": "https://SERVER", "AWS_CA_BUNDLE": "/nowhere.pem"}, "AWS_CA_BUNDLE"),
        (
            {"AWS_ENDPOINT_URL": "https://shop.invalid", "HTTPS_PROXY": "http://me:password@127.0.0.1:9"},
            "127.0.0.1:9",
        ),
    ],
    ids=["address", "certificates", "proxy"],
)
@pytest.mark.sampled(1)
def test_s38_unreachable_address_is_named(
    ministack: Engine, tmp_path: Path, environ: dict[str, str], word: str
) -> None:
    """The message has the address, the proxy or the variable, and no password of a proxy."""
    server = f"127.0.0.1:{ministack.port}"
    lines = run(SHOW, tmp_path, **{name: value.replace("SERVER", server) for name, value in environ.items()})
    assert [line.partition(" ")[0] for line in lines] == ["StoreError"] * 2
    assert all(word in line for line in lines)
    assert not any("password" in line for line in lines)


def test_invalid_address_of_a_table_is_a_configuration_error(ministack: Engine, tmp_path: Path) -> None:
    """`arc.tables.table` reports an invalid address as sessions do."""
    ministack.client("ssm").put_parameter(Name="/OddSetup/tables/session", Value="physical", Type="String")
    (line,) = run(
        SHOW_TABLE,
        tmp_path,
        ARC_STACK_NAME="OddSetup",
        AWS_ENDPOINT_URL_SSM=ministack.url,
        AWS_ENDPOINT_URL_DYNAMODB="localhost:8000",
    )
    assert line.startswith("ConfigurationError")
    assert "localhost:8000" in line


def test_s38_wrong_clock_is_named(tmp_path: Path) -> None:
    """If AWS refuses a signature for its time, the message names the clock."""

    class Late(Handler):
        def answer(self) -> None:
            error = {"__type": "InvalidSignatureException", "message": "Signature expired: 1 is now earlier than 2"}
            self.respond(400, {"Content-Type": self.headers["Content-Type"]}, json.dumps(error).encode())

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Late)) as server:
        lines = run(SHOW, tmp_path, AWS_ENDPOINT_URL=f"http://127.0.0.1:{server.server_address[1]}")
    assert [line.partition(" ")[0] for line in lines] == ["StoreError"] * 2
    assert all("Set this machine's clock" in line for line in lines)
