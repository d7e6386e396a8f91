"""boto3's clients: what each is made with, and what is reported where one cannot be made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import NoCredentialsError, NoRegionError, ProfileNotFound

from arc.errors import ConfigurationError, StoreError
from arc.sessions.stores.dynamodb.boto import boto_client

if TYPE_CHECKING:
    from botocore.config import Config

AWS, LOCAL = "https://dynamodb.eu-west-1.amazonaws.com", "http://localhost:8000"


class Session:
    """A boto3 session whose clients ask `endpoint`; `error` is raised in place of a client."""

    def __init__(self, *, endpoint: str = AWS, error: Exception | None = None) -> None:
        self.made = 0
        self.clients: list[tuple[str, str | None, Config]] = []
        self._endpoint, self._error = endpoint, error

    def __call__(self) -> Session:
        """The session, made now."""
        self.made += 1
        return self

    def client(self, service: str, *, endpoint_url: str | None, config: Config) -> Any:
        """A client, as boto3 makes one."""
        if self._error:
            raise self._error
        self.clients.append((service, endpoint_url, config))
        return SimpleNamespace(meta=SimpleNamespace(endpoint_url=endpoint_url or self._endpoint))


def test_a_client_has_the_times_of_its_attempt_and_never_retries() -> None:
    """One session makes a client for each pair of timeouts, whose idle connections are kept alive."""
    session = Session()
    make = boto_client(session, None)
    times = ((1.0, 2.0), (0.5, 1.0))
    for connect, read in times:
        make(connect, read)
    assert session.made == 1
    for (connect, read), (service, endpoint, config) in zip(times, session.clients, strict=True):
        assert (service, endpoint) == ("dynamodb", None)
        assert (config.connect_timeout, config.read_timeout) == (connect, read)
        assert config.retries == {"total_max_attempts": 1}
        assert (config.tcp_keepalive, config.max_pool_connections) == (True, 64)


def test_testing_asks_no_table_of_aws() -> None:
    """An address on this machine will do, from the app or from AWS's own variable; in production any will."""
    assert boto_client(Session(), None)(1, 2).meta.endpoint_url == AWS
    assert boto_client(Session(), LOCAL, local=True)(1, 2).meta.endpoint_url == LOCAL
    assert boto_client(Session(endpoint=LOCAL), None, local=True)(1, 2).meta.endpoint_url == LOCAL
    with pytest.raises(ConfigurationError, match="AWS_ENDPOINT_URL_DYNAMODB"):
        boto_client(Session(), None, local=True)(1, 2)


@pytest.mark.parametrize(
    ("error", "reported", "words"),
    [
        (NoCredentialsError(), StoreError, r"\bfor sessions\b.*AWS_PROFILE"),
        (NoRegionError(), ConfigurationError, "AWS_REGION"),
        (ProfileNotFound(profile="dev"), ConfigurationError, "dev.*AWS_PROFILE"),
    ],
    ids=["credentials", "region", "profile"],
)
def test_a_client_that_cannot_be_made_is_reported(error: Exception, reported: type[Exception], words: str) -> None:
    """Credentials may be there later; a setting stays wrong until somebody changes it."""
    with pytest.raises(reported, match=words):
        boto_client(Session(error=error), None)(1, 2)
