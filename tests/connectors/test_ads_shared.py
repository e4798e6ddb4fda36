"""Each ads target against its platform's own rules, in memory: members who share identifiers come, go and die."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.activation.sharing import SYNC, Fuse, Syncing

from snello.kit.channel import ActivationSink, ActivationTarget
from snello.sandbox.emulators import meta_rules
from snello.sandbox.emulators.google_rules import check_members
from snello.sandbox.emulators.google_store import GoogleStore, Switches, identifier_of
from snello.sandbox.emulators.meta_store import FIRST_ID, MetaStore
from target_google_audiences import Members
from target_google_audiences import Settings as GoogleSettings
from target_google_audiences.account import Outcome, _outcome
from target_google_audiences.following import Following
from target_google_audiences.members import handles_of, marks_of
from target_meta_audiences import CustomAudience
from target_meta_audiences import Settings as MetaSettings
from target_meta_audiences.account import Answer
from target_meta_audiences.people import STRONG, payload_of, row_of, unshared
from target_meta_audiences.people import marks_of as marks_of_row


class Meta:
    """A custom audience by the emulator's rules, without its HTTP."""

    def __init__(self, forgets: bool = True) -> None:
        self.store, self.fuse, self.calls = MetaStore(":memory:", ["x"], 0, forgets), Fuse(), 0

    def users(self, method: str, number: str, rows: Sequence[Mapping[str, str]], fields: Sequence[str]) -> Answer:
        self.fuse.burn()
        self.calls += 1
        change = self.store.add if method == "POST" else self.store.remove
        answer = change(int(number), *meta_rules.people(payload_of(rows, fields)))
        self.fuse.burn()
        return Answer(answer["num_received"], answer["num_invalid_entries"])

    def close(self) -> None: ...

    def sink(self) -> ActivationSink[Any]:
        sink = CustomAudience(MetaSettings(access_token="x", ad_account="1", batch_size=2), SYNC, "x")
        sink.__dict__.update(account=self, audience_id=str(FIRST_ID))
        return sink

    def known(self) -> set[str]:
        rows = self.store.members(FIRST_ID)
        return {f"{name} {row[name]}" for row in rows for name in STRONG if name in row}

    def of(self, key: str, person: Mapping[str, Any]) -> set[str]:
        row = row_of(key, person) or {}
        return {f"{name} {row[name]}" for name in STRONG if name in row}

    def busy(self, endless: bool) -> None:
        """It answers at once."""


class Google:
    """A list by the emulator's rules, without its HTTP; ``busy``: requests do not end."""

    def __init__(self) -> None:
        self.store, self.fuse = GoogleStore(":memory:", ["x"], Switches()), Fuse()

    def send(self, kind: str, list_id: int, members: Sequence[dict[str, Any]]) -> str:
        self.fuse.burn()
        check_members(list(members))
        request = self.store.accept(kind, {"productDestinationId": str(list_id)}, list(members))
        self.fuse.burn()
        return request

    def outcome(self, request: str) -> Outcome:
        self.store.settle()
        told = self.store.status(request)
        return _outcome(told) if told else Outcome("unknown")

    def sink(self) -> ActivationSink[Any]:
        login = {"client_id": "a", "client_secret": "b", "refresh_token": "c"}
        sink = Members(GoogleSettings(account_id="1", members_per_request=2, **login), SYNC, "x")
        sink.parallel = 1  # so that it dies at the same place each time
        sink.__dict__["_following"] = Following(self, 1, 0, 0.01)  # type: ignore[arg-type]
        return sink

    def known(self) -> set[str]:
        self.store.settle()
        return set(self.store.members(1))

    def of(self, key: str, person: Mapping[str, Any]) -> set[str]:
        (handle,) = handles_of([person], None)
        return {_kept(text) for text in marks_of(handle)} if handle else set()

    def busy(self, endless: bool) -> None:
        self.store.switches.endless = endless


def _kept(text: str) -> str:
    return identifier_of(json.loads(text))


@pytest.fixture(autouse=True)
def salted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SNELLO_SALT", "salt")
    monkeypatch.chdir(tmp_path)  # outside of a project the variable counts, and no file is read for it


EMAILS, PHONES = ["", "a@example.it", "b@example.it"], ["", "+393331234567", "+393337654321"]
PERSON = st.fixed_dictionaries({"email": st.sampled_from(EMAILS), "phone": st.sampled_from(PHONES)})
PEOPLE = st.dictionaries(st.sampled_from(["c1", "c2", "c3"]), PERSON)
STEPS = st.lists(st.tuples(PEOPLE, st.none() | st.integers(0, 5), st.booleans()), max_size=5)


@pytest.mark.parametrize("platform", [Meta, Google])
@given(steps=STEPS, last=PEOPLE)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_platform_knows_what_the_members_are_known_by(
    platform: Callable[[], Meta | Google],
    steps: list[tuple[dict[str, Any], int | None, bool]],
    last: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    there = platform()
    stage = Syncing(f"sqlite:///{tmp_path_factory.mktemp('law') / 'ledger.db'}", there.sink)
    for people, moments, endless in steps:
        there.busy(endless)
        there.fuse.left = moments
        stage.killed(people)
    there.busy(False)
    there.fuse.left = None
    for people in (last, last, last):  # what was put off is asked for, and who waited for it then goes
        stage.run(people)
    assert there.known() == set[str]().union(*(there.of(key, person) for key, person in last.items()))
    for _ in range(2):
        stage.run({})
    assert there.known() == set()
    stage.ledger.close()


def test_of_two_who_share_an_address_with_meta_the_one_who_leaves_takes_the_number_alone(tmp_path: Path) -> None:
    there = Meta()
    stage = Syncing(f"sqlite:///{tmp_path / 'ledger.db'}", there.sink)
    one = {"email": "a@example.it", "phone": "+393331234567"}
    other = {"email": "a@example.it", "phone": ""}
    stage.run({"c1": one, "c2": other, "c3": other})
    calls = there.calls
    stage.run({"c1": one, "c2": other})
    assert there.calls == calls
    assert stage.rows()["c3"]["code"] == "kept_for_another"
    stage.run({"c2": other})
    assert there.known() == there.of("c2", other)
    stage.ledger.close()


def test_each_target_of_ads_gives_marks_and_is_tried_here() -> None:
    found = set()
    for folder in Path(__file__).parents[2].glob("connectors/target-*"):
        module = import_module(folder.name.replace("-", "_"))
        kinds = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, ActivationTarget)]
        sinks = {sink for kind in kinds if kind is not ActivationTarget for sink in kind.sinks}
        found |= {sink for sink in sinks if sink.purpose == "ads_audiences"}
    assert found == {CustomAudience, Members}
    assert all(sink.marks is not ActivationSink.marks for sink in found)


NAMES = {"first_name": "Ada", "last_name": "Rossi", "postcode": "20121", "country": "IT"}


def test_names_with_a_place_are_one_identifier_of_who_has_no_other() -> None:
    weak, strong = row_of("c1", NAMES), row_of("c2", {**NAMES, "email": "a@example.it"})
    assert weak is not None
    assert strong is not None
    sink = Meta().sink()
    assert isinstance(sink, CustomAudience)
    (mark,) = sink.marks('{"EXTERN_ID":"c1","FN":"a","LN":"b"}')
    assert mark == "names a b    "
    assert unshared(weak, marks_of_row(weak)) is None
    assert unshared(strong, marks_of_row(weak)) == strong
    assert unshared(strong, marks_of_row(strong)) is None


def test_two_of_one_name_and_postcode_are_one_to_google_until_both_have_left(tmp_path: Path) -> None:
    there = Google()
    stage = Syncing(f"sqlite:///{tmp_path / 'ledger.db'}", there.sink)
    stage.run({"c1": NAMES, "c2": NAMES})
    stage.run({"c2": NAMES})
    assert there.known() == there.of("c2", NAMES)
    stage.run({})
    assert there.known() == set()
    stage.ledger.close()


def test_who_comes_while_google_has_not_ended_another_removal_waits_for_it(tmp_path: Path) -> None:
    there = Google()
    stage = Syncing(f"sqlite:///{tmp_path / 'ledger.db'}", there.sink)
    person = {"email": "a@example.it", "phone": ""}
    stage.run({"c1": person})
    there.busy(True)
    stage.run({"c2": person})
    assert [(row["status"], row["code"]) for row in stage.rows().values()] == [("retrying", "processing")] * 2
    assert dict(there.store.kinds()) == {"ingest": 1, "remove": 1}
    stage.run({"c2": person})
    assert dict(there.store.kinds()) == {"ingest": 1, "remove": 1}
    there.busy(False)
    stage.run({"c2": person})
    assert there.known() == there.of("c2", person)
    stage.ledger.close()
