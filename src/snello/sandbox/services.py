"""Start and stop the demo company's services: its database, its shop, and the channels that the hub writes to."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from snello.errors import ConfigError, RetryLater
from snello.sandbox import daemons
from snello.sandbox.emulators.bluesky_rules import PASSWORD
from snello.sandbox.emulators.bluesky_store import HANDLE
from snello.sandbox.emulators.brevo import API_KEY
from snello.sandbox.emulators.odoo import API_KEY as ODOO_KEY
from snello.sandbox.emulators.odoo import DATABASE, LOGIN
from snello.sandbox.emulators.serving import START_SECONDS
from snello.sandbox.emulators.shop import KEY, SECRET
from snello.sandbox.emulators.shopify import TOKEN
from snello.sandbox.emulators.suitecrm import CLIENT_ID, CLIENT_SECRET
from snello.sandbox.emulators.webhook import SECRET as WEBHOOK_SECRET
from snello.sandbox.ports import EMULATORS, HOST, SMTP, require_free
from snello.sandbox.postgres import Postgres
from snello.sandbox.world import SOURCES, World, generate, read_world

PEOPLE, SEED, PORT = 10_000, 20_261, 8470
WEATHER = ("--limited", "0.004", "--broken", "0.002")


@dataclass(frozen=True)
class Services:
    """What runs.

    - ``urls``: address by service: postgres and the emulators
    - ``environment``: variables that point the plugins there
    """

    home: Path
    world: World
    urls: dict[str, str]
    environment: dict[str, str]


def up(home: Path, people: int = PEOPLE, seed: int = SEED, port: int = PORT) -> Services:
    """Have the company stand and its services run; what is there and what runs already is left alone.

    - the database takes ``port``, the shop, Brevo, the webhook receiver, the page of letters, SMTP, the other clouds
      and the company's other systems the fourteen after
    - raises ``ConfigError`` when a port is taken by something else
    """
    world = _company(home, people, seed)
    database = Postgres(home / "postgres", port)
    absent = {name: port + offset for name, offset in EMULATORS.items() if not _stands(home, name, port + offset)}
    for name, number in [*absent.items(), *([("smtp", port + SMTP)] if "mail" in absent else [])]:
        require_free(name, number)
    database.start()
    started = {name: _start(home, name, number) for name, number in absent.items()}
    _load(home, database, world)
    for name, pid in started.items():
        _await(home, name, absent[name], pid)
    urls = {"postgres": database.url} | {name: f"http://{HOST}:{port + o}" for name, o in EMULATORS.items()}
    return Services(home, world, urls, environment(home, port))


def down(home: Path) -> list[str]:
    """Stop the services of this home, and no others; returns which ran."""
    stopped = [name for name in EMULATORS if daemons.stop(_pid_file(home, name))]
    database = Postgres(home / "postgres", PORT)
    if database.running_port() is not None:
        database.stop()
        stopped.append("postgres")
    return stopped


def environment(home: Path, port: int = PORT) -> dict[str, str]:
    """The variables that point the demo's plugins at these services."""
    company = (home / "company").resolve()
    root = {name: f"http://{HOST}:{port + offset}" for name, offset in EMULATORS.items()}
    return {
        "AURORA_COMPANY": str(company),
        "TAP_SQL__CRM_URL": Postgres(home / "postgres", port).url,
        "TAP_SQL__AFTERSALES_URL": f"sqlite:///{company}/aftersales.sqlite",
        "TAP_WOOCOMMERCE_URL": root["shop"],
        "TAP_WOOCOMMERCE_CONSUMER_KEY": KEY,
        "TAP_WOOCOMMERCE_CONSUMER_SECRET": SECRET,
        "TAP_SUITECRM_URL": root["suitecrm"],
        "TAP_SUITECRM_CLIENT_ID": CLIENT_ID,
        "TAP_SUITECRM_CLIENT_SECRET": CLIENT_SECRET,
        "TAP_ODOO_URL": root["erp"],
        "TAP_ODOO_DATABASE": DATABASE,
        "TAP_ODOO_LOGIN": LOGIN,
        "TAP_ODOO_API_KEY": ODOO_KEY,
        "TAP_SHOPIFY_URL": root["shopify"],
        "TAP_SHOPIFY_ACCESS_TOKEN": TOKEN,
        "TAP_BLUESKY_URL": root["bluesky"],
        "TAP_BLUESKY_HANDLE": HANDLE,
        "TAP_BLUESKY_APP_PASSWORD": PASSWORD,
        "TARGET_BREVO_API_URL": f"{root['brevo']}/v3",
        "TARGET_BREVO_API_KEY": API_KEY,
        "TARGET_WEBHOOK_URL": f"{root['webhook']}/hook",
        "TARGET_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "TARGET_FILE_PATH": str(home.resolve() / "onboarding"),
        "TARGET_SQL_URL": f"sqlite:///{home.resolve()}/desk.sqlite",
        "TARGET_SMTP_PORT": str(port + SMTP),
        "TARGET_META_AUDIENCES_API_URL": root["meta"],
        "TARGET_GOOGLE_AUDIENCES_API_URL": f"{root['google']}/v1",
        "TARGET_GOOGLE_AUDIENCES_TOKEN_URL": f"{root['google']}/token",
        "TARGET_MAILCHIMP_API_URL": f"{root['mailchimp']}/3.0",
        "TARGET_HUBSPOT_API_URL": root["hubspot"],
        "TARGET_ODOO_URL": root["odoo"],
    }


def standing(home: Path) -> Postgres:
    """The running database of this home; raises ``ConfigError`` when it does not run."""
    port = Postgres(home / "postgres", PORT).running_port()
    if port is None:
        raise ConfigError("sandbox", f"the services of {home} do not run", "start them with `snello demo up`")
    return Postgres(home / "postgres", port)


def _company(home: Path, people: int, seed: int) -> World:
    """The company that stands there, or a new one (whose predecessor's services must not go on serving it)."""
    if (home / "company" / "world.json").exists():
        world = read_world(home)
        if missing := sorted(SOURCES.keys() - {stream.partition(".")[0] for stream in world.rows}):
            what = f"the company in {home} is of an earlier version, without {', '.join(missing)}"
            raise ConfigError("sandbox", what, f"stop it with `snello demo down`, remove {home}, and begin anew")
        return world
    down(home)
    return generate(home, people, seed)


def _load(home: Path, database: Postgres, world: World) -> None:
    """Fill the database unless it holds this very company already (a reload would undo what happened in it since)."""
    stamp = home / "postgres" / "company.json"
    about = (world.company / "world.json").read_text()
    if not stamp.exists() or stamp.read_text() != about:
        database.load(world.company / "crm")
        stamp.write_text(about)


def _pid_file(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.pid"


def _stands(home: Path, name: str, port: int) -> bool:
    """Whether the service runs already; raises ``ConfigError`` when it runs elsewhere."""
    if daemons.running(_pid_file(home, name)) is None:
        return False
    if not _answers(home, name, port):
        raise ConfigError("sandbox", f"{name} runs on another port", "stop it first with `snello demo down`")
    return True


def _start(home: Path, name: str, port: int) -> int:
    place = ["--home", str(home.resolve()), "--port", str(port)]
    return daemons.spawn(["snello.sandbox.emulators", name, *place, *WEATHER], home / "run" / f"{name}.log")


def _await(home: Path, name: str, port: int, pid: int) -> None:
    """Wait until a service answers; tell where to look when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while not _answers(home, name, port):
        if daemons.ended(pid) or time.monotonic() > deadline:
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
