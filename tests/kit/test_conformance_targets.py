"""The suite finds what it is there to find: a target that breaks a promise fails the case that is named after it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from snello.kit.channel import ActivationSink
from snello.kit.conformance.targets import CASES, Runs, Start, Subject, cases_of, found, trial, unable

HERE = Path(__file__).parent / "broken"
BY_NAME = {case.name: case for case in CASES}
ARRIVES = "an_audience_becomes_what_the_channel_holds_with_a_receipt_a_row"
FOUND_BY = {  # the case that finds it, and what it says
    "ignoring_verdicts": ("one_bad_row_among_many_stops_nobody", "upsert delivered, says the ledger"),
    "trusting_the_order": (
        "a_refusal_in_another_order_falls_on_the_row_that_was_refused",
        "upsert delivered, says the ledger",
    ),
    "doubling": (
        "a_500_after_the_effect_is_lived_through_and_every_row_arrives_once",
        "the channel holds these twice",
    ),
    "logging_rows": (ARRIVES, "a row is shown in stderr"),
    "logging_secrets": (ARRIVES, "a secret is shown in stderr"),
    "printing_rows": (ARRIVES, "something that is no state was written to stdout"),
    "removing_all": ("rows_of_others_stay_as_they_are", "rows of others were touched"),
    "hoping_for_the_best": (
        "a_500_before_the_effect_that_lasts_is_told_and_left_to_the_next_run",
        "upsert delivered, says the ledger",
    ),
    "sending_nothing": (ARRIVES, "upsert delivered, says the ledger"),
    "sending_without_consent": (
        "a_message_that_says_no_is_not_sent_even_if_the_tap_was_wrong",
        "too many .'c001'.",
    ),
    "replacing_at_once": ("killed_before_the_last_call_of_a_session_the_old_whole_stays", "says the ledger"),
    "adding_to_the_whole": ("a_session_puts_the_whole_in_the_place_of_what_was_there", "the channel holds these twice"),
    "keeping_the_younger": (
        "a_customer_who_became_another_has_one_row_under_the_new_key",
        "the ledger knows nothing of .'c000'.",
    ),
    "renumbering": (
        "a_row_that_moves_is_renamed_and_never_out_of_the_channel",
        "the row has another number in the channel",
    ),
    "hiding_the_erased": (
        "who_is_erased_leaves_the_channel_with_a_receipt_and_the_ledger_forgets_them",
        "c001: remove delivered, says the ledger",
    ),
    "forgetting_the_elder": ("what_people_are_known_by_no_longer_is_taken_back", "the channel holds these twice"),
    "trusting_the_last_handle": (
        "who_leaves_after_a_kill_before_the_first_call_of_a_change_leaves_under_both_identifiers",
        "c000: remove delivered, says the ledger",
    ),
}
KEPT_BY = {"forgetting_the_elder": "known_by_name", "trusting_the_last_handle": "known_by_name"}


class Channel:
    """Appends what is posted, unless its Idempotency-Key is known."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.session: list[dict[str, Any]] = []
        self.answers: dict[str, bytes] = {}

    def take(self, path: str, key: str | None, rows: list[dict[str, Any]]) -> bytes:
        if key in self.answers:
            return self.answers[key]
        if path in ("/begin", "/commit", "/emptied"):
            self._whole(path)
        results = [{"key": row["key"], "code": self._taken(path, row)} for row in rows]
        answer = json.dumps({"results": results}).encode()
        if key:
            self.answers[key] = answer
        return answer

    def _whole(self, path: str) -> None:
        """A session that is opened, or closed; or all of ours that goes at once."""
        theirs = [row for row in self.rows if row["key"][0] != "c"]
        if path == "/begin":
            self.session = []
        else:
            self.rows = theirs + (self.session if path == "/commit" else [])

    def _taken(self, path: str, row: dict[str, Any]) -> str:
        if path == "/session":
            self.session.append(row)
        elif path == "/moved":
            old = row.pop("from")
            self.rows = [each for each in self.rows if each["key"] not in (old, row["key"])] + [row]
        elif path == "/added":
            self.rows = [each for each in self.rows if each != row] + [row]
        elif path == "/taken-back":
            self.rows = [each for each in self.rows if each.get("by") != row["by"]]
        else:
            return self._told(path, row)
        return ""

    def _told(self, path: str, row: dict[str, Any]) -> str:
        if path == "/rows" and row["visits"] >= 1_000:
            return "too_many"
        fresh = path == "/rows" and not any(each == row for each in self.rows)
        if path != "/rows" or fresh:
            self.rows = [each for each in self.rows if each["key"] != row["key"] and path != "/everything"]
        if path == "/rows":
            self.rows.append(row)
        return ""

    def ours(self) -> list[tuple[str, Any]]:
        return [
            (row["key"], {k: v for k, v in row.items() if k not in ("key", "by")})
            for row in self.rows
            if row["key"][0] == "c"
        ]

    @contextmanager
    def serving(self) -> Iterator[str]:
        channel = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = channel.take(self.path, self.headers["Idempotency-Key"], body)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@contextmanager
def subject(name: str) -> Iterator[Subject]:
    channel = Channel()
    with channel.serving() as url:
        yield Subject(
            command=f"broken_targets:{name}",
            url=url,
            config=lambda url: {"url": url, "token": "open-sesame"},
            terms={"purpose": "email_marketing", "channel": "email"},
            columns=lambda number, version: {"name": f"canary {number}.", "visits": version},
            held=channel.ours,
            shown=dict,
            bad=(({"name": "canary", "visits": 1_000}, "too_many"),),
            seed=lambda: channel.rows.append({"key": "theirs"}),
            foreign=lambda: [row for row in channel.rows if row["key"][0] != "c"],
            secrets=("open-sesame",),
            lose=lambda key: channel.rows.remove(next(row for row in channel.rows if row["key"] == key)),
        )


def start(name: str) -> Start:
    return Start(name, partial(subject, name), {})


@pytest.fixture(scope="module")
def runs() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.syspath_prepend(str(HERE))
        yield lambda command: stack.enter_context(Runs(command))


@pytest.mark.parametrize(("name", "case", "said"), [(name, *finding) for name, finding in FOUND_BY.items()])
def test_a_broken_target_fails_the_case_of_its_promise(
    name: str, case: str, said: str, runs: Any, tmp_path: Path
) -> None:
    with trial(start(name), tmp_path, runs) as one, pytest.raises(AssertionError, match=said):
        BY_NAME[case].check(one)


PAGE = "a_page_for_people_instead_of_the_channel_delivers_nothing"  # the kit's to tell, in whatever sink


@pytest.mark.parametrize(
    ("target", "name"),
    sorted({("good", PAGE), *((KEPT_BY.get(name, "good"), case) for name, (case, _) in FOUND_BY.items())}),
)
def test_a_target_that_keeps_its_promises_passes_the_same_cases(
    target: str, name: str, runs: Any, tmp_path: Path
) -> None:
    with trial(start(target), tmp_path, runs) as one:
        BY_NAME[name].check(one)


def test_what_a_sink_can_do_it_says_itself() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        from broken_targets import KnownByName, Rows

    assert set(unable(Rows)) == {"handles"}
    assert set(unable(KnownByName)) == set()
    assert set(unable(ActivationSink)) == {"replaces", "renames", "handles"}


def test_a_case_is_made_for_every_channel_that_can_do_what_it_needs() -> None:
    able = start("good")
    assert [case for _, case in cases_of([able])] == CASES
    unable = Start("unable", able.subject, {"refuses": "it takes everything"})
    left = [case for case in CASES if "refuses" not in case.needs]
    assert [case for _, case in cases_of([unable])] == left
    assert 0 < len(left) < len(CASES)


def test_a_connector_without_a_word_about_itself_has_no_subject(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    (tmp_path / "conformance.py").write_text(
        "from snello.kit.conformance.targets import starts\n"
        "@starts({'lost': 'nobody else writes there'})\n"
        "def subject():\n    yield None\n"
    )
    assert [(one.name, dict(one.lacks)) for one in found(tmp_path)] == [
        ("subject", {"lost": "nobody else writes there"})
    ]
