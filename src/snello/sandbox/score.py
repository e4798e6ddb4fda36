"""How well the hub tells who is who, measured against the truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import polars as pl
import pyarrow as pa

KEYS = ["source", "stream", "record_key"]
EVENTS = [
    "contact_centre.calls",
    "marketing.newsletter",
    "marketing.social",
    "marketing.ad_clicks",
    "bluesky.profiles",
    "dmp.id_links",
]


@dataclass(frozen=True)
class Score:
    """Counts and shares over the records that speak of a known person, in the streams that the hub reads.

    - ``records``, ``missing``: how many, and how many of them the hub gave to nobody (each counts as one person)
    - ``people``, ``customers``: how many they really are, and how many the hub found
    - ``pairs_true``, ``pairs_found``, ``pairs_right``: pairs of records of one person, of one customer, of both
    - ``precision``, ``recall``, ``f1``: over pairs
    - ``bcubed_*``: the same, averaged over records, where large groups do not weigh more
    """

    records: int
    missing: int
    people: int
    customers: int
    pairs_true: int
    pairs_found: int
    pairs_right: int
    precision: float
    recall: float
    f1: float
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float

    def as_dict(self) -> dict[str, int | float]:
        """The figures by name."""
        return asdict(self)


def measure(truth: pa.Table, customer_sources: pa.Table, *, events: bool = False) -> Score:
    """Compare ``truth`` with the hub's ``customer_sources`` (source, stream, record_key, customer_id).

    - ``events``: count events too (mails sent, posts liked, calls), and the accounts and devices that do such things;
      they are left out by default, since many events of one address make many pairs that nobody can get wrong, and an
      account whose handle nobody told is nobody's, as it should be
    - groups are counted, pairs are never made, so ten million records are fine
    """
    found = pl.DataFrame(pl.from_arrow(customer_sources.select([*KEYS, "customer_id"])))
    found = found.with_columns(pl.col("record_key").cast(pl.String), pl.col("customer_id").cast(pl.String)).unique(
        KEYS, keep="any"
    )
    real = pl.DataFrame(pl.from_arrow(truth.select([*KEYS, "person_id"]))).filter(pl.col("person_id").is_not_null())
    if not events:
        real = real.filter(~pl.concat_str("source", pl.lit("."), "stream").is_in(EVENTS))
    real = real.join(found.select("source", "stream").unique(), on=["source", "stream"], how="semi")
    both = real.join(found, on=KEYS, how="left").with_row_index("row")
    missing = both["customer_id"].null_count()
    alone = pl.lit("\0") + pl.col("row").cast(pl.String)
    return _score(both.select("person_id", customer=pl.coalesce("customer_id", alone)), missing)


def _score(both: pl.DataFrame, missing: int) -> Score:
    cells = both.group_by("person_id", "customer").agg(pl.len().cast(pl.Int64).alias("n"))
    people = cells.group_by("person_id").agg(pl.col("n").sum().alias("p"))
    customers = cells.group_by("customer").agg(pl.col("n").sum().alias("c"))
    cells = cells.join(people, on="person_id").join(customers, on="customer")
    square = pl.col("n").cast(pl.Float64) ** 2
    shares = cells.select(precision=(square / pl.col("c")).sum(), recall=(square / pl.col("p")).sum()).row(0)
    right, true, claimed = (_pairs(cells["n"]), _pairs(people["p"]), _pairs(customers["c"]))
    records = both.height
    precision, recall = _share(right, claimed), _share(right, true)
    bcubed = tuple(_share(share, records) for share in shares)
    return Score(
        records=records,
        missing=missing,
        people=people.height,
        customers=customers.height,
        pairs_true=true,
        pairs_found=claimed,
        pairs_right=right,
        precision=precision,
        recall=recall,
        f1=_harmonic(precision, recall),
        bcubed_precision=bcubed[0],
        bcubed_recall=bcubed[1],
        bcubed_f1=_harmonic(*bcubed),
    )


def _pairs(sizes: pl.Series) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _share(part: float, whole: float) -> float:
    """A share; of nothing it is one, since nothing was wrong."""
    return part / whole if whole else 1.0


def _harmonic(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first + second else 0.0
