"""Write the traces as the sources keep them: Parquet for the database, SQLite, CSV, fixed width, JSON lines, gzip.

Nothing here depends on the clock, so the same rows give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import sqlite3
from pathlib import Path

import polars as pl
from polars import CompatLevel

from snello.sandbox.drops import drops
from snello.sandbox.traces import Traces
from snello.sandbox.traces.contact_centre import COLUMNS as CALL_COLUMNS

GZIP_LEVEL = 3
CARD_HEADER = (
    "card_no;cognome;nome;data_nascita;sesso;codice_fiscale;email;telefono;indirizzo;cap;citta;provincia;"
    "data_emissione;punto_vendita;consenso_marketing;consenso_profilazione;carta_sostituita;saldo_euro"
)
CARD_COLUMNS = (
    "card_no", "last_name", "first_name", "birth_date", "sex", "tax_code", "email", "phone", "street", "postcode",
    "city", "province", "issued_on", "shop", "consent_marketing", "consent_profiling", "replaces_card", "balance",
)  # fmt: skip
MOVEMENT_WIDTHS = {
    "movement_id": 12,
    "card_no": 13,
    "date": 8,
    "time": 4,
    "shop": 5,
    "kind": 1,
    "points": 7,
    "amount_cents": 10,
}
SQLITE_TYPES = {
    pl.Int64: "INTEGER", pl.Int32: "INTEGER", pl.String: "TEXT", pl.Float64: "NUMERIC(10,2)", pl.Date: "DATE",
    pl.Datetime: "TIMESTAMP",
}  # fmt: skip
KEYS = {
    "registrations": "registration_no",
    "service_visits": "visit_no",
    "care_plans": "plan_no",
    "personalisations": "order_no",
}


def parquet(frame: pl.DataFrame, path: Path) -> None:
    """Parquet that every reader knows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path, compression="zstd", compression_level=1)


def arrow(frame: pl.DataFrame, path: Path) -> None:
    """Arrow's own file format, which a stand-in maps into memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_ipc(path, compat_level=CompatLevel.oldest())


def sqlite(tables: dict[str, pl.DataFrame], path: Path) -> None:
    """One SQLite file with a table a stream."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        for name, frame in tables.items():
            columns = [
                f"{column} {SQLITE_TYPES[dtype.base_type()]}{' PRIMARY KEY' if column == KEYS[name] else ''}"
                for column, dtype in frame.schema.items()
            ]
            database.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
            plain = frame.with_columns(
                pl.selectors.date().dt.to_string("%Y-%m-%d"),
                pl.selectors.datetime().dt.strftime("%Y-%m-%d %H:%M:%S.000000"),
            )
            marks = ", ".join("?" * frame.width)
            database.executemany(f"INSERT INTO {name} VALUES ({marks})", plain.iter_rows())
    database.close()


def partitions(frame: pl.DataFrame, by: pl.Expr) -> list[tuple[str, pl.DataFrame]]:
    """Rows by period, in order; the frame is sorted by time."""
    parts = frame.with_columns(by.alias("_period")).partition_by(
        "_period", maintain_order=True, as_dict=True, include_key=False
    )
    return [(str(key[0]), part) for key, part in parts.items()]


def quarter(column: str) -> pl.Expr:
    """Period such as 2026q3."""
    moment = pl.col(column)
    return moment.dt.year().cast(pl.String) + "q" + moment.dt.quarter().cast(pl.String)


def zipped(path: Path, content: bytes) -> None:
    """A gzip file without a time of its own."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=GZIP_LEVEL, mtime=0) as out,
    ):
        out.write(content)


def lines(texts: pl.Series, encoding: str = "utf-8", end: str = "\n") -> bytes:
    """Texts as lines."""
    return (texts.str.join(end).item() + end).encode(encoding) if len(texts) else b""


def cards(frame: pl.DataFrame, folder: Path) -> None:
    """Registry of cards, a CSV a year of issue with Italian conventions, in Latin-1."""
    folder.mkdir(parents=True, exist_ok=True)
    euros = pl.col("balance") // 100
    shaped = frame.with_columns(
        pl.selectors.date().dt.strftime("%d/%m/%Y"),
        balance=_thousands(euros) + "," + (pl.col("balance") % 100).cast(pl.String).str.zfill(2),
        _year=pl.col("issued_on").dt.year(),
    )
    for year, part in partitions(shaped, pl.col("_year")):
        text = part.select(CARD_COLUMNS).write_csv(separator=";", include_header=False, line_terminator="\r\n")
        (folder / f"cards_{year}.csv").write_bytes((CARD_HEADER + "\r\n" + text).encode("latin-1"))


def _thousands(number: pl.Expr) -> pl.Expr:
    """Whole part with the Italian dot between thousands (up to a million)."""
    text = number.cast(pl.String)
    return pl.when(number >= 1000).then((number // 1000).cast(pl.String) + "." + text.str.slice(-3)).otherwise(text)


def movements(frame: pl.DataFrame, folder: Path) -> None:
    """Point movements, a fixed-width file a quarter."""
    folder.mkdir(parents=True, exist_ok=True)
    moment = pl.col("moved_us").cast(pl.Datetime("us"))
    points = pl.col("points")
    signed = (
        pl.when(points < 0)
        .then("-" + points.abs().cast(pl.String).str.zfill(6))
        .otherwise(points.cast(pl.String).str.zfill(7))
    )
    line = pl.concat_str(
        pl.col("movement_id").cast(pl.String).str.zfill(12),
        "card_no",
        moment.dt.strftime("%d%m%Y%H%M"),
        "shop",
        "kind",
        signed,
        pl.col("amount_cents").cast(pl.String).str.zfill(10),
    )
    shaped = frame.select(line=line, at=moment)
    for period, part in partitions(shaped, quarter("at")):
        (folder / f"movements_{period}.txt").write_bytes(lines(part["line"], "ascii"))


def calls(frame: pl.DataFrame, folder: Path) -> None:
    """Call records, a gzip CSV a month, as Asterisk writes them: no header, texts in quotes."""
    folder.mkdir(parents=True, exist_ok=True)
    for month, part in partitions(frame, pl.col("start").str.slice(0, 7)):
        buffer = io.BytesIO()
        part.select(CALL_COLUMNS).write_csv(buffer, include_header=False, quote_style="non_numeric")
        zipped(folder / f"cdr_{month}.csv.gz", buffer.getvalue())


def json_lines(frame: pl.DataFrame, folder: Path, stem: str, *, compressed: bool) -> None:
    """Events as JSON lines, a file a quarter."""
    folder.mkdir(parents=True, exist_ok=True)
    for period, part in partitions(frame, quarter("at")):
        buffer = io.BytesIO()
        part.with_columns(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_ndjson(buffer)
        path = folder / f"{stem}_{period}.jsonl"
        if compressed:
            zipped(path.with_suffix(".jsonl.gz"), buffer.getvalue())
        else:
            path.write_bytes(buffer.getvalue())


def ad_clicks(frame: pl.DataFrame, folder: Path) -> None:
    """Clicks on advertisements, a tab-separated file a quarter."""
    folder.mkdir(parents=True, exist_ok=True)
    for period, part in partitions(frame, quarter("clicked_at")):
        shaped = part.with_columns(pl.col("clicked_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        shaped.write_csv(folder / f"ads_{period}.tsv", separator="\t", float_precision=2)


def save(traces: Traces, company: Path) -> None:
    """Write one source into its folder of the company."""
    folder = company / traces.source
    tables = traces.tables
    match traces.source:
        case "crm":
            for name, frame in tables.items():
                parquet(frame, folder / f"{name}.parquet")
        case "aftersales":
            sqlite(tables, company / "aftersales.sqlite")
        case "loyalty":
            cards(tables["cards"], folder)
            movements(tables["movements"], folder)
        case "contact_centre":
            calls(tables["calls"], folder)
        case "shop" | "suitecrm" | "odoo" | "shopify" | "bluesky":
            for name, frame in tables.items():
                arrow(frame, folder / f"{name}.arrow")
        case "dmp":
            drops(traces, folder)
        case "marketing":
            json_lines(tables["newsletter"], folder, "newsletter", compressed=False)
            json_lines(tables["social"], folder, "social", compressed=True)
            ad_clicks(tables["ad_clicks"], folder)
