"""DynamoDB APIs that stores ask through each of both transports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.engines import Engine


@pytest.fixture(params=["lean", pytest.param("boto3", marks=pytest.mark.exhaustive)])
def transport(request: pytest.FixtureRequest) -> str:
    """The name of each transport. They differ in one attempt alone, and boto3's takes several times as long."""
    name: str = request.param
    return name


@pytest.fixture
def ministack(ministack: Engine, transport: str) -> Engine:
    """The local cloud, asked through a transport."""
    return ministack.through(transport)


@pytest.fixture
def dynalite(dynalite: Engine, transport: str) -> Engine:
    """The strict DynamoDB, asked through a transport."""
    return dynalite.through(transport)


@pytest.fixture(params=["ministack", "dynalite"])
def engine(request: pytest.FixtureRequest, transport: str) -> Engine:
    """Each of both, asked through a transport."""
    found: Engine = request.getfixturevalue(request.param)
    return found.through(transport)
