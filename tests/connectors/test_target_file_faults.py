"""target-file on bad days, and at places elsewhere: deaths, full disks, SFTP by OpenSSH, an S3 server."""

from __future__ import annotations

import csv
import json
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.target_file_places import RUN, member, put, sink, sound, take, there
from tests.servers.s3 import S3, s3
from tests.servers.sftp import Sftp, sftp

from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit.channel.rehearsal import Rehearsal
from snello.kit.conformance import faulty
from snello.kit.conformance.faults import Broken
from snello.kit.conformance.plans import always
from snello.kit.conformance.runs import KILLED, Runs

__all__ = ["s3", "sftp"]

NAME = f"dmp__loyal_{RUN}_upsert_0001.csv"
JOURNAL = ".dmp__loyal.open.json"


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    with Runs("tests.connectors.target_file_dying:main") as found:
        yield found


def received(folder: Path) -> list[tuple[str, str]]:
    """Op and customer of each row, as a reader has them who goes by the manifests."""
    found = []
    for manifest in sorted(folder.glob("*.manifest.json")):
        for each in json.loads(manifest.read_text())["files"]:
            rows = csv.DictReader((folder / each["name"]).read_text().splitlines())
            found += [(row["op"], row["customer_id"]) for row in rows]
    return found


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(10))
def test_a_process_that_is_killed_at_any_name_loses_and_doubles_nothing(
    number: int, when: str, tmp_path: Path, runs: Runs
) -> None:
    """Three files of rows, each between two writings of the journal, then the manifest: ten names."""
    stage, folder = Rehearsal(tmp_path, "dmp__loyal"), tmp_path / "drop"
    config = {"path": str(folder), "part_rows": 2, "ledger": stage.ledger_url}
    stage.publish([member(n) for n in range(5)])
    killed = runs.run(tmp_path / "first", stage.messages(), config, DIES_AT=f"{number} {when}")
    assert killed.code == KILLED
    before = {name: held for name, held in there(folder).items() if name.endswith(".csv") and name[0] != "."}
    outcome = runs.run(tmp_path / "second", stage.messages(), config, DIES_AT="")
    assert outcome.code == 0, outcome.last_line
    found = there(folder)
    assert before.items() <= found.items(), "a file that was there has another content now"
    sound(found)
    assert received(folder) == [("upsert", f"c{n}") for n in range(5)]
    assert not [name for name in found if name.startswith(".")]
    assert b"canary" not in killed.err.encode() + outcome.err.encode()


def test_rows_that_changed_since_a_death_take_the_place_of_the_file_that_was_under_way(
    tmp_path: Path, runs: Runs
) -> None:
    stage, folder = Rehearsal(tmp_path, "dmp__loyal"), tmp_path / "drop"
    config = {"path": str(folder), "part_rows": 5, "ledger": stage.ledger_url}
    stage.publish([member(n) for n in range(5)])
    killed = runs.run(tmp_path / "first", stage.messages(), config, DIES_AT="1 after")
    assert killed.code == KILLED
    assert len(list(folder.glob("*.csv"))) == 1
    stage.publish([member(n, name="another") for n in range(4)], others=["c4"])
    assert runs.run(tmp_path / "second", stage.messages("dmp__loyal@publication-2"), config, DIES_AT="").code == 0
    told = sound(there(folder))
    assert all("another" in (folder / each["name"]).read_text() for each in told["files"] if each["op"] == "upsert")
    assert sorted(set(received(folder))) == [("remove", "c4"), *(("upsert", f"c{n}") for n in range(4))]


@pytest.mark.parametrize("number", [0, 1, 3, 5, 8])
def test_a_whole_that_is_killed_is_not_seen_and_the_next_one_is_seen_whole(
    number: int, tmp_path: Path, runs: Runs
) -> None:
    stage, folder = Rehearsal(tmp_path, "dmp__loyal", mode="replace", max_removal_share=1), tmp_path / "drop"
    config = {"path": str(folder), "part_rows": 2, "ledger": stage.ledger_url}
    stage.publish([member(n) for n in range(5)])
    assert runs.run(tmp_path / "first", stage.messages(), config, DIES_AT=f"{number} before").code == KILLED
    assert not list(folder.glob("*.manifest.json"))
    stage.publish([member(n, name="another") for n in range(3)])
    outcome = runs.run(tmp_path / "second", stage.messages(), config, DIES_AT="")
    assert outcome.code == 0, outcome.last_line
    told = sound(there(folder))
    assert (told["whole"], told["rows"]) == (True, 3)
    assert "customer_id,name" in (folder / told["files"][0]["name"]).read_text()
    assert runs.run(tmp_path / "third", stage.messages(), config, DIES_AT="").code == 0
    assert len(list(folder.glob("*.manifest.json"))) == 1, "a whole that did not change was dropped again"


def test_a_journal_that_cannot_be_read_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("{}")
    with pytest.raises(ContractError, match="the journal of a run that was cut off cannot be read"):
        put(sink(tmp_path, "name"), member(1))
    assert list(there(tmp_path)) == [JOURNAL]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """The system refuses to let a file grow beyond this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_no_half_file_and_no_manifest_and_the_next_run_goes_on(tmp_path: Path) -> None:
    files = sink(tmp_path, "name")
    many = [member(n) for n in range(1000)]
    with room_for(4096), pytest.raises(RetryLater, match="the place has no room left"):
        put(files, *many)
    files.close()
    assert list(there(tmp_path)) == [JOURNAL]
    later = sink(tmp_path, "name")
    assert set(put(later, *many, run="20260302T000000000000-ffffff").values()) == {""}
    later.close()
    assert sound(there(tmp_path))["rows"] == 1000
    assert NAME in there(tmp_path)


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises((ConfigError, RetryLater), match="the file cannot be"):
        put(sink(tmp_path / "file", "name"), member(1))
    with pytest.raises(ConfigError, match="nothing is written to the web"):
        put(sink("https://x.example/drop", "name"), member(1))


# ------------------------------------------------------------------ SFTP


def by_sftp(server: Sftp, **settings: Any) -> Any:
    return sink(server.url("out"), "name", storage_options=server.options, **settings)


def test_files_go_to_an_sftp_server_whole(sftp: Sftp) -> None:
    files = by_sftp(sftp, checksums=True)
    assert put(files, member(1), member(2)) == {"c1": "", "c2": ""}
    assert take(files, "c3") == {"c3": ""}
    files.close()
    assert sound(there(sftp.drop / "out"))["rows"] == 3


def test_a_connection_that_ends_between_two_files_is_made_again(sftp: Sftp) -> None:
    files = by_sftp(sftp, retry_attempts=3)
    put(files, member(1))
    sftp.cut()
    assert put(files, member(2), batch="b2") == {"c2": ""}
    sftp.cut()
    files.close()
    assert sound(there(sftp.drop / "out"))["rows"] == 2


def test_a_connection_that_ends_in_the_middle_of_a_file_leaves_none(sftp: Sftp) -> None:
    files = by_sftp(sftp)
    put(files, member(0))
    long = [member(n, name="x" * 1_000_000) for n in range(1, 40)]
    under_way = sftp.drop / "out" / f".{NAME.replace('0001', '0002')}.part"

    def cut() -> None:
        while not (under_way.exists() and under_way.stat().st_size):
            continue
        sftp.cut()

    thread = threading.Thread(target=cut)
    thread.start()
    with pytest.raises(RetryLater, match="went away"):
        put(files, *long, batch="b2")
    thread.join()
    files.close()
    assert [name for name in there(sftp.drop / "out") if not name.startswith(".")] == [NAME]
    later = by_sftp(sftp)
    assert set(put(later, *long, batch="b2").values()) == {""}
    later.close()
    assert sound(there(sftp.drop / "out"))["rows"] == 40


def test_an_sftp_login_that_is_refused_is_told_without_the_password(sftp: Sftp) -> None:
    (sftp.folder / "nobody").touch()
    options = sftp.options | {"known_hosts": str(sftp.folder / "nobody")}
    with pytest.raises(ConfigError, match="the host key of the server is unknown"):
        put(sink(sftp.url("out"), "name", storage_options=options), member(1))
    wrong = {"known_hosts": str(sftp.known_hosts), "password": "opensesame"}
    with pytest.raises(ConfigError, match="refused the login") as told:
        put(sink(sftp.url("out"), "name", storage_options=wrong), member(1))
    assert "opensesame" not in str(told.value)


# ------------------------------------------------------------------ S3


def in_bucket(server: S3) -> dict[str, bytes]:
    import s3fs

    given = dict(server.options)
    region = given.pop("region")
    fs = s3fs.S3FileSystem(**given, client_kwargs={"region_name": region}, skip_instance_cache=True)
    return {name.rpartition("/")[2]: fs.cat_file(name) for name in fs.find("drop/out")}


def by_s3(server: S3, **options: Any) -> Any:
    given = server.options | {"config_kwargs": {"retries": {"max_attempts": 1}}} | options
    return sink("s3://drop/out", "name", storage_options=given)


def test_files_go_to_a_bucket_whole(s3: S3) -> None:
    files = by_s3(s3)
    put(files, member(1), member(2))
    take(files, "c3")
    files.close()
    assert sound(in_bucket(s3))["rows"] == 3


def test_a_store_that_is_busy_or_denies_access_is_told_and_the_next_run_goes_on(s3: S3) -> None:
    with faulty(s3.url, always(Broken(503), lambda seen: seen.method == "PUT")) as proxy:
        with pytest.raises(RetryLater, match="run again") as told:
            put(by_s3(s3, endpoint_url=proxy.url), member(1))
        assert "canary" not in str(told.value)
        assert in_bucket(s3) == {}
        proxy.plan = always(Broken(503), lambda seen: seen.method == "PUT" and seen.path.endswith(".csv"))
        with pytest.raises(RetryLater):
            put(by_s3(s3, endpoint_url=proxy.url), member(1))
    assert list(in_bucket(s3)) == [JOURNAL]
    files = by_s3(s3)
    put(files, member(1))
    files.close()
    assert sound(in_bucket(s3))["rows"] == 1
    with pytest.raises(ConfigError, match="no such folder or bucket"):
        put(sink("s3://nowhere/out", "name", storage_options=s3.options), member(1))
    s3.close_doors()
    with pytest.raises(ConfigError, match=r"denied access|may not be written to"):
        put(by_s3(s3), member(1))
