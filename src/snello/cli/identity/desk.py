"""What a decision is made with: what is published, what was decided before, and who decides."""

from __future__ import annotations

import getpass
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from snello import settings
from snello.cli.tables import Tables, manifest
from snello.errors import ConfigError, ContractError
from snello.identity.decisions import SCHEMA, Act, Word, table, words
from snello.lake import Lake
from snello.lake.writer import TableWriter

NEXT = "run `meltano run unify` to apply it, `snello plan` to see first what it changes"
_NEEDED = (
    "customer_aliases",
    "customer_identifiers",
    "customer_sources",
    "customer_values",
    "customers",
    "identity_cuts",
    "identity_edges",
    "identity_events",
)


@dataclass
class Desk:
    """The published tables, and every word said so far; new words go straight to the lake."""

    lake: Lake
    tables: Tables
    said: list[Word]

    @classmethod
    def open(cls, *further: str) -> Desk:
        """The desk of the project in force; raises ``ContractError`` when nothing, or too old a shape, is published."""
        lake = Lake(settings.load().lake)
        manifest(lake)
        tables = Tables.published(lake, [*_NEEDED, *further])
        newest = {"customer_sources": "joined_by", "identity_review": "worth"}
        shapes = {name: tables.rows(f"describe {name}") for name in newest if name in (*_NEEDED, *further)}
        if any(newest[name] not in {row["column_name"] for row in shape} for name, shape in shapes.items()):
            raise ContractError("decisions", "what is published is of an older version", "run `meltano run unify`")
        tables.rows(
            "create view records as select customer_id, source || '/' || stream || '/' || record_key as record,"
            " joined_by = 'person' as is_person from customer_sources"
        )
        return cls(lake, tables, said(lake))

    def act(self, author: str | None, reason: str | None, asking: str) -> Act:
        """A new decision by ``author``, else by whom git or the system names; asks for the reason on a terminal."""
        return Act.now(author or _somebody(), _reason(reason, asking), datetime.now(UTC), self.said)

    def customers(self, records: Iterable[str]) -> dict[str, str]:
        """The customers of some records, those that are published."""
        asked = {"records": sorted(set(records))}
        sql = "select record, customer_id from records where list_contains($records::varchar[], record)"
        return {row["record"]: row["customer_id"] for row in self.tables.rows(sql, asked)}

    def decide(self, said: Sequence[Word]) -> None:
        """Add the words to the lake, all of them or none."""
        writer = TableWriter(self.lake.raw_uri("snello", "decisions"), said[0].decision, SCHEMA)
        try:
            writer.append(table(said))
        finally:
            writer.close()
        self.said.extend(said)


def said(lake: Lake) -> list[Word]:
    """Every word that people said about records so far."""
    uri = lake.raw_tables().get(("snello", "decisions"))
    return words(Tables(lake).rows(lake.scan_sql(uri))) if uri else []


def _reason(given: str | None, asking: str) -> str:
    if given is None and sys.stdin.isatty():
        import typer

        given = str(typer.prompt(asking))
    if not given or not given.strip():
        raise ConfigError("decisions", "a decision needs a reason", "give it with --reason")
    return given.strip()


def _somebody() -> str:
    try:
        asked = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False)
        named = asked.stdout.strip()
    except OSError:
        named = ""
    try:
        return named or getpass.getuser()
    except (KeyError, OSError):
        raise ConfigError("decisions", "nobody is named as the author", "give --author") from None
