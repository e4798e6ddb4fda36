"""Views of the lake in a database, without dbt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from snello.dbt.declared import Declared, declared_sources
from snello.dbt.views import Views
from snello.errors import ConfigError
from snello.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(str(tmp_path / "lake"))
    write_deltalake(made.raw_uri("shop", "customers"), pa.table({"id": [1, 2]}))
    return made


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        yield made


def test_views_stay_at_the_versions_they_were_made_of(lake: Lake, connection: duckdb.DuckDBPyConnection) -> None:
    views = Views.of(lake, [])
    write_deltalake(lake.raw_uri("shop", "customers"), pa.table({"id": [3]}), mode="append")
    views.create(connection)
    views.create(connection)
    assert connection.execute("select count(*) from raw_shop.customers").fetchall() == [(2,)]


def test_a_view_of_a_table_that_the_lake_no_longer_has_is_dropped(
    lake: Lake, connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute("create schema raw_old")
    connection.execute("create view raw_old.gone as select 1 as one")
    connection.execute("create view kept as select 1 as one")
    Views.of(lake, []).create(connection)
    found = connection.execute("select view_name from duckdb_views() where not internal").fetchall()
    assert sorted(found) == [("customers",), ("kept",)]


def test_published_activation_tables_have_a_schema_of_their_own(
    lake: Lake, connection: duckdb.DuckDBPyConnection
) -> None:
    lake.publish({"customers": pa.table({"a": [1]}), "activation/mail__all": pa.table({"b": [2]})}, run_id="r")
    Views.of(lake, []).create(connection)
    assert connection.execute("select a, b from published.customers, published_activation.mail__all").fetchall() == [
        (1, 2)
    ]


def test_names_that_need_quotes_are_quoted(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    lake = Lake(str(tmp_path / "lake"))
    write_deltalake(lake.raw_uri("contact-centre", "Order Lines"), pa.table({"select": [1]}))
    gaps = Views.of(lake, [Declared("raw_contact-centre", "Order Lines", {"group": "text"})]).create(connection)
    found = connection.execute('select "select", "group" from "raw_contact-centre"."Order Lines"').fetchall()
    assert found == [(1, None)]
    assert len(gaps) == 1


def test_a_source_of_which_nothing_came_is_told_by_its_name_and_its_tables_are_empty(
    lake: Lake, connection: duckdb.DuckDBPyConnection
) -> None:
    declared = [Declared("raw_gym", table, {"id": "bigint"}) for table in ("members", "visits")]
    views = Views.of(lake, [*declared, Declared("raw_shop", "orders", {"id": "bigint"})])
    (gap,) = views.create(connection)
    assert gap.startswith("raw_shop.orders: nothing was ever loaded")
    assert views.unheard() == ["gym"]
    assert connection.execute("select count(*) from raw_gym.members, raw_gym.visits").fetchall() == [(0,)]


def test_schemas_of_others_are_left_alone(lake: Lake, connection: duckdb.DuckDBPyConnection) -> None:
    assert Views.of(lake, [Declared("warehouse", "anything", {"a": "text"})]).create(connection) == []
    assert connection.execute("select 1 from duckdb_schemas() where schema_name = 'warehouse'").fetchall() == []


def test_sources_are_read_from_every_yaml_file(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: p\nmodel-paths: [m]\n")
    (tmp_path / "m" / "deep").mkdir(parents=True)
    (tmp_path / "m" / "a.yml").write_text(
        "sources: [{name: s, tables: [{name: t, columns: [{name: c, data_type: text}, {name: d}]}]}]\n"
    )
    (tmp_path / "m" / "deep" / "b.yaml").write_text(
        "sources: [{name: s, schema: raw_s, tables: [{name: t, identifier: i}]}]\nmodels: []\n"
    )
    assert declared_sources(tmp_path) == [Declared("s", "t", {"c": "text"}), Declared("raw_s", "i", {})]


def test_a_folder_without_a_project_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no dbt_project\.yml"):
        declared_sources(tmp_path)


def test_a_broken_yaml_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: p\nmodel-paths: [m\n")
    with pytest.raises(ConfigError, match=r"dbt_project\.yml is not YAML at line 3"):
        declared_sources(tmp_path)
