from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.activation.gating import codes, deliver, kept, people, planned, sent, stage_of

from snello.activation.gates.addresses import hashed, odd
from snello.activation.gates.case import Case
from snello.activation.suppressions import address_hash
from snello.errors import ConfigError
from snello.identifiers import email_is_placeholder, normalise_email, normalise_phone, phone_is_placeholder
from snello.kit.channel.rehearsal import SALT

TEXT = pa.schema([("customer_id", pa.string()), ("email", pa.string()), ("phone", pa.string())])


def test_a_member_without_a_required_value_is_kept_back_and_removed(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, required=["email", "orders"])
    stage.publish(people(4, orders=1))
    deliver(stage, planned(stage))
    rows = people(4, orders=1)
    rows[0]["email"], rows[1]["email"], rows[2]["orders"] = None, "  ", None
    stage.publish(rows)
    plan = planned(stage)
    assert kept(plan)["c0000"] == ("quality", "missing_email", False)
    assert sent(plan) == {"c0000": "missing_email", "c0001": "missing_email", "c0002": "missing_orders"}


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("email", "ada@posta.example", None),
        ("email", " Ada@Posta.example ", None),
        ("email", "ada@posta", "invalid_contact"),
        ("email", "nomail@posta.example", "invalid_contact"),
        ("email", "aaaa@posta.example", "invalid_contact"),
        ("email", "n/a", "invalid_contact"),
        ("email", "", "missing_contact"),
        ("email", None, "missing_contact"),
        ("phone", "+393331234560", None),
        ("phone", "333 1234560", None),
        ("phone", "+393333333333", "invalid_contact"),
        ("phone", "+39333", "invalid_contact"),
        ("phone", None, "missing_contact"),
    ],
)
def test_an_address_must_be_one_that_reaches_somebody(
    tmp_path: Path, kind: str, value: str | None, code: str | None
) -> None:
    stage = stage_of(tmp_path, valid={"contact": kind})
    schema = pa.schema([("customer_id", pa.string()), ("contact", pa.string())])
    stage.publish([{"customer_id": "c1", "contact": value}], schema=schema)
    assert codes(planned(stage)).get("c1") == code


@pytest.mark.parametrize(
    "terms",
    [
        {"required": ["emial"]},
        {"valid": {"emial": "email"}},
        {"match_keys": ["emial"]},
        {"max_null_share": {"emial": 0}},
    ],
)
def test_a_setting_that_names_no_column_is_told_with_the_nearest_one(tmp_path: Path, terms: dict[str, Any]) -> None:
    stage = stage_of(tmp_path, **terms)
    stage.publish(people(1))
    with pytest.raises(ConfigError, match=r"has no column 'emial'\. Next: did you mean 'email'"):
        planned(stage)


PIECES = st.sampled_from(
    ["ada", "no-mail", "nomail", "x", "aa", "bb.cc", "a+b", "_z", "d..d", "posta", "libero", "è", "1"]
)
EMAILS = st.builds("{}{}@{}.{}".format, PIECES, PIECES, PIECES, st.sampled_from(["it", "example", "c", "co.uk"]))
PHONES = st.builds(
    "{}{}".format,
    st.sampled_from(["+39", "0039", "", "+49", "+39 "]),
    st.from_regex(r"[03][0-9]{5,10}", fullmatch=True),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(EMAILS | st.text(max_size=12), max_size=12), st.lists(PHONES | st.text(max_size=8), max_size=12))
def test_what_sql_takes_as_plain_is_what_the_identifiers_take(
    tmp_path_factory: pytest.TempPathFactory, emails: list[str], phones: list[str]
) -> None:
    stage = stage_of(tmp_path_factory.mktemp("plain"), valid={"email": "email", "phone": "phone"})
    size = max(len(emails), len(phones), 1)
    padded = [texts + ["ada@posta.example"] * (size - len(texts)) for texts in (emails, phones)]
    rows = [
        {"customer_id": f"c{n}", "email": one, "phone": other}
        for n, (one, other) in enumerate(zip(*padded, strict=True))
    ]
    stage.publish(rows, schema=TEXT)
    plan = planned(stage)
    for row in rows:
        email, phone = normalise_email(row["email"]), normalise_phone(row["phone"])
        good = bool(email and phone) and not email_is_placeholder(email) and not phone_is_placeholder(phone)
        assert (row["customer_id"] not in codes(plan)) is good, row
    ledger = stage.ledger()
    case = Case(plan.sync, plan.connection, stage.lake, ledger, SALT)
    for column in ("email", "phone"):
        strange = odd(case, column, column)
        spelling = f"coalesce(strange.value, {'lower(trim(email))' if column == 'email' else 'phone'})"
        query = f"select {column}, {hashed(case, spelling)} from published left join {strange} as strange"
        found = plan.connection.execute(f"{query} on strange.raw = {column}").fetchall()
        assert {(raw, key) for raw, key in found if address_hash(raw, SALT)} == {
            (raw, address_hash(raw, SALT)) for raw, _ in found if address_hash(raw, SALT)
        }
    ledger.close()
