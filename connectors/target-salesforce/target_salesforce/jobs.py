"""Bulk API 2.0: many rows as one CSV, on which Salesforce works for seconds or hours, with results by row.

A run waits for all its jobs together, as long as the settings say. What has not ended then is put off with the job's
id, and the next run asks for it before it sends anything again. A job left open by a run that died is aborted.
"""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from snello.kit.channel import BatchRefused, ConfigError, RetryLater
from target_salesforce.faults import WHERE, RowFault, of_cell, of_org
from target_salesforce.fields import cell_of
from target_salesforce.org import Org, Row, Told

MOST_BYTES = 100_000_000  # of a CSV; Salesforce takes 150 MB of base64
LONGEST_POLL = 60.0  # seconds
PROCESSING = "processing"
RUNNING = ("UploadComplete", "InProgress")
TRIES = 3
MADE_TWICE = frozenset(("invalidjob", "invalidjobstate"))
RECORD = "Id"
MEMBER = "CampaignMember"


@dataclass
class Jobs:
    """Ingest jobs for one object; ``key``: the external id by which they upsert."""

    org: Org
    key: str
    most_bytes: int = MOST_BYTES
    _until: float | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, operation: str, rows: Sequence[Row], kind: str = "", name: str = "") -> Iterator[Told]:
        """Send rows as jobs and wait for them; what became of each, as far as it is known.

        ``kind``: of records, the customers' own when not given; ``name``: the column that names a row
        """
        name = name or (self.key if operation == "upsert" else RECORD)
        for content, some in _parts(rows, name, self.most_bytes):
            keys = {row.record or row.key: row.key for row in some}
            yield from self.outcome(self._sent(operation, content, kind or self.org.settings.object), name, keys)

    def outcome(self, job: str, name: str, keys: Mapping[str, str]) -> Iterator[Told]:
        """What became of rows in a job, by the cell that names them, once it has ended or the time is up."""
        info = self.wait(job)
        state = str(info.get("state"))
        if state in RUNNING:
            yield from ((key, RowFault(PROCESSING, again=True, job=job)) for key in keys.values())
            return
        told, failed = str(info.get("errorMessage") or ""), int(info.get("numberRecordsFailed") or 0)
        if state == "Failed" and (config := _of_job(told)):
            raise config
        if state == "JobComplete" and not failed:
            yield from ((key, None) for key in keys.values())
            return
        named = _Named(keys)
        faults = {named[row[name]]: of_cell(row["sf__Error"]) for row in self._results(job, "failedResults")}
        if len(faults) < failed and len(faults) < len(keys):
            raise RetryLater(WHERE, "a job's results are not whole", "run again later; nothing is lost")
        if state == "JobComplete":
            yield from ((key, faults.get(key)) for key in keys.values())
            return
        done = {named[row[name]] for row in self._results(job, "successfulResults")}
        for key in keys.values():
            rest = None if key in done else RowFault("unprocessed", again=True)
            yield key, faults.get(key, rest)

    def wait(self, job: str) -> Mapping[str, Any]:
        """What Salesforce says of a job, once it has ended or the time is up; of one it forgot, nothing."""
        pause, found = self.org.settings.job_wait, self.look(job)
        while found.get("state") in RUNNING and self._left() > 0:
            self._stop.wait(min(pause, self._left()))
            pause = min(2 * pause, LONGEST_POLL)
            found = self.look(job)
        return found

    def look(self, job: str) -> Mapping[str, Any]:
        """What Salesforce says of a job now."""
        try:
            found: dict[str, Any] = self.org.call("GET", f"/jobs/ingest/{job}", place="/jobs/ingest/{job}").json()
        except BatchRefused as fault:
            if fault.status != 404:
                raise
            return {}
        return found

    def abort(self, job: str) -> None:
        """Let nothing become of a job; one that has ended stays so."""
        with suppress(BatchRefused):
            self._turn(job, "Aborted")

    def strays(self) -> list[str]:
        """Jobs of ours that an earlier run left behind: those open are aborted, those under way returned."""
        mine, found = "", []
        for job in self._all():
            open_ = job.get("state") == "Open" and job.get("operation") == "upsert"
            if not self._may_be_ours(job) or not (open_ or job.get("state") in RUNNING):
                continue
            mine = mine or self.org.me()
            if job.get("createdById") != mine:
                continue
            if open_:
                self.abort(str(job["id"]))
            else:
                found.append(str(job["id"]))
        return found

    def close(self) -> None:
        """Wait no longer."""
        self._stop.set()

    # ---- one job

    def _sent(self, operation: str, content: bytes, kind: str) -> str:
        """A job with this content, closed; made anew where a repeated call spoilt it."""
        for _ in range(TRIES):
            before = self.org.http.calls
            job = self._made(operation, kind)
            lost = self.org.http.calls - before > 1  # an answer may have got lost, and with it a job's id
            try:
                self._filled(job, content)
            except BatchRefused as fault:
                if self.look(job).get("state") in (*RUNNING, "JobComplete"):
                    return job  # it was closed by a call whose answer got lost
                self.abort(job)
                if fault.code not in MADE_TWICE:
                    raise
                continue
            except ConfigError:
                self.abort(job)
                raise
            if lost:
                self.strays()
            return job
        raise RetryLater(WHERE, f"Salesforce refused a job's data {TRIES} times", "run again later; nothing is lost")

    def _made(self, operation: str, kind: str) -> str:
        body = {"object": kind, "operation": operation, "contentType": "CSV", "lineEnding": "LF"}
        named = {"externalIdFieldName": self.key} if operation == "upsert" else {}
        try:
            return str(self.org.call("POST", "/jobs/ingest", json=body | named).json()["id"])
        except BatchRefused as fault:
            what = f"Salesforce makes no bulk job for {kind} ({fault.code})"
            cure = "set bulk_threshold to more rows than an audience has"
            raise ConfigError(WHERE, what, cure) from None

    def _filled(self, job: str, content: bytes) -> None:
        headers = {"Content-Type": "text/csv; charset=UTF-8"}
        path, place = f"/jobs/ingest/{job}/batches", "/jobs/ingest/{job}/batches"
        self.org.call("PUT", path, place=place, data=content, headers=headers)
        self._turn(job, "UploadComplete")

    def _turn(self, job: str, state: str) -> None:
        self.org.call("PATCH", f"/jobs/ingest/{job}", place="/jobs/ingest/{job}", json={"state": state})

    def _results(self, job: str, name: str) -> Iterator[dict[str, str]]:
        path, place = f"/jobs/ingest/{job}/{name}", f"/jobs/ingest/{{job}}/{name}"
        answer = self.org.call("GET", path, place=place, headers={"Accept": "text/csv"})
        reader = csv.DictReader(io.StringIO(answer.content.decode(), newline=""))
        if "sf__Id" not in (reader.fieldnames or ()):
            raise RetryLater(WHERE, "a job's results are no table", "run again later; nothing is lost")
        yield from reader

    def _all(self) -> Iterator[dict[str, Any]]:
        page = self.org.call("GET", "/jobs/ingest", params={"jobType": "V2Ingest"}).json()
        yield from page["records"]
        while not page["done"] and page.get("nextRecordsUrl"):
            page = self.org.call("GET", page["nextRecordsUrl"], place="/jobs/ingest").json()
            yield from page["records"]

    def _may_be_ours(self, job: Mapping[str, Any]) -> bool:
        """Whether we make jobs like this one: upserts by our field, updates of the object, new members of campaigns."""
        match job.get("operation"):
            case "upsert":
                of = (self.org.settings.object, self.key)
                return (job.get("object"), job.get("externalIdFieldName")) == of
            case "update":
                return bool(job.get("object") == self.org.settings.object)
            case operation:
                return (operation, job.get("object")) == ("insert", MEMBER)

    def _left(self) -> float:
        if self._until is None:
            self._until = time.monotonic() + self.org.settings.job_timeout
        return self._until - time.monotonic()


class _Named(dict[str, str]):
    """Our keys by the cell that names a row, whose letters Salesforce may write in another case."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__(keys)
        self._lower = {cell.lower(): key for cell, key in keys.items()}

    def __missing__(self, cell: str) -> str:
        return self._lower.get(cell.lower(), "")


def _parts(rows: Sequence[Row], name: str, most: int) -> Iterator[tuple[bytes, list[Row]]]:
    """Rows as CSV, no part larger than a job may be."""
    columns = list(dict.fromkeys(column for row in rows for column in row.values))
    head = _line([name, *columns])
    lines, some, size = [head], list[Row](), len(head)
    for row in rows:
        cells = (cell_of(row.values[column]) if column in row.values else "" for column in columns)
        line = _line([row.record or row.key, *cells])
        if some and size + len(line) > most:
            yield b"".join(lines), some
            lines, some, size = [head], [], len(head)
        lines.append(line)
        some.append(row)
        size += len(line)
    if some:
        yield b"".join(lines), some


def _line(cells: Iterable[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(cells)
    return written.getvalue().encode()


def _of_job(message: str) -> ConfigError | None:
    """The sentence for a job that failed as a whole: ``Code : message``."""
    code, _, rest = message.partition(":")
    if code.strip().upper() == "EXCEEDEDQUOTA":
        return None
    return of_org(code.strip().upper(), rest)
