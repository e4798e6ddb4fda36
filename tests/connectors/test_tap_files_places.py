"""Files elsewhere, on real servers: OpenSSH, an S3 server, a web server with and without TLS."""

from __future__ import annotations

import base64
import gzip
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.servers.s3 import S3, s3
from tests.servers.sftp import Sftp, key, sftp

from snello.kit.testing import Run, run
from tap_files import main

__all__ = ["s3", "sftp"]

CANARY = "canary.person@aurora.example"
COLUMNS = [{"name": "id"}, {"name": "n", "type": "integer"}]


def entry(path: str, **changes: Any) -> dict[str, Any]:
    return {"stream": "rows", "path": path, "format": "csv", "keys": ["id"], "columns": COLUMNS} | changes


def tap(*entries: dict[str, Any], state: Any = None, **settings: Any) -> Run:
    done = run(main, {"files": list(entries)} | settings, state=state)
    assert CANARY not in done.err
    return done


def ids(done: Run) -> list[str]:
    return [row["id"] for row in done.records("rows")]


# ------------------------------------------------------------------ SFTP


def put(server: Sftp, name: str, text: str, modified: float = 1_700_000_000) -> None:
    (server.drop / name).parent.mkdir(parents=True, exist_ok=True)
    (server.drop / name).write_text(text)
    os.utime(server.drop / name, (modified, modified))


def test_files_on_an_sftp_server_are_read_once(sftp: Sftp) -> None:
    put(sftp, "a.csv", "id,n\na1,1\n")
    put(sftp, "deep/b.csv", "id,n\nb1,1\n", modified=1_700_000_100)
    first = tap(entry(sftp.url("**/*.csv")), storage_options=sftp.options)
    assert (first.code, ids(first)) == (0, ["a1", "b1"])
    assert [row["_sdc_file"] for row in first.records("rows")] == ["a.csv", "deep/b.csv"]
    put(sftp, "a.csv", "id,n\na1,1\n", modified=1_700_000_200)  # copied again
    put(sftp, "deep/b.csv", "id,n\nb1,2\n", modified=1_700_000_300)
    put(sftp, "late.csv", "id,n\nlate,1\n", modified=1_600_000_000)
    second = tap(entry(sftp.url("**/*.csv")), storage_options=sftp.options, state=first.state)
    assert ids(second) == ["late", "b1"]
    third = tap(entry(sftp.url("**/*.csv")), storage_options=sftp.options, state=second.state)
    assert (ids(third), "unchanged: 3" in third.err) == ([], True)


@pytest.mark.parametrize("kind", ["fixed", "jsonl", "excel", "parquet", "gzip", "zip"])
def test_every_kind_of_file_can_be_elsewhere(sftp: Sftp, kind: str) -> None:
    import zipfile

    import openpyxl
    import pyarrow as pa
    import pyarrow.parquet as pq

    file, changes = sftp.drop / "a", {"format": kind}
    match kind:
        case "fixed":
            file.write_text("a11\n")
            changes["columns"] = [{"name": "id", "width": 2}, {"name": "n", "width": 1, "type": "integer"}]
        case "jsonl":
            file.write_text('{"id": "a1", "n": 1}\n')
        case "excel":
            book = openpyxl.Workbook()
            for row in (["id", "n"], ["a1", 1]):
                book.active.append(row)
            book.save(file)
        case "parquet":
            pq.write_table(pa.table({"id": ["a1"], "n": [1]}), file)
        case "gzip":
            file.write_bytes(gzip.compress(b"id,n\na1,1\n"))
            changes = {}
        case "zip":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("in.csv", "id,n\na1,1\n")
            changes = {}
    done = tap(entry(sftp.url("a"), **changes), storage_options=sftp.options)
    assert [(row["id"], row["n"]) for row in done.records("rows")] == [("a1", 1)]


def test_a_server_whose_host_key_is_unknown_is_refused_unless_told_otherwise(sftp: Sftp, tmp_path: Path) -> None:
    put(sftp, "a.csv", "id,n\na1,1\n")
    (tmp_path / "known_hosts").touch()
    options = sftp.options | {"known_hosts": str(tmp_path / "known_hosts")}
    done = tap(entry(sftp.url("*.csv")), storage_options=options)
    assert (done.code, done.last_line) == (
        2,
        "tap-files: rows: the host key of the server is unknown. "
        "Next: check it and add it to known_hosts, or set storage_options.accept_unknown_host to true.",
    )
    assert ids(tap(entry(sftp.url("*.csv")), storage_options=options | {"accept_unknown_host": True})) == ["a1"]
    other = (sftp.folder / "user_key.pub").read_text()
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{sftp.port} {other}")
    changed = tap(entry(sftp.url("*.csv")), storage_options=options | {"accept_unknown_host": True})
    assert changed.code == 2
    assert "the host key is not the one in known_hosts" in changed.last_line


@pytest.mark.parametrize("line", ["ssh-ed25519 AAAA%%%", "ssh-rsa c2hvcnQ=", "ssh-rsa AAA"])
def test_a_line_of_known_hosts_that_holds_no_key_is_one_sentence(sftp: Sftp, tmp_path: Path, line: str) -> None:
    put(sftp, "a.csv", "id,n\na1,1\n")
    hosts = tmp_path / "known_hosts"
    hosts.write_text(f"[127.0.0.1]:{sftp.port} {line}\n")
    done = tap(entry(sftp.url("*.csv")), storage_options=sftp.options | {"known_hosts": str(hosts)})
    assert done.code == 2
    assert ". Next: " in done.last_line
    assert "host key" in done.last_line


def test_a_wrong_login_is_one_sentence(sftp: Sftp, tmp_path: Path) -> None:
    key(tmp_path / "stranger")
    key(tmp_path / "locked", passphrase="sesame open")
    for change, told in (
        ({"key_file": str(tmp_path / "stranger")}, "the server refused the login. Next: check the credentials"),
        ({"key_file": str(tmp_path / "locked")}, "asks for a passphrase. Next: set storage_options.passphrase."),
        ({"key_file": str(tmp_path / "absent")}, "storage_options.key_file: there is no such file"),
        ({"known_hosts": str(tmp_path / "absent")}, "storage_options.known_hosts: there is no such file"),
        ({"key_fil": "x"}, "unknown setting storage_options.key_fil. Next: did you mean 'key_file'?"),
    ):
        done = tap(entry(sftp.url("*.csv")), storage_options=sftp.options | change)
        assert done.code == 2
        assert told in done.last_line


def test_a_server_that_is_gone_is_told_and_the_other_places_go_on(sftp: Sftp, tmp_path: Path) -> None:
    sftp.stop()
    (tmp_path / "a.csv").write_text("id,n\na1,1\n")
    here = entry(f"{tmp_path}/*.csv", stream="here")
    done = tap(entry(sftp.url("*.csv"), storage_options=sftp.options), here)
    assert done.code == 4
    assert done.last_line.startswith("tap-files: rows: the server cannot be reached. Next:")
    assert len(done.records("here")) == 1


def test_a_server_that_goes_away_between_two_files_costs_nothing(sftp: Sftp, monkeypatch: pytest.MonkeyPatch) -> None:
    from snello.kit.files.sftp import SftpStore

    put(sftp, "a.csv", "id,n\na1,1\n")
    put(sftp, "b.csv", "id,n\nb1,1\n", modified=1_700_000_100)
    fetch = SftpStore.get_file

    def broken(store: Any, path: str, there: str, **options: Any) -> None:
        if path.endswith("b.csv"):
            sftp.cut()
        fetch(store, path, there, **options)

    with monkeypatch.context() as patch:
        patch.setattr(SftpStore, "get_file", broken)
        first = tap(entry(sftp.url("*.csv")), storage_options=sftp.options)
    assert (first.code, ids(first)) == (4, ["a1"])
    assert first.last_line == "tap-files: rows: b.csv: the server went away. Next: run again: nothing is lost."
    assert ids(tap(entry(sftp.url("*.csv")), storage_options=sftp.options, state=first.state)) == ["b1"]


# ------------------------------------------------------------------ S3


def test_objects_in_a_bucket_are_read_once_by_their_tag(s3: S3) -> None:
    s3.put("in/a.csv", b"id,n\na1,1\n")
    s3.put("in/b.csv", b"id,n\nb1,1\n")
    first = tap(entry("s3://drop/in/*.csv"), storage_options=s3.options)
    assert (first.code, sorted(ids(first))) == (0, ["a1", "b1"])
    s3.put("in/a.csv", b"id,n\na1,1\n")
    s3.put("in/b.csv", b"id,n\nb1,2\n")
    second = tap(entry("s3://drop/in/*.csv"), storage_options=s3.options, state=first.state)
    assert ids(second) == ["b1"]
    assert ids(tap(entry("s3://drop/in/*.csv"), storage_options=s3.options, state=second.state)) == []


def test_a_bucket_that_is_not_there_and_a_prefix_without_objects_are_told_apart(s3: S3) -> None:
    s3.put("in/a.csv", b"id,n\na1,1\n")
    absent = tap(entry("s3://absent/in/*.csv"), storage_options=s3.options)
    assert (absent.code, absent.last_line) == (
        3,
        "tap-files: rows: there is no bucket 'absent'. Next: check path and endpoint_url.",
    )
    empty = tap(entry("s3://drop/other/*.csv"), storage_options=s3.options)
    assert (empty.code, "no file matches s3://drop/other/*.csv" in empty.err) == (0, True)


def test_wrong_keys_and_a_store_that_is_gone_are_one_sentence(s3: S3) -> None:
    s3.put("in/a.csv", b"id,n\na1,1\n")
    s3.close_doors()
    for path in ("s3://drop/in/*.csv", "s3://drop/in/a.csv"):
        done = tap(entry(path), storage_options=s3.options)
        assert done.code == 2
        assert done.last_line.startswith("tap-files: rows: the server denied access. Next: check the credentials")
        assert "sesame-reader" not in done.err
    s3.stop()
    options = s3.options | {"config_kwargs": {"retries": {"max_attempts": 0}}}
    gone = tap(entry("s3://drop/in/*.csv"), storage_options=options)
    assert (gone.code, "the server cannot be reached" in gone.last_line) == (4, True)


def test_an_unknown_option_of_a_bucket_is_told(s3: S3) -> None:
    done = tap(entry("s3://drop/in/*.csv"), storage_options=s3.options | {"regoin": "x"})
    assert (done.code, "unknown setting storage_options.regoin. Next: did you mean 'region'?" in done.err) == (2, True)


# ------------------------------------------------------------------ the web


class Handler(SimpleHTTPRequestHandler):
    """A folder with listings; entity tags, a login and a half answer when the server says so."""

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        site: Any = self.server
        site.asked.append((self.command, self.path))
        pair = base64.b64encode(b"reader:sesame").decode()
        if site.login and self.headers.get("Authorization") != f"Basic {pair}":
            self.send_error(401)
        elif site.half and self.command == "GET" and self.path.endswith(site.half):
            body = Path(self.translate_path(self.path)).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        site: Any = self.server
        if site.login and "Authorization" not in self.headers:
            self.send_error(401)
        else:
            super().do_HEAD()

    def end_headers(self) -> None:
        site: Any = self.server
        file = Path(self.translate_path(self.path))
        if site.tags and file.is_file():
            self.send_header("ETag", f'"{hash(file.read_bytes())}"')
        super().end_headers()

    def send_header(self, keyword: str, value: str) -> None:
        site: Any = self.server
        if keyword != "Last-Modified" or site.times:
            super().send_header(keyword, value)


class Site(ThreadingHTTPServer):
    login = half = ""
    tags = times = True
    scheme = "http"

    def __init__(self, folder: Path) -> None:
        self.asked: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}/{path}"

    def handle_error(self, *_: object) -> None:
        return


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.shutdown()
        thread.join()
        site.server_close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "site").mkdir()
    with serving(Site(tmp_path / "site")) as running:
        yield running


@pytest.mark.parametrize(("tags", "times"), [(True, True), (True, False), (False, True), (False, False)])
def test_files_of_a_web_folder_are_read_once(site: Site, tmp_path: Path, tags: bool, times: bool) -> None:
    site.tags, site.times = tags, times
    folder = tmp_path / "site"
    (folder / "a 1.csv").write_text("id,n\na1,1\n")
    (folder / "b.csv").write_text("id,n\nb1,1\n")
    (folder / "c.txt").write_text("id,n\nc1,1\n")
    first = tap(entry(site.url("*.csv")))
    assert (first.code, sorted(ids(first))) == (0, ["a1", "b1"])
    assert {row["_sdc_file"] for row in first.records("rows")} == {"a 1.csv", "b.csv"}
    os.utime(folder / "a 1.csv", (2_000_000, 2_000_000))
    (folder / "b.csv").write_text("id,n\nb1,2\n")
    os.utime(folder / "b.csv", (3_000_000, 3_000_000))
    second = tap(entry(site.url("*.csv")), state=first.state)
    assert ids(second) == ["b1"]
    site.asked.clear()
    assert ids(tap(entry(site.url("*.csv")), state=second.state)) == []
    fetched = [path for method, path in site.asked if method == "GET" and path.endswith(".csv")]
    assert len(fetched) == (0 if tags or times else 2)


def test_one_address_with_a_query_is_a_file_whose_name_does_not_tell_it(site: Site, tmp_path: Path) -> None:
    (tmp_path / "site" / "export").write_text("id,n\na1,1\n")
    done = tap(entry(site.url(f"export?token={CANARY}&x=1")))
    assert [row["_sdc_file"] for row in done.records("rows")] == ["export"]


def test_a_login_and_headers_go_with_every_request(site: Site, tmp_path: Path) -> None:
    site.login = "reader"
    (tmp_path / "site" / "a.csv").write_text("id,n\na1,1\n")
    right = {"username": "reader", "password": "sesame"}
    pair = base64.b64encode(b"reader:sesame").decode()
    for options in (right, {"headers": {"Authorization": f"Basic {pair}"}}):
        assert ids(tap(entry(site.url("*.csv")), storage_options=options)) == ["a1"]
    for options in (right | {"password": "wrong-word"}, {}):
        for path in ("*.csv", "a.csv"):
            done = tap(entry(site.url(path)), storage_options=options)
            assert done.code == 2
            assert "the server denied access (401). Next: check the credentials in storage_options" in done.last_line
            assert "wrong-word" not in done.err


def test_a_file_that_is_not_there_and_a_server_that_is_not_there_are_told_apart(site: Site) -> None:
    done = tap(entry(site.url("absent.csv")))
    assert (done.code, "no file matches" in done.err) == (0, True)
    folder = tap(entry(site.url("absent/*.csv"), required=True))
    assert folder.code == 3
    site.server_close()
    site.shutdown()
    gone = tap(entry(site.url("*.csv")))
    assert (gone.code, "the server cannot be reached" in gone.last_line) == (4, True)


def test_a_server_that_goes_away_in_the_middle_of_a_file_sends_no_row_of_it(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    (folder / "a.csv").write_text("id,n\n" + "".join(f"a{number},1\n" for number in range(5000)))
    (folder / "b.csv").write_text("id,n\nb1,1\n")
    site.half = "a.csv"
    first = tap(entry(site.url("*.csv")))
    assert (first.code, ids(first)) == (4, ["b1"])
    assert first.last_line == "tap-files: rows: a.csv: the server went away. Next: run again: nothing is lost."
    site.half = ""
    assert len(ids(tap(entry(site.url("*.csv")), state=first.state))) == 5000


def test_a_certificate_that_does_not_verify_is_one_sentence(tmp_path: Path) -> None:
    authority = trustme.CA()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.csv").write_text("id,n\na1,1\n")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    secure = Site(tmp_path / "site")
    secure.scheme = "https"
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    with serving(secure):
        for path in ("*.csv", "a.csv"):
            done = tap(entry(secure.url(path)))
            assert (done.code, done.last_line) == (
                2,
                "tap-files: rows: the certificate of the server does not verify. "
                "Next: set storage_options.ca_file to the authority that signed it.",
            )
        options = {"ca_file": str(tmp_path / "authority.pem")}
        assert ids(tap(entry(secure.url("*.csv")), storage_options=options)) == ["a1"]


def test_an_entry_may_have_options_of_its_own(site: Site, tmp_path: Path) -> None:
    site.login = "reader"
    (tmp_path / "site" / "a.csv").write_text("id,n\na1,1\n")
    own = {"username": "reader", "password": "sesame"}
    done = tap(entry(site.url("*.csv"), storage_options=own), storage_options={"key": "another place's"})
    assert ids(done) == ["a1"]
    changed = entry(site.url("*.csv"), storage_options={**own, "headers": {"X-Trace": "1"}})
    assert ids(tap(changed, state=done.state)) == []


def test_a_place_of_an_unknown_kind_is_told_with_those_there_are() -> None:
    done = tap(entry("sfpt://host/*.csv"))
    assert (done.code, "no kind of place is called 'sfpt'. Next: did you mean 'sftp'?" in done.last_line) == (2, True)
