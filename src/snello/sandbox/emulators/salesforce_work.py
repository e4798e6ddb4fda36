"""What Salesforce makes of a bulk job's CSV: an empty cell leaves a field as it is, ``#N/A`` clears it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from snello.sandbox.emulators import salesforce_rules as rules
from snello.sandbox.emulators.salesforce_records import Records

HEADS: dict[str, list[str]] = {
    "successfulResults": ["sf__Id", "sf__Created"],
    "failedResults": ["sf__Id", "sf__Error"],
    "unprocessedRecords": [],
}


class Work:
    """Jobs done on an org's records."""

    def __init__(self, records: Records) -> None:
        self.records, self.store = records, records.store

    def done(self, job: Mapping[str, Any], text: str, failing: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Do what a job says; what its information says then, and its results by name.

        ``failing``: with this message it ends half-way
        """
        if ("\r\n" in text) != (job["lineEnding"] == "CRLF"):
            told = f"LineEnding is invalid on user data. Current LineEnding setting is {job['lineEnding']}"
            return _failed(f"ClientInputError : {told}")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        names = list(reader.fieldnames or ())
        if unknown := next((name for name in names if not self._is_there(job["object"], name)), None):
            return _failed(f"InvalidBatch : Field name not found : {unknown}")
        rows = list(reader)
        until = len(rows) // 2 if failing else len(rows)
        results = {name: [[*first, *names]] for name, first in HEADS.items()}
        done = set[str]()
        for row in rows[:until]:
            try:
                with self.store.all_or_nothing():
                    number, created = self._written(job, row, done)
                results["successfulResults"].append([number, str(created).lower(), *row.values()])
            except rules.RowRefused as fault:
                self.store.refused += 1
                results["failedResults"].append(["", fault.cell(), *row.values()])
        results["unprocessedRecords"] += [list(row.values()) for row in rows[until:]]
        info = {"numberRecordsProcessed": until, "numberRecordsFailed": len(results["failedResults"]) - 1}
        state = {"state": "Failed", "errorMessage": failing} if failing else {"state": "JobComplete"}
        return info | state, {name: _csv(lines) for name, lines in results.items()}

    def _is_there(self, kind: str, name: str) -> bool:
        head, _, key = name.partition(".")
        return bool(self.store.relation(kind, head)) if key else name.lower() in self.store.fields(kind)

    def _written(self, job: Mapping[str, Any], row: Mapping[str, str], done: set[str]) -> tuple[str, bool]:
        kind, key = job["object"], job.get("externalIdFieldName", "Id")
        fields = self.store.fields(kind)
        named = row.get(key, "")
        if job["operation"] != "insert" and not named:
            raise rules.RowRefused("MISSING_ARGUMENT", f"{key} not specified")
        if named and named.lower() in done:
            raise rules.RowRefused("DUPLICATE_VALUE", f"Duplicate external id specified: {named}", [key])
        done.add(named.lower())
        given = {name: cell for name, cell in row.items() if cell and name != "Id"}
        values = {name: cell if "." in name else rules.read(fields[name.lower()], cell) for name, cell in given.items()}
        number = named if key == "Id" else self.store.find(kind, key, named)
        number = None if job["operation"] == "insert" else number
        return self.store.write(kind, number, self.records.resolved(kind, values)), number is None


def _failed(message: str) -> tuple[dict[str, Any], dict[str, str]]:
    return {"state": "Failed", "errorMessage": message}, {}


def _csv(lines: list[list[str]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([lines[0], *reversed(lines[1:])])
    return written.getvalue()
