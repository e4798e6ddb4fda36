"""GoldenMatch, configured by itself; runs in the peers' environment, not in ours.

goldenmatch_alone.py RECORDS.parquet CLUSTERS.parquet [probabilistic]     records in, ``record, cluster`` out

Without a word it chooses its way from the records, as its guide begins: the better on the severe set of families.
``probabilistic`` is the way that its guide advises for people, learned without labels: the better on FEBRL.
"""

from __future__ import annotations

import sys

import goldenmatch
import polars as pl


def main(given: str, wanted: str, way: str = "") -> None:
    frame = pl.read_parquet(given)
    rows = frame.drop("record")
    config = goldenmatch.auto_configure_probabilistic_df(rows) if way == "probabilistic" else None
    found = goldenmatch.dedupe_df(
        rows, config=config, confidence_required=False, allow_red_config=True, keep_original_values=False
    )
    cluster = list(range(frame.height))
    for number, held in found.clusters.items():
        for row in held["members"]:
            cluster[int(row)] = frame.height + int(number)
    pl.DataFrame({"record": frame["record"], "cluster": cluster}).write_parquet(wanted)


if __name__ == "__main__":
    main(*sys.argv[1:4])
