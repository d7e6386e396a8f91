"""DynamoDB APIs that stores ask through each of both transports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.engines import Engine


@pytest.fixture(params=["lean", pytest.param("boto3", marks=pytest.mark.exhaustive)])
def transport(request: pytest.FixtureRequest) -> str:
    """Return the name of each transport. They differ only in a single attempt, and boto3's is slower."""
    name: str = request.param
    return name


@pytest.fixture
def ministack(ministack: Engine, transport: str) -> Engine:
    """The local cloud, with a transport."""
    return ministack.through(transport)


@pytest.fixture
def dynalite(dynalite: Engine, transport: str) -> Engine:
    """The strict DynamoDB, with a transport."""
    return dynalite.through(transport)


@pytest.fixture(params=["ministack", "dynalite"])
def engine(request: pytest.FixtureRequest, transport: str) -> Engine:
    """Both of them, with a transport."""
    found: Engine = request.getfixturevalue(request.param)
    return found.through(transport)
