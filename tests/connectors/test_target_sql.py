"""target-sql on SQLite, PostgreSQL and MariaDB: whose rows it writes, which of them, and what it leaves alone."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.target_sql_tables import Base, member, put, sink, take
from tests.servers.mariadb import mariadb, mariadb_server

from snello.errors import ConfigError, ContractError
from snello.kit.channel.rehearsal import Rehearsal
from target_sql import TargetSql

__all__ = ["mariadb", "mariadb_server"]


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    if request.param == "sqlite":
        return Base(f"sqlite:///{tmp_path / 'crm.db'}")
    url: str = request.getfixturevalue(request.param)
    return Base(url.replace("postgresql://", "postgresql+psycopg://"))


def people(base: Base) -> list[tuple[Any, ...]]:
    return base.rows("select no, name, visits, theirs from people order by no")


def with_people(base: Base, *rows: str) -> dict[str, Any]:
    """A table of others with these rows of theirs; the settings for two of its columns."""
    base.run(
        "create table people (no varchar(20) primary key, name varchar(20) not null, visits integer, "
        "theirs varchar(20), state varchar(10))",
        *(f"insert into people (no, name, visits, theirs) values ({row})" for row in rows),
    )
    return {"table": "people", "key": "no", "columns": {"name": "name", "visits": "visits"}}


def test_a_table_that_is_not_there_is_made_with_the_types_of_the_audience(base: Base) -> None:
    columns = ("name", "visits", "revenue", "born", "seen_at", "loyal", "shops")
    rows = sink(base.url, *columns, types={"name": "varchar(40)"})
    full = member(1, revenue=9.5, born="1970-01-31", seen_at="2026-03-01T10:00:00+02:00", loyal=True, shops=["MI"])
    assert put(rows, full, {"customer_id": "c2"}) == {"c1": "", "c2": ""}
    (one, two) = base.rows("select customer_id, name, visits, revenue, born, loyal from loyal order by customer_id")
    assert one[:4] == ("c1", "canary person 1", 1, 9.5)
    assert one[4] in (date(1970, 1, 31), "1970-01-31")
    assert bool(one[5])
    assert two == ("c2", None, None, None, None, None)
    ((seen,),) = base.rows("select seen_at from loyal where customer_id = 'c1'")
    moment = datetime.fromisoformat(seen) if isinstance(seen, str) else seen
    assert moment.replace(tzinfo=None) == datetime(2026, 3, 1, 8)


def test_a_repeated_batch_writes_nothing_and_a_changed_row_is_written_alone(base: Base) -> None:
    settings = with_people(base)
    rows = sink(base.url, "name", "visits", **settings)
    many = [member(n) for n in range(300)]
    assert set(put(rows, *many).values()) == {""}
    base.run("create table noticed (no varchar(20))")
    body = "insert into noticed values (new.no)"
    if "postgresql" in base.url:
        base.run(
            f"create function note() returns trigger language plpgsql as $$ begin {body}; return new; end $$",
            "create trigger noticing after update on people for each row execute function note()",
        )
    elif "sqlite" in base.url:
        base.run(f"create trigger noticing after update on people begin {body}; end")
    else:
        base.run(f"create trigger noticing after update on people for each row {body}")
    again = sink(base.url, "name", "visits", **settings)
    put(again, *many)
    assert base.rows("select * from noticed") == []
    put(again, *many[:-1], member(299, name="another"))
    assert base.rows("select * from noticed") == [("c299",)]
    assert len(people(base)) == 300


def test_of_a_shared_table_only_the_named_columns_are_touched_and_rows_of_others_stay(base: Base) -> None:
    settings = with_people(base, "'x1', 'theirs', 5, 'kept'")
    rows = sink(base.url, "name", "visits", **settings)
    assert put(rows, member(1), member(2)) == {"c1": "", "c2": ""}
    base.run("update people set theirs = 'noted' where no = 'c1'")
    assert put(rows, member(1, name="new"), member(2)) == {"c1": "", "c2": ""}
    assert take(rows, "c2", "x1") == {"c2": "", "x1": "foreign_row"}
    assert people(base) == [("c1", "new", 1, "noted"), ("x1", "theirs", 5, "kept")]


def test_a_row_of_others_under_a_members_key_is_refused_unless_it_may_be_adopted(base: Base) -> None:
    settings = with_people(base, "'c1', 'theirs', 5, 'kept'")
    assert put(sink(base.url, "name", "visits", **settings), member(1), member(2)) == {"c1": "foreign_row", "c2": ""}
    assert people(base)[0] == ("c1", "theirs", 5, "kept")
    rows = sink(base.url, "name", "visits", adopt="update", **settings)
    assert put(rows, member(1)) == {"c1": ""}
    assert people(base)[0] == ("c1", "canary person 1", 1, "kept")


def test_an_adopted_row_is_never_deleted_but_emptied_of_what_is_ours(base: Base) -> None:
    settings = with_people(base, "'c1', 'theirs', 5, 'kept'") | {"columns": {"visits": "visits"}}
    rows = sink(base.url, "visits", adopt="update", **settings)
    assert put(rows, member(1)) == {"c1": ""}
    assert take(rows, "c1") == {"c1": ""}
    assert people(base) == [("c1", "theirs", None, "kept")]
    assert put(rows, member(1)) == {"c1": ""}
    assert take(rows, "c1", erase=True) == {"c1": ""}
    assert people(base) == [("c1", "theirs", None, "kept")]


def test_a_removal_may_empty_or_flag_and_an_erasure_deletes_what_we_put_there(base: Base) -> None:
    settings = with_people(base) | {"columns": {"visits": "visits", "name": "name"}}
    base.run("update people set name = name")
    flagged = sink(base.url, "name", "visits", removal="flag", flag_column="state", flag_held="in", **settings)
    assert put(flagged, member(1), member(2)) == {"c1": "", "c2": ""}
    assert take(flagged, "c1", "c2") == {"c1": "", "c2": ""}
    assert base.rows("select state from people") == [("removed",), ("removed",)]
    assert put(flagged, member(1)) == {"c1": ""}
    assert base.rows("select state from people where no = 'c1'") == [("in",)]
    emptying = sink(base.url, "visits", removal="null", **settings | {"columns": {"visits": "visits"}})
    assert take(emptying, "c1") == {"c1": ""}
    assert people(base)[0][2] is None
    assert put(emptying, member(1)) == {"c1": ""}
    assert take(emptying, "c1", "c2", erase=True) == {"c1": "", "c2": ""}
    assert people(base) == []


def test_a_removal_that_a_column_does_not_allow_is_refused_alone(base: Base) -> None:
    settings = with_people(base)
    rows = sink(base.url, "name", "visits", removal="null", **settings)
    put(rows, member(1))
    assert take(rows, "c1", "c9") == {"c1": "not_null", "c9": ""}
    assert people(base)[0][:3] == ("c1", "canary person 1", 1)


def test_a_row_that_two_syncs_write_to_stays_until_both_let_go(base: Base) -> None:
    settings = with_people(base)
    one = sink(base.url, "name", **settings | {"columns": {"name": "name"}})
    two = sink(base.url, "visits", sync="sql__visits", **settings | {"columns": {"visits": "visits"}})
    put(one, member(1))
    assert put(two, member(1)) == {"c1": ""}
    assert take(two, "c1") == {"c1": ""}
    assert people(base) == [("c1", "canary person 1", None, None)]
    put(two, member(1, visits=7))
    base.run("alter table people add column more integer")
    assert take(one, "c1") == {"c1": "not_null"}
    assert take(two, "c1") == {"c1": ""}
    assert take(one, "c1") == {"c1": ""}
    assert people(base) == []


def test_a_customer_who_is_another_now_keeps_the_row(base: Base) -> None:
    settings = with_people(base)
    rows = sink(base.url, "name", "visits", **settings)
    put(rows, member(1), member(2), member(3))
    base.run("update people set theirs = 'noted' where no = 'c1'")
    assert put(rows, member(8), moved_from="c1") == {"c8": ""}
    assert put(rows, member(3), moved_from="c2") == {"c3": ""}
    assert [(no, theirs) for no, _, _, theirs in people(base)] == [("c3", None), ("c8", "noted")]
    assert take(rows, "c3", "c8") == {"c3": "", "c8": ""}
    assert people(base) == []


def test_insert_and_append_leave_what_is_there_and_update_adds_nothing(base: Base) -> None:
    settings = with_people(base, "'c1', 'theirs', 5, 'kept'") | {"adopt": "update"}
    rows = sink(base.url, "name", "visits", **settings)
    for mode in ("insert", "append"):
        assert put(rows, member(1), member(2), mode=mode) == {"c1": "", "c2": ""}
    assert put(rows, member(2, name="changed"), mode="append") == {"c2": ""}
    assert [row[1] for row in people(base)] == ["theirs", "canary person 2"]
    assert put(rows, member(1), member(9), mode="update") == {"c1": "", "c9": "not_there"}
    assert [row[1] for row in people(base)] == ["canary person 1", "canary person 2"]


def test_a_replacement_is_seen_when_it_is_whole_and_not_at_all_when_it_is_given_up(base: Base) -> None:
    settings = with_people(base, "'x1', 'theirs', 5, 'kept'")
    rows = sink(base.url, "name", "visits", **settings)
    put(rows, member(1), member(2))
    rows.begin(2)
    assert put(rows, member(2, visits=7), mode="replace") == {"c2": ""}
    assert put(rows, member(3), mode="replace") == {"c3": ""}
    if "sqlite" not in base.url:
        assert [row[0] for row in people(base)] == ["c1", "c2", "x1"]
    rows.abandon()
    assert [row[:3:2] for row in people(base)] == [("c1", 1), ("c2", 2), ("x1", 5)]
    rows.begin(2)
    put(rows, member(2, visits=7), member(3), member(4, name=None), mode="replace")
    assert list(rows.commit()) == []
    assert [row[:3:2] for row in people(base)] == [("c2", 7), ("c3", 3), ("x1", 5)]
    assert [held.key for held in rows.listing()] == ["c2", "c3"]
    assert rows.size().size == 2


@pytest.mark.parametrize("number", [3, 300], ids=["few", "many"])
def test_rows_of_every_type_change_and_come_to_nothing_in_few_and_in_many(base: Base, number: int) -> None:
    columns = ("name", "visits", "revenue", "born", "seen_at", "loyal", "shops")
    rows = sink(base.url, *columns)
    full = {"revenue": 9.5, "born": "1970-01-31", "seen_at": "2026-03-01T10:00:00Z", "loyal": True, "shops": ["MI"]}
    other = {"revenue": 1e-3, "born": "2000-02-29", "seen_at": None, "loyal": False, "shops": ["à", {"n": None}]}
    for values in (full, other, dict.fromkeys(full), full):
        assert set(put(rows, *(member(n, **values) for n in range(number))).values()) == {""}
        held = base.rows("select distinct revenue, cast(born as char(10)), loyal from loyal")
        loyal = values["loyal"] if values["loyal"] is None else bool(values["loyal"])
        assert held == [(values["revenue"], values["born"], loyal)]
        texts = base.rows(f"select cast(shops as {'char' if 'mysql' in base.url else 'text'}) from loyal")
        shops = {text and json.dumps(json.loads(text)) for (text,) in texts}
        assert shops == {json.dumps(values["shops"]) if values["shops"] else None}


@pytest.mark.parametrize("mode", ["mirror", "upsert", "insert", "update", "replace"])
def test_a_sync_of_each_mode_runs_from_tap_to_table_with_a_receipt_a_row(mode: str, base: Base, tmp_path: Path) -> None:
    settings = with_people(base, "'c1', 'theirs', 5, 'kept'")
    stage = Rehearsal(tmp_path, "sql__loyal", mode=mode, max_removal_share=1)
    config = {"url": base.url, "adopt": "update", **settings}
    stage.publish([member(1), member(2)])
    assert "sql__loyal" in stage.run(TargetSql, config)
    stage.publish([member(1, visits=7)], others=["c2"])
    stage.run(TargetSql, config)
    held = {no: visits for no, _, visits, _ in people(base)}
    assert (
        held
        == {
            "mirror": {"c1": 7},
            "replace": {"c1": 7},
            "upsert": {"c1": 7, "c2": 2},
            "insert": {"c1": 5, "c2": 2},
            "update": {"c1": 7},
        }[mode]
    )
    ledger = stage.ledger()
    codes = {(row["key"], row["op"], row["status"], row["code"]) for row in ledger.receipts(stage.sync)}
    ledger.close()
    assert (("c2", "upsert", "refused", "not_there") in codes) == (mode == "update")
    assert (("c2", "remove", "delivered", "") in codes) == (mode in ("mirror", "replace"))
    assert stage.messages().count('"RECORD"') == 0


def test_a_row_that_does_not_fit_is_refused_alone_with_its_word(base: Base) -> None:
    settings = with_people(base)
    base.run("create unique index one_name on people (name)")
    rows = sink(base.url, "name", "visits", **settings)
    good = [member(n, name=f"good {n}") for n in range(40)]
    bad = {
        "b1": ({"name": None}, "not_null"),
        "b2": ({"name": "good 1"}, "unique"),
        "b3": ({"name": "x", "visits": "many"}, "bad_value"),
        "k" * 300: ({"name": "y"}, "too_long"),
    }
    if "sqlite" not in base.url:  # which holds any length in any column
        bad |= {"b4": ({"name": "l" * 21}, "too_long"), "b5": ({"name": "z", "visits": 2**40}, "out_of_range")}
    told = put(rows, *good, *({"customer_id": key, **values} for key, (values, _) in bad.items()))
    assert {key: code for key, code in told.items() if code} == {key: code for key, (_, code) in bad.items()}
    assert len(people(base)) == 40


def test_when_row_after_row_is_refused_and_none_taken_it_is_not_the_rows(base: Base) -> None:
    rows = sink(base.url, "name", "visits", **with_people(base))
    with pytest.raises(ContractError, match="refused 25 rows one by one and took none, last with code not_null"):
        put(rows, *(member(n, name=None) for n in range(100)))
    assert people(base) == []


def test_a_table_or_column_that_is_not_there_is_told_with_the_nearest_name(base: Base) -> None:
    settings = with_people(base)
    with pytest.raises(ConfigError, match=r"peopel: there is no such table. Next: did you mean 'people'\?"):
        put(sink(base.url, "name", **settings | {"table": "peopel", "create": False}), member(1))
    with pytest.raises(ConfigError, match=r"no column nam. Next: did you mean 'name'\?"):
        put(sink(base.url, "name", **settings | {"columns": {"name": "nam"}}), member(1))
    with pytest.raises(ConfigError, match=r"the audience has no nmae. Next: did you mean 'name'\?"):
        put(sink(base.url, "name", **settings | {"columns": {"nmae": "name"}}), member(1))
    with pytest.raises(ConfigError, match="column theirs may hold a value twice"):
        put(sink(base.url, "name", "visits", **settings | {"key": "theirs"}), member(1))


def test_a_key_that_is_a_number_in_the_table_is_found_again(base: Base) -> None:
    base.run("create table cards (no integer primary key, visits integer)")
    rows = sink(base.url, "visits", table="cards", key="no")
    told = put(rows, {"customer_id": "7", "visits": 1}, {"customer_id": "07"}, {"customer_id": "x"})
    assert told == {"7": "", "07": "key_collides", "x": "bad_value"}
    assert put(rows, {"customer_id": "7", "visits": 2}) == {"7": ""}
    assert base.rows("select no, visits from cards") == [(7, 2)]
    assert take(rows, "7", "x") == {"7": "", "x": ""}
    assert base.rows("select no from cards") == []
