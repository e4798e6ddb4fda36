"""Start and stop the demo company's services: its database, its shop, and the channels that the hub writes to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from snello.errors import ConfigError, RetryLater
from snello.sandbox.ports import HOST, require_free
from snello.sandbox.postgres import Postgres
from snello.sandbox.world import World, generate, read_world

PEOPLE, SEED, PORT = 10_000, 20_261, 8470
EMULATORS = {"shop": 1, "brevo": 2, "webhook": 3}
WEATHER = ("--limited", "0.01", "--broken", "0.005")
START_SECONDS, STOP_SECONDS = 30.0, 10.0


@dataclass(frozen=True)
class Services:
    """What runs.

    - ``urls``: address by service: postgres, shop, brevo, webhook
    - ``environment``: variables that point the plugins there
    """

    home: Path
    world: World
    urls: dict[str, str]
    environment: dict[str, str]


def up(home: Path, people: int = PEOPLE, seed: int = SEED, port: int = PORT) -> Services:
    """Have the company stand and its services run; what runs already is left alone.

    Raises ``ConfigError`` when a port is taken by something else.
    """
    world = _company(home, people, seed)
    for name, offset in EMULATORS.items():
        _start(home, name, port + offset)
    database = Postgres(home / "postgres", port)
    database.start()
    _load(home, database, world)
    for name, offset in EMULATORS.items():
        _await(home, name, port + offset)
    urls = {"postgres": database.url} | {name: f"http://{HOST}:{port + o}" for name, o in EMULATORS.items()}
    (home / "run" / "port").write_text(str(port))
    return Services(home, world, urls, environment(home, port))


def down(home: Path) -> list[str]:
    """Stop the services of this home, by their own process ids; returns which ran."""
    stopped = []
    for name in EMULATORS:
        pid = _running(home, name)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            stopped.append(name)
    deadline = time.monotonic() + STOP_SECONDS
    for name in stopped:
        while _running(home, name) is not None:
            if time.monotonic() > deadline:
                raise RetryLater("sandbox", f"{name} does not stop", f"end process {_running(home, name)}")
            time.sleep(0.02)
    for name in EMULATORS:
        _pid_file(home, name).unlink(missing_ok=True)
    database = Postgres(home / "postgres", 0)
    if database.running_port() is not None:
        database.stop()
        stopped.append("postgres")
    return stopped


def environment(home: Path, port: int = PORT) -> dict[str, str]:
    """The variables that point the demo's plugins at these services."""
    company = (home / "company").resolve()
    shop, brevo, webhook = (f"http://{HOST}:{port + EMULATORS[name]}" for name in ("shop", "brevo", "webhook"))
    from snello.sandbox.emulators.brevo import API_KEY
    from snello.sandbox.emulators.shop import KEY, SECRET
    from snello.sandbox.emulators.webhook import SECRET as WEBHOOK_SECRET

    return {
        "AURORA_COMPANY": str(company),
        "TAP_SQL__CRM_URL": Postgres(home / "postgres", port).url,
        "TAP_SQL__AFTERSALES_URL": f"sqlite:///{company}/aftersales.sqlite",
        "TAP_WOOCOMMERCE_URL": shop,
        "TAP_WOOCOMMERCE_CONSUMER_KEY": KEY,
        "TAP_WOOCOMMERCE_CONSUMER_SECRET": SECRET,
        "TARGET_BREVO_API_URL": f"{brevo}/v3",
        "TARGET_BREVO_API_KEY": API_KEY,
        "TARGET_WEBHOOK_URL": f"{webhook}/hook",
        "TARGET_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }


def standing(home: Path) -> Postgres:
    """The running database of this home; raises ``ConfigError`` when it does not run."""
    port = Postgres(home / "postgres", 0).running_port()
    if port is None:
        raise ConfigError("sandbox", f"the services of {home} do not run", "start them with `snello demo up`")
    return Postgres(home / "postgres", port)


def _company(home: Path, people: int, seed: int) -> World:
    """The company that stands there, or a new one."""
    if not (home / "company" / "world.json").exists():
        return generate(home, people, seed)
    return read_world(home)


def _load(home: Path, database: Postgres, world: World) -> None:
    """Fill the database unless it holds this very company already (a reload would undo what happened in it since)."""
    stamp = home / "postgres" / "company.json"
    about = (world.company / "world.json").read_text()
    if not stamp.exists() or stamp.read_text() != about:
        database.load(world.company / "crm")
        stamp.write_text(about)


def _pid_file(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.pid"


def _running(home: Path, name: str) -> int | None:
    """Process id of a live service of this home; the file of a dead one is forgotten."""
    path = _pid_file(home, name)
    if not path.exists():
        return None
    pid = int(path.read_text())
    # A child of this very process would stay a zombie, and a zombie still takes signals.
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        path.unlink(missing_ok=True)
        return None
    return pid


def _start(home: Path, name: str, port: int) -> None:
    if _running(home, name) is not None:
        if _answers(home, name, port):
            return
        raise ConfigError("sandbox", f"{name} runs on another port", "stop it first with `snello demo down`")
    require_free(name, port)
    (home / "run").mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "snello.sandbox.emulators",
        name,
        "--home",
        str(home.resolve()),
        "--port",
        str(port),
    ]
    with (home / "run" / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, *WEATHER], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    _pid_file(home, name).write_text(str(process.pid))


def _await(home: Path, name: str, port: int) -> None:
    """Wait until a service answers; tell where to look when it died."""
    deadline = time.monotonic() + START_SECONDS
    while not _answers(home, name, port):
        if _running(home, name) is None or time.monotonic() > deadline:
            raise RetryLater("sandbox", f"{name} did not start", f"read {home / 'run' / f'{name}.log'}")
        time.sleep(0.05)


def _answers(home: Path, name: str, port: int) -> bool:
    """Whether this home's own service answers on the port."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/_inspect", timeout=2) as answer:
            about = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return bool(about["service"] == name and about["home"] == str(home.resolve()))
