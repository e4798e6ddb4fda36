"""Drops of a data management platform, through the tap and the lake: whom a segment reaches, and when it leaves."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Hub

BIN = Path(sys.executable).parent
RULES_ALONE = ("--vars", "{likelihood: false}")
BUILD = ("build", "--select", "+customer_values", "--exclude-resource-type", "test", "unit_test", *RULES_ALONE)
EMAILS = {name: f"{name}@posta.example" for name in ("ada", "bea", "cleo", "dina")}
ROWS = {
    "crm.persons": [],
    "shop.customers": [
        {"id": number, "email": EMAILS[name], "first_name": name.title(), "last_name": last}
        for number, (name, last) in enumerate(zip(EMAILS, ("Rossi", "Verdi", "Neri", "Gallo"), strict=True), 1)
    ],
    "loyalty.cards": [{"card_no": "2800000000017", "first_name": "Bea", "last_name": "Verdi", "email": EMAILS["bea"]}],
}
HEADER = "id_type,id,key_type,key,consent,expires_at"


def hashed(name: str) -> str:
    return hashlib.sha256(EMAILS[name].encode()).hexdigest()


class Platform:
    """A platform that drops files, and the pipeline that loads them into a hub's lake."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.folder, self.hub, self.state = folder, hub, folder / "state.json"
        drops = {name: {"path": f"{folder}/{name}_*.gz", "format": "csv"} for name in ("memberships", "id_links")}
        drops["taxonomy"] = {"path": f"{folder}/taxonomy_*.gz", "format": "csv"}
        drops["memberships"]["constants"] = {"id_type": "cookie"}
        (folder / "tap.json").write_text(json.dumps({"provider": "acme", "memory": f"{folder}/memory", **drops}))
        (folder / "target.json").write_text(json.dumps({"root": f"{folder}/lake", "source": "dmp"}))
        self.forget()

    def forget(self) -> None:
        """Lose the state: the next run is a full refresh."""
        self.state.write_text("{}")

    def drop(self, name: str, *lines: str) -> None:
        (self.folder / f"{name}.gz").write_bytes(gzip.compress("\n".join(lines).encode() + b"\n", mtime=0))

    def load(self) -> None:
        """Run the tap into the lake, and dbt over it."""
        tap = [BIN / "tap-dmp", "--config", self.folder / "tap.json", "--state", self.state]
        told = subprocess.run(tap, capture_output=True, check=True, env=os.environ)
        target = [BIN / "target-lake", "--config", self.folder / "target.json"]
        done = subprocess.run(target, input=told.stdout, capture_output=True, check=True)
        if states := done.stdout.decode().splitlines():
            self.state.write_text(states[-1])
        # the tables of the other sources are made by hand
        rmtree(self.hub.lake / "raw" / "dmp")
        copytree(self.folder / "lake" / "raw" / "dmp", self.hub.lake / "raw" / "dmp")
        self.hub.make(*BUILD)

    def people(self) -> dict[str, list[str]]:
        """The segments of each customer of the shop, as golden values tell them."""
        rows = self.hub.query(
            "select split_part(sources.record_key, '/', 1), said.attribute, said.value, said.kind"
            " from marts.customer_values as said"
            " inner join marts.customer_sources as sources on said.customer_id = sources.customer_id"
            " where sources.source = 'shop' and said.source = 'dmp' and said.attribute like 'dmp_segment%' order by all"
        )
        found: dict[str, list[str]] = {}
        for key, attribute, value, kind in rows:
            assert kind == "derived"
            found.setdefault(list(EMAILS)[int(key) - 1], []).append(f"{attribute}={value}")
        return found


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, make_hub: Callable[..., Hub]) -> Platform:
    """Cookies of which some are linked with consent, and a shop that knows the people by e-mail and card."""
    hub = make_hub(ROWS)
    platform = Platform(tmp_path_factory.mktemp("platform"), hub)
    platform.drop("taxonomy_20261001", "segment_id,name", "s1,Motorists", "s2,Skiers")
    members = ("agreed", "silent", "refused", "expired", "shared", "carded", "stranger", "mixed")
    platform.drop("memberships_full_20261001", "id,segment_id", *(f"cookie-{name},s1" for name in members))
    platform.drop(
        "id_links_full_20261001", HEADER,
        f"cookie,cookie-agreed,email_sha256,{hashed('ada').upper()},1,",
        f"cookie,cookie-silent,email_sha256,{hashed('dina')},,",
        f"cookie,cookie-refused,email_sha256,{hashed('dina')},0,",
        f"cookie,cookie-expired,email_sha256,{hashed('dina')},1,2026-10-31",
        f"cookie,cookie-shared,email_sha256,{hashed('cleo')},1,",
        f"cookie,cookie-shared,email_sha256,{hashed('dina')},1,",
        "cookie,cookie-carded,card,2800000000017,1,2027-01-01",
        f"cookie,cookie-mixed,email_sha256,{hashed('cleo')},1,",
        "cookie,cookie-mixed,card,2800000000017,1,",
        f"cookie,cookie-stranger,email_sha256,{'0' * 63}1,1,",
    )  # fmt: skip
    platform.load()
    return platform


def test_a_segment_reaches_a_person_only_through_a_consented_link_that_lasts_and_names_them_alone(
    platform: Platform,
) -> None:
    assert platform.people() == {
        "ada": ["dmp_segment_acme_s1=Motorists"],
        "bea": ["dmp_segment_acme_s1=Motorists"],
    }


def test_the_unit_tests_of_the_models_pass(platform: Platform) -> None:
    platform.hub.make("test", "--select", "stg_dmp__linked_devices,test_type:unit", "stg_dmp__segments,test_type:unit")


def test_nobody_is_made_of_a_platforms_ids_alone(platform: Platform) -> None:
    whose = platform.hub.query(
        "select count(*) from marts.customer_sources where source = 'dmp'"
        " and customer_id not in (select customer_id from marts.customer_sources where source <> 'dmp')"
    )
    assert whose == [(0,)]


def test_a_full_refresh_changes_nothing_downstream(platform: Platform) -> None:
    before = published(platform)
    assert before
    platform.forget()
    rmtree(platform.folder / "memory")
    platform.load()
    assert published(platform) == before


def test_changes_and_a_withdrawal_reach_the_golden_record_in_the_next_run(platform: Platform) -> None:
    platform.drop("memberships_delta_20261002", "id,segment_id,op", "cookie-agreed,s2,add", "cookie-agreed,s1,remove")
    platform.drop("id_links_delta_20261002", HEADER, "cookie,cookie-carded,card,2800000000017,0,")
    platform.load()
    assert platform.people() == {"ada": ["dmp_segment_acme_s2=Skiers"]}


def published(platform: Platform) -> list[tuple[Any, ...]]:
    """What the golden values and their records say."""
    columns = {
        "customer_values": "source, stream, record_key, attribute, value, kind, rank, observed_at, customer_id",
        "customer_sources": "source, stream, record_key, customer_id",
    }
    return [
        row
        for table, named in columns.items()
        for row in platform.hub.query(f"select '{table}', {named} from marts.{table} order by all")
    ]
