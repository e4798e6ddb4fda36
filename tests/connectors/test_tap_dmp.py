"""tap-dmp over folders of drops: order, completeness, checksums, what is refused and told."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.servers.s3 import S3, s3
from tests.servers.sftp import Sftp, sftp

from snello.kit.testing import Run, run
from tap_dmp import main

__all__ = ["s3", "sftp"]

CANARY = "canary-cookie-7f3a"
HEADER = "id,segment_id,op,valid_until"


class Platform:
    """A folder of drops, and the state of the pipeline that reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state: dict[str, Any] = {}
        self.lake: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.drop: dict[str, Any] = {
            "path": f"{folder}/drop/members_*", "format": "csv", "constants": {"id_type": "cookie"},
        }  # fmt: skip
        (folder / "drop").mkdir()

    def put(self, name: str, *lines: str, header: str = HEADER, checksum: str = "", encoding: str = "utf-8") -> Path:
        """A drop, compressed where its name says so; ``checksum`` is the kind of its companion."""
        content = "\n".join([header, *lines, ""]).encode(encoding)
        file = self.folder / "drop" / name
        file.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        if checksum:
            digest = hashlib.new(checksum, file.read_bytes()).hexdigest()
            (file.parent / f"{name}.{checksum}").write_text(f"{digest}  {name}\n")
        return file

    def run(self, **more: Any) -> Run:
        """One run; what it tells goes into ``lake``, by key, as the target does it."""
        config = {"provider": "acme", "memory": f"{self.folder}/memory", "memberships": self.drop, **more}
        done = run(main, config, state=self.state)
        assert CANARY not in done.err
        self.state = done.state or self.state
        for row in done.records("memberships"):
            self.lake[(row["id_type"], row["id"], row["segment_id"])] = row
        return done

    @property
    def members(self) -> list[str]:
        """Who is in a segment, as staging reads the rows."""
        return sorted(
            f"{row['id']}:{row['segment_id']}"
            for row in self.lake.values()
            if row["_deleted_at"] is None and row["is_member"] is not False
        )


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    """A platform that has dropped nothing yet."""
    return Platform(tmp_path)


def ids(done: Run) -> list[str]:
    return [row["id"] for row in done.records("memberships")]


# ------------------------------------------------------------------ full files and changes


def test_changes_follow_their_full_file_and_are_read_once(platform: Platform) -> None:
    platform.put("members_full_20260101.csv.gz", "a,s1,,", "b,s1,,")
    platform.put("members_delta_20260102.csv.gz", "a,s1,remove,", "c,s1,add,2027-01-01T00:00:00Z")
    assert platform.run().code == 0
    assert platform.members == ["b:s1", "c:s1"]
    platform.put("members_delta_20260103.csv.gz", "d,s1,A,")
    assert ids(platform.run()) == ["d"]
    again = platform.run()
    assert (ids(again), platform.members) == ([], ["b:s1", "c:s1", "d:s1"])


def test_a_full_file_replaces_all_that_was_told_before_also_by_changes(platform: Platform) -> None:
    platform.put("members_full_20260101.csv.gz", "a,s1,,", "b,s1,,")
    platform.put("members_delta_20260102.csv.gz", "c,s1,add,")
    platform.run()
    platform.put("members_full_20260103.csv.gz", "a,s1,,", "b,s2,,")
    platform.drop["deletes_at_most"] = 1
    done = platform.run()
    gone = [row["id"] for row in done.records("memberships") if row["_deleted_at"]]
    assert (sorted(gone), platform.members) == (["b", "c"], ["a:s1", "b:s2"])


def test_changes_that_are_older_than_the_full_file_are_left_alone(platform: Platform) -> None:
    platform.put("members_delta_20251231.csv.gz", "old,s1,add,")
    platform.put("members_full_20260101.csv.gz", "a,s1,,")
    assert "superseded: 1" in platform.run().err
    platform.put("members_delta_20251230.csv.gz", "older,s1,add,")
    platform.run()
    assert platform.members == ["a:s1"]


def test_a_late_file_of_changes_does_not_overrule_those_that_follow_it(platform: Platform) -> None:
    platform.put("members_full_20260101.csv.gz", "a,s1,,", "b,s1,,")
    platform.put("members_delta_20260103.csv.gz", "a,s1,add,", "b,s1,remove,")
    platform.run()
    platform.put("members_delta_20260102.csv.gz", "a,s1,remove,", "b,s1,add,", "c,s1,add,")
    done = platform.run()
    assert ids(done) == ["a", "b", "c", "a", "b"]
    assert platform.members == ["a:s1", "c:s1"]


def test_a_late_file_whose_followers_are_gone_is_left_alone_and_told(platform: Platform) -> None:
    platform.put("members_full_20260101.csv.gz", "a,s1,,")
    later = platform.put("members_delta_20260103.csv.gz", "a,s1,add,")
    platform.run()
    later.unlink()
    platform.put("members_delta_20260102.csv.gz", "a,s1,remove,")
    done = platform.run()
    assert (done.code, ids(done), platform.members) == (0, [], ["a:s1"])
    assert "is late, and 1 files of changes that come after it are not there any more. Next: put those back" in done.err


def test_a_full_file_that_arrives_late_is_followed_by_the_changes_that_were_read_before_it(platform: Platform) -> None:
    platform.put("members_full_20260101.csv.gz", "a,s1,,", "b,s1,,")
    platform.put("members_delta_20260103.csv.gz", "b,s1,remove,", "d,s1,add,")
    platform.run()
    platform.put("members_full_20260102.csv.gz", "a,s1,,", "b,s1,,", "c,s1,,")
    platform.run()
    assert platform.members == ["a:s1", "c:s1", "d:s1"]


def test_the_same_file_delivered_twice_changes_nothing(platform: Platform) -> None:
    platform.put("members_full_20260101.csv.gz", "a,s1,,")
    file = platform.put("members_delta_20260102.csv.gz", "b,s1,add,")
    platform.put("members_delta_20260103.csv.gz", "b,s1,remove,")
    platform.run()
    os.utime(file)
    assert ids(platform.run()) == []
    (file.parent / "members_delta_20260102 (1).csv.gz").write_bytes(file.read_bytes())
    platform.run()
    assert platform.members == ["a:s1"]


def test_a_state_that_is_lost_gives_the_very_same_members(platform: Platform) -> None:
    platform.put("members_full_20260101.csv.gz", "a,s1,,", "b,s1,,")
    platform.put("members_delta_20260102.csv.gz", "a,s1,remove,", "c,s1,add,")
    platform.run()
    before, platform.state, platform.lake = dict(platform.lake), {}, {}
    platform.run()
    plain = [{name: value for name, value in row.items() if name[:4] != "_sdc"} for row in platform.lake.values()]
    assert plain == [{name: value for name, value in row.items() if name[:4] != "_sdc"} for row in before.values()]


def test_changes_alone_need_no_full_file(platform: Platform) -> None:
    platform.drop["deltas"] = "*"
    platform.put("members_20260101.csv", "a,s1,,", "b,s1,,")
    platform.put("members_20260102.csv", "a,s1,-,")
    platform.run()
    assert platform.members == ["b:s1"]


def test_the_operation_may_stand_in_the_name_of_the_file(platform: Platform) -> None:
    platform.drop |= {"deltas": "*", "in_name": {"is_member": "_(add|remove)_"}}
    platform.put("members_add_20260101.csv", "a,s1", "b,s1", header="id,segment_id")
    platform.put("members_remove_20260102.csv", "a,s1", header="id,segment_id")
    platform.run()
    assert platform.members == ["b:s1"]


def test_a_file_whose_name_has_no_place_in_the_order_is_left_alone(platform: Platform) -> None:
    platform.put("members_full_20260101.csv.gz", "a,s1,,")
    platform.put("members_delta.csv.gz", "b,s1,add,")
    done = platform.run()
    assert (done.code, platform.members) == (3, ["a:s1"])
    assert "members_delta.csv.gz: its name lacks the part by which files are put in order" in done.last_line


# ------------------------------------------------------------------ complete or not


def test_nobody_is_told_gone_by_a_full_file_that_nothing_proves_complete(platform: Platform) -> None:
    platform.put("members_full_20260101.csv", "a,s1,,", "b,s1,,", "c,s1,,")
    platform.run()
    platform.put("members_full_20260102.csv", "a,s1,,", "b,s1,,")
    done = platform.run()
    assert (done.code, platform.members) == (0, ["a:s1", "b:s1", "c:s1"])
    assert "nothing proves that the file is complete, so none of 1 rows is told gone. Next:" in done.err
    platform.put("members_full_20260103.csv.gz", "a,s1,,", "b,s1,,")
    platform.run()
    assert platform.members == ["a:s1", "b:s1"]


def test_a_file_that_is_cut_off_sends_nothing_and_the_others_go_on(platform: Platform) -> None:
    file = platform.put("members_full_20260101.csv.gz", *(f"{CANARY}-{row},s1,," for row in range(500)))
    file.write_bytes(file.read_bytes()[:-20])
    platform.put("members_delta_20260102.csv.gz", "a,s1,add,")
    done = platform.run()
    assert (done.code, ids(done)) == (3, ["a"])
    assert "tap-dmp: memberships: members_full_20260101.csv.gz: " in done.last_line


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256", "sha512"])
def test_a_checksum_beside_a_file_proves_it(platform: Platform, kind: str) -> None:
    platform.drop["checksum"] = "beside"
    platform.put("members_full_20260101.csv", "a,s1,,", "b,s1,,", "c,s1,,", checksum=kind)
    platform.put("members_full_20260102.csv", "a,s1,,", "b,s1,,", checksum=kind)
    platform.run()
    platform.put("members_full_20260103.csv", "a,s1,,", checksum=kind)
    assert (platform.run().code, platform.members) == (0, ["a:s1"])


def test_a_checksum_that_is_wrong_or_missing_leaves_its_file_alone_and_the_others_go_on(platform: Platform) -> None:
    platform.drop |= {"checksum": "beside", "deltas": "*"}
    wrong = platform.put("members_20260101.csv", f"{CANARY},s1,add,", checksum="md5")
    wrong.write_text(f"{HEADER}\n{CANARY}-2,s1,add,\n")
    platform.put("members_20260102.csv", "late,s1,add,")
    platform.put("members_20260103.csv", "good,s1,add,", checksum="sha256")
    done = platform.run()
    assert (done.code, platform.members) == (3, ["good:s1"])
    assert "members_20260101.csv: its checksum is that of another content. Next: let the file be sent" in done.err
    assert "members_20260102.csv: its checksum is not there, so the file is left alone. Next:" in done.err
    platform.put("members_20260101.csv", "first,s1,add,", checksum="md5")
    platform.put("members_20260102.csv", "late,s1,add,", checksum="md5")
    assert (platform.run().code, platform.members) == (0, ["first:s1", "good:s1", "late:s1"])


@pytest.mark.parametrize("form", ["lines", "object", "list"])
def test_a_manifest_names_every_file_with_its_digest(platform: Platform, form: str) -> None:
    platform.drop |= {"checksum": "manifest", "deltas": "*"}
    files = [platform.put(f"members_2026010{day}.csv", f"m{day},s1,add,") for day in (1, 2, 3)]
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files[:2]}
    digests[files[1].name] = "0" * 64
    text = {
        "lines": "".join(f"{digest} *{name}\n" for name, digest in digests.items()),
        "object": json.dumps(digests),
        "list": json.dumps({"files": [{"name": f"out/{name}", "sha256": digest} for name, digest in digests.items()]}),
    }
    (platform.folder / "drop" / "members_MANIFEST.json").write_text(text[form])
    done = platform.run()
    assert (done.code, platform.members) == (3, ["m1:s1"])
    assert "members_20260102.csv: its checksum is that of another content" in done.err
    assert "members_20260103.csv: its checksum is not there" in done.err


# ------------------------------------------------------------------ rows


def test_a_row_that_does_not_fit_is_set_apart_and_the_others_go_on(platform: Platform) -> None:
    platform.put(
        "members_full_20260101.csv.gz",
        "a,s1,perhaps,", "b,,add,", "c,s1,add,tomorrow", "d,s1,add,,too many", "e,s1,add,2026-12-31T23:00:00+01:00",
    )  # fmt: skip
    done = platform.run()
    assert [(row["id"], row["valid_until"]) for row in done.records("memberships")] == [
        ("e", "2026-12-31T22:00:00.000000Z")
    ]
    assert sorted(row["position"].rpartition(":")[2] for row in done.records("_quarantine")) == list("2345")
    reasons = {row["reason"] for row in done.records("_quarantine")}
    assert {"segment_id: the key is empty", "is_member: not a boolean", "5 fields, 4 expected"} < reasons


def test_files_in_other_words_and_forms_give_the_same_rows(platform: Platform) -> None:
    platform.drop |= {
        "format": "tsv",
        "columns": {"id": "cookie", "segment_id": "seg", "is_member": "action"},
        "yes": ["SUB"],
        "no": ["UNSUB"],
        "encoding": "latin-1",
        "ttl_days": 30,
    }
    lines = ("é1\ts1\tsub", "é2\ts1\tUNSUB")
    platform.put("members_delta_20260102T0600.tsv", *lines, header="cookie\tseg\taction", encoding="latin-1")
    platform.run()
    [row] = [row for row in platform.lake.values() if row["is_member"]]
    told = {name: row[name] for name in ("provider", "id_type", "id", "ttl_days", "delivery", "valid_from")}
    assert told == {
        "provider": "acme", "id_type": "cookie", "id": "é1", "ttl_days": 30, "delivery": "20260102T0600",
        "valid_from": None,
    }  # fmt: skip
    platform.drop = {"path": f"{platform.folder}/drop/lines_*", "format": "jsonl", "deltas": "*"}
    objects = ['{"id_type": "maid", "id": "m1", "segment_id": 7, "op": 1}', "[]"]
    (platform.folder / "drop" / "lines_20260101.jsonl").write_text("\n".join(objects))
    done = platform.run()
    assert [(row["id"], row["segment_id"], row["is_member"]) for row in done.records("memberships")] == [
        ("m1", "7", True)
    ]
    assert len(done.records("_quarantine")) == 1


def test_taxonomies_and_links_keep_prices_parents_and_what_was_said_of_consent(platform: Platform) -> None:
    folder = platform.folder / "drop"
    (folder / "taxonomy_20260101.csv").write_text("segment_id,name,parent_id,price,currency\ns1,Cars,,0.25,EUR\n")
    links = ["a,k1,granted,2026-01-01T00:00:00Z", "b,k2,withdrawn,", "c,k3,,"]
    (folder / "links_20260101.csv").write_text("\n".join(["id,key,consent,linked_at", *links]))
    fixed = {"id_type": "cookie", "key_type": "email_sha256"}
    done = platform.run(
        taxonomy={"path": f"{folder}/taxonomy_*.csv", "format": "csv"},
        id_links={"path": f"{folder}/links_*.csv", "format": "csv", "constants": fixed},
    )
    [segment] = done.records("taxonomy")
    assert (segment["name"], segment["price"], segment["currency"]) == ("Cars", "0.250000", "EUR")
    assert [(row["key"], row["has_consent"]) for row in done.records("id_links")] == [
        ("k1", True), ("k2", False), ("k3", None),
    ]  # fmt: skip


# ------------------------------------------------------------------ OpenRTB


REQUEST: dict[str, Any] = {
    "id": "request-1",
    "imp": [{"id": "1"}],
    "device": {"ifa": "6D92078A-8246-4BA4-AE5B-76104861E7DC", "lmt": 0},
    "user": {
        "id": "exchange-1",
        "buyeruid": "buyer-1",
        "eids": [{"source": "ids.example", "uids": [{"id": "e1"}, {"id": "e2"}]}, {"source": "empty.example"}],
        "data": [
            {"id": "d1", "name": "data.example", "segment": [{"id": "12", "name": "Motorists", "value": "0.8"}]},
            {"id": "d2", "ext": {"segtax": 4}, "segment": [{"id": "598"}, {"name": "no id"}, {}]},
        ],
    },
}


def test_an_openrtb_request_is_a_row_for_each_id_and_segment(platform: Platform) -> None:
    platform.drop = {"path": f"{platform.folder}/drop/bids_*", "format": "openrtb", "ttl_days": 7}
    limited: dict[str, Any] = {"device": {"ifa": "never", "lmt": 1}, "user": {"ext": {"eids": REQUEST["user"]["eids"]}}}
    limited["user"]["data"] = [{"segment": [{"id": "3"}]}]
    odd = [{"user": None}, {"user": {"data": {"id": 1}}}, {"user": {"id": "x", "data": [None, {"segment": "s"}]}}, 7]
    lines = [REQUEST, {"request": REQUEST}, {"response": limited}, *odd]
    (platform.folder / "drop" / "bids_20260101.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = platform.run()
    kinds = {(row["id_type"], row["id"]) for row in done.records("memberships") if "598" in row["segment_id"]}
    assert kinds == {
        ("user.id", "exchange-1"), ("user.buyeruid", "buyer-1"), ("ids.example", "e1"), ("ids.example", "e2"),
        ("device.ifa", "6D92078A-8246-4BA4-AE5B-76104861E7DC"),
    }  # fmt: skip
    assert {row["segment_id"] for row in done.records("memberships")} == {
        "data.example/12", "d2/4/598", "d2/4/no id", "3",
    }  # fmt: skip
    assert [row["id"] for row in done.records("memberships") if row["segment_id"] == "3"] == ["e1", "e2"]
    [row] = done.records("_quarantine")
    assert (row["position"], row["reason"]) == ("bids_20260101.jsonl:7", "not a JSON object")
    assert {row["segment_name"] for row in done.records("memberships")} == {"Motorists", "no id", None}


# ------------------------------------------------------------------ settings and places


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"memberships": None}, "no drop is told. Next: set memberships, taxonomy or id_links"),
        ({"memberships": {"path": "x", "format": "csv", "columns": {"segmnt_id": "s"}}}, "did you mean 'segment_id'?"),
        ({"memberships": {"path": "x", "format": "csv", "order": "[0-9]+"}}, "it has no group, or several. Next: put"),
        ({"memberships": {"path": "x", "format": "csv", "in_name": {"id": "("}}}, "it is no regular expression"),
        ({"memberships": {"path": "x", "format": "xml"}}, "memberships.format"),
        ({"taxonomy": {"path": "x", "format": "openrtb"}}, "openrtb holds memberships alone. Next: set another format"),
        (
            {"memberships": {"path": "x", "format": "csv", "columns": {"id": "a"}, "constants": {"id": "b"}}},
            "id is told twice",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence(platform: Platform, change: dict[str, Any], told: str) -> None:
    done = platform.run(**change)
    assert done.code == 2
    assert told in done.last_line
    assert done.last_line.startswith("tap-dmp: ")


def test_a_column_that_the_settings_name_must_be_there_and_others_may_be_absent(platform: Platform) -> None:
    platform.drop["columns"] = {"valid_until": "expiry"}
    platform.put("members_full_20260101.csv.gz", "a,s1", header="id,segment_id")
    done = platform.run()
    assert (done.code, "the header has no column 'expiry'" in done.last_line) == (3, True)
    del platform.drop["columns"]
    assert (platform.run().code, platform.members) == (0, ["a:s1"])


def test_drops_in_a_bucket_are_read_once_with_their_checksums(s3: S3, platform: Platform) -> None:
    platform.drop |= {"path": "s3://drop/in/members_*.csv", "checksum": "beside", "storage_options": s3.options}
    for day, lines in ((1, b"a,s1\nb,s1\n"), (2, b"a,s1\n")):
        content = b"id,segment_id\n" + lines
        s3.put(f"in/members_2026010{day}.csv", content)
        s3.put(f"in/members_2026010{day}.csv.md5", hashlib.md5(content).hexdigest().encode())
        done = platform.run()
        assert done.code == 0
    assert platform.members == ["a:s1"]
    assert ids(platform.run()) == []
    s3.put("in/members_20260103.csv", b"id,segment_id\nc,s1\n")
    left = platform.run()
    assert (left.code, platform.members) == (3, ["a:s1"])
    s3.close_doors()
    refused = platform.run()
    assert (refused.code, "sesame-reader" in refused.err) == (2, False)


def test_drops_on_an_sftp_server_are_read_once_with_their_manifest(sftp: Sftp, platform: Platform) -> None:
    platform.drop |= {"path": sftp.url("members_*.csv"), "checksum": "manifest", "deltas": "*"}
    content = "id,segment_id\na,s1\n"
    (sftp.drop / "members_20260101.csv").write_text(content)
    (sftp.drop / "manifest.txt").write_text(f"{hashlib.sha512(content.encode()).hexdigest()}  members_20260101.csv\n")
    first = platform.run(storage_options=sftp.options)
    assert (first.code, platform.members) == (0, ["a:s1"])
    assert ids(platform.run(storage_options=sftp.options)) == []
    (sftp.drop / "members_20260101.csv").write_text("id,segment_id\nother,s1\n")
    assert (platform.run(storage_options=sftp.options).code, platform.members) == (3, ["a:s1"])
