from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from snello.activation.audience import Audience
from snello.activation.sync import Sync
from snello.errors import ContractError
from snello.kit.channel.rehearsal import Rehearsal

MOMENT = datetime.datetime(2026, 3, 29, 1, 30, tzinfo=datetime.UTC)
MEMBER = {
    "customer_id": "c1",
    "email": 'ada "the\n first"@example.it',
    "visits": 7,
    "revenue": 12.5,
    "spent": Decimal("19.90"),
    "born": datetime.date(1815, 12, 10),
    "seen": MOMENT,
    "vip": True,
    "nothing": None,
    "tags": ["a", "b"],
}
PRINTS = {
    "c1": "f4e5173435b61ab036784effc5224cf7",
    "c2": "524186aead6f040199d3f47addd42a2d",
}


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path)


def audience_of(stage: Rehearsal, **terms: str) -> Audience:
    return Audience(stage.lake, Sync.read(stage.sync, {**stage.terms, **terms}), "salt", stage.ledger().engine)


def test_a_row_has_the_fingerprint_that_ledgers_know_it_by(stage: Rehearsal) -> None:
    schema = pa.Table.from_pylist([MEMBER]).schema.set(8, pa.field("nothing", pa.string()))
    stage.publish([MEMBER, {"customer_id": "c2"}], schema=schema)
    found = audience_of(stage).connection.execute("select key, fingerprint from printed").fetchall()
    assert dict(found) == PRINTS


def test_keys_that_are_numbers_are_named_as_texts(stage: Rehearsal) -> None:
    stage.publish([{"customer_id": "1", "number": 1}, {"customer_id": "2", "number": 2}])
    found = audience_of(stage, key="number").connection.execute("select key, customer from printed").fetchall()
    assert sorted(found) == [("1", "1"), ("2", "2")]


def test_one_yes_is_needed_two_make_nobody_two_members_and_one_refusal_outweighs_them(stage: Rehearsal) -> None:
    yes = [("c1", "any", "yes"), ("c1", "email", "yes"), (None, "any", "yes")]
    no = [("c2", "any", "yes"), ("c2", "email", "no"), ("c3", "email", "no"), ("c3", "any", "yes")]
    unknown = [("c4", "email", None), ("c5", "sms", "yes"), (None, "email", None)]
    said = [*yes, *no, *unknown]
    consents = pa.table({name: [row[n] for row in said] for n, name in enumerate(("customer_id", "channel", "state"))})
    consents = consents.append_column("purpose", [["profiling"] * len(said)])
    stage.publish([{"customer_id": f"c{n}"} for n in range(1, 7)])
    stage.lake.publish({"consent_current": consents}, run_id="consents")
    connection = audience_of(stage, channel="email").connection
    assert connection.execute("select key, customer from printed").fetchall() == [("c1", "c1")]
    assert connection.execute("select count(*), count(*) filter (where consents) from members").fetchall() == [(6, 1)]


@pytest.mark.parametrize("column", ["customer_id", "event"])
def test_a_character_that_no_ledger_keeps_is_refused_in_key_and_customer(stage: Rehearsal, column: str) -> None:
    stage.publish([{"customer_id": "c1", "event": "e1", "number": 1}])
    row = {"customer_id": "c1", "event": "e1", "number": 1, column: "c\0"}
    stage.lake.publish({f"activation/{stage.sync}": pa.Table.from_pylist([row])}, run_id="x")
    with pytest.raises(ContractError, match="1 rows have a NUL character"):
        audience_of(stage, key="event")
