"""`arc create`, run as an operator runs it, against a cloud on this machine."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.cloud_faults import FaultyCloud, on
from tests.deployed import deploy
from tests.engines import Engine, fresh_app
from tests.tools.operator import TABLES, Operator, parameters

MORE = f"""{TABLES}
notes
  owner *String
  at **Number
  PITR true

@tables-indexes
notes
  owner *String
  text **String
  name byText
"""


@pytest.fixture
def operator(tmp_path: Path, faulty: FaultyCloud) -> Operator:
    """An operator of a new app with two tables."""
    app = fresh_app()
    return Operator(tmp_path / app, app, faulty.environ(tmp_path), more=MORE)


def described(cloud: Engine, operator: Operator) -> dict[str, dict[str, object]]:
    """Return the app's tables by environment and name, with their settings."""
    client = cloud.look("dynamodb")
    names = [name for page in client.get_paginator("list_tables").paginate() for name in page["TableNames"]]
    found = {}
    for name in names:
        if not name.startswith(f"{operator.name}-"):
            continue
        table = client.describe_table(TableName=name)["Table"]
        ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        tags = client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
        found[name.removeprefix(f"{operator.name}-")] = {
            "key": [key["AttributeName"] for key in table["KeySchema"]],
            "indexes": [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", ())],
            "ttl": ttl.get("AttributeName"),
            "backups": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
            "protected": table["DeletionProtectionEnabled"],
            "tags": {tag["Key"]: tag["Value"] for tag in tags},
        }
    return found


def wanted(operator: Operator, environment: str) -> dict[str, dict[str, object]]:
    """Return the tables that an environment should have."""
    tags = {"arc:app": operator.name, "arc:environment": environment}
    both = {"protected": environment == "production", "tags": tags}
    session = {"key": ["_idx"], "indexes": [], "ttl": "_ttl", "backups": "DISABLED", **both}
    notes = {"key": ["owner", "at"], "indexes": ["byText"], "ttl": None, "backups": "ENABLED", **both}
    return {f"{environment}-session": session, f"{environment}-notes": notes}


def files(folder: Path) -> list[str]:
    """Return the paths of the app's files."""
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def changing(faulty: FaultyCloud) -> list[str]:
    """Return the calls that change something."""
    reads = ("Describe", "List", "Get")
    return [name for name in faulty.calls if not name.partition(".")[2].startswith(reads)]


def test_create_writes_code_and_creates_tables_and_secrets(
    operator: Operator, cloud: Engine, faulty: FaultyCloud
) -> None:
    """A second run changes nothing and says so."""
    app = operator.name
    assert (
        operator.does("create")
        == f"""\
wrote  src/http/get-index/handler.py
wrote  src/http/post-login/handler.py
wrote  requirements.txt
wrote  .gitignore

staging
  create the table {app}-staging-session
  set the TTL attribute of the table {app}-staging-session to _ttl
  create the table {app}-staging-notes
  turn on point-in-time recovery of the table {app}-staging-notes
  generate ARC_APP_SECRET for staging (not shown)

production
  create the table {app}-production-session
  set the TTL attribute of the table {app}-production-session to _ttl
  create the table {app}-production-notes
  turn on point-in-time recovery of the table {app}-production-notes
  generate ARC_APP_SECRET for production (not shown)

14 steps done.
"""
    )
    assert described(cloud, operator) == {**wanted(operator, "staging"), **wanted(operator, "production")}
    secrets = [parameters(cloud, app, environment)["ARC_APP_SECRET"] for environment in ("staging", "production")]
    assert len(set(secrets)) == 2
    assert all(len(secret) >= 43 for secret in secrets)
    faulty.begin(lambda _name, _number: None)
    again = operator.does("create")
    assert again == "\nstaging\n  up to date\n\nproduction\n  up to date\n\nNothing was changed.\n"
    assert changing(faulty) == []


def test_dry_run_shows_the_steps_and_changes_nothing(operator: Operator, cloud: Engine, faulty: FaultyCloud) -> None:
    """The next run takes exactly these steps."""
    before = files(operator.folder)
    shown = operator.does("create", "staging", "--dry-run")
    assert shown.endswith("\n9 steps would be taken. Nothing was changed.\n")
    assert (files(operator.folder), changing(faulty), described(cloud, operator)) == (before, [], {})
    done = operator.does("create", "staging")
    steps = [line.replace("would write", "wrote").replace("  would ", "  ") for line in shown.splitlines()[:-1]]
    assert done.splitlines()[:-1] == steps


def test_deployed_functions_get_the_new_secret(operator: Operator, cloud: Engine) -> None:
    """It is never printed."""
    functions = deploy(cloud, operator.name, "staging", ["GetIndex"])
    done = operator.arc("create", "staging")
    secret = parameters(cloud, operator.name)["ARC_APP_SECRET"]
    assert functions.variables("GetIndex")["ARC_APP_SECRET"] == secret
    assert secret not in done.stdout + done.stderr


def test_concurrent_secret_is_kept(operator: Operator, cloud: Engine, faulty: FaultyCloud) -> None:
    """Of two runs at once, the later one keeps the other's secret."""
    functions = deploy(cloud, operator.name, "staging", ["GetIndex"])
    theirs = "a-secret-that-another-run-has-set-just-now"

    def set_it(before: bool) -> None:
        if before:
            name = f"/{operator.name}/staging/ARC_APP_SECRET"
            cloud.client("ssm").put_parameter(Name=name, Value=theirs, Type="SecureString")

    faulty.begin(on("ssm.PutParameter", set_it))
    operator.does("create", "staging")
    assert parameters(cloud, operator.name)["ARC_APP_SECRET"] == theirs
    assert functions.variables("GetIndex")["ARC_APP_SECRET"] == theirs


def test_impossible_change_is_reported_and_the_rest_is_done(operator: Operator, cloud: Engine) -> None:
    """A table with another key is not changed, and the exit code is 1."""
    cloud.client().create_table(
        TableName=f"{operator.name}-staging-session",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    done = operator.arc("create", "staging")
    assert done.returncode == 1
    assert f"not possible: The table {operator.name}-staging-session has the key id *String" in done.stdout
    assert "1 step failed or not possible: see above." in done.stdout
    assert described(cloud, operator)["staging-notes"] == wanted(operator, "staging")["staging-notes"]


def test_other_steps_follow_a_failed_one(operator: Operator, cloud: Engine, faulty: FaultyCloud) -> None:
    """The next run completes it."""
    faulty.begin(lambda name, _number: "error" if name == "dynamodb.UpdateTimeToLive" else None)
    done = operator.arc("create", "staging")
    assert done.returncode == 1
    assert f"failed: set the TTL attribute of the table {operator.name}-staging-session to _ttl" in done.stdout
    assert "staging-notes" in described(cloud, operator)
    faulty.begin(lambda _name, _number: None)
    operator.does("create", "staging")
    assert described(cloud, operator) == wanted(operator, "staging")


def test_tables_of_a_stack_are_not_changed(operator: Operator, cloud: Engine) -> None:
    """No second one is created, and a missing one is reported."""
    stack = f"{operator.name}-staging".replace("-", " ").title().replace(" ", "")
    name = f"{stack}-SessionTable-1A2B"
    cloud.client("ssm").put_parameter(Name=f"/{stack}/tables/session", Value=name, Type="String")
    done = operator.arc("create", "staging")
    assert done.returncode == 1
    belongs = f"The table session of staging is {name}, which belongs to its stack."
    assert f"not possible: {belongs} It does not exist. Deploy the stack again" in done.stdout
    cloud.client().create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "_idx", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "_idx", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    done = operator.arc("create", "staging")
    assert done.returncode == 0
    assert f"Warning: {belongs} It is not changed." in done.stderr
    assert list(described(cloud, operator)) == ["staging-notes"]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("session\n  _idx *String\n", "it has no TTL attribute '_ttl'"),
        ("session\n  _idx *String\n  until TTL\n", "its TTL attribute is 'until', not '_ttl'"),
    ],
)
def test_session_table_without_ttl_is_a_warning(operator: Operator, tmp_path: Path, table: str, problem: str) -> None:
    """The warning has the lines to write, and appears once for all environments."""
    other = Operator(tmp_path / "other", fresh_app(), operator.environ, more=f"\n@tables\n{table}")
    done = other.arc("create", "--dry-run")
    assert done.stderr == (
        f"Warning: Ended sessions stay in the table 'session' forever: {problem}. Write:\n  @tables\n  session\n"
        "    _idx *String\n    _ttl TTL\n"
    )


def test_undeclared_session_table_is_a_warning(operator: Operator) -> None:
    """The environment's variables select it."""
    operator.does("env", "staging", "SESSION_TABLE_NAME", "elsewhere", "--force")
    done = operator.arc("create", "staging")
    assert "Warning: app.arc does not declare the session table 'elsewhere'." in done.stderr
    operator.does("env", "staging", "SESSION_TABLE_NAME", "session")
    assert operator.arc("create", "staging").stderr == ""


def test_an_app_name_that_ssm_refuses_is_reported_before_tables_are_made(
    tmp_path: Path, cloud: Engine, faulty: FaultyCloud
) -> None:
    """A dry run says so too; the app could never have a secret."""
    operator = Operator(tmp_path / "app", f"aws-{fresh_app()}", faulty.environ(tmp_path), more=MORE)
    for words in (("create", "--dry-run"), ("create",)):
        done = operator.arc(*words)
        assert done.returncode == 1
        assert f"The app name '{operator.name}' cannot be used outside testing: SSM" in done.stderr
        assert "--local works" not in done.stderr
        assert described(cloud, operator) == {}
    assert "ssm.PutParameter" not in faulty.calls


def test_code_is_written_without_credentials(operator: Operator) -> None:
    """The error says what is missing and how to continue."""
    del operator.environ["AWS_ACCESS_KEY_ID"], operator.environ["AWS_SECRET_ACCESS_KEY"]
    done = operator.arc("create")
    assert done.returncode == 1
    assert "wrote  src/http/get-index/handler.py" in done.stdout
    assert "Could not finish staging and production: " in done.stderr
    assert "Sign in (aws sso login" in done.stderr
    assert "--local" in done.stderr
    assert done.stderr.endswith("Then continue with: arc create staging production\n")
    again = operator.arc("create")
    assert (again.returncode, again.stdout) == (1, "")


def test_missing_region_or_network_says_how_to_continue(operator: Operator) -> None:
    """The code is written; nothing else is done."""
    operator.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    done = operator.arc("create", "staging")
    assert done.returncode == 1
    assert (operator.folder / "src/http/get-index/handler.py").is_file()
    assert "cannot be reached." in done.stderr
    assert done.stderr.endswith("To work without AWS, add --local.\nThen continue with: arc create staging\n")
    del operator.environ["AWS_REGION"]
    done = operator.arc("create")
    assert done.stderr.startswith("Could not finish staging and production: No AWS region is set.")
    assert "\nTo work without AWS, add --local.\n" in done.stderr


def test_credentials_that_expire_end_the_run(operator: Operator, faulty: FaultyCloud) -> None:
    """The error appears once, not for every step."""
    faulty.begin(on("dynamodb.UpdateTimeToLive", "expired"))
    done = operator.arc("create")
    assert done.returncode == 1
    assert (done.stdout + done.stderr).count("ExpiredTokenException") == 1
    assert done.stdout.endswith(f"  create the table {operator.name}-staging-session\n\n5 steps done.\n")
    assert "Could not finish staging and production: Setting the TTL of the table" in done.stderr
    assert done.stderr.endswith("Then continue with: arc create staging production\n")


def test_local_dry_run_writes_no_files(operator: Operator) -> None:
    """It reads an existing local cloud, and creates none."""
    before = files(operator.folder)
    shown = operator.does("create", "testing", "--dry-run")
    assert f"  would create the table {operator.name}-testing-session\n" in shown
    assert files(operator.folder) == before
    operator.does("create", "testing")
    assert operator.does("create", "testing", "--dry-run") == ("\ntesting\n  up to date\n\nNothing was changed.\n")


def test_interrupt_says_how_to_continue(operator: Operator, cloud: Engine, faulty: FaultyCloud) -> None:
    """Ctrl-C while a table is created; the next run completes it."""
    faulty.begin(on("dynamodb.CreateTable", lambda before: interrupt() if before else None))
    with operator.start("create", "staging") as process:

        def interrupt() -> None:
            process.send_signal(signal.SIGINT)
            process.wait(30)

        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "Interrupted. Continue with: arc create staging\n"
    faulty.begin(lambda _name, _number: None)
    operator.does("create", "staging")
    assert described(cloud, operator) == wanted(operator, "staging")


def test_unknown_environment_suggests_a_valid_one(operator: Operator, tmp_path: Path) -> None:
    """The exit code is 2; in a folder without a manifest it is 1."""
    done = operator.arc("create", "productoin")
    assert done.returncode == 2
    assert (
        "Unknown environment 'productoin'. Did you mean 'production'? Choose testing, staging or production."
        in done.stderr
    )
    operator.folder = tmp_path / "empty"
    operator.folder.mkdir()
    done = operator.arc("create")
    assert done.returncode == 1
    assert "arc init" in done.stderr


def test_json_has_results_and_failures(operator: Operator) -> None:
    """What was done, and what failed."""
    answer = json.loads(operator.does("create", "staging", "--json"))
    assert answer["code"]["did"][0] == "write src/http/get-index/handler.py"
    assert len(answer["environments"]["staging"]["did"]) == 5
    assert answer["environments"]["staging"]["failed"] == answer["failures"] == []
