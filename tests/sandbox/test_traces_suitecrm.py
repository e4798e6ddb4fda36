from __future__ import annotations

import html
from pathlib import Path

import httpx
import polars as pl
import pytest

from snello.errors import ConfigError
from snello.sandbox import files
from snello.sandbox.draw import Draw
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.suitecrm import CLIENT_ID, CLIENT_SECRET
from snello.sandbox.emulators.suitecrm_company import MODULES, of_company
from snello.sandbox.people import People, make_people
from snello.sandbox.traces import Traces, handles
from snello.sandbox.traces.suitecrm import trace

from .conftest import AS_OF, SEED

LOGIN = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
MOMENTS = ("date_entered", "date_modified", "date_start", "date_end")


@pytest.fixture(scope="module")
def traces(people: People) -> Traces:
    return trace(people, Draw(SEED, "suitecrm", AS_OF))


def write(traces: Traces, company: Path) -> Path:
    for name, frame in traces.tables.items():
        files.arrow(frame, company / "suitecrm" / f"{name}.arrow")
    return company


def told(traces: Traces, table: str) -> dict[str, str]:
    """The handles of a table, as they are spelt, by record."""
    frame = traces.tables[table].filter(pl.col("bluesky_c") != "")
    return dict(frame.select("id", "bluesky_c").iter_rows())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(people: People, tmp_path: Path) -> None:
    def bytes_of(seed: int, folder: str) -> list[bytes]:
        company = write(trace(people, Draw(seed, "suitecrm", AS_OF)), tmp_path / folder)
        return [(company / "suitecrm" / f"{name}.arrow").read_bytes() for name in MODULES]

    first, other = bytes_of(SEED, "one"), bytes_of(SEED + 1, "other")
    assert bytes_of(SEED, "two") == first
    assert not set(first) & set(other)


def test_the_truth_speaks_of_every_contact_and_lead_and_of_nothing_else(traces: Traces) -> None:
    truth = pl.concat(traces.truth)
    assert set(truth["source"]) == {"suitecrm"}
    for stream in ("contacts", "leads"):
        keys = truth.filter(stream=stream)["record_key"]
        assert keys.to_list() == traces.tables[stream]["id"].to_list()
        assert keys.n_unique() == len(keys) > 50
    assert set(truth["stream"]) == {"contacts", "leads"}


def test_a_third_of_those_with_an_account_at_bluesky_told_their_handle_here(people: People, traces: Traces) -> None:
    fans = handles.fans(people)
    right = dict(zip(fans.tolist(), handles.handle(people, fans), strict=True))
    person = dict(pl.concat(traces.truth).select("record_key", "person_id").iter_rows())
    spelt = told(traces, "contacts") | told(traces, "leads")
    assert {key: handle.removeprefix("@") for key, handle in spelt.items()} == {
        key: right[person[key]] for key in spelt
    }
    assert {handle[0] == "@" for handle in spelt.values()} == {True, False}
    assert 0.2 < len({person[key] for key in spelt}) / len(fans) < 0.5


def test_who_has_an_account_and_its_handle_hang_on_the_people_alone(people: People) -> None:
    fans = handles.fans(people)
    assert 0.015 < len(fans) / len(people) < 0.025
    assert handles.handle(people, fans).n_unique() == len(fans)
    assert (handles.handle(people, fans) == handles.handle(people, fans).str.to_lowercase()).all()
    assert handles.fans(make_people(len(people), SEED + 1, AS_OF)).tolist() == fans.tolist()


def test_what_points_to_another_record_finds_it(traces: Traces) -> None:
    tables = traces.tables
    ids = {name: set(frame["id"]) for name, frame in tables.items()}
    pointers = {
        "contacts": {"account_id": "accounts"},
        "leads": {"account_id": "accounts", "contact_id": "contacts", "opportunity_id": "opportunities",
                  "campaign_id": "campaigns"},
        "opportunities": {"account_id": "accounts"},
        "cases": {"contact_created_by_id": "contacts"},
    }  # fmt: skip
    for name, fields in pointers.items():
        for field, other in fields.items():
            found = set(tables[name][field]) - {""}
            assert found, f"{name}.{field}"
            assert found <= ids[other], f"{name}.{field}"
    for name in ("calls", "meetings"):
        for kind, number in tables[name].select("parent_type", "parent_id").iter_rows():
            assert number in ids[kind.lower()]


def test_a_converted_lead_is_the_person_of_its_contact(traces: Traces) -> None:
    person = dict(pl.concat(traces.truth).select("record_key", "person_id").iter_rows())
    converted = traces.tables["leads"].filter(converted="1")
    assert converted.height > 10
    for lead, contact in converted.select("id", "contact_id").iter_rows():
        assert person[lead] == person[contact]


def test_nothing_was_written_down_after_the_present(traces: Traces) -> None:
    present = f"{AS_OF:%Y-%m-%d %H:%M:%S}"
    for name, frame in traces.tables.items():
        assert (frame["date_entered"] < present).all(), name
        assert (frame["date_modified"] < present).all(), name
    planned = pl.col("status") == "Planned"
    assert traces.tables["calls"].filter(planned)["date_start"].min() > present  # type: ignore[operator]
    assert traces.tables["calls"].filter(~planned)["date_start"].max() < present  # type: ignore[operator]


@pytest.mark.parametrize("size", [0, 10])
def test_suitecrm_serves_every_row_of_the_company_and_no_other(traces: Traces, tmp_path: Path, size: int) -> None:
    if size:
        traces = trace(make_people(size, SEED, AS_OF), Draw(SEED, "suitecrm", AS_OF))
    with serve(of_company(write(traces, tmp_path))) as url, httpx.Client(base_url=url, trust_env=False) as client:
        token = client.post("/Api/access_token", data=LOGIN).json()["access_token"]
        for name, module in MODULES.items():
            answer = client.get(f"/Api/V8/module/{module}", headers={"Authorization": f"Bearer {token}"})
            held = {row["id"]: row for row in traces.tables[name].to_dicts()}
            assert {row["id"] for row in answer.json()["data"]} == held.keys()
            for row in answer.json()["data"]:
                kept = {field: value for field, value in held[row["id"]].items() if field not in ("id", *MOMENTS)}
                assert {field: row["attributes"][field] for field in kept} == kept


def test_names_are_kept_escaped_as_suitecrm_does(traces: Traces) -> None:
    names = pl.concat([traces.tables["accounts"]["name"], traces.tables["contacts"]["last_name"]])
    escaped = names.filter(names.str.contains("&", literal=True))
    assert len(escaped) > 3
    assert all(html.escape(html.unescape(name)).replace("&#x27;", "&#039;") == name for name in escaped)


def test_without_a_company_there_is_no_suitecrm(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make the company with"):
        of_company(tmp_path)
