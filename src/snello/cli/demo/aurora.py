"""What is known of Aurora alone: the technology of each of its systems, and the truth about its people."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from snello import sandbox
from snello.cli.summary.figures import Truth
from snello.lake import Lake

TITLE = "Aurora: who is who, and what was delivered"
TECHNOLOGIES = {
    "aftersales": "SQLite",
    "bluesky": "Bluesky XRPC",
    "contact_centre": "gzip CSV, call records",
    "crm": "PostgreSQL",
    "dmp": "gzip CSV, checksums",
    "loyalty": "CSV and fixed width",
    "marketing": "JSON lines and TSV",
    "odoo": "Odoo JSON-RPC",
    "shop": "WooCommerce REST",
    "shopify": "Shopify GraphQL",
    "suitecrm": "SuiteCRM V8 REST",
}


def truth(home: Path, lake: Lake) -> Truth:
    """How well the published customers match the people who left the records."""
    known = pq.read_table(home / "company" / "truth.parquet")
    score = sandbox.measure(known, lake.published("customer_sources"))
    return Truth(score.people, score.customers, score.precision, score.recall, score.f1)
