"""One small company that the tests of the sandbox read, and must not change."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from snello.sandbox import World, generate
from snello.sandbox.people import People, make_people
from snello.sandbox.ports import EMULATORS

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
PEOPLE, SEED = 3_000, 11


@pytest.fixture(scope="session")
def people() -> People:
    return make_people(PEOPLE, SEED, AS_OF)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("aurora")


@pytest.fixture(scope="session")
def world(home: Path) -> World:
    return generate(home, PEOPLE, SEED, as_of=AS_OF)


@pytest.fixture(scope="session")
def truth(world: World) -> pl.DataFrame:
    return pl.read_parquet(world.company / "truth.parquet")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder outside pytest's own, which pytest closes to other accounts while the database's account works there."""
    with tempfile.TemporaryDirectory(prefix="snello-sandbox-") as folder:
        yield Path(folder)


SERVICES = 1 + max(EMULATORS.values())


def free_ports() -> int:
    """First of as many neighbouring free ports as there are services; each process looks elsewhere first."""
    start = 20_000 + os.getpid() % 1_300 * SERVICES
    for first in range(start, 60_000, SERVICES):
        sockets = [socket.socket() for _ in range(SERVICES)]
        try:
            for offset, probe in enumerate(sockets):
                probe.bind(("127.0.0.1", first + offset))
        except OSError:
            continue
        else:
            return first
        finally:
            for probe in sockets:
                probe.close()
    raise AssertionError("no six neighbouring free ports")
