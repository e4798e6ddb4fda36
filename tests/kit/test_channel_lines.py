from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello.errors import ContractError
from snello.kit.channel.feed import change_of
from snello.kit.channel.lines import Lines

COLUMNS = ["customer_id", "na me", "größe"]
TEXTS = st.one_of(st.none(), st.text(max_size=8))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), FINITE, st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=4), inner, max_size=2)),
    max_leaves=4,
)
ENVELOPE: dict[str, st.SearchStrategy[Any]] = {
    "_purpose": TEXTS,
    "_channel": TEXTS,
    "_consent": st.one_of(st.none(), st.fixed_dictionaries({"source": TEXTS}, optional={"state": TEXTS})),
    "_reason": TEXTS,
    "_batch": TEXTS,
    "_run_id": TEXTS,
    "_mode": st.sampled_from([None, "mirror", "update"]),
    "_customer": TEXTS,
    "_contact": st.one_of(st.none(), st.booleans()),
    "_moved_from": TEXTS,
}
NEEDED = {
    "_op": st.sampled_from(["upsert", "remove"]),
    "_key": st.text(min_size=1, max_size=8),
    "_fingerprint": st.text(min_size=1, max_size=8),
    **dict.fromkeys(COLUMNS, VALUES),
}


def line_of(record: dict[str, Any], stream: str = "s") -> bytes:
    return json.dumps({"type": "RECORD", "record": record, "time_extracted": "now", "stream": stream}).encode()


@given(st.fixed_dictionaries(NEEDED, optional={**ENVELOPE, "_later": VALUES, "other": VALUES}))
def test_a_line_read_at_once_is_the_change_that_its_record_makes(record: dict[str, Any]) -> None:
    line = line_of(record)
    found = Lines("s", COLUMNS).change(line)
    assert found is not None
    assert found == change_of(json.loads(line)["record"], "s", COLUMNS)
    assert list(found.payload) == COLUMNS


@pytest.mark.parametrize(
    ("more", "stream"),
    [
        ({"_op": "erase"}, "s"),
        ({"_key": ""}, "s"),
        ({"_key": 7}, "s"),
        ({"_fingerprint": None}, "s"),
        ({"_consent": "yes"}, "s"),
        ({"customer_id": float("inf")}, "s"),
        ({}, "another"),
    ],
)
def test_a_line_that_is_another_than_the_tap_writes_is_left_to_the_general_way(
    more: dict[str, Any], stream: str
) -> None:
    plain = {"_op": "upsert", "_key": "c1", "_fingerprint": "f", **dict.fromkeys(COLUMNS, 1)}
    assert Lines("s", COLUMNS).change(line_of(plain)) is not None
    assert Lines("s", COLUMNS).change(line_of({**plain, **more}, stream)) is None


@pytest.mark.parametrize("columns", [["customer_id"], ["customer_id", 'a "quoted" name']])
def test_an_audience_that_no_struct_can_hold_is_read_in_the_general_way(columns: list[str]) -> None:
    record = {"_op": "upsert", "_key": "c1", "_fingerprint": "f", **dict.fromkeys(columns, "x")}
    assert Lines("s", columns).change(line_of(record)) is None
    assert change_of(record, "s", columns).payload == dict.fromkeys(columns, "x")


@pytest.mark.parametrize("line", [b"", b"{", b'{"type": "RECORD", "record": {"_op": "ups'])
def test_half_a_line_is_no_change(line: bytes) -> None:
    assert Lines("s", COLUMNS).change(line) is None


def test_a_record_that_lacks_its_key_is_told_as_before() -> None:
    with pytest.raises(ContractError, match="lacks its _op, _key or _fingerprint"):
        change_of({"_op": "upsert", "_key": "", "_fingerprint": "f"}, "s", COLUMNS)
