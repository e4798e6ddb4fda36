"""What is known of a person as two files that they can keep: one for machines, one to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import msgspec

from snello.activation import AuditLog, Ledger
from snello.cli.screen import figure
from snello.cli.subject.collecting import Collected, collect
from snello.cli.subject.naming import mark
from snello.cli.subject.person import find
from snello.errors import ConfigError
from snello.kit.places import write_private
from snello.lake import Lake
from snello.settings import Settings

PARTS = {
    "known": "What is known, and from where",
    "source rows": "Rows of the sources",
    "refused rows": "Rows that were refused as they arrived",
    "delivered": "What was sent to channels, and what they answered",
}


@dataclass(frozen=True)
class Exported:
    """Where the files are and how many rows they hold, by part."""

    json: Path
    html: Path
    customers: tuple[str, ...]
    rows: dict[str, int]


def export(hub: Settings, given: str, out: Path, actor: str | None) -> Exported:
    """Write all that is known of whom ``given`` names to the folder ``out``, for its owner alone; the log tells of it.

    Raises ``ConfigError`` when it names nobody, or several customers.
    """
    lake, ledger = Lake(hub.lake), Ledger(hub.ledger)
    try:
        found = collect(lake, ledger, find(lake, given))
        if not found.rows():
            raise ConfigError("subject", "nobody in the hub has this identifier", KNOWN_BY)
        subject = mark(found.person, given, hub.salt.get_secret_value())
        files = _write(found, out, subject)
        rows = {part: found.rows(part) for part in PARTS}
        log = AuditLog(ledger.engine, hub.salt.get_secret_value())
        log.append("export", subject, actor, **{part.replace(" ", "_"): many for part, many in rows.items()})
    finally:
        ledger.close()
    return Exported(*files, found.person.customers, rows)


KNOWN_BY = "try a customer_id, an e-mail, a phone with its prefix, a tax code, a card number, or source/stream/key"


def _write(found: Collected, out: Path, subject: str) -> tuple[Path, Path]:
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        named = found.person.customers[0] if found.person.customers else subject[:16]
        files = out / f"{named}.json", out / f"{named}.html"
        document = msgspec.json.encode(found.document(), enc_hook=str)
        write_private(files[0], msgspec.json.format(document, indent=2))
        write_private(files[1], page(found).encode())
    except OSError as error:
        what = f"the folder cannot be written to ({error.strerror})"
        raise ConfigError("subject --out", what, "name another folder") from None
    return files


def page(found: Collected) -> str:
    """The same as one HTML page that needs nothing else."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("snello.cli.subject", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = figure
    parts = [(title, [one for one in found.sections if one.part == part]) for part, title in PARTS.items()]
    return environment.get_template("page.html.j2").render(
        parts=[(title, sections) for title, sections in parts if sections],
        person=found.person,
        made=datetime.now(UTC),
        rows=found.rows(),
    )
