"""A merge by a bridging record, undone by a decision: ids, values, consents and audiences are as before."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from snello.activation import Planner
from snello.cli.identity import deciding
from snello.dbt.publish import publish
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.kit.records import records_of
from snello.lake import Lake

if TYPE_CHECKING:
    from conftest import Hub

    Days = tuple[Hub, "Day", "Day", "Day"]

SYNC = "brevo__long_absent"
GIVEN, LONG_AGO = datetime(2022, 1, 1, tzinfo=UTC), datetime(2023, 3, 10, 8, tzinfo=UTC)


def namesake(number: int, email: str, mobile: str, city: str) -> dict[str, list[dict[str, Any]]]:
    """One Mario Rossi: in the CRM with consent, in the shop with an order of long ago."""
    name = {"first_name": "Mario", "last_name": "Rossi"}
    return {
        "crm.customers": [{"customer_no": number, **name, "email": email, "mobile": mobile, "city": city}],
        "crm.consents": [
            {"consent_id": number * 10, "customer_no": number, "purpose": "email_marketing", "channel": "email",
             "granted": True, "legal_basis": "consent", "given_at": GIVEN}
        ],
        "shop.customers": [{"id": number, **name, "email": email}],
        "shop.orders": [
            {"id": number, "customer_id": number, "status": "completed", "total": "70.00",
             "date_created_gmt": LONG_AGO, "billing": name}
        ],
    }  # fmt: skip


def wallet() -> dict[str, list[dict[str, Any]]]:
    """Six cards of one Bruno, each in place of the one before; and one that says three people."""
    bruno = {"first_name": "Bruno", "last_name": "Serra", "birth_date": date(1975, 1, 9)}
    cards = [
        {"card_no": f"290000000006{n}", **bruno, "phone": "3470000050", "issued_on": date(2010 + n, 1, 1),
         "replaces_card": f"290000000006{n - 1}" if n else None}
        for n in range(6)
    ]  # fmt: skip
    shared = {
        "card_no": "2900000000070", **bruno, "email": "carla.melis@posta.example", "phone": "3470000052",
        "issued_on": date(2022, 1, 1),
    }  # fmt: skip
    moves = [
        {"movement_id": f"00000000060{n}", "card_no": f"290000000006{n}", "moved_on": date(2026, 9, 1),
         "moved_at_time": "0930", "shop": "00101", "kind": "A", "points": 10, "amount_cents": 1000}
        for n in range(6)
    ]  # fmt: skip
    people = [
        {"customer_no": 50, **bruno, "mobile": "3470000050"},
        {"customer_no": 51, "first_name": "Carla", "last_name": "Melis", "birth_date": date(1977, 5, 20),
         "email": "carla.melis@posta.example"},
        {"customer_no": 52, "first_name": "Dino", "last_name": "Serra", "birth_date": date(2004, 10, 10),
         "mobile": "3470000052"},
    ]  # fmt: skip
    return {"crm.customers": people, "loyalty.cards": [*cards, shared], "loyalty.movements": moves}


def together(*parts: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        for table, rows in deepcopy(part).items():
            found.setdefault(table, []).extend(rows)
    return found


BRIDGE = {
    "crm.customers": [
        {"customer_no": 3, "first_name": "Mario", "last_name": "Rossi", "email": "mario@posta.example",
         "mobile": "3488877602"}
    ]
}  # fmt: skip
ONE = namesake(1, "mario@posta.example", "3331234501", "Verona")
OTHER = namesake(2, "rossi.m@altra.example", "3488877602", "Palermo")
# One woman with two mailboxes, as only a person can know: the dealers have her consent, the shop her last order.
ADA = {
    "crm.customers": [{"customer_no": 60, "first_name": "Ada", "last_name": "Verdi", "email": "ada@posta.example"}],
    "crm.consents": [
        {"consent_id": 600, "customer_no": 60, "purpose": "email_marketing", "channel": "email", "granted": True,
         "legal_basis": "consent", "given_at": GIVEN}
    ],
    "shop.customers": [{"id": 60, "first_name": "Ada", "last_name": "Verdi", "email": "verdi.a@altra.example"}],
    "shop.orders": [
        {"id": 60, "customer_id": 60, "status": "completed", "total": "70.00", "date_created_gmt": LONG_AGO,
         "billing": {"first_name": "Ada", "last_name": "Verdi"}}
    ],
}  # fmt: skip
# Only the workshop knows that the dealers' Livia and the shop's are one; of Nora each of them tells the mailbox itself.
WORKSHOP = {
    "crm.customers": [
        {"customer_no": 70, "first_name": "Livia", "last_name": "Conte", "mobile": "3470000070"},
        {"customer_no": 71, "first_name": "Nora", "last_name": "Fabbri", "email": "nora@posta.example"},
    ],
    "shop.customers": [
        {"id": 70, "first_name": "Livia", "last_name": "Conte", "email": "livia@posta.example"},
        {"id": 71, "first_name": "Nora", "last_name": "Fabbri", "email": "nora@posta.example"},
    ],
    "aftersales.registrations": [
        {"registration_no": 70, "holder_name": "Livia Conte", "email": "livia@posta.example", "phone": "3470000070",
         "product": "Aurora Alba", "registered_on": date(2020, 1, 1), "role": "owner"},
        {"registration_no": 71, "holder_name": "Nora Fabbri", "email": "nora@posta.example",
         "product": "Aurora Alba", "registered_on": date(2020, 1, 1), "role": "owner"},
    ],
}  # fmt: skip
FIRST, SECOND, BETWEEN = "crm/customers/1", "crm/customers/2", "crm/customers/3"
DEALERS, SHOPS = "crm/customers/60", "shop/customers/60"
OF_BOTH = ("crm/customers/1", "shop/customers/1", "crm/customers/2", "shop/customers/2")
EVENTS = (
    "select event, customer_id, from_customer_id, moved, cause from marts.identity_events"
    " where event <> 'birth' order by happened_at, event, customer_id"
)
ALIASES = "select alias, customer_id from marts.customer_aliases"
IDENTITY = (
    "build", "--select", "+identity_events", "+customer_aliases", "+customer_sources",
    "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test",
)  # fmt: skip


@dataclass
class Day:
    """One run: built, tested, published, and what the channel was sent."""

    ids: dict[str, str]
    events: list[tuple[Any, ...]]
    aliases: list[tuple[Any, ...]]
    values: list[tuple[Any, ...]]
    consents: list[tuple[Any, ...]]
    audience: set[str]
    sent: set[tuple[str, str]]


def run(hub: Hub) -> Day:
    hub.make("--write-json", "build", "--exclude-resource-type", "unit_test")
    lake = Lake(str(hub.lake))
    publish(hub.home / "warehouse.duckdb", hub.home / "target", lake)
    stage = Rehearsal(hub.home, sync=SYNC)
    ids = dict(hub.ids())
    return Day(
        ids,
        hub.query(EVENTS),
        hub.query(ALIASES),
        hub.query(
            "select customer_id, attribute, value, is_winner from marts.customer_values"
                  " where source || '/' || stream || '/' || record_key in (?, ?, ?, ?) order by all", OF_BOTH),
        hub.query("select customer_id, purpose, channel, state from marts.consent_current where customer_id in (?, ?)"
                  " order by all", [ids[FIRST], ids[SECOND]]),
        {row[0] for row in hub.query("select customer_id from activation.brevo__long_absent")},
        sent(stage),
    )  # fmt: skip


def sent(stage: Rehearsal) -> set[tuple[str, str]]:
    """What tap-activation would send now, and as a channel that takes everything writes it into the ledger."""
    ledger = stage.ledger()
    plan = Planner(stage.lake, ledger, SALT).plan(SYNC, f"{SYNC}@{publication(stage)}")
    rows = [row for table in plan.tables() for row in records_of(table)]
    fixed = {"sync": SYNC, "status": "delivered", "code": "", "attempt": 1, "batch": None, "remote_id": None}
    ledger.record(
        [
            {**fixed, "key": row["_key"], "op": row["_op"], "run_id": row["_run_id"],
             "fingerprint": row["_fingerprint"], "tried": row["_fingerprint"]}
            for row in rows
        ]
    )  # fmt: skip
    ledger.close()
    return {(row["_op"], row["_key"]) for row in rows}


def publication(stage: Rehearsal) -> str:
    manifest = stage.lake.manifest()
    assert manifest is not None
    return manifest.run_id


@pytest.fixture(scope="module")
def days(make_hub: Callable[..., Hub]) -> Days:
    """Two namesakes; a record that bridges them; a person's word that they are two."""
    hub = make_hub(together(ONE, OTHER, ADA, WORKSHOP, wallet()))
    before = run(hub)
    more = make_hub(together(ONE, OTHER, ADA, WORKSHOP, wallet(), BRIDGE)).lake
    shutil.rmtree(hub.lake / "raw/crm/customers")
    shutil.copytree(more / "raw/crm/customers", hub.lake / "raw/crm/customers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNELLO_LAKE", str(hub.lake))
        patch.setenv("MELTANO_PROJECT_ROOT", str(hub.home))
        (hub.home / "meltano.yml").write_text("project_id: test\n")
        deciding.link(DEALERS, SHOPS, "anna", "she wrote from both")
        merged = run(hub)
        deciding.unlink(DEALERS, None, "bruno", "her sister wrote")
        deciding.unlink(SECOND, None, "anna", "two namesakes: both were called")
    return hub, before, merged, run(hub)


def of_namesakes(day: Day) -> list[tuple[Any, ...]]:
    """The events of the two Marios and the record that bridges them."""
    ids = {day.ids[record] for record in (*OF_BOTH, BETWEEN)}
    return [row for row in day.events if {row[1], row[2]} & ids]


def test_a_bridging_record_merges_and_the_elder_stays(days: Days) -> None:
    _, before, merged, _ = days
    assert len({before.ids[record] for record in OF_BOTH}) == 2
    [elder] = {merged.ids[record] for record in (*OF_BOTH, BETWEEN)}
    [younger] = {before.ids[record] for record in OF_BOTH} - {elder}
    moved = sorted(record for record in OF_BOTH if before.ids[record] == younger)
    [(event, customer, origin, records, cause)] = of_namesakes(merged)
    assert (event, customer, origin, records) == ("merge", elder, younger, moved)
    assert cause
    assert (younger, elder) in merged.aliases


def test_the_decision_restores_both_ids_values_and_consents(days: Days) -> None:
    _, before, merged, after = days
    assert {record: after.ids[record] for record in OF_BOTH} == {record: before.ids[record] for record in OF_BOTH}
    assert after.values == before.values
    assert after.consents == before.consents
    [(_, customer, origin, records, cause)] = [row for row in of_namesakes(after) if row[0] == "restore"]
    [merge] = of_namesakes(merged)
    # the bridge goes to the side to which its evidence is ahead, or to neither
    assert (customer, origin) == (merge[2], merge[1])
    assert [record for record in records if record != BETWEEN] == merge[3]
    assert "decision" in cause
    assert customer not in dict(after.aliases)


def test_the_next_activation_moves_the_rows_back(days: Days) -> None:
    _, before, merged, after = days
    [(_, elder, younger, *_)] = of_namesakes(merged)
    assert before.audience == {elder, younger}
    assert merged.audience - {merged.ids[DEALERS]} == {elder}
    assert ("remove", younger) in merged.sent
    assert after.audience == before.audience
    assert ("upsert", younger) in after.sent
    assert ("remove", elder) not in after.sent


def test_a_link_joins_what_no_rule_does_and_to_unlink_it_restores_both(days: Days) -> None:
    _, before, merged, after = days
    assert before.ids[DEALERS] != before.ids[SHOPS]
    assert merged.ids[DEALERS] == merged.ids[SHOPS]
    [(event, elder, younger, _, cause)] = [row for row in merged.events if row not in of_namesakes(merged)]
    assert (event, cause) == ("merge", "decision")
    assert (younger, elder) in merged.aliases
    assert {record: after.ids[record] for record in (DEALERS, SHOPS)} == {
        record: before.ids[record] for record in (DEALERS, SHOPS)
    }
    [back] = [row for row in after.events if row[0] == "restore" and row not in of_namesakes(after)]
    assert back[1:3] == (younger, elder)
    assert younger not in dict(after.aliases)


def test_whom_a_link_brought_into_an_audience_leaves_it_when_it_is_undone(days: Days) -> None:
    _, _, merged, after = days
    together = merged.ids[DEALERS]
    assert together in merged.audience
    assert ("upsert", together) in merged.sent
    assert not {after.ids[DEALERS], after.ids[SHOPS]} & after.audience
    assert ("remove", together) in after.sent


def test_six_cards_in_one_wallet_are_one_customer_whose_points_count_once(days: Days) -> None:
    hub, _, _, after = days
    cards = {after.ids[f"loyalty/cards/290000000006{n}"] for n in range(6)}
    assert cards == {after.ids["crm/customers/50"]}
    with duckdb.connect(str(hub.home / "warehouse.duckdb"), read_only=True) as connection:
        points = connection.execute(
            "select sum(points), count(*) from marts.card_movements where customer_id = ?", [cards.pop()]
        ).fetchall()
    assert points == [(60, 6)]


def test_one_card_of_three_people_merges_none_of_them(days: Days) -> None:
    _, _, _, after = days
    people = [after.ids[f"crm/customers/{number}"] for number in (50, 51, 52)]
    assert len(set(people)) == 3
    assert after.ids["loyalty/cards/2900000000070"] not in people[1:]


def test_who_is_one_only_by_a_record_that_a_purpose_may_not_know_is_listed_for_that_purpose(days: Days) -> None:
    hub, _, _, after = days
    assert after.ids["crm/customers/70"] == after.ids["shop/customers/70"]
    assert after.ids["crm/customers/71"] == after.ids["shop/customers/71"]
    listed = hub.query(
        "select purpose, parts, records from marts.identity_bridges where customer_id = ? order by purpose",
        [after.ids["crm/customers/70"]],
    )
    # the shop's notice does not cover calls: of her that purpose knows the dealers' record alone
    assert listed == [(purpose, 2, 2) for purpose in ("ads_audiences", "email_marketing", "profiling", "sms_marketing")]
    assert not hub.query("select * from marts.identity_bridges where customer_id = ?", [after.ids["crm/customers/71"]])


def test_who_is_one_only_by_a_record_that_a_purpose_may_not_know_is_nobody_to_that_purpose(days: Days) -> None:
    hub, _, _, after = days
    bridged, whole = after.ids["crm/customers/70"], after.ids["crm/customers/71"]
    known = "select purpose from marts.customers_by_purpose where customer_id = ? order by purpose"
    assert hub.query(known, [bridged]) == [("phone_marketing",), ("service",)]
    assert len(hub.query(known, [whole])) == 6


def test_a_lost_warehouse_changes_nobody_and_tells_no_event(days: Days) -> None:
    hub, _, _, after = days
    for file in hub.home.glob("warehouse.duckdb*"):
        file.unlink()
    hub.make(*IDENTITY)
    assert dict(hub.ids()) == after.ids
    assert hub.query(EVENTS) == after.events
    assert hub.query(ALIASES) == after.aliases
