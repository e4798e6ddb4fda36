"""tap-tryton over a real Tryton server: all rows, exact values, whole transactions, only what changed, clear faults."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from tests.servers.tryton import CANARY, DATABASE, PASSWORD, TIED, Tryton, tryton, tryton_prepared

from snello.kit.conformance import Broken, Fault, Kill, Seen, at, every, faulty
from snello.kit.rest import Retry
from snello.kit.testing import Run, run
from tap_tryton import main
from tap_tryton.stream import TrytonStream
from tap_tryton.trade import Sales

__all__ = ["tryton", "tryton_prepared"]

pytestmark = pytest.mark.real

MODELS = {
    "parties": "party.party",
    "addresses": "party.address",
    "contact_mechanisms": "party.contact_mechanism",
    "identifiers": "party.identifier",
    "product_templates": "product.template",
    "products": "product.product",
    "sales": "sale.sale",
    "sale_lines": "sale.line",
    "invoices": "account.invoice",
    "invoice_lines": "account.invoice.line",
    "payments": "account.payment",
}
ALL = {"active_test": False}
OF_THE_CLERK = ("parties", "addresses", "contact_mechanisms", "identifiers", "product_templates", "products")


def key_of(user: str) -> str:
    return f"key-of-{user}-{'0' * 24}"


LOGIN = {"user": "reader", "password": PASSWORD}
KEY = {"key": key_of("reader")}
either = pytest.mark.parametrize("credentials", [LOGIN, KEY], ids=["json-rpc", "rest"])


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(TrytonStream, "retry", Retry(tries=8, first=0.01, longest=1.0))


@pytest.fixture(scope="module")
def still(tryton_prepared: Path) -> Iterator[Tryton]:
    """A server in which nothing is changed."""
    folder = Path(mkdtemp(prefix="snello-tryton-"))
    server = Tryton(tryton_prepared, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def config(url: str, **changes: Any) -> dict[str, Any]:
    return {"url": url, "database": DATABASE, **changes}


def read(url: str, *streams: str, state: Any = None, **changes: Any) -> Run:
    given = config(url, **changes)
    catalog = None
    if streams:
        catalog = json.loads(run(main, given, "--discover").out)
        for stream in catalog["streams"]:
            root = next(each for each in stream["metadata"] if not each["breadcrumb"])
            root["metadata"]["selected"] = stream["tap_stream_id"] in streams
    done = run(main, given, state=state, catalog=catalog)
    for secret in (CANARY, PASSWORD, key_of("reader"), key_of("clerk")):
        assert secret not in done.err
    return done


def ids(done: Run, stream: str) -> list[int]:
    return [row["id"] for row in done.records(stream)]


def truth(server: Tryton, stream: str) -> list[int]:
    found: list[int] = server.call(f"model.{MODELS[stream]}.search", [], 0, None, [["id", "ASC"]], ALL)
    return found


def moved(done: Run) -> dict[str, list[int]]:
    return {name: sorted(ids(done, name)) for name in MODELS if done.records(name)}


# ------------------------------------------------------------ rows and values


def test_every_row_is_read_and_both_interfaces_give_the_same_rows(still: Tryton) -> None:
    over_rpc, over_rest = (read(still.url, **credentials) for credentials in (LOGIN, KEY))
    assert (over_rpc.code, over_rest.code) == (0, 0)
    for stream in MODELS:
        assert sorted(ids(over_rpc, stream)) == truth(still, stream), stream
        assert over_rpc.records(stream) == over_rest.records(stream)
        declared = set(over_rpc.schema(stream)["schema"]["properties"]) - {"_sdc_extracted_at"}
        assert all(row.keys() == declared for row in over_rpc.records(stream))
        assert all(row["_extra"] is None for row in over_rpc.records(stream))
    assert CANARY in over_rpc.out
    assert over_rpc.records("_quarantine") == over_rest.records("_quarantine") == []


@either
def test_amounts_are_exact_moments_whole_and_codes_come_from_the_rows_pointed_to(
    still: Tryton, credentials: dict[str, str]
) -> None:
    done = read(still.url, "product_templates", "sales", "sale_lines", "addresses", "payments", **credentials)
    assert [row["list_price"] for row in done.records("product_templates")][:2] == ["9.9999", "10.9999"]
    sale = done.records("sales")[0]
    lines = [row["amount"] for row in done.records("sale_lines") if row["sale"] == sale["id"]]
    assert (sale["untaxed_amount"], sale["tax_amount"], sale["currency_code"]) == ("10.00", "2.20", "USD")
    assert lines == ["10.00"]
    assert done.records("sale_lines")[0]["quantity"] == 1.0
    assert {row["country_code"] for row in done.records("addresses")} == {None, "IT"}
    assert {row["journal_name"] for row in done.records("payments")} == {"Manual"}
    stored = still.call("model.sale.sale.read", [sale["id"]], ["write_date"], {})[0]["write_date"]
    assert sale["write_date"].endswith(f"{stored['second']:02}.{stored['microsecond']:06}Z")


@either
def test_archived_rows_come_marked_as_such(still: Tryton, credentials: dict[str, str]) -> None:
    done = read(still.url, "parties", "product_templates", **credentials)
    assert Counter(row["active"] for row in done.records("parties"))[False] == 15
    assert Counter(row["active"] for row in done.records("product_templates"))[False] == 1


@either
def test_a_transaction_of_several_hundred_rows_is_read_whole_in_pages_of_fifty(
    still: Tryton, credentials: dict[str, str]
) -> None:
    with faulty(still.url) as proxy:
        done = read(proxy.url, "parties", page_size=50, **credentials)
        pages = [
            seen for seen in proxy.requests if b"party.party.search_read" in seen.body or "party.party" in seen.path
        ]
    tied = Counter(row["last_modified_at"] for row in done.records("parties")).most_common(1)[0][1]
    assert tied >= 250
    assert sorted(ids(done, "parties")) == truth(still, "parties")
    assert len(pages) >= 9


@either
def test_rows_that_never_got_a_moment_are_read_with_the_others(tryton: Tryton, credentials: dict[str, str]) -> None:
    with closing(sqlite3.connect(tryton.folder / f"{DATABASE}.sqlite")) as database:
        database.execute("update party_party set create_date = null, write_date = null where id between 100 and 170")
        database.commit()
    done = read(tryton.url, "parties", page_size=50, **credentials)
    assert done.code == 0
    assert sorted(ids(done, "parties")) == truth(tryton, "parties")
    assert Counter(row["last_modified_at"] for row in done.records("parties"))[None] == 71


# ------------------------------------------------------------ what changed


@either
def test_the_next_run_moves_only_what_changed(tryton: Tryton, credentials: dict[str, str]) -> None:
    first = read(tryton.url, **credentials)
    parties, templates = truth(tryton, "parties"), truth(tryton, "product_templates")
    tryton.call("model.party.party.write", parties[20:23], {"name": "Changed"}, {})
    tryton.call("model.party.party.write", parties[30:31], {"active": False}, {})
    new = tryton.call("model.party.party.create", [{"name": "New"}], {})
    tryton.call("model.product.template.write", templates[:1], {"list_price": _decimal("1.2345")}, {"company": 1})
    second = read(tryton.url, state=first.state, **credentials)
    found = moved(second)
    assert sorted(found.pop("parties")) == sorted([*parties[20:23], parties[30], *new])
    found.pop("addresses", None)  # Tryton may give a new party an address
    assert found == {"product_templates": templates[:1]}
    assert second.records("product_templates")[0]["list_price"] == "1.2345"
    assert moved(read(tryton.url, state=second.state, **credentials)) == {}


def _decimal(text: str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": text}


@either
def test_as_many_rows_as_one_transaction_changes_are_read_by_the_next_run(
    tryton: Tryton, credentials: dict[str, str]
) -> None:
    first = read(tryton.url, "parties", **credentials)
    changed = truth(tryton, "parties")[20:TIED]  # those before are archived, and Tryton lets nobody change them
    tryton.call("model.party.party.write", changed, {"name": "All at once"}, {})
    second = read(tryton.url, "parties", state=first.state, page_size=50, **credentials)
    assert sorted(ids(second, "parties")) == changed


@either
def test_rows_deleted_between_runs_are_reported_where_that_is_asked_for(
    tryton: Tryton, credentials: dict[str, str]
) -> None:
    given = {"deletions": ["sale_lines"], **credentials}
    first = read(tryton.url, "sale_lines", "sales", **given)
    before = truth(tryton, "sale_lines")
    drafts = tryton.call("model.sale.sale.search", [["state", "=", "draft"]], 0, 1, [["id", "DESC"]], {})
    gone = tryton.call("model.sale.line.search", [["sale", "in", drafts]], 0, None, None, {})
    tryton.call("model.sale.line.delete", gone, {})
    second = read(tryton.url, "sale_lines", "sales", state=first.state, **given)
    assert sorted(ids(first, "sale_lines")) == before
    assert sorted(ids(second, "sale_lines")) == sorted(gone)
    for row in second.records("sale_lines"):
        assert row.pop("_deleted_at")
        assert [name for name, value in row.items() if value is not None] == ["id"]
    assert moved(read(tryton.url, "sale_lines", "sales", state=second.state, **given)) == {}


# ------------------------------------------------------------ interruptions


@either
def test_a_killed_run_goes_on_at_its_page(still: Tryton, tmp_path: Path, credentials: dict[str, str]) -> None:
    started: list[subprocess.Popen[bytes]] = []
    with faulty(still.url, at(5, Kill(lambda: started[0].pid), when=_of_parties)) as proxy:
        given = config(proxy.url, page_size=50, **credentials)
        (tmp_path / "config.json").write_text(json.dumps(given))
        words = [sys.executable, "-c", "from tap_tryton import main; main()", "--config", str(tmp_path / "config.json")]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ}))
        out, _ = started[0].communicate(timeout=120)
        messages = [json.loads(line) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
        state = [message["value"] for message in messages if message["type"] == "STATE"][-1]
        before = [m["record"]["id"] for m in messages if m["type"] == "RECORD" and m["stream"] == "parties"]
        second = read(proxy.url, "parties", state=state, page_size=50, **credentials)
    assert started[0].returncode == -signal.SIGKILL
    after = ids(second, "parties")
    assert len(before) >= 200
    assert {*before, *after} == set(truth(still, "parties"))
    assert len(after) <= len(truth(still, "parties")) - len(before) + 50


def _of_parties(seen: Seen) -> bool:
    return b'"model.party.party.search_read"' in seen.body or seen.path.endswith("/rest/model/party.party")


@either
def test_bad_weather_loses_and_doubles_nothing(still: Tryton, credentials: dict[str, str]) -> None:
    with faulty(still.url, every(5, Broken())) as proxy:
        done = read(proxy.url, page_size=50, **credentials)
        assert any(seen.fault for seen in proxy.requests)
    assert done.code == 0
    assert {stream: sorted(ids(done, stream)) for stream in MODELS} == {name: truth(still, name) for name in MODELS}


def test_a_session_that_ended_half_way_is_begun_again(tryton: Tryton) -> None:
    def log_out(seen: Seen, number: int) -> Fault | None:
        if number == 12:
            with closing(sqlite3.connect(tryton.folder / f"{DATABASE}.sqlite")) as database:
                database.execute("delete from ir_session")
                database.commit()
        return None

    with faulty(tryton.url, log_out) as proxy:
        done = read(proxy.url, page_size=50, **LOGIN)
        statuses = Counter(seen.status for seen in proxy.requests)
    assert done.code == 0
    assert statuses[401] >= 1
    assert sorted(ids(done, "parties")) == truth(tryton, "parties")


# ------------------------------------------------------------ what is wrong, in one sentence


@pytest.mark.parametrize("changes", [{"password": "wrong-sesame"}, {"user": "nobody"}])
def test_a_refused_login_is_told_after_one_attempt(tryton: Tryton, changes: dict[str, str]) -> None:
    with faulty(tryton.url) as proxy:
        done = read(proxy.url, **{**LOGIN, **changes})
        assert [seen.status for seen in proxy.requests] == [401]
    assert (done.code, done.last_line) == (
        2,
        "tap-tryton: 401 from POST /tryton/rpc/, the login is refused. Next: renew user and password.",
    )
    assert "wrong-sesame" not in done.err


def test_a_wrong_key_is_told(still: Tryton) -> None:
    done = read(still.url, "parties", key="0" * 32)
    assert (done.code, done.last_line) == (
        2,
        "tap-tryton: parties: 401 from GET /tryton/rest/model/ir.model.field. "
        "Next: renew key, or give them the right to read.",
    )


@either
def test_an_unknown_database_is_told(still: Tryton, credentials: dict[str, str]) -> None:
    done = read(still.url, "parties", database="elsewhere", **credentials)
    assert done.code == 2
    assert "404 from " in done.last_line
    assert "/elsewhere/" in done.last_line
    assert done.last_line.endswith("Next: check the URL: the interface is not there.")


@pytest.mark.parametrize("credentials", [{"user": "clerk", "password": PASSWORD}, {"key": key_of("clerk")}])
def test_a_missing_right_stops_no_other_stream_and_names_the_model(still: Tryton, credentials: dict[str, str]) -> None:
    done = read(still.url, **credentials)
    assert done.code == 2
    for name in set(MODELS) - set(OF_THE_CLERK):
        told = f"tap-tryton: {name}: no right to read {MODELS[name]}. "
        assert f"{told}Next: give the user that right, or deselect the stream." in done.err
    assert {name: sorted(ids(done, name)) for name in OF_THE_CLERK} == {n: truth(still, n) for n in OF_THE_CLERK}


@either
def test_a_model_whose_module_is_missing_is_named(
    still: Tryton, credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sales, "model", "sale.elsewhere")
    done = read(still.url, "sales", "parties", **credentials)
    assert (done.code, done.last_line) == (
        2,
        "tap-tryton: sales: the server has no sale.elsewhere. "
        "Next: activate the module that brings it, or deselect the stream.",
    )
    assert len(done.records("parties")) > TIED


def test_neither_a_login_nor_a_key_is_told(still: Tryton) -> None:
    done = read(still.url, "parties")
    assert (done.code, done.last_line) == (2, "tap-tryton: setting user is missing. Next: set user.")


def test_an_unknown_stream_of_deletions_is_refused(still: Tryton) -> None:
    done = read(still.url, deletions=["sale"], **KEY)
    assert done.code == 2
    assert "setting deletions[0]" in done.last_line
    assert "'sale_lines'" in done.last_line
