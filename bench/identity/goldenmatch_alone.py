"""GoldenMatch without a word of configuration, as its guide begins; runs in the peers' environment, not in ours.

goldenmatch_alone.py RECORDS.parquet CLUSTERS.parquet     records in, ``record, cluster`` out
"""

from __future__ import annotations

import sys

import goldenmatch
import polars as pl


def main(given: str, wanted: str) -> None:
    frame = pl.read_parquet(given)
    found = goldenmatch.dedupe_df(
        frame.drop("record"), confidence_required=False, allow_red_config=True, keep_original_values=False
    )
    cluster = list(range(frame.height))
    for number, held in found.clusters.items():
        for row in held["members"]:
            cluster[int(row)] = frame.height + int(number)
    pl.DataFrame({"record": frame["record"], "cluster": cluster}).write_parquet(wanted)


if __name__ == "__main__":
    main(*sys.argv[1:3])
