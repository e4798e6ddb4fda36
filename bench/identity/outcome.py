"""What became of the records: figures, contradictions and blocked values in final customers, and mistakes by cause."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from snello.identifiers import tax_code_canonical
from snello.identity.contradictions import contradiction, profile
from snello.sandbox.score import EVENTS, KEYS, Score, measure

# A customer of more records than this is counted by its size; its pairs are not listed.
LISTED = 400
CAUSES = {
    "namesakes": "one home, one whole name: father and son",
    "twins": "one home, one birth date",
    "relatives": "one home or family",
    "homonyms of a day": "strangers of one name and birth date",
    "homonyms": "strangers of one name",
    "wrong tax code": "a record with somebody else's code",
    "placeholder": "a record with a value that is nobody's",
    "strangers": "anything else",
}


@dataclass(frozen=True)
class Outcome:
    """One answer to who is who, beside the truth.

    - ``pairs``: true pairs that are apart and false pairs that are together: ``left, right, together``
    """

    score: Score
    pairs: pl.DataFrame

    @classmethod
    def of(cls, truth: pl.DataFrame, customers: pl.DataFrame) -> Outcome:
        """From ``source, stream, record_key`` with ``person_id`` in the one and ``customer_id`` in the other."""
        customers = customers.with_columns(pl.col("customer_id").cast(pl.String))
        score = measure(truth.to_arrow(), customers.to_arrow())
        scored = truth.filter(~pl.concat_str("source", pl.lit("."), "stream").is_in(EVENTS))
        rows = scored.join(customers, on=KEYS, how="left").select(
            record=pl.concat_str(KEYS, separator="/"), person_id="person_id", customer_id="customer_id"
        )
        return cls(
            score, pl.concat([_pairs(rows, "person_id", "customer_id"), _pairs(rows, "customer_id", "person_id")])
        )

    def line(self, name: str, seconds: float | None = None) -> str:
        """The figures in one line of a table whose head is ``HEAD``."""
        s = self.score
        took = f"{seconds:8.1f}" if seconds is not None else f"{'':8}"
        shares = (s.precision, s.recall, s.f1, s.bcubed_precision, s.bcubed_recall, s.bcubed_f1)
        return f"{name:26}" + "".join(f"{share:9.4f}" for share in shares) + f"{s.customers:11,}{took}"

    def over_merges(self, people: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
        """False pairs by cause, the most frequent first: ``cause, pairs, customers``."""
        sides = people.select("person_id", "household_id", "birth_date", name=pl.concat_str("first_name", "last_name"))
        flags = [name for name in ("wrong_code", "placeholder") if name in truth.columns]
        marks = truth.select("person_id", *flags, record=pl.concat_str(KEYS, separator="/")).join(sides, on="person_id")
        both = self.pairs.filter("together")
        for side in ("left", "right"):
            both = both.join(
                marks.rename(lambda name, side=side: f"{side}_{name}"), left_on=side, right_on=f"{side}_record"
            )
        return _counted(both.with_columns(cause=_cause(flags)))


_SHARES = ("precision", "recall", "F1", "B-c. p", "B-c. r", "B-cubed")
HEAD = f"{'':26}" + "".join(f"{name:>9}" for name in _SHARES) + f"{'customers':>11}{'seconds':>8}"


def _pairs(rows: pl.DataFrame, within: str, apart: str) -> pl.DataFrame:
    """Pairs of one group of one kind and of two groups of the other."""
    few = rows.filter(pl.col(within).is_not_null() & (pl.len().over(within) <= LISTED))
    both = few.join(few, on=within, suffix="_right").filter(
        (pl.col("record") < pl.col("record_right")) & pl.col(apart).ne_missing(pl.col(f"{apart}_right"))
    )
    return both.select(
        left="record",
        right="record_right",
        together=pl.lit(within == "customer_id"),
        group=pl.col(within).cast(pl.String),
    )


def _cause(flags: list[str]) -> pl.Expr:
    def same(column: str) -> pl.Expr:
        return pl.col(f"left_{column}") == pl.col(f"right_{column}")

    def either(flag: str) -> pl.Expr:
        return pl.col(f"left_{flag}") | pl.col(f"right_{flag}") if flag in flags else pl.lit(False)

    return (
        pl.when(either("wrong_code")).then(pl.lit("wrong tax code"))
        .when(same("household_id") & same("name")).then(pl.lit("namesakes"))
        .when(same("household_id") & same("birth_date")).then(pl.lit("twins"))
        .when(same("household_id")).then(pl.lit("relatives"))
        .when(same("name") & same("birth_date")).then(pl.lit("homonyms of a day"))
        .when(same("name")).then(pl.lit("homonyms"))
        .when(either("placeholder")).then(pl.lit("placeholder"))
        .otherwise(pl.lit("strangers"))
    )  # fmt: skip


def _counted(pairs: pl.DataFrame) -> pl.DataFrame:
    found = pairs.group_by("cause").agg(pairs=pl.len(), customers=pl.col("group").n_unique())
    return found.sort("pairs", descending=True)


def contradictions(records: pl.DataFrame, customers: pl.DataFrame, placeholders: set[str]) -> dict[str, int]:
    """Customers that hold what cannot be one person, judged on the records as written: two valid tax codes, two dates.

    - ``placeholders``: tax codes and dates that are nobody's
    - a record with a valid code says its birth date by the code, as decision 0010 has it
    """
    rows = records.join(customers.select(*KEYS, "customer_id"), on=KEYS).select("customer_id", "tax_code", "birth_date")
    rows = rows.with_columns(pl.col("birth_date").cast(pl.String)).filter(
        pl.any_horizontal(pl.col("tax_code", "birth_date").is_not_null())
    )
    several = rows.unique().filter(pl.len().over("customer_id") > 1)
    codes = dates = 0
    for (_,), part in several.group_by("customer_id"):
        seen = [
            (None if tax_code_canonical(code) in placeholders else code, None if day in placeholders else day)
            for code, day in part.select("tax_code", "birth_date").iter_rows()
        ]
        known = {code for given, _ in seen if given and (code := tax_code_canonical(given))}
        codes += len(known) > 1
        if not known:
            profiles = [profile(birth_date=day) for _, day in seen if day]
            dates += any(contradiction(one, other) for n, one in enumerate(profiles) for other in profiles[:n])
    return {"two tax codes": codes, "birth dates that do not agree": dates}
