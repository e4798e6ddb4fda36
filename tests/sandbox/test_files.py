from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from snello.sandbox import World
from snello.sandbox.files import CARD_HEADER, MOVEMENT_WIDTHS

EUROS = r"^\d{1,3}(\.\d{3})*,\d{2}$"


def lines(path: Path, encoding: str = "utf-8") -> list[str]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return content.decode(encoding).splitlines()


@pytest.fixture(scope="module")
def faults(world: World) -> dict[str, set[tuple[str, int]]]:
    told = json.loads((world.company / "faults.json").read_text())
    return {stream: {(fault["file"], fault["line"]) for fault in rows} for stream, rows in told.items()}


def bad_cards(path: Path) -> Iterator[int]:
    with path.open(encoding="latin-1", newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter=";"), 1):
            if number > 1 and not good_card(row):
                yield number


def good_card(row: list[str]) -> bool:
    if len(row) != 18 or not pl.Series([row[17]]).str.contains(EUROS)[0]:
        return False
    try:
        return all(datetime.strptime(row[n], "%d/%m/%Y") for n in (3, 12) if row[n])
    except ValueError:
        return False


def bad_movements(path: Path) -> Iterator[int]:
    for number, line in enumerate(lines(path), 1):
        try:
            datetime.strptime(line[25:37], "%d%m%Y%H%M")
            good = len(line) == sum(MOVEMENT_WIDTHS.values()) and isinstance(int(line[43:50]), int)
        except ValueError:
            good = False
        if not good:
            yield number


def bad_calls(path: Path) -> Iterator[int]:
    yield from (number for number, row in enumerate(csv.reader(lines(path)), 1) if len(row) != 18)


def bad_events(path: Path) -> Iterator[int]:
    for number, line in enumerate(lines(path), 1):
        try:
            json.loads(line)
        except ValueError:
            yield number


@pytest.mark.parametrize(
    ("stream", "glob", "bad"),
    [
        ("loyalty.cards", "loyalty/cards_*.csv", bad_cards),
        ("loyalty.movements", "loyalty/movements_*.txt", bad_movements),
        ("contact_centre.calls", "contact_centre/cdr_*.csv.gz", bad_calls),
        ("marketing.newsletter", "marketing/newsletter_*.jsonl", bad_events),
    ],
)
def test_exactly_the_rows_that_the_truth_names_cannot_be_read(
    world: World, faults: dict[str, set[tuple[str, int]]], stream: str, glob: str, bad: type
) -> None:
    found = {
        (str(path.relative_to(world.company)), number) for path in world.company.glob(glob) for number in bad(path)
    }
    assert found == faults[stream]
    assert len(found) >= 3


def rows_in(world: World, glob: str, header: int = 0) -> int:
    return sum(len(lines(path, "latin-1")) - header for path in world.company.glob(glob))


@pytest.mark.parametrize(
    ("stream", "glob", "header"),
    [
        ("loyalty.cards", "loyalty/cards_*.csv", 1),
        ("loyalty.movements", "loyalty/movements_*.txt", 0),
        ("contact_centre.calls", "contact_centre/cdr_*.csv.gz", 0),
        ("marketing.newsletter", "marketing/newsletter_*.jsonl", 0),
    ],
)
def test_the_broken_rows_come_on_top_of_the_good_ones(
    world: World, faults: dict[str, set[tuple[str, int]]], stream: str, glob: str, header: int
) -> None:
    assert rows_in(world, glob, header) == world.rows[stream] + len(faults[stream])


def test_cards_keep_to_italian_conventions(world: World) -> None:
    for path in (world.company / "loyalty").glob("cards_*.csv"):
        assert lines(path, "latin-1")[0] == CARD_HEADER
        path.read_bytes().decode("latin-1").encode("latin-1")
    text = "".join(path.read_text("latin-1") for path in (world.company / "loyalty").glob("cards_*.csv"))
    assert ";S;" in text
    assert ";N;" in text
    with pytest.raises(UnicodeDecodeError):
        b"".join(path.read_bytes() for path in (world.company / "loyalty").glob("cards_*.csv")).decode()


def test_card_numbers_have_a_right_check_digit_and_replaced_cards_exist(world: World) -> None:
    rows = [
        row
        for path in (world.company / "loyalty").glob("cards_*.csv")
        for row in csv.reader(lines(path, "latin-1")[1:], delimiter=";")
        if len(row) == 18
    ]
    numbers = {row[0] for row in rows}
    for number in numbers:
        assert sum(int(c) * (3 if n % 2 else 1) for n, c in enumerate(number)) % 10 == 0
    replaced = {row[16] for row in rows} - {""}
    assert replaced
    assert replaced < numbers


def test_movements_of_a_replaced_card_end_when_its_successor_is_issued(world: World) -> None:
    issued, last = {}, {}
    for path in (world.company / "loyalty").glob("cards_*.csv"):
        for row in csv.reader(lines(path, "latin-1")[1:], delimiter=";"):
            if good_card(row) and row[16]:
                issued[row[16]] = datetime.strptime(row[12], "%d/%m/%Y").date()
    for path in sorted((world.company / "loyalty").glob("movements_*.txt")):
        bad = set(bad_movements(path))
        for number, line in enumerate(lines(path), 1):
            if number not in bad and line[12:25] in issued:
                last[line[12:25]] = datetime.strptime(line[25:33], "%d%m%Y").date()
    assert last
    assert all(moved <= issued[card] for card, moved in last.items())


def test_calls_have_the_exchanges_columns_and_some_ask_to_be_left_alone(world: World) -> None:
    rows = [
        row
        for path in (world.company / "contact_centre").glob("cdr_*.csv.gz")
        for row in csv.reader(lines(path))
        if len(row) == 18
    ]
    assert {row[14] for row in rows} == {"ANSWERED", "NO ANSWER", "BUSY", "FAILED"}
    assert len({row[16] for row in rows}) == len(rows)
    for row in rows:
        start, end = (datetime.fromisoformat(row[n]) for n in (9, 11))
        # Twice a year the wall clock jumps while somebody talks.
        assert (end - start).total_seconds() in {int(row[12]) + jump for jump in (0, -3600, 3600)}
        assert (row[10] == "") == (row[14] != "ANSWERED")
    assert any("optout=email_marketing" in row[17] for row in rows)


def test_social_leads_carry_a_consent_and_the_others_do_not(world: World) -> None:
    events = [
        json.loads(line) for path in (world.company / "marketing").glob("social_*.jsonl.gz") for line in lines(path)
    ]
    leads = [event for event in events if event["kind"] == "lead"]
    assert {event["consent_marketing"] for event in leads} == {True, False, None}
    assert all(event["email"] is None for event in events if event["kind"] != "lead")


def test_ad_clicks_are_tab_separated_and_few_became_leads(world: World) -> None:
    frames = [
        pl.read_csv(path, separator="\t", schema_overrides={"email": pl.String})
        for path in (world.company / "marketing").glob("ads_*.tsv")
    ]
    clicks = pl.concat(frames)
    assert clicks.columns == ["click_id", "campaign", "network", "cost", "currency", "email", "clicked_at"]
    assert 0.02 < clicks["email"].is_not_null().mean() < 0.2  # type: ignore[operator]
