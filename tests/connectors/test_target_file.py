"""target-file in a folder: what is written how, and what a file cannot hold."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from tests.connectors.target_file_places import RUN, member, put, sink, sound, take, there

from snello.activation import Sync
from snello.errors import ConfigError
from snello.kit.channel.forecast import forecast, recognition
from target_file import TargetFile

UPSERTS, REMOVES = f"dmp__loyal_{RUN}_upsert_0001", f"dmp__loyal_{RUN}_remove_0002"


def content(folder: Path, name: str = f"{UPSERTS}.csv") -> bytes:
    return (folder / name).read_bytes()


def test_a_run_leaves_its_files_and_a_manifest_that_tells_the_truth_of_them(tmp_path: Path) -> None:
    files = sink(tmp_path, "name", "visits", checksums=True)
    assert put(files, member(2, visits=7), member(1)) == {"c2": "", "c1": ""}
    assert take(files, "c3") == {"c3": ""}
    assert not list(tmp_path.glob("*.manifest.json"))
    files.close()
    found = there(tmp_path)
    told = sound(found)
    assert found[f"{UPSERTS}.csv"] == b"op,customer_id,name,visits\nupsert,c1,canary 1,\nupsert,c2,canary 2,7\n"
    assert found[f"{REMOVES}.csv"] == b"op,customer_id,name,visits\nremove,c3,,\n"
    digest = hashlib.sha256(found[f"{REMOVES}.csv"]).hexdigest()
    assert found[f"{REMOVES}.csv.sha256"] == f"{digest}  {REMOVES}.csv\n".encode()
    assert (told["sync"], told["run"], told["columns"]) == ("dmp__loyal", RUN, ["customer_id", "name", "visits"])
    assert [each["op"] for each in told["files"]] == ["upsert", "remove"]
    assert len(found) == 5


def test_a_run_without_a_change_leaves_nothing(tmp_path: Path) -> None:
    sink(tmp_path).close()
    assert there(tmp_path) == {}


def test_who_only_asks_about_a_channel_as_a_plan_does_needs_no_audience_and_leaves_its_folder_alone(
    tmp_path: Path,
) -> None:
    one = {"path": str(tmp_path / "drop"), "columns": [{"name": "Customer", "source": "customer_id"}]}
    sync = Sync.read(
        "dmp__loyal", {"target": "target-file", "purpose": "profiling", "channel": "any", "mode": "mirror"}
    )
    assert forecast(TargetFile, one, sync, 5, 1).requests == 2
    assert recognition(TargetFile, one, sync, ["customer_id", "email"]).match_keys == ()
    assert not (tmp_path / "drop").exists()


def test_the_dialect_is_the_readers(tmp_path: Path) -> None:
    dialect = {"delimiter": ";", "encoding": "cp1252", "line_end": "crlf", "decimal": ",", "true": "S", "null": "NULL"}
    columns = [
        {"name": "nome", "source": "name"},
        {"name": "spesa", "source": "revenue"},
        {"name": "socio", "source": "loyal"},
        {"name": "nato", "source": "born", "date_format": "%d/%m/%Y"},
        {"name": "negozi", "source": "shops"},
    ]
    files = sink(
        tmp_path, "name", "revenue", "loyal", "born", "shops", dialect=dialect, columns=columns, op_column=None
    )
    put(files, member(1, name='Niccolò; "Nico"', revenue=9.5, loyal=True, born="1970-01-31", shops=["MI", "RM"]))
    assert content(tmp_path).decode("cp1252") == (
        'nome;spesa;socio;nato;negozi\r\n"Niccolò; ""Nico""";9,5;S;31/01/1970;"[""MI"", ""RM""]"\r\n'
    )


def test_a_byte_order_mark_stands_in_front_of_the_file_alone(tmp_path: Path) -> None:
    files = sink(tmp_path, "name", dialect={"encoding": "utf-8-sig"}, op_column=None)
    put(files, member(1, name="è"), member(2))
    assert content(tmp_path) == "\ufeffcustomer_id,name\nc1,è\nc2,canary 2\n".encode()


def test_what_a_dialect_cannot_hold_costs_that_row_alone(tmp_path: Path) -> None:
    files = sink(tmp_path, "name", dialect={"encoding": "latin-1", "quote": "", "formulas": "refuse"})
    rows = [
        member(1),
        member(2, name="☃"),
        member(3, name="a,b"),
        member(4, name="a\nb"),
        member(5, name="=cmd()"),
        member(6, name='a"b'),
    ]
    assert put(files, *rows) == {
        "c1": "",
        "c2": "encoding",
        "c3": "delimiter",
        "c4": "delimiter",
        "c5": "formula",
        "c6": "",
    }
    assert content(tmp_path) == b'op,customer_id,name\nupsert,c1,canary 1\nupsert,c6,a"b\n'


def test_when_every_row_is_refused_there_is_no_file(tmp_path: Path) -> None:
    files = sink(tmp_path, "name", dialect={"encoding": "ascii"})
    assert put(files, member(1, name="è")) == {"c1": "encoding"}
    files.close()
    assert there(tmp_path) == {}


@pytest.mark.parametrize(("formulas", "held"), [("keep", "+39 333"), ("escape", "'+39 333")])
def test_a_text_that_looks_like_a_formula_is_escaped_only_where_asked_for(
    tmp_path: Path, formulas: str, held: str
) -> None:
    files = sink(tmp_path, "name", "visits", dialect={"formulas": formulas}, op_column=None)
    put(files, member(1, name="+39 333", visits=-7))
    assert content(tmp_path) == f"customer_id,name,visits\nc1,{held},-7\n".encode()


def test_fixed_width_fills_and_never_cuts(tmp_path: Path) -> None:
    columns = [
        {"name": "customer_id", "width": 5},
        {"name": "visits", "width": 4, "align": "right", "fill": "0"},
        {"name": "name", "width": 6},
    ]
    files = sink(tmp_path, "name", "visits", format="fixed", columns=columns)
    told = put(
        files,
        member(1, name="Zoë", visits=7),
        member(2, name="too long"),
        member(3, name="x", visits=12345),
        member(4, name="a\nb"),
    )
    assert told == {"c1": "", "c2": "too_long", "c3": "too_long", "c4": "newline"}
    assert content(tmp_path, f"{UPSERTS}.txt").decode() == "upsertc1   0007Zoë   \n"


def test_parquet_has_the_types_of_the_audience_also_where_all_is_null(tmp_path: Path) -> None:
    columns = ("name", "visits", "revenue", "loyal", "born", "seen_at", "shops")
    files = sink(tmp_path, *columns, format="parquet")
    full = {"revenue": 9.5, "born": "1970-01-31", "seen_at": "2026-03-01T10:00:00+02:00", "shops": ["MI"]}
    assert put(files, member(1, **full), member(2, born="never")) == {"c1": "", "c2": "bad_value"}
    table = pq.read_table(io.BytesIO(content(tmp_path, f"{UPSERTS}.parquet")))
    assert table.schema.types == [
        pa.string(), pa.string(), pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32(),
        pa.timestamp("us", tz="UTC"), pa.string(),
    ]  # fmt: skip
    (row,) = table.to_pylist()
    assert row["born"] == date(1970, 1, 31)
    assert row["seen_at"] == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert json.loads(row["shops"]) == ["MI"]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


GENERIC = {"email": "ada.l+news@gmail.com", "phone": "+393331234568", "name": "ada d'arco"}
HASHED: dict[str, dict[str, Any]] = {
    "generic": GENERIC,
    "google": GENERIC | {"email": "adal@gmail.com"},
    "meta": GENERIC | {"phone": "393331234568", "name": "adadarco"},
}


@pytest.mark.parametrize("platform", HASHED)
def test_identifiers_are_hashed_as_the_platform_compares_them_and_nothing_is_never_hashed(
    tmp_path: Path, platform: str
) -> None:
    columns = [
        {"name": "Email", "source": "email", "normalise": "email", "hash": "sha256"},
        {"name": "Phone", "source": "phone", "normalise": "phone", "hash": "sha256"},
        {"name": "First Name", "source": "name", "normalise": "name", "hash": "sha256"},
    ]
    files = sink(tmp_path, "email", "phone", "name", columns=columns, platform=platform, op_column=None)
    put(
        files,
        member(1, email=" Ada.L+news@Gmail.com ", phone="333 123 4568", name=" Ada  D'Arco"),
        member(2, email="nobody", phone="12", name=" "),
        member(3, email=None, phone=None, name=None),
    )
    lines = content(tmp_path).decode().splitlines()
    expected = [sha(HASHED[platform][kind]) for kind in ("email", "phone", "name")]
    assert lines == ["Email,Phone,First Name", ",".join(expected), ",,", ",,"]
    assert sha("") not in content(tmp_path).decode()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_values_of_which_nothing_is_left_are_counted(tmp_path: Path, form: str) -> None:
    hashed = {"normalise": "phone", "hash": "sha256"}
    columns = [{"name": "Key", "source": "customer_id"}, {"name": "Phone", "source": "phone", **hashed}]
    files = sink(tmp_path, "phone", columns=columns, format=form, platform="meta")
    put(files, *(member(number, phone=phone) for number, phone in enumerate(("n/a", "--", "", None, "333 1234567"))))
    assert files.emptied == {"Phone": 2}


def test_hashes_of_other_kinds_and_normal_forms_without_a_hash(tmp_path: Path) -> None:
    columns = [
        {"name": "md5", "source": "email", "normalise": "email", "hash": "md5"},
        {"name": "sha1", "source": "email", "normalise": "email", "hash": "sha1"},
        {"name": "clear", "source": "phone", "normalise": "phone"},
    ]
    files = sink(tmp_path, "email", "phone", columns=columns, op_column=None, country="CH")
    put(files, member(1, email="A@x.it", phone="079 123 45 67"))
    expected = f"{hashlib.md5(b'a@x.it').hexdigest()},{hashlib.sha1(b'a@x.it').hexdigest()},+41791234567"
    assert content(tmp_path).decode().splitlines()[1] == expected


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compressed_files_are_the_same_bytes_again(tmp_path: Path, compression: str) -> None:
    found = []
    for name in ("one", "two"):
        files = sink(tmp_path / name, "name", compression=compression)
        put(files, member(1))
        files.close()
        found.append(there(tmp_path / name))
    assert found[0] == found[1]
    sound(found[0])
    packed = found[0][f"{UPSERTS}.csv{'.gz' if compression == 'gzip' else '.zst'}"]
    if compression == "gzip":
        plain = gzip.decompress(packed)
    else:
        plain = pa.CompressedInputStream(pa.BufferReader(packed), "zstd").read()
    assert plain == b"op,customer_id,name\nupsert,c1,canary 1\n"


def test_names_follow_the_template_and_tell_nothing_of_anybody(tmp_path: Path) -> None:
    files = sink(tmp_path, "name", name="{list}-{date}-{op}-{run_id}-{part}")
    put(files, member(1))
    files.close()
    assert f"Loyal-customers-20260301-upsert-{RUN}-0001.csv" in there(tmp_path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("{sync}_{run}_{part}", r"there is no value run. Next: did you mean 'run_id'\?"),
        ("{sync}_{part}", "setting name lacks run_id"),
        ("{sync}_{run_id}", "setting name lacks part"),
        ("x/{run_id}_{part}", "setting name is no plain name"),
        ("{run_id", "setting name does not parse"),
    ],
)
def test_a_template_that_cannot_work_is_told_before_a_file_is_written(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        put(sink(tmp_path / "drop", "name", name=name), member(1))
    assert not (tmp_path / "drop").exists()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"format": "fixed"}, "needs columns with a width each"),
        ({"columns": [{"name": "a"}, {"name": "a"}]}, "column a is there twice"),
        ({"dialect": {"encoding": "utf-9"}}, "unknown encoding"),
        ({"dialect": {"delimiter": "||"}}, "it is not one sign"),
    ],
)
def test_settings_that_cannot_work_are_told(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        sink(tmp_path, **settings)


def test_a_column_that_the_audience_does_not_have_is_told_with_the_nearest(tmp_path: Path) -> None:
    files = sink(tmp_path / "drop", "name", columns=[{"name": "nmae"}])
    with pytest.raises(ConfigError, match=r"the audience has no nmae. Next: did you mean 'name'\?"):
        put(files, member(1))
    assert not (tmp_path / "drop").exists()


def test_a_replacement_is_whole_when_its_manifest_is_there_and_gone_when_it_is_given_up(tmp_path: Path) -> None:
    files = sink(tmp_path, "name")
    files.begin(3)
    put(files, member(1), mode="replace")
    put(files, member(2), batch="b2", mode="replace")
    assert not list(tmp_path.glob("*.manifest.json"))
    files.abandon()
    assert there(tmp_path) == {}
    files = sink(tmp_path, "name")
    files.begin(1)
    put(files, member(3), mode="replace")
    files.commit()
    files.close()
    assert sound(there(tmp_path))["rows"] == 1
    assert content(tmp_path) == b"customer_id,name\nc3,canary 3\n"


def test_a_replacement_that_was_cut_off_is_begun_anew_under_its_name(tmp_path: Path) -> None:
    first = sink(tmp_path, "name")
    first.begin(2)
    put(first, member(1), mode="replace")
    put(first, member(2), batch="b2", mode="replace")
    again = sink(tmp_path, "name")
    again.begin(1)
    put(again, member(9), batch="b9", mode="replace", run="20260302T000000000000-ffffff")
    again.commit()
    assert sound(there(tmp_path))["rows"] == 1
    assert content(tmp_path) == b"customer_id,name\nc9,canary 9\n"
