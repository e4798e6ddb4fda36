"""Several connections that carry the letters of a batch, each at the pace of the domain that it goes to."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Literal

from snello.errors import ConfigError, RetryLater
from snello.kit.mail.codes import bad_address
from snello.kit.mail.journal import Journal
from snello.kit.mail.line import SERVICE_ENDS, Answer, Line, Lost, Server
from snello.kit.mail.rounds import Job, Paces, Rounds
from snello.kit.mail.templates import Unfit

HOPELESS = 25  # so many letters refused and none taken: it is not the letters
FIRST_WAIT = 0.5

Kind = Literal["taken", "refused", "later", "doubt"]


@dataclass(frozen=True)
class Outcome:
    """What became of a letter; ``code`` is the server's, or one word of ours."""

    key: str
    kind: Kind
    code: str = ""


@dataclass(frozen=True)
class Manner:
    """How letters are carried.

    - ``connections`` at once, each for ``letters`` letters; ``attempts`` at one before it is left, ``longest`` seconds
      between two of them
    - ``patience``: so many of one domain put off in a row, and the rest of them waits for the next run
    - ``repeat``: whether a letter that may have arrived is sent once more
    """

    connections: int = 4
    letters: int = 100
    attempts: int = 5
    longest: float = 60.0
    patience: int = 20
    repeat: bool = False


class Courier:
    """Carries batches of letters to one server; ``where`` names the target in messages."""

    def __init__(self, server: Server, manner: Manner, pace: Paces, journal: Journal, where: str) -> None:
        self.server, self.manner, self.pace, self.journal, self.where = server, manner, pace, journal, where
        self._lock = threading.Lock()
        self._put_off: Counter[str] = Counter()
        self._taken = self._refused = 0

    def send(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """An outcome a letter, in the order in which they come.

        Raises ``RetryLater`` when the server cannot be reached, ``ConfigError`` when it takes nothing from us; the
        letters that have had their outcome until then have been told.
        """
        batch = _Batch(Rounds(jobs, self.pace), min(self.manner.connections, len(jobs)))
        threads = [threading.Thread(target=self._work, args=(batch,), daemon=True) for _ in range(batch.alive)]
        for thread in threads:
            thread.start()
        try:
            running = len(threads)
            while running:
                said = batch.said.get()
                if said is None:
                    running -= 1
                else:
                    yield said
        finally:  # a run that is stopped lets the letters that are under way come to their end
            batch.rounds.stop()
            for thread in threads:
                thread.join(self.server.timeout)
        if batch.fault is not None:
            raise batch.fault

    def _work(self, batch: _Batch) -> None:
        """One connection's part of a batch: letter after letter, until none is left."""
        line: Line | None = None
        failures = 0
        try:
            while (job := batch.rounds.take()) is not None:
                try:
                    text = job.compose()
                    line = self._line(line)
                except Unfit as unfit:
                    batch.tell(Outcome(job.key, "refused", unfit.code))
                    continue
                except Lost as lost:
                    batch.rounds.put_back(job)
                    line, ended = None, True
                    what = lost.what
                else:
                    ended, what = self._carried(line, job, text, batch)
                if not ended:
                    failures = 0
                    continue
                line, failures = None, failures + 1
                if failures >= self.manner.attempts:
                    self._give_up(batch, what)
                    return
                batch.rounds.pause(min(self.manner.longest, FIRST_WAIT * 2 ** (failures - 1)))
        except BaseException as fault:
            if line is not None:  # whatever it was in the middle of must not end as if it were whole
                line.hang_up()
                line = None
            batch.end(fault)
        finally:
            if line is not None:
                line.close()
            batch.said.put(None)

    def _line(self, line: Line | None) -> Line:
        if line is not None and line.letters >= self.manner.letters:
            line.close()
            line = None
        return line or Line(self.server, self.where)

    def _carried(self, line: Line, job: Job, text: bytes, batch: _Batch) -> tuple[bool, str]:
        """Tell what became of a letter; whether the connection has ended, and how."""
        try:
            answer = line.send(job, text, lambda: self.journal.begin(job.ref))
        except Lost as lost:
            if lost.begun and not self.manner.repeat:
                batch.tell(Outcome(job.key, "doubt", "in_doubt"))
            else:
                self._once_more(job, batch, "connection_lost")
            return True, lost.what
        if answer.good:
            self.journal.taken(job.ref)
            self._note(job, answer)
            batch.tell(Outcome(job.key, "taken"))
            return False, ""
        if answer.step == "text":
            self.journal.forget(job.ref)
        if answer.status == SERVICE_ENDS:
            self._once_more(job, batch, answer.code)
            return True, answer.code
        self._check_sender(answer)
        batch.tell(Outcome(job.key, "refused" if answer.status >= 500 else "later", answer.code))
        if self._note(job, answer):
            for left in batch.rounds.leave(job.domain):
                batch.said.put(Outcome(left.key, "later", "domain_waits"))
        return False, ""

    def _once_more(self, job: Job, batch: _Batch, code: str) -> None:
        if job.tries + 1 < self.manner.attempts:
            batch.rounds.put_back(job.again())
        else:
            batch.tell(Outcome(job.key, "later", code))

    def _check_sender(self, answer: Answer) -> None:
        if answer.step == "sender" and answer.status >= 500:
            what = f"the server refuses the sender ({answer.code})"
            raise ConfigError(self.where, what, "check sender and return_path, and that this account may use them")

    def _note(self, job: Job, answer: Answer) -> bool:
        """Count; whether the domain has put off so many that the rest of it should wait.

        Raises ``ConfigError`` when everything is refused for what is not in the letters.
        """
        with self._lock:
            self._taken += answer.good
            later = 400 <= answer.status < 500
            self._put_off[job.domain] = self._put_off[job.domain] + 1 if later else 0
            self._refused += answer.status >= 500 and not bad_address(answer.code)
            if self._refused >= HOPELESS and not self._taken:
                what = f"the server refused {self._refused} letters and took none, last with {answer.code}"
                raise ConfigError(self.where, what, "ask the server's owner whether this account may send letters")
            return self._put_off[job.domain] >= self.manner.patience

    def _give_up(self, batch: _Batch, what: str) -> None:
        """The last connection that gives up ends the batch; while others live, they carry on."""
        with self._lock:
            batch.alive -= 1
            last = not batch.alive
        if last:
            tried = f"no connection ({what}), tried {self.manner.attempts} times"
            batch.end(RetryLater(self.where, tried, "run again later; nothing is lost"))


class _Batch:
    """What the connections of one batch share."""

    def __init__(self, rounds: Rounds, alive: int) -> None:
        self.rounds, self.alive = rounds, alive
        self.said: SimpleQueue[Outcome | None] = SimpleQueue()
        self.fault: BaseException | None = None

    def tell(self, outcome: Outcome) -> None:
        """A letter that was taken has come to its end."""
        self.said.put(outcome)
        self.rounds.done()

    def end(self, fault: BaseException) -> None:
        """Let the others finish the letter that they have."""
        self.fault = self.fault or fault
        self.rounds.stop()
