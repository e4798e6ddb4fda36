"""The guide to adding a source, followed word by word in a project of its own, against a shop.

Its blocks are applied in their order: settings go into ``meltano.yml`` and ``.env``, models into the files that it
names, commands run, and what it shows is what is printed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from deltalake import DeltaTable

from snello.cli.tables import Row, Tables
from snello.lake import Lake
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.shopify import TOKEN, shopify
from snello.sandbox.emulators.shopify_cost import Bucket
from snello.sandbox.emulators.shopify_rows import address, checkout, consent, customer, gid, order
from snello.sandbox.emulators.shopify_store import SCOPES, ShopifyStore

# two builds from nothing, a plan's and a night's
pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]
ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "add-a-source.md"
STAGING = Path("transform", "models", "staging", "shopify")
# the source of the guide, and what no hub is without; the other sources of Aurora would be empty views
KEPT = {"ledger", "published", "shopify", "snello"}
SAID = datetime(2026, 2, 1, tzinfo=UTC)
FIRST, AGAIN, AFRESH = "first", "again", "afresh"
MOVES = {"meltano run tap-shopify target-lake--shopify", "meltano run --full-refresh tap-shopify target-lake--shopify"}


@dataclass
class Block:
    """A block of the guide: its language, its text, and the last file that was named before it."""

    language: str
    text: str
    file: str


def blocks() -> list[Block]:
    """The blocks of the guide in their order."""
    guide, found = GUIDE.read_text(), []
    for match in re.finditer(r"^```(\w+)\n(.*?)^```", guide, re.MULTILINE | re.DOTALL):
        named = re.findall(r"`(transform/[\w/.]+\.\w+)`", guide[: match.start()])
        found.append(Block(match[1], match[2], named[-1] if named else ""))
    return found


@dataclass
class Run:
    """A command of the guide and what came of it; ``shown``: what the guide shows of its output."""

    command: str
    code: int
    printed: str
    rows: dict[str, list[Row]]
    shown: list[str] = field(default_factory=list)


@dataclass
class Player:
    """Follows the guide in ``project``."""

    project: Path
    url: str
    store: ShopifyStore
    runs: list[Run] = field(default_factory=list)

    def play(self) -> None:
        """Every block but the sentences of faults, which tell of no step."""
        for block in blocks()[:-1]:
            getattr(self, f"_{block.language}")(block)

    def _yaml(self, block: Block) -> None:
        told = yaml.safe_load(block.text)
        if "unit_tests" in told:
            (self.project / block.file).write_text(block.text)
            return
        file = self.project / "meltano.yml"
        found = yaml.safe_load(file.read_text())
        for kind, plugins in told.pop("plugins").items():
            for plugin in plugins:
                others = [each for each in found["plugins"][kind] if each["name"] != plugin["name"]]
                own = [each for each in found["plugins"][kind] if each["name"] == plugin["name"]]
                found["plugins"][kind] = [*others, *({**each, **plugin} for each in own or [{}])]
        file.write_text(yaml.safe_dump(found | told, sort_keys=False))

    def _shell(self, block: Block) -> None:
        told = dict(line.split("=", 1) for line in block.text.splitlines())
        assert "TAP_SHOPIFY_ACCESS_TOKEN" in told
        given = {
            "TAP_SHOPIFY_ACCESS_TOKEN": TOKEN,
            "TAP_SHOPIFY_URL": self.url,
        }  # the shop of the test, not the guide's
        (self.project / ".env").write_text("".join(f"{key}={value}\n" for key, value in (told | given).items()))

    def _sql(self, block: Block) -> None:
        assert not (self.project / block.file).exists()
        (self.project / block.file).write_text(block.text)

    def _jinja(self, block: Block) -> None:
        file = self.project / block.file
        lines = file.read_text().splitlines()
        for new in block.text.splitlines():
            key = new.partition(":")[0]
            place = next((n for n, line in enumerate(lines) if line.startswith(key)), None)
            if place is None:
                lines.insert(next(n for n, line in enumerate(lines) if line.strip() == "}) }}"), new)
            else:
                lines[place] = new
        file.write_text("\n".join(lines) + "\n")

    def _csv(self, block: Block) -> None:
        head, *rows = block.text.splitlines()
        have = (self.project / block.file).read_text().splitlines()
        assert head == have[0]
        assert set(rows) <= set(have[1:])

    def _text(self, block: Block) -> None:
        self.runs[-1].shown += block.text.splitlines()

    def _console(self, block: Block) -> None:
        for command in block.text.splitlines():
            if command in MOVES and self.runs[-1].command == "snello status":
                self._mended()
            done = subprocess.run(
                command, shell=True, cwd=self.project, env=variables(), capture_output=True, text=True, check=False
            )
            told = done.stdout + done.stderr
            self.runs.append(Run(command, done.returncode, told, self.raw() if command in MOVES else {}))

    def _mended(self) -> None:
        """The row that was refused is as it should be."""
        moments = {"createdAt": "2026-03-05T08:00:00Z", "updatedAt": "2026-03-05T09:00:00Z"}
        self.store.customers[3] |= moments

    def raw(self) -> dict[str, list[Row]]:
        """What the lake holds of the shop, without what tells of the loading."""
        lake = self.project / "lake" / "raw" / "shopify"
        streams = ("abandoned_checkouts", "customer_keys", "customers", "orders", "_quarantine")
        found = {name: DeltaTable(lake / name).to_pyarrow_table().to_pylist() for name in streams}
        return {
            name: sorted(
                ({key: value for key, value in row.items() if not key.startswith("_sdc_")} for row in rows), key=str
            )
            for name, rows in found.items()
        }

    def published(self, sql: str, *tables: str) -> list[Row]:
        """An answer of published tables."""
        asked = Tables(Lake(str(self.project / "lake")))
        for name in tables:
            asked.view(name, asked.lake.published_sql(name))
        return asked.rows(sql)

    def run(self, begin: str, number: int = 0) -> Run:
        """The run of a command that begins so."""
        return [run for run in self.runs if run.command.startswith(begin)][number]


def variables(**more: str) -> dict[str, str]:
    """The variables of a shell in which the environment is active and nothing else is set."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MELTANO_", "SNELLO_", "DBT_"))}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"} | more


def person(number: int, first: str, last: str, street: str, **more: Any) -> Row:
    """A customer of the shop."""
    mail = {"emailAddress": f"{first}.{last}.{number}@example.org".lower(), "validFormat": True}
    home = address(number, firstName=first, lastName=last, address1=street)
    return customer(number, firstName=first, lastName=last, defaultEmailAddress=mail, defaultAddress=home, **more)


def shop() -> ShopifyStore:
    """One woman with two accounts and one card, a man who wants no mail, a row with a moment that is none, a guest."""
    ada = person(
        1,
        "Ada",
        "Rossi",
        "Via Roma 1",
        tags=["card:2401230000017", "tier:gold", "press"],
        emailMarketingConsent=consent("SUBSCRIBED", SAID, "CONFIRMED_OPT_IN"),
    )
    again = person(2, "Ada", "Rossi", "Via Garibaldi 20", tags=["Card: 2401230000017"])
    bruno = person(3, "Bruno", "Neri", "Corso Italia 3", emailMarketingConsent=consent("UNSUBSCRIBED", SAID))
    dora = person(4, "Dora", "Verdi", "Via Po 4", createdAt="soon")
    home = address(13, firstName="Carla", lastName="Bassi", address1="Via Dante 13")
    guest = order(13, None, email="carla@example.org", billingAddress=home, shippingAddress=home)
    return ShopifyStore([ada, again, bruno, dora], [order(11, ada), order(12, again), guest], [checkout(21, ada)])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    """The guide, followed once from its first block to its last step."""
    project = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "meltano.yml", project)
    aside = shutil.ignore_patterns("target", "logs", "__pycache__")
    shutil.copytree(ROOT / "transform", project / "transform", ignore=aside)
    for folder in (project / STAGING).parent.iterdir():
        if folder.name not in KEPT:
            shutil.rmtree(folder)
    store = shop()
    with serve(shopify(store)) as url:
        player = Player(project, url, store)
        player.play()
        yield player


def test_every_command_does_what_the_guide_says(played: Player) -> None:
    told = [(run.command, run.printed[-2000:]) for run in played.runs if run.code and run.command != "snello status"]
    assert told == []
    assert played.run("snello status").code == 5  # a row was refused, and more than the guide tolerates


def test_what_the_guide_shows_is_what_is_printed(played: Player) -> None:
    # what it shows of `snello why` stands behind `snello status`, for both are one block
    where = {run.command: run.printed for run in played.runs}
    for run in played.runs:
        printed = run.printed + (where["snello why " + WHO] if run.command == "snello status" else "")
        assert [line for line in run.shown if line.strip() not in printed] == [], run.command
    assert sum(bool(run.shown) for run in played.runs) == 3


WHO = "shopify/customers/gid://shopify/Customer/1"


def test_the_plugins_settings_are_those_of_the_connector(played: Player) -> None:
    (command,) = re.findall(r"`(snello tap settings [^`]+)`", GUIDE.read_text())
    done = subprocess.run(command.split(), cwd=played.project, env=variables(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_first_run_loads_every_row_but_the_one_that_is_refused(played: Player) -> None:
    rows = played.run("meltano run tap-shopify").rows
    assert {name: len(found) for name, found in rows.items()} == {
        "abandoned_checkouts": 1,
        "customer_keys": 4,
        "customers": 3,
        "orders": 3,
        "_quarantine": 1,
    }


def test_the_unit_tests_of_the_guide_ran(played: Player) -> None:
    printed = played.run("meltano invoke dbt build").printed
    assert re.search(r"PASS=\d+ WARN=0 ERROR=0", printed)
    for block in blocks():
        for name in re.findall(r"^  - name: (shopify_\w+)", block.text, re.MULTILINE):
            assert f"::{name}" in printed


def test_the_plan_tells_how_many_people_there_would_be(played: Player) -> None:
    printed = played.run("snello plan").printed
    (people,) = re.findall(r"^people +new +gone +merged +split.*\n +(\d+) +(\d+) ", printed, re.MULTILINE)
    assert people == ("3", "3")  # Ada, Bruno and the guest


def test_the_timeline_of_the_customer_has_the_orders_of_both_accounts(played: Player) -> None:
    ids = ", ".join(f"'{gid('Customer', number)}'" for number in (1, 2))
    who = played.published(
        f"select distinct customer_id from customer_sources where record_key in ({ids})", "customer_sources"
    )
    assert len(who) == 1
    sql = f"select kind, record_key from interactions where customer_id = '{who[0]['customer_id']}' order by 2"
    found = [(row["kind"], row["record_key"]) for row in played.published(sql, "interactions")]
    assert [each for each in found if each[0] in ("order", "checkout_abandoned")] == [
        ("checkout_abandoned", gid("AbandonedCheckout", 21)),
        ("order", gid("Order", 11)),
        ("order", gid("Order", 12)),
    ]
    sums = played.published(
        f"select sum(total)::float as total from orders where customer_id = '{who[0]['customer_id']}'", "orders"
    )
    assert sums == [{"total": 41.0}]


def test_an_answer_is_a_consent_and_silence_is_none(played: Player) -> None:
    sql = "select purpose, state, count(*) as people from consent_current group by all order by 2"
    found = [(row["purpose"], row["state"], row["people"]) for row in played.published(sql, "consent_current")]
    assert found == [("email_marketing", "no", 1), ("email_marketing", "yes", 1)]


def test_a_second_run_moves_only_what_changed(played: Player) -> None:
    again = played.run("meltano run tap-shopify", 1)
    loaded = dict(re.findall(r"target-lake--shopify (\w+): (\d+) rows in", again.printed))
    assert loaded == {
        "_quarantine": "0",
        "abandoned_checkouts": "0",
        "customer_keys": "0",
        "customers": "1",
        "orders": "0",
    }


def test_a_full_refresh_reads_everything_and_changes_nothing(played: Player) -> None:
    again, afresh = played.run("meltano run tap-shopify", 1), played.run("meltano run --full-refresh")
    assert re.search(r"target-lake--shopify customers: 4 rows in", afresh.printed)
    assert re.search(r"target-lake--shopify orders: 3 rows in", afresh.printed)
    assert afresh.rows == again.rows


def test_the_night_publishes_who_was_mended_and_ends_well(played: Player) -> None:
    assert "published" in played.run("meltano run loop").printed
    sql = f"select 1 from customer_sources where record_key = '{gid('Customer', 4)}'"
    assert len(played.published(sql, "customer_sources")) == 1


FAULTS: list[tuple[int, dict[str, Any], str]] = [
    (2, {}, "shpat_wrong"),
    (2, {"scopes": SCOPES - {"read_orders"}}, TOKEN),
    (4, {"bucket": Bucket(1, 0.01)}, TOKEN),
]


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_fault_is_told_in_the_guides_words(tmp_path: Path, number: int) -> None:
    code, more, token = FAULTS[number]
    sentence = blocks()[-1].text.splitlines()[number]
    with serve(shopify(ShopifyStore.drawn(3, 2, 1, **more))) as url:
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"url": url, "access_token": token, "memory": str(tmp_path / "memory")}))
        given = ["tap-shopify", "--config", str(config)]
        done = subprocess.run(given, env=variables(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (code, sentence)
