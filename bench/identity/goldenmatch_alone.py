"""GoldenMatch by its probabilistic way, configured by itself; runs in the peers' environment, not in ours.

goldenmatch_alone.py RECORDS.parquet CLUSTERS.parquet     records in, ``record, cluster`` out

Its guide advises this way for people (``type: probabilistic``, configured from the records, learned without labels);
without a word it takes it by itself only where no column looks like an identifier, and is the worse for it.
"""

from __future__ import annotations

import sys

import goldenmatch
import polars as pl


def main(given: str, wanted: str) -> None:
    frame = pl.read_parquet(given)
    rows = frame.drop("record")
    found = goldenmatch.dedupe_df(
        rows, config=goldenmatch.auto_configure_probabilistic_df(rows), keep_original_values=False
    )
    cluster = list(range(frame.height))
    for number, held in found.clusters.items():
        for row in held["members"]:
            cluster[int(row)] = frame.height + int(number)
    pl.DataFrame({"record": frame["record"], "cluster": cluster}).write_parquet(wanted)


if __name__ == "__main__":
    main(*sys.argv[1:3])
