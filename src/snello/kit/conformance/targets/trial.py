"""One case's stage: a hub in a folder, a channel behind a proxy, and what must hold after every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from snello.activation import Erasures, Ledger, Planner
from snello.activation.erasures import Erasure
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.kit.conformance.plans import Plan, calm
from snello.kit.conformance.proxy import Proxy, faulty
from snello.kit.conformance.runs import KILLED, Outcome, Runs
from snello.kit.conformance.targets.subject import Start, Subject

CODES = {0, 2, 3, 4, 5, KILLED}
CANARY = "canary"
HASTE = {"retry_attempts": 3, "timeout": 10, "max_wait": 10}
Receipt = tuple[str, str, str, str]


class Trial:
    """Publishes audiences, runs the target, and compares channel and ledger; customers are c000, c001, …"""

    def __init__(self, subject: Subject, folder: Path, runs: Runs, proxy: Proxy | None) -> None:
        self.subject, self.folder, self.runs, self.proxy = subject, folder, runs, proxy
        self.stage = Rehearsal(folder, "channel__audience", **{"max_removal_share": 1, **subject.terms})
        self._ledger: Ledger | None = None
        self.count = 0
        self.keys: set[str] = set()

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """An audience that takes several calls."""
        return self.people(range(self.subject.rows))

    def people(self, numbers: Iterable[int], version: int = 0) -> dict[str, dict[str, Any]]:
        """Audience rows by customer_id."""
        return {f"c{n:03}": {"customer_id": f"c{n:03}", **self.subject.columns(n, version)} for n in numbers}

    def publish(self, rows: Mapping[str, Mapping[str, Any]], **consents: Iterable[str]) -> str:
        """Publish an audience, and who does not consent; what tap-activation then writes, as lines."""
        assert all(CANARY in str(dict(row)) for row in rows.values()), "a row without a canary in it"
        self.keys |= set(rows)
        self.stage.publish(list(rows.values()), **consents)
        return self.messages()

    def mode(self, name: str) -> None:
        """From the next publication on the sync is of this mode."""
        self.stage.terms["mode"] = name

    def merge(self, aliases: Mapping[str, str]) -> None:
        """Publish that these customers are others now."""
        columns = {"alias": list(aliases), "customer_id": list(aliases.values())}
        self.stage.lake.publish({"customer_aliases": pa.table(columns)}, run_id="merged")
        self.keys |= {*aliases, *aliases.values()}

    def erase(self, *keys: str) -> None:
        """Write down that these customers asked to be forgotten, as ``snello subject erase`` does."""
        asked = Erasure(f"erasure-{'-'.join(keys)}", "s", keys, "suite", "ticket", datetime.now(UTC), None)
        with self.ledger() as ledger:
            Erasures(ledger, SALT).begin(asked, ())

    def messages(self) -> str:
        """What tap-activation writes now."""
        self.close()
        return self.stage.messages()

    def run(self, messages: str, plan: Plan = calm, **settings: Any) -> Outcome:
        """One run of the target with these messages, while the plan is in force; its promises are checked."""
        before, proxy = self.calls(), self.proxy
        self.count += 1
        url = proxy.url if proxy else self.subject.url
        config = {**HASTE, **self.subject.config(url), "ledger": self.stage.ledger_url, **settings}
        folder = self.folder / f"run-{self.count}"
        self.close()
        with broken(proxy, plan):
            outcome = self.runs.run(
                folder, messages, config, pauses=self.subject.pauses, LOGLEVEL="DEBUG", SNELLO_TRACEBACK=""
            )
        met = any(seen.fault is not None for seen in proxy.requests[before:]) if proxy else False
        assert met or plan is calm, "no call came that the plan could break"
        self._sound(outcome)
        self.truthful()
        return outcome

    def sync(self, plan: Plan = calm, **settings: Any) -> Outcome:
        """One run of the sync, tap and target."""
        return self.run(self.messages(), plan, **settings)

    def _sound(self, outcome: Outcome) -> None:
        """Faults are told in one sentence, state follows success alone, and no row or secret is shown."""
        assert outcome.code in CODES, f"exit code {outcome.code}: {outcome.last_line}"
        assert "Traceback" not in outcome.err, outcome.last_line
        if outcome.code in (0, 5):
            assert outcome.states, "no state was let through"
        else:
            assert not outcome.states, "state was let through by a run that did not end well"
        if outcome.code not in (0, KILLED):
            assert ". Next: " in outcome.last_line, outcome.last_line
        files = [*self.folder.glob("run-*/std[oe]*"), *self.folder.glob("ledger.db*")]
        for what, texts in (("a row", (CANARY,)), ("a secret", self.subject.secrets)):
            shown = [file.name for file in files if file.is_file() and _holds(file.read_bytes(), texts)]
            assert not shown, f"{what} is shown in {', '.join(shown)}"

    # ---- what the channel holds, and what the ledger says of it

    def held(self) -> dict[str, Any]:
        """What the channel holds of ours; each row must be there once."""
        pairs = list(self.subject.held())
        doubled = [key for key, n in Counter(key for key, _ in pairs).items() if n > 1]
        assert not doubled, f"the channel holds these twice: {doubled}"
        return dict(pairs)

    def shown(self, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """What the channel holds once these rows were delivered."""
        return {key: self.subject.shown(row) for key, row in rows.items()}

    def holds(self, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Assert that the channel holds these rows and no other of ours, and came there without a detour."""
        held, wanted = self.held(), self.shown(rows)
        assert held == wanted, f"missing {sorted(wanted.keys() - held)}, too many {sorted(held.keys() - wanted)}, " + (
            f"other content {sorted(key for key in held.keys() & wanted if held[key] != wanted[key])}"
        )
        self.once()

    def once(self) -> None:
        """Assert that the owner of the channel noticed no change twice."""
        if self.subject.effects is not None:
            twice = [effect for effect, n in Counter(self.subject.effects()).items() if n > 1]
            assert not twice, f"{len(twice)} changes had their effect twice"

    def truthful(self) -> None:
        """Assert that what the ledger calls delivered is there, and that it admits to all that is."""
        held, rows = self.held(), self.ledger_rows()
        for key, row in rows.items():
            if row["status"] == "delivered":
                assert (key in held) == (row["op"] == "upsert"), f"{key}: {row['op']} delivered, says the ledger"
        known = {key for key, row in rows.items() if row["fingerprint"] or row["status"] in ("in_doubt", "retrying")}
        assert held.keys() <= known, f"the ledger knows nothing of {sorted(held.keys() - known)}"

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, to look into; it stays open until the next run."""
        self._ledger = self._ledger or self.stage.ledger()
        yield self._ledger

    def close(self) -> None:
        """Close the ledger, so that a run finds it as the run before left it."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def ledger_rows(self) -> dict[str, dict[str, Any]]:
        """The ledger's rows by customer_id."""
        with self.ledger() as ledger:
            return ledger.lookup(self.stage.sync, sorted(self.keys))

    def receipts(self) -> list[Receipt]:
        """Key, op, status and code of each receipt, oldest first."""
        with self.ledger() as ledger:
            found = ledger.receipts(self.stage.sync, limit=100_000)
        return [(row["key"], row["op"], row["status"], row["code"]) for row in reversed(found)]

    def statuses(self) -> dict[str, tuple[str, str]]:
        """Status and code of each row as it stands."""
        return {key: (row["status"], row["code"]) for key, row in self.ledger_rows().items()}

    def delivered(self, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Assert that these rows and no others are held, each with one receipt of its delivery, and nothing is left."""
        self.holds(rows)
        assert not self.pending(), "something is left to deliver"
        proofs = Counter(key for key, op, status, _ in self.receipts() if (op, status) == ("upsert", "delivered"))
        missing = sorted(rows.keys() - proofs.keys())
        assert not missing, f"no receipt of a delivery for {missing}"

    def pending(self) -> list[str]:
        """Keys that tap-activation would send now, by its own comparison; nothing is written."""
        with self.ledger() as ledger:
            plan = Planner(self.stage.lake, ledger, SALT).preview(self.stage.sync)
            with closing(plan.connection):
                return [key for table in plan.tables() for key in table["_key"].to_pylist()]

    # ---- calls

    def calls(self) -> int:
        """How many calls reached the channel's door so far; where there is no proxy, how many changes it noticed."""
        if self.proxy is None:
            return len(self.subject.effects()) if self.subject.effects else 0
        return len(self.proxy.requests)

    def writes(self) -> int:
        """How many of them may have had an effect."""
        return sum(map(self.subject.writes, self.proxy.requests)) if self.proxy else self.calls()


@contextmanager
def broken(proxy: Proxy | None, plan: Plan) -> Iterator[None]:
    """The plan is in force for as long as the block lasts."""
    if proxy is not None:
        proxy.plan = plan
    try:
        yield
    finally:
        if proxy is not None:
            proxy.plan = calm


def _holds(content: bytes, texts: Iterable[str]) -> bool:
    return any(text.encode() in content for text in texts)


@contextmanager
def trial(start: Start, folder: Path, runs: Callable[[str], Runs]) -> Iterator[Trial]:
    """A trial on a channel of its own; ``runs`` gives the runs of a command."""
    with (
        start() as subject,
        nullcontext() if "http" in start.lacks else faulty(subject.url) as proxy,
        closing(Trial(subject, folder, runs(subject.command), proxy)) as found,
    ):
        yield found
