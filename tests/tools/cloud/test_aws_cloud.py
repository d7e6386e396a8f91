"""Where a command finds its AWS region, profile and credentials."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engines import Engine, environ_of
from tests.tools import warm

PROGRAM = """
import json, sys, warnings
from arc.inventory import Aws
from arc.tools.cloud.cloud import aws_cloud, local_cloud

warnings.simplefilter("error")
given = json.loads(sys.argv[1])
sent = []

def note(request, **_):
    sent.append(request.headers["Authorization"].decode().split()[1])

try:
    if given["local"]:
        cloud = local_cloud(given["local"], "us-east-1")
    else:
        cloud = aws_cloud(Aws(region=given["region"], profile=given["profile"]))
    cloud._session.events.register("before-send", note)
    cloud.call("ssm", "get_parameters_by_path", "Reading", Path="/unknown")
    print(json.dumps({"region": cloud.region, "sent": sent}))
except Exception as error:
    print(json.dumps({"raised": type(error).__name__, "message": str(error)}))
"""
CONFIG = """
[default]
region = eu-north-1
[profile work]
region = eu-west-3
aws_access_key_id = of-work
aws_secret_access_key = dummy
[profile without]
output = json
[profile signed-out]
sso_start_url = https://sign-in.invalid
sso_region = us-east-1
sso_account_id = 1
sso_role_name = reader
region = us-east-1
[profile program]
credential_process = false
region = us-east-1
"""
KEYS = {"AWS_ACCESS_KEY_ID": "of-variables", "AWS_SECRET_ACCESS_KEY": "dummy"}
REMEDY = (
    "Sign in (aws sso login, or aws configure), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. "
    "To work without AWS, add --local."
)
NOBODY = "http://127.0.0.1:9"
UNREACHABLE = (
    f'Reading: AWS in eu-north-1 cannot be reached. Could not connect to the endpoint URL: "{NOBODY}/". Check the '
    "network and the region."
)
NO_REGION = "No AWS region is set. Add one to the manifest (@aws, below it: region eu-west-1), or set AWS_REGION."


class Machine:
    """A machine whose AWS is at `url`; `config` is the content of its `~/.aws/config`."""

    def __init__(self, home: Path, url: str) -> None:
        plain = environ_of(url, home)
        self.home = home
        self.environ = {name: value for name, value in plain.items() if name not in {*KEYS, "AWS_REGION"}}
        self.config = CONFIG

    def does(
        self,
        environ: Mapping[str, str],
        *,
        region: str | None = None,
        profile: str | None = None,
        local: str | None = None,
    ) -> dict[str, Any]:
        """Make a call with these variables, and `region` and `profile` from the manifest, and return its result."""
        (self.home / ".aws").mkdir(exist_ok=True)
        (self.home / ".aws/config").write_text(self.config, encoding="utf-8")
        given = json.dumps({"region": region, "profile": profile, "local": local})
        done = warm.python(PROGRAM, [given], self.home, {**self.environ, **environ})
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def fails(self, environ: Mapping[str, str], *, profile: str | None = None) -> tuple[str, str]:
        """Return the type and the text of the error."""
        result = self.does(environ, profile=profile)
        return result["raised"], result["message"]


@pytest.fixture
def machine(tmp_path: Path, ministack: Engine) -> Machine:
    """A machine that is set up for AWS."""
    return Machine(tmp_path, ministack.url)


@pytest.mark.parametrize(
    ("environ", "region", "profile", "found", "key"),
    [
        ({**KEYS, "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "no"}, "eu-west-2", None, "eu-west-2", KEYS),
        ({**KEYS, "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "no"}, None, None, "eu-west-1", KEYS),
        ({**KEYS, "AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-central-1"}, None, None, "eu-central-1", KEYS),
        (KEYS, None, None, "eu-north-1", KEYS),
        ({"AWS_PROFILE": "work"}, None, None, "eu-west-3", None),
        ({"AWS_PROFILE": "work", "AWS_REGION": "eu-west-1"}, None, None, "eu-west-1", None),
        ({"AWS_PROFILE": "signed-out"}, None, "work", "eu-west-3", None),
        (KEYS, None, "work", "eu-west-3", None),
    ],
    ids=[
        "manifest-before-variable",
        "variable-before-boto3s-own",
        "an-empty-variable-is-none",
        "file",
        "profile-of-a-variable",
        "region-variable-before-the-profiles",
        "profile-of-the-manifest-before-a-variable",
        "profile-of-the-manifest-before-keys",
    ],
)
@pytest.mark.sampled(3)
def test_region_and_credentials_are_found(
    machine: Machine,
    environ: dict[str, str],
    region: str | None,
    profile: str | None,
    found: str,
    key: dict[str, str] | None,
) -> None:
    """In the manifest, in variables and in boto3's files, in this order."""
    result = machine.does(environ, region=region, profile=profile)
    assert result["region"] == found
    name = key["AWS_ACCESS_KEY_ID"] if key else "of-work"
    assert [one.split("/")[0] for one in result["sent"]] == [f"Credential={name}"]
    assert [one.split("/")[2] for one in result["sent"]] == [found]


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "Unable to locate credentials."),
        ({"AWS_ACCESS_KEY_ID": "x"}, "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY."),
        (
            {"AWS_PROFILE": "signed-out"},
            "Error loading SSO Token: Token for https://sign-in.invalid does not exist.",
        ),
        ({"AWS_PROFILE": "program"}, "Error when retrieving credentials from custom-process."),
    ],
    ids=["none", "half-of-them", "signed-out", "a-program-without-any"],
)
def test_missing_credentials_say_how_to_sign_in(machine: Machine, environ: dict[str, str], message: str) -> None:
    """boto3's message comes first."""
    assert machine.fails(environ) == ("NoCredentials", f"Reading: {message} {REMEDY}")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"AWS_PROFILE": "without"}, NO_REGION),
        ({"AWS_REGION": "eu west"}, "Reading: Provided region_name 'eu west' doesn't match a supported format."),
        (
            {"AWS_ENDPOINT_URL": "localhost:4566"},
            "Reading: Invalid endpoint: localhost:4566. Check AWS_ENDPOINT_URL.",
        ),
        ({"AWS_ENDPOINT_URL": NOBODY}, UNREACHABLE),
    ],
    ids=["no-region", "no-region-at-all", "no-address", "nobody-there"],
)
def test_wrong_settings_are_reported(machine: Machine, environ: dict[str, str], message: str) -> None:
    """The message says which setting to check."""
    assert machine.fails({**KEYS, **environ}) == ("ToolError", message)


@pytest.mark.parametrize(("profile", "where"), [(None, "AWS_PROFILE"), ("gone", "@aws in the manifest")])
def test_unknown_profile_is_reported(machine: Machine, profile: str | None, where: str) -> None:
    """The message says where it is named."""
    environ = {"AWS_PROFILE": "work" if profile else "gone", "AWS_REGION": "us-east-1"}
    found = "The config profile (gone) could not be found."
    remedy = f"Correct {where}, or create the profile: aws configure"
    assert machine.fails(environ, profile=profile) == ("ToolError", f"{found} {remedy}")


def test_invalid_config_file_is_reported(machine: Machine) -> None:
    """The message has its path."""
    machine.config = "[default\nregion = eu-west-1\n"
    raised, message = machine.fails({**KEYS, "AWS_REGION": "us-east-1"})
    assert raised == "ToolError"
    assert message == (
        f"Unable to parse config file: {machine.home}/.aws/config. Correct the file, or name another with "
        "AWS_CONFIG_FILE."
    )


def test_local_cloud_ignores_aws_configuration(machine: Machine, ministack: Engine) -> None:
    """Profiles, files, keys and proxies may be in any state."""
    machine.config = "[default\nregion = eu-west-1\n"
    proxies = {"HTTP_PROXY": NOBODY, "http_proxy": NOBODY}
    nowhere = {"AWS_PROFILE": "gone", "AWS_ENDPOINT_URL": NOBODY, "AWS_REGION": "eu-west-1"}
    result = machine.does({**KEYS, **nowhere, **proxies}, local=ministack.url)
    assert result["region"] == "us-east-1"
    assert [one.split("/")[0] for one in result["sent"]] == ["Credential=dummy"]
