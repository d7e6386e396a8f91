"""Real AWS APIs on loopback, for tests: ministack and dynalite, each in a separate process."""

from __future__ import annotations

import contextlib
import copy
import functools
import itertools
import os
import secrets
import socket
import string
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator

AWS = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}
_SECONDS_TO_START = 60
_making = threading.Lock()
_OF_A_CLOUD = "dynamodb,dynamodbstreams,ssm,lambda,apigateway,cloudformation,tagging,iam,s3,sts,logs"


def fresh_app() -> str:
    """The name of an app that no other test uses, because tests share one cloud."""
    return "shop-" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(10))


def client_of(url: str, service: str, **config: Any) -> Any:
    """A boto3 client of the API at `url` that never retries. `config` is for botocore's Config."""
    options = Config(retries={"total_max_attempts": 1}, max_pool_connections=64, **config)
    return make_client(service, endpoint_url=url, config=options)


def make_client(service: str, **options: Any) -> Any:
    """Return a new boto3 client of the shared session, which can create only one at a time."""
    with _making:
        return session().client(service, **options)


@functools.cache
def session() -> boto3.session.Session:
    """One session for all clients, because reading AWS's service models takes most of the time."""
    return boto3.session.Session(aws_access_key_id="dummy", aws_secret_access_key="dummy", region_name="us-east-1")


def environ_of(url: str, home: Path) -> dict[str, str]:
    """Variables for a command that uses AWS at `url`, with nothing else of this machine but its basics."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {"PATH": path, "HOME": str(home), "AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true"}
    return {**_machine(), **variables}


class Engine:
    """A running DynamoDB API at `url`; `transactions` is True if it supports TransactWriteItems and TTL.

    `transport` is the name of the transport that stores use.
    """

    transport = "lean"

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes], *, transactions: bool) -> None:
        self.name, self.port, self.process, self.transactions = name, port, process, transactions
        self.url = f"http://127.0.0.1:{port}"
        self._numbers = itertools.count(1)
        self._clients: dict[str, Any] = {}
        self._functions: list[str] = []

    def through(self, transport: str) -> Engine:
        """The same API for stores that use the `transport` of that name."""
        engine = copy.copy(self)
        engine.transport = transport
        return engine

    def client(self, service: str = "dynamodb", **config: Any) -> Any:
        """A boto3 client of it that never retries. `config` is for botocore's Config."""
        return client_of(self.url, service, **config)

    def look(self, service: str) -> Any:
        """The shared boto3 client of a service, for reading and for setting things up."""
        if service not in self._clients:
            self._clients[service] = self.client(service)
        return self._clients[service]

    def create_function(self, name: str, **request: Any) -> None:
        """Create a Lambda function that `delete_functions` deletes."""
        self._functions.append(name)
        self.look("lambda").create_function(FunctionName=name, **request)

    def delete_functions(self) -> None:
        """Delete the functions that tests created, because commands list and read all functions."""
        client = self.look("lambda")
        while self._functions:
            with contextlib.suppress(client.exceptions.ResourceNotFoundException):
                client.delete_function(FunctionName=self._functions.pop())

    def start_over(self, first: int) -> None:
        """Use separate connections and names of tables in a fork. The names begin at `first`."""
        self._clients = {}
        self._numbers = itertools.count(first * 1_000)

    def environ(self, home: Path) -> dict[str, str]:
        """Variables for a command, such as `arc`, that uses it. `home` is its home folder."""
        return environ_of(self.url, home)

    def table(self, *, key: str = "_idx", ttl: str | None = "_ttl") -> str:
        """The name of a new session table."""
        client = self.look("dynamodb")
        name = f"testapp-testing-session-{next(self._numbers)}"
        made = client.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )["TableDescription"]
        while made["TableStatus"] != "ACTIVE":
            time.sleep(0.005)
            made = client.describe_table(TableName=name)["Table"]
        if ttl is not None and self.transactions:
            client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl})
        return name

    def items(self, table: str) -> list[dict[str, Any]]:
        """Every row of `table`, in DynamoDB's JSON."""
        found: list[dict[str, Any]] = self.look("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
        return found


@contextlib.contextmanager
def ministack() -> Iterator[Engine]:
    """A ministack of DynamoDB, SSM, SNS and SQS that ends with the block."""
    with _ministack(["-m", "ministack"], "dynamodb,ssm,sns,sqs", {}) as engine:
        yield engine


@contextlib.contextmanager
def cloud() -> Iterator[Engine]:
    """A ministack with functions, HTTP APIs, stacks and tags that ends with the block.

    The files that it and its functions write are removed with it. It starts no containers, and creates and updates
    functions within milliseconds.
    """
    quick = ["-P", str(Path(__file__).with_name("quick_ministack.py"))]
    with tempfile.TemporaryDirectory(prefix="cloud-", ignore_cleanup_errors=True) as folder:
        at_home = dict.fromkeys(("HOME", "TMPDIR", "STATE_DIR"), folder)
        nowhere = {"DOCKER_HOST": f"unix://{folder}/none", "AWS_EC2_METADATA_DISABLED": "true"}
        with _ministack(quick, _OF_A_CLOUD, {**at_home, **nowhere}) as engine:
            yield engine


@contextlib.contextmanager
def dynalite(node: str, modules: Path) -> Iterator[Engine]:
    """A dynalite of the Node packages in `modules` that ends with the block."""
    port = free_port()
    command = [node, str(modules / "dynalite/cli.js"), "--host", "127.0.0.1", "--port", str(port)]
    with _running("dynalite", [*command, "--createTableMs", "0"], port, _machine(), transactions=False) as engine:
        yield engine


@contextlib.contextmanager
def _ministack(words: list[str], services: str, extra: dict[str, str]) -> Iterator[Engine]:
    port = free_port()
    environ = {
        **_machine(),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": services,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PYTHONWARNINGS": "ignore",
        **extra,
    }
    with _running("ministack", [sys.executable, *words], port, environ, transactions=True) as engine:
        yield engine


@contextlib.contextmanager
def _running(
    name: str, command: list[str], port: int, environ: dict[str, str], *, transactions: bool
) -> Iterator[Engine]:
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as process,
    ):
        engine = Engine(name, port, process, transactions=transactions)
        try:
            _wait_for(engine)
            yield engine
            if process.poll() is not None:
                output.seek(0)
                last = output.read()[-2000:].decode(errors="replace")
                raise RuntimeError(f"{name} ended during the tests with {process.returncode}:\n{last}")
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(engine: Engine) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end:
        if engine.process.poll() is not None:
            raise RuntimeError(f"{engine.name} ended at its start with {engine.process.returncode}.")
        with contextlib.suppress(Exception):
            engine.client(connect_timeout=1, read_timeout=2).list_tables()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{engine.name} did not answer within {_SECONDS_TO_START} seconds.")


def _machine() -> dict[str, str]:
    """The basic variables of this machine, and dummies for AWS."""
    basics = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return {**basics, **AWS}


def free_port() -> int:
    """A free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
