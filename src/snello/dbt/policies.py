"""What decides about golden values, consents and the data-quality report: seeds, checked before use."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from snello.errors import ConfigError, choices

__all__ = ["BASES", "CHANNELS", "CRITERIA", "PARTS", "PURPOSES", "check_consents", "check_policies"]

CRITERIA = ("validity", "kind", "place", "completeness", "trust", "agreement", "recency")
# What the hub itself knows of a person; a source may give further attributes.
PARTS = ("*", "name", "address", "birth_date", "sex", "tax_code", "email", "phone", "language")
PURPOSES = ("service", "email_marketing", "sms_marketing", "phone_marketing", "profiling", "ads_audiences")
# A company may have further channels.
CHANNELS = ("any", "ads", "email", "phone", "post", "sms")
BASES = ("consent", "contract", "legal_obligation", "legitimate_interest", "public_task", "vital_interest")
SEVERITIES = ("error", "warning", "note")
_DAYS, _NUMBERS = ("valid_from", "valid_to"), ("minimum_age", "valid_days", "confirm_days")

Row = dict[str, str]


def check_policies(seeds: Path) -> None:
    """Read the policies of the golden record in the folder ``seeds``; one that is missing is not asked for.

    Raises ``ConfigError`` for an unknown criterion, purpose or way of survivorship, a trust that is no number from 0 to
    100, a part or source that is nearly the name of another, and a part that is governed twice.
    """
    purposes = sorted({row["purpose"] for _, row in _rows(seeds / "purpose_channels.csv", ("purpose",))})
    sources = _sources(seeds.parent)
    governed: set[str] = set()
    for where, row in _rows(seeds / "survivorship.csv", ("part", "criteria", "max_age_days")):
        _part(where, row["part"])
        if row["part"] in governed:
            raise ConfigError(where, f"part {row['part']!r} is governed twice", "keep one of the rows")
        governed.add(row["part"])
        _criteria(where, _words(row["criteria"]))
        if row["max_age_days"] and not row["max_age_days"].isdigit():
            raise ConfigError(where, f"max_age_days is {row['max_age_days']!r}", "give whole days, or leave it empty")
    for where, row in _rows(seeds / "source_trust.csv", ("source", "part", "trust")):
        _near(where, "source", row["source"], sources)
        _part(where, row["part"])
        _trust(where, row["trust"])
    for where, row in _rows(seeds / "source_policies.csv", ("source", "trust", "purposes", "survivorship")):
        _near(where, "source", row["source"], sources)
        _trust(where, row["trust"])
        _known(where, "survivorship", row["survivorship"], ("latest", "earliest"))
        for purpose in _words(row["purposes"]) if purposes else ():
            _known(where, "purpose", purpose, purposes)


def check_consents(seeds: Path) -> None:
    """Read what consents are judged by, and how grave each finding on the data is, in the folder ``seeds``.

    Raises ``ConfigError`` for an unknown purpose, legal basis or severity, a channel or source that is nearly the name
    of another, and a day, number or yes that is none.
    """
    for where, row in _rows(seeds / "purpose_channels.csv", ("purpose", "channel")):
        _known(where, "purpose", row["purpose"], PURPOSES)
        _near(where, "channel", row["channel"], CHANNELS)
    for where, row in _rows(seeds / "purpose_bases.csv", ("purpose", "legal_basis")):
        _known(where, "purpose", row["purpose"], PURPOSES)
        _known(where, "legal basis", row["legal_basis"], BASES)
    sources = _sources(seeds.parent)
    for where, row in _rows(seeds / "notice_policies.csv", ("source", "notice_version", "purposes", *_DAYS, *_NUMBERS)):
        _near(where, "source", row["source"], sources)
        for purpose in _words(row["purposes"]):
            _known(where, "purpose", purpose, PURPOSES)
        for column in _NUMBERS:
            if row[column] and not row[column].isdigit():
                raise ConfigError(where, f"{column} is {row[column]!r}", "give a whole number, or leave it empty")
        first, last = (_day(where, column, row[column]) for column in _DAYS)
        if first and last and last < first:
            raise ConfigError(where, "valid_to is before valid_from", "mend one of the days")
        _known(where, "double_opt_in", row.get("double_opt_in") or "false", ("true", "false"))
    for where, row in _rows(seeds / "quality_rules.csv", ("rule", "severity")):
        _known(where, "severity", row["severity"], SEVERITIES)


def _day(where: str, column: str, given: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise ConfigError(where, f"{column} is {given!r}", "write the day as 2026-12-31, or leave it empty") from None


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """Each row of a seed with the place to name in a message."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        read = csv.DictReader(file)
        for column in columns:
            _known(f"seeds/{path.name}", "column", column, read.fieldnames or ())
        for number, row in enumerate(read, start=2):
            yield f"seeds/{path.name}, line {number}", {key: (value or "").strip() for key, value in row.items() if key}


def _sources(project: Path) -> list[str]:
    """The sources that the project maps: the folders of staging that declare shapes."""
    return sorted(path.parent.name for path in project.glob("models/staging/*/_*__shapes.sql"))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _criteria(where: str, words: list[str]) -> None:
    if not words:
        raise ConfigError(where, "no criterion", f"name one or more of {', '.join(CRITERIA)}")
    for word in words:
        _known(where, "criterion", word, CRITERIA)
    if len(words) > len(set(words)):
        raise ConfigError(where, "a criterion stands twice", "keep its first place")


def _part(where: str, part: str) -> None:
    _near(where, "part", part, PARTS)


def _near(where: str, what: str, given: str, known: Sequence[str]) -> None:
    """Another name than the known ones is allowed; a slip of one of them is not."""
    if given not in known and get_close_matches(given, known, n=1, cutoff=0.8):
        raise ConfigError(where, f"no {what} {given!r}", choices(given, known))


def _known(where: str, what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        raise ConfigError(where, f"no {what} {given!r}", choices(given, known))


def _trust(where: str, trust: str) -> None:
    if not trust.isdigit() or int(trust) > 100:
        raise ConfigError(where, f"trust is {trust!r}", "give a whole number from 0 to 100")
