"""Salesforce's Bulk API 2.0: jobs that take a CSV and work on it later, with results by row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators import salesforce_rules as rules
from snello.sandbox.emulators.salesforce_records import Records
from snello.sandbox.emulators.salesforce_work import Work

USER = "005000000000001AAA"
RUNNING, ENDED = ("UploadComplete", "InProgress"), ("JobComplete", "Failed", "Aborted")
A_PAGE = 1000
TWICE = (
    "Found multipe contents for job: <{}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job "
    "and make sure you only do 'PUT' once on a given Job."
)


@dataclass
class Works:
    """How jobs go.

    - ``looks``: how often somebody asks for a job before it is done; ``stuck``: it never is
    - ``jobs``: how many may be made in 24 hours; ``bytes``: of a CSV, as base64 blows it up
    - ``failing``: with this message a job ends half-way, the rest of its rows unprocessed
    """

    looks: int = 0
    stuck: bool = False
    jobs: int = 15_000
    bytes: int = rules.MOST_BYTES
    failing: str = ""


class Jobs:
    """The routes of ingest jobs, below ``root``."""

    def __init__(self, records: Records, works: Works) -> None:
        self.store, self.root, self.works, self.work = records.store, records.root, works, Work(records)

    def routes(self) -> list[Route]:
        """Their paths."""
        one = "/jobs/ingest/{job}"
        found = [
            ("/jobs/ingest", self.create, "POST"),
            ("/jobs/ingest", self.everything, "GET"),
            (one, self.look, "GET"),
            (one, self.turn, "PATCH"),
            (one, self.drop, "DELETE"),
            (one + "/batches", self.upload, "PUT"),
            (one + "/{results}", self.results, "GET"),
        ]
        return [Route(self.root + path, route, methods=[method]) for path, route, method in found]

    async def create(self, request: Request) -> Response:
        """A job, open for its data."""
        given = await rules.body_of(request)
        kind, key = str(given.get("object")), given.get("externalIdFieldName")
        if given.get("operation") not in ("insert", "update", "upsert"):
            raise rules.Refused(400, "INVALIDJOB", "Operation is not supported")
        fields = self.store.fields(kind)
        if given["operation"] == "upsert" and not fields.get(str(key).lower(), {}).get("idLookup"):
            told = f"Field name provided, {key} does not match an External ID, Salesforce Id, or indexed field"
            raise rules.Refused(400, "INVALIDJOB", f"InvalidJob : {told} for {kind}")
        if self.store.db.execute("SELECT count(*) FROM jobs").fetchone()[0] >= self.works.jobs:
            raise rules.Refused(400, "EXCEEDEDQUOTA", "ApiBatchItems Limit exceeded.")
        number = self.store.db.execute("INSERT INTO jobs (info) VALUES ('{}')").lastrowid or 0
        about = {name: given[name] for name in ("object", "operation", "externalIdFieldName") if given.get(name)}
        fixed = {"contentType": "CSV", "concurrencyMode": "Parallel", "jobType": "V2Ingest", "createdById": USER}
        job = f"750{number:012d}AAA"
        form = {"lineEnding": given.get("lineEnding", "LF"), "columnDelimiter": given.get("columnDelimiter", "COMMA")}
        whole = {"id": job, "state": "Open", "createdDate": _now(), "apiVersion": 66.0} | about | fixed | form
        self.store.db.execute("UPDATE jobs SET id = ?, info = ? WHERE number = ?", (job, json.dumps(whole), number))
        return JSONResponse(whole | {"contentUrl": f"{self.root[1:]}/jobs/ingest/{job}/batches"})

    async def upload(self, request: Request) -> Response:
        """The data of an open job, once."""
        job = self._job(request)
        if not request.headers.get("content-type", "").startswith("text/csv"):
            raise rules.Refused(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type not supported")
        content = await request.body()
        if len(content) * 3 // 2 > self.works.bytes:
            raise rules.Refused(400, "CLIENTINPUTERROR", "The job data exceeds the maximum size")
        if job["state"] != "Open":
            raise _wrong_state(job)
        query = "UPDATE jobs SET content = ?, puts = puts + 1 WHERE id = ?"
        self.store.db.execute(query, (content, job["id"]))
        return Response(status_code=201)

    async def turn(self, request: Request) -> Response:
        """Close a job, so that it is worked on, or abort it."""
        job, wanted = self._job(request), (await rules.body_of(request)).get("state")
        puts = self.store.db.execute("SELECT puts FROM jobs WHERE id = ?", (job["id"],)).fetchone()[0]
        if wanted == "Aborted" and job["state"] not in ENDED:
            self._keep(job | {"state": wanted})
        elif wanted == "UploadComplete" and job["state"] == "Open":
            if puts != 1:
                told = TWICE.format(job["id"]) if puts else "No data has been uploaded for this job"
                raise rules.Refused(400, "INVALIDJOB", told)
            self._keep(job | {"state": wanted})
        else:
            raise _wrong_state(job)
        return JSONResponse(self._job(request))

    async def look(self, request: Request) -> Response:
        """How far a job has come; it comes further by being asked for."""
        job = self._job(request)
        if job["state"] in RUNNING:
            query = "UPDATE jobs SET looks = looks + 1 WHERE id = ? RETURNING looks, content"
            looks, content = self.store.db.execute(query, (job["id"],)).fetchone()
            if self.works.stuck or looks <= self.works.looks:
                self._keep(job | {"state": "InProgress"})
            else:
                info, results = self.work.done(job, content.decode(), self.works.failing)
                self._keep(job | info)
                self.store.db.execute("UPDATE jobs SET results = ? WHERE id = ?", (json.dumps(results), job["id"]))
        return JSONResponse({"numberRecordsProcessed": 0, "numberRecordsFailed": 0, "retries": 0} | self._job(request))

    async def results(self, request: Request) -> Response:
        """The rows of one fate, in an order of their own."""
        job, name = self._job(request), request.path_params["results"]
        if name not in ("successfulResults", "failedResults", "unprocessedRecords"):
            raise rules.Refused(404, "NOT_FOUND", "The requested resource does not exist")
        if job["state"] not in ENDED:
            raise _wrong_state(job)
        kept = self.store.db.execute("SELECT results FROM jobs WHERE id = ?", (job["id"],)).fetchone()[0]
        return Response(json.loads(kept).get(name, ""), media_type="text/csv")

    async def everything(self, request: Request) -> Response:
        """All jobs, 1,000 a page."""
        after = int(request.query_params.get("queryLocator", "0"))
        query = "SELECT number, info FROM jobs WHERE number > ? ORDER BY number LIMIT ?"
        rows = self.store.db.execute(query, (after, A_PAGE)).fetchall()
        more = f"{self.root}/jobs/ingest?queryLocator={rows[-1]['number']}" if len(rows) == A_PAGE else None
        shown = [json.loads(row["info"]) for row in rows]
        return JSONResponse({"done": more is None, "records": shown, "nextRecordsUrl": more})

    async def drop(self, request: Request) -> Response:
        """Forget a job that has ended."""
        job = self._job(request)
        if job["state"] not in ENDED:
            raise _wrong_state(job)
        self.store.db.execute("DELETE FROM jobs WHERE id = ?", (job["id"],))
        return Response(status_code=204)

    # ---- the work

    def _job(self, request: Request) -> dict[str, Any]:
        row = self.store.db.execute("SELECT info FROM jobs WHERE id = ?", (request.path_params["job"],)).fetchone()
        if row is None:
            raise rules.Refused(404, "NOT_FOUND", "The requested resource does not exist")
        found: dict[str, Any] = json.loads(row["info"])
        return found

    def _keep(self, job: Mapping[str, Any]) -> None:
        self.store.db.execute("UPDATE jobs SET info = ? WHERE id = ?", (json.dumps(job), job["id"]))


def _wrong_state(job: Mapping[str, Any]) -> rules.Refused:
    told = f"Invalid job state: the job {job['id']} is {job['state']}"
    return rules.Refused(400, "INVALIDJOBSTATE", told)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
