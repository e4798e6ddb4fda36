"""A small hub made by hand: three customers, what was published about them, and a ledger."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from snello.activation import Ledger
from snello.cli.app import run
from snello.cli.summary.figures import (
    Consent,
    Count,
    Delivery,
    Outcome,
    People,
    Phase,
    Source,
    Summary,
    Truth,
)
from snello.lake import Lake

CANARY = "canary.rossi@aurora.example"
SEEN, LATER = datetime(2026, 11, 1, 8, 30, tzinfo=UTC), datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
TEXT, WHOLE, YES, DAY, MOMENT = pa.string(), pa.int64(), pa.bool_(), pa.date32(), pa.timestamp("us", "UTC")

SHAPES: dict[str, dict[str, pa.DataType]] = {
    "customers": {
        "customer_id": TEXT, "first_name": TEXT, "last_name": TEXT, "birth_date": DAY, "email": TEXT,
        "household_id": TEXT, "lifecycle_stage": TEXT, "records": WHOLE, "sources": TEXT,
    },
    "customer_sources": {
        "source": TEXT, "stream": TEXT, "record_key": TEXT, "customer_id": TEXT, "observed_at": MOMENT,
    },
    "customer_values": {
        "customer_id": TEXT, "attribute": TEXT, "value": TEXT, "source": TEXT, "stream": TEXT, "record_key": TEXT,
        "kind": TEXT, "rule": TEXT, "is_winner": YES, "rank": WHOLE, "part": TEXT, "witness": WHOLE, "lost_to": TEXT,
        "behind": TEXT, "observed_at": MOMENT, "purposes": TEXT,
    },
    "customers_by_purpose": {"customer_id": TEXT, "purpose": TEXT, "email": TEXT, "sex": TEXT},
    "golden_policies": {"part": TEXT, "criteria": TEXT, "max_age_days": WHOLE, "description": TEXT},
    "identity_review": {
        "left_record": TEXT, "right_record": TEXT, "left_customer": TEXT, "right_customer": TEXT,
        "probability": pa.float64(), "reason": TEXT, "contradiction": TEXT, "pairs": WHOLE, "moves": WHOLE,
        "worth": pa.float64(), "evidence": TEXT,
    },
    "customer_aliases": {"alias": TEXT, "customer_id": TEXT},
    "identity_events": {
        "event": TEXT, "happened_at": MOMENT, "customer_id": TEXT, "from_customer_id": TEXT, "records": WHOLE,
        "cause": TEXT,
    },
    "customer_identifiers": {"customer_id": TEXT, "kind": TEXT, "value": TEXT, "records": WHOLE},
    "identity_edges": {
        "left_record": TEXT, "right_record": TEXT, "rule": TEXT, "identifier_kind": TEXT, "strength": pa.float64(),
        "kept": YES,
    },
    "identity_cuts": {"left_record": TEXT, "right_record": TEXT, "rule": TEXT, "reason": TEXT},
    "customer_roles": {
        "customer_id": TEXT, "role": TEXT, "state": TEXT, "holding": TEXT, "source": TEXT, "stream": TEXT,
        "record_key": TEXT,
    },
    "interactions": {
        "customer_id": TEXT, "occurred_at": MOMENT, "kind": TEXT, "channel": TEXT, "source": TEXT, "stream": TEXT,
        "record_key": TEXT, "detail": TEXT,
    },
    "households": {"household_id": TEXT, "members": WHOLE, "surname": TEXT, "postcode": TEXT, "city": TEXT},
    "consents": {
        "customer_id": TEXT, "purpose": TEXT, "channel": TEXT, "state": TEXT, "legal_basis": TEXT,
        "observed_at": MOMENT, "source": TEXT, "record_key": TEXT, "notice_version": TEXT,
    },
    "consent_current": {
        "customer_id": TEXT, "purpose": TEXT, "channel": TEXT, "state": TEXT, "decided_by_source": TEXT,
        "record_key": TEXT, "observed_at": MOMENT, "rule": TEXT,
    },
    "segments": {"segment": TEXT, "customer_id": TEXT, "reason": TEXT},
    "activation/brevo__long_absent": {"customer_id": TEXT, "email": TEXT},
    "activation/webhook__loyal": {"customer_id": TEXT},
}  # fmt: skip

ROWS: dict[str, list[tuple[object, ...]]] = {
    "customers": [
        ("c1", "Giulia", "Rossi", date(1980, 5, 1), CANARY, "h1", "loyal", 3, "crm,loyalty,shop"),
        ("c2", "Marco", "Rossi", date(2005, 2, 3), CANARY, "h1", "new", 1, "loyalty"),
        ("c3", "Anna", "Bianchi", None, "anna@aurora.example", None, "lapsed", 1, "shop"),
    ],
    "customer_sources": [
        ("crm", "customers", "1", "c1", SEEN),
        ("loyalty", "cards", "L1", "c1", SEEN),
        ("shop", "customers", "9", "c1", SEEN),
        ("loyalty", "cards", "L2", "c2", SEEN),
        ("shop", "customers", "10", "c3", SEEN),
        ("marketing", "newsletter", "N1", "c3", SEEN),
    ],
    "customer_values": [
        (
            "c1", "email", CANARY, "crm", "customers", "1", "explicit", "as recorded", True, 1, "email", 1, None, None,
            SEEN, "service",
        ),
        (
            "c1", "email", CANARY, "shop", "customers", "9", "explicit", "as recorded", False, 2, "email", 2,
            "same value", "recency", SEEN, "service",
        ),
        (
            "c1", "email", "older@aurora.example", "shop", "customers", "8", "explicit", "as recorded", False, 3,
            "email", 3, "trust", "trust", SEEN, "service,email_marketing",
        ),
        (
            "c1", "email", "old@aurora.example", "loyalty", "cards", "L1", "implicit", "seen in use", False, 4,
            "email", 4, "kind", "kind", SEEN, "service,email_marketing",
        ),
        (
            "c1", "sex", "F", "crm", "customers", "1", "derived", "from the tax code", True, 1, "sex", 1, None, None,
            SEEN, "service",
        ),
        (
            "c2", "dmp_segment_acme_77", "Runners", "dmp", "memberships", "acme/idfa/x/77", "derived", "as recorded",
            True, 1, "dmp_segment_acme_77", 1, None, None, SEEN, "service",
        ),
    ],
    "customers_by_purpose": [
        ("c1", "service", CANARY, "F"),
        ("c1", "email_marketing", "older@aurora.example", None),
        ("c2", "email_marketing", CANARY, None),
    ],
    "golden_policies": [
        ("email", "kind, trust, recency", None, "what a person gave first"),
        ("*", "trust, recency", None, "the rest"),
    ],
    "identity_review": [
        (
            "crm/customers/1", "shop/customers/10", "c1", "c3", 0.71, "likely, not certain", None, 1, 1, 2.1,
            "agree: given name, home; not known: birth date",
        ),
    ],
    "customer_aliases": [("c0", "c1")],
    "identity_events": [("merge", SEEN, "c1", "c0", 1, "new evidence: same phone and name")],
    "customer_identifiers": [
        ("c1", "email", CANARY, 2),
        ("c1", "phone", "+393471234567", 2),
        ("c1", "card", "2900000012345", 1),
        ("c2", "email", CANARY, 1),
        ("c3", "email", "anna@aurora.example", 1),
    ],
    "identity_edges": [
        ("crm/customers/1", "loyalty/cards/L1", "same phone and name", "phone", 0.9, True),
        ("crm/customers/1", "shop/customers/9", "same email and name", "email", 0.95, True),
        ("crm/customers/1", "loyalty/cards/L2", "same email", "email", 0.5, False),
    ],
    "identity_cuts": [("crm/customers/1", "loyalty/cards/L2", "same email", "birth dates differ")],
    "customer_roles": [
        ("c1", "card_holder", "yes", None, "loyalty", "cards", "L1"),
        ("c1", "driver", "unknown", "Aurora Lampo", "aftersales", "registrations", "77"),
    ],
    "interactions": [
        ("c1", None, "call", "phone", "crm", "calls", "7", None),
        ("c1", SEEN, "order", "shop", "shopify", "orders", "12", "3 items"),
        ("c2", SEEN, "visit", "dealer", "crm", "visits", "9", None),
    ],
    "households": [("h1", 2, "Rossi", "37121", "Verona")],
    "consents": [
        ("c1", "email_marketing", "email", "granted", "consent", SEEN, "crm", "501", "2024-1"),
        ("c2", "email_marketing", "email", "denied", "consent", SEEN, "loyalty", "L2", "2023-2"),
    ],
    "consent_current": [
        ("c1", "email_marketing", "email", "yes", "crm", "501", SEEN, "latest evidence"),
        ("c2", "email_marketing", "email", "no", "loyalty", "L2", SEEN, "latest evidence"),
    ],
    "segments": [
        ("loyal", "c1", "recency 5, frequency 4, monetary 5"),
        ("long_absent", "c3", "last order 512 days ago"),
        ("long_absent", "c2", "last order 400 days ago"),
    ],
    "activation/brevo__long_absent": [("c2", CANARY), ("c3", "anna@aurora.example")],
    "activation/webhook__loyal": [("c1",)],
}  # fmt: skip

SYNCS = {
    "brevo__long_absent": {"target": "target-brevo", "purpose": "email_marketing", "channel": "email"},
    "webhook__loyal": {"target": "target-webhook", "purpose": "email_marketing", "channel": "email"},
}


@dataclass(frozen=True)
class Hub:
    """A project folder with a lake, a ledger and a Meltano file."""

    root: Path

    @property
    def lake(self) -> Lake:
        return Lake(str(self.root / "lake"))

    @property
    def ledger(self) -> str:
        return f"sqlite:///{self.root / 'ledger.db'}"

    def loads(self, source: str, *rows: tuple[str, str, int, int]) -> None:
        """Runs of the loader: run_id, stream, rows, refused."""
        columns = ("run_id", "source", "stream", "started_at", "finished_at", "rows", "refused")
        filled = [
            (run, source, stream, SEEN, LATER if run == "l1" else SEEN, taken, refused)
            for run, stream, taken, refused in rows
        ]
        write_deltalake(self.lake.raw_uri(source, "_loads"), _table(columns, filled), mode="append")

    def quarantine(self, source: str, *rows: tuple[str, str]) -> None:
        """Refused records: stream, reason."""
        columns = ("id", "stream", "position", "reason", "record", "refused_at")
        filled = [(f"{n}", stream, f"file:{n}", reason, CANARY, SEEN) for n, (stream, reason) in enumerate(rows)]
        write_deltalake(self.lake.raw_uri(source, "_quarantine"), _table(columns, filled))

    def raw(self, source: str, stream: str, rows: int) -> None:
        """A stream of so many rows."""
        write_deltalake(self.lake.raw_uri(source, stream), pa.table({"id": list(range(rows))}))


def _table(columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> pa.Table:
    return pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))


def typed(name: str, rows: list[tuple[object, ...]]) -> pa.Table:
    """A published table in its published shape."""
    fields = pa.schema(list(SHAPES[name].items()))
    return pa.Table.from_pylist([dict(zip(fields.names, row, strict=True)) for row in rows], fields)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A project in which nothing has run."""
    hub = Hub(tmp_path)
    (tmp_path / "meltano.yml").write_text("project_id: test\n")
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    monkeypatch.setenv("SNELLO_LAKE", hub.lake.root)
    monkeypatch.setenv("SNELLO_LEDGER", hub.ledger)
    monkeypatch.setenv("SNELLO_SALT", "salt")
    monkeypatch.delenv("MELTANO_ENVIRONMENT", raising=False)
    return hub


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the loop ran once, to be copied."""
    made = Hub(tmp_path_factory.mktemp("hub"))
    made.lake.publish({name: typed(name, rows) for name, rows in ROWS.items()}, run_id="r1", syncs=SYNCS)
    made.loads("crm", ("l1", "customers", 1, 0))
    made.loads("loyalty", ("l0", "cards", 9, 9), ("l1", "cards", 98, 2), ("l1", "movements", 100, 0))
    made.raw("crm", "customers", 1)
    made.raw("loyalty", "cards", 98)
    made.raw("loyalty", "movements", 100)
    made.quarantine("loyalty", ("cards", "birth_date: not a date"), ("cards", "birth_date: not a date"))
    ledger = Ledger(made.ledger)
    deliver(ledger, "webhook__loyal", {"c1": ("delivered", "")})
    deliver(ledger, "brevo__long_absent", {"c2": ("suppressed", "no_consent"), "c3": ("refused", "invalid_parameter")})
    ledger.close()
    return made.root


def deliver(ledger: Ledger, sync: str, ended: dict[str, tuple[str, str]]) -> None:
    """A run of one sync: status and code by key."""
    ledger.start({"run_id": "a1", "sync": sync})
    rows = [
        {"sync": sync, "key": key, "op": "upsert", "status": status, "code": code, "run_id": "a1"}
        for key, (status, code) in ended.items()
    ]
    ledger.record([row for row in rows if row["status"] != "suppressed"], rows)
    kept = [row for row in rows if row["status"] == "suppressed"]
    held = [
        {"key": row["key"], "customer": row["key"], "gate": "consent", "code": row["code"], "run_id": "a1"}
        for row in kept
    ]
    ledger.exclude(sync, held, [])
    counts = Counter(status for status, _ in ended.values())
    ledger.finish("a1", sync, "done", upserts=1, refused=counts["refused"], suppressed=counts["suppressed"])


@pytest.fixture
def hub(empty: Hub, once: Path) -> Hub:
    """A project in which the loop ran once."""
    shutil.copytree(once, empty.root, dirs_exist_ok=True)
    return empty


@dataclass(frozen=True)
class Told:
    """What a command printed and how it left."""

    code: int
    out: str
    err: str


@pytest.fixture
def snello(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Run one command line in this process."""

    def call(*arguments: str) -> Told:
        code = run(arguments)
        out, err = capsys.readouterr()
        return Told(code, out, err)

    return call


@pytest.fixture
def shapes() -> dict[str, set[str]]:
    """Columns by published table, as the fixture fills them."""
    return {table: set(columns) for table, columns in SHAPES.items()}


@pytest.fixture
def canary() -> str:
    """An address that must not be seen where nobody asked for it."""
    return CANARY


@pytest.fixture(scope="session")
def summary() -> Summary:
    """A run of the loop in figures, every kind of row among them."""
    syncs = (
        Delivery("brevo__long_absent", "target-brevo", "email_marketing", "email", 1544, "done", 0, (
            Outcome("upsert", "delivered", "", 803),
            Outcome("remove", "delivered", "", 4),
            Outcome("upsert", "suppressed", "no_consent", 729),
            Outcome("upsert", "refused", "invalid_parameter", 12),
        )),
        Delivery("webhook__loyal", "target-webhook", "profiling", "any", 402, "nothing to deliver", 402, ()),
    )  # fmt: skip
    sources = (
        Source("contact_centre", "gzip CSV, call records", 1, 8_021, 3, 4_410, 2_280, LATER),
        Source("crm", "PostgreSQL", 3, 31_877, 0, 9_402, 9_100, LATER),
        Source("loyalty", "CSV and fixed width", 2, 80_550, 37, 7_031, 5_512, None),
    )
    consents = (("ads_audiences", "ads", 930, 2_200), ("email_marketing", "email", 5_210, 2_100))
    return Summary(
        run_id="r1",
        published_at=LATER,
        sources=sources,
        refusals=(Count("loyalty cards: birth date is not a date", 37), Count("contact_centre calls: 5 fields", 3)),
        people=People(20_843, 10_112, 4_120, 212),
        truth=Truth(10_000, 10_060, 0.9981, 0.9423, 0.9694),
        joins=(Count("tax code", 8_030), Count("name, birth date and a rather long rule about places", 2_701)),
        segments=(Count("missing_tax_code", 4_120), Count("long_absent", 1_544), Count("loyal", 402)),
        consents=tuple(Consent(purpose, by, yes, no, 10_112 - yes - no) for purpose, by, yes, no in consents),
        deliveries=syncs,
        phases=(
            Phase("sandbox", 9.1),
            Phase("extract", 48.2),
            Phase("unify", 31.9),
            Phase("activate", 14.1),
            Phase("measure", 13.2),
            Phase("meltano", 3.3),
        ),
    )
