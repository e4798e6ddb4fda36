from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import polars as pl
import pytest

from snello.sandbox.draw import Draw
from snello.sandbox.drops import MANIFEST, drops
from snello.sandbox.people import People, make_people
from snello.sandbox.traces import Traces, loyalty
from snello.sandbox.traces.dmp import DELIVERIES, PROVIDER, SEGMENTS, TAXONOMY, trace

from .conftest import AS_OF, SEED


@pytest.fixture(scope="module")
def traces(people: People) -> Traces:
    return trace(people, Draw(SEED, "dmp", AS_OF))


@pytest.fixture(scope="module")
def folder(traces: Traces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("dmp")
    drops(traces, place)
    return place


def read(path: Path) -> pl.DataFrame:
    return pl.read_csv(gzip.decompress(path.read_bytes()), infer_schema=False)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    people: People, folder: Path, tmp_path: Path
) -> None:
    drops(trace(people, Draw(SEED, "dmp", AS_OF)), tmp_path / "again")
    drops(trace(people, Draw(SEED + 1, "dmp", AS_OF)), tmp_path / "other")
    ours, again, other = (
        {path.name: path.read_bytes() for path in place.iterdir()}
        for place in (folder, tmp_path / "again", tmp_path / "other")
    )
    assert ours == again
    assert ours.keys() == other.keys()
    assert ours[MANIFEST] != other[MANIFEST]


def test_every_file_has_its_checksum_beside_it_or_in_the_manifest(folder: Path) -> None:
    listed = dict(line.split("  ")[::-1] for line in (folder / MANIFEST).read_text().splitlines())
    files = sorted(folder.glob("*.csv.gz"))
    assert len(files) == len(DELIVERIES) + 3
    for path in files:
        beside = path.with_name(f"{path.name}.sha256")
        told = listed[path.name] if path.name.startswith("id_links") else beside.read_text().split()[0]
        assert told == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_files_hold_every_row_of_the_company_and_no_other(traces: Traces, folder: Path) -> None:
    for stream, frame in traces.tables.items():
        files = [read(path) for path in sorted(folder.glob(f"{stream}_*.csv.gz"))]
        assert sum(file.height for file in files) == frame.height > 0
        assert all(file.columns == frame.columns[1:] for file in files)


def test_changes_lead_from_one_full_delivery_to_the_next(folder: Path) -> None:
    def state(path: Path) -> set[tuple[str, ...]]:
        return set(read(path).select("id", "segment_id").iter_rows())

    first, second = sorted(folder.glob("memberships_full_*.csv.gz"))
    between = read(min(folder.glob("memberships_delta_*.csv.gz")))
    assert set(between["op"]) == {"add", "remove"}
    have = state(first)
    for kind, number, segment in between.select("op", "id", "segment_id").iter_rows():
        assert ((number, segment) in have) == (kind == "remove")
        (have.remove if kind == "remove" else have.add)((number, segment))
    after = state(second)
    assert len(have & after) > 0.9 * len(after)
    assert have != after


def test_a_device_is_anybodys_only_by_a_consented_link_that_lasts_and_is_the_only_one(traces: Traces) -> None:
    links = traces.tables["id_links"]
    [truth] = traces.truth
    assert set(truth["stream"]) == {"id_links"}
    key = pl.concat_str(pl.lit(PROVIDER), "id_type", "id", separator="/")
    told = links.group_by(key.alias("key")).agg(
        yes=(pl.col("consent") == "1").fill_null(False).all(),
        lasts=(pl.col("expires_at").is_null() | (pl.col("expires_at") > AS_OF)).all(),
        keys=pl.col("key").str.to_lowercase().n_unique(),
    )
    good = told.filter(pl.col("yes") & pl.col("lasts") & (pl.col("keys") == 1))
    assert 0 < good.height < told.height
    assert set(truth["record_key"]) == set(good["key"])


def test_a_linked_key_is_that_of_the_person_of_the_truth(people: People, traces: Traces) -> None:
    links = traces.tables["id_links"].with_columns(
        record_key=pl.concat_str(pl.lit(PROVIDER), "id_type", "id", separator="/")
    )
    both = traces.truth[0].join(links, on="record_key")
    scheme = loyalty.trace(people, Draw(SEED, "loyalty", AS_OF))
    holder = dict(scheme.truth[0].select("record_key", "person_id").iter_rows())
    emails = people.frame["email"]
    kinds = set()
    for person, kind, key in both.select("person_id", "key_type", "key").iter_rows():
        kinds.add(kind)
        if kind == "card":
            assert holder[key] == person
        else:
            assert key.lower() == hashlib.sha256(emails[person].encode()).hexdigest()
    assert kinds == {"card", "email_sha256"}


def test_most_segments_are_in_the_taxonomy_and_the_newest_is_not_yet(traces: Traces) -> None:
    assert len(SEGMENTS) == 13
    unknown = set(traces.tables["memberships"]["segment_id"]) - {number for number, *_ in TAXONOMY}
    assert unknown == {"auto-ev-used"}


def test_a_company_of_ten_has_a_taxonomy_at_least(tmp_path: Path) -> None:
    drops(trace(make_people(10, SEED, AS_OF), Draw(SEED, "dmp", AS_OF)), tmp_path)
    assert [read(path).height for path in tmp_path.glob("taxonomy_*.csv.gz")] == [len(TAXONOMY)]
