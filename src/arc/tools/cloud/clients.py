"""Clients of AWS's services, and what they refuse as an error of the tools."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DUMMIES = {"aws_access_key_id": "dummy", "aws_secret_access_key": "dummy"}


def local_client(service: str, url: str, region: str) -> Any:
    """A boto3 client of a local cloud at `url`, past any proxy, with credentials that mean nothing anywhere else."""
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(region_name=region, **_DUMMIES)
    config = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1}, proxies={})
    return session.client(service, endpoint_url=url, config=config)


@contextmanager
def refusals(doing: str) -> Iterator[None]:
    """Inside the block, what a service refuses and what cannot reach it is a `ToolError` that begins with `doing`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        raise ToolError(f"{doing}: {answer.get('Code')}: {answer.get('Message')}") from None
    except BotoCoreError as error:
        raise ToolError(f"{doing}: {error}") from None
