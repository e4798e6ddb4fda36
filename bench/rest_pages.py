"""Reading a REST interface page by page: a tap of the kit beside a plain singer-sdk RESTStream and dlt's rest_api.

.venv/bin/python bench/rest_pages.py [ROWS]        default: 100,000 rows in pages of 100, each answer 20 ms away

Each figure is a process of its own, start-up included, against one local server that counts what it is asked. The
limit asks for the same pages, eight at once, and throws them away. Everybody else writes: the taps Singer messages to
nowhere, the kit also Parquet files, dlt Parquet files.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LATENCY, PAGE, IN_FLIGHT = 0.020, 100, 8
ALLOWED = 250  # requests a second that the interface declares in the last run
FIELDS: dict[str, Any] = {
    "id": {"type": "integer"},
    "first_name": {"type": ["string", "null"]},
    "last_name": {"type": ["string", "null"]},
    "email": {"type": ["string", "null"]},
    "birth_date": {"type": ["string", "null"], "format": "date"},
    "updated_at": {"type": ["string", "null"], "format": "date-time"},
    "score": {"type": ["number", "null"]},
    "active": {"type": ["boolean", "null"]},
    "city": {"type": ["string", "null"]},
}


# ------------------------------------------------------------ the interface


def row(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "first_name": f"First{number % 5000}",
        "last_name": f"Last{number % 20000}",
        "email": f"person{number}@example.org",
        "birth_date": f"19{number % 60 + 40}-0{number % 9 + 1}-1{number % 9}",
        "updated_at": f"2026-01-{number % 28 + 1:02d}T10:{number % 60:02d}:00Z",
        "score": number % 1000 / 10,
        "active": number % 3 == 0,
        "city": f"City{number % 8000}",
    }


def interface(rows: int) -> None:
    """Serve the pages on a free port, which is printed; ``/asked`` tells how many requests came, and how closely."""
    pages = -(-rows // PAGE)
    bodies = []
    for page in range(pages):
        data = [row(number) for number in range(page * PAGE + 1, min(rows, (page + 1) * PAGE) + 1)]
        bodies.append(json.dumps({"data": data, "pages": pages}).encode())
    empty = json.dumps({"data": [], "pages": pages}).encode()
    moments: list[float] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode()
                if target.startswith("/asked"):
                    closest = max((sum(1 for m in moments if at <= m < at + 1) for at in moments[::7]), default=0)
                    body = json.dumps({"requests": len(moments), "in_a_second": closest}).encode()
                    moments.clear()
                else:
                    moments.append(time.monotonic())
                    number = int(target.partition("page=")[2].partition("&")[0] or 1)
                    await asyncio.sleep(LATENCY)
                    body = bodies[number - 1] if number <= pages else empty
                start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                writer.write(start + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def served(rows: int) -> Iterator[str]:
    words = [sys.executable, __file__, "--interface", str(rows)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


# ------------------------------------------------------------ who reads it, each in a process of its own


def read_kit(url: str, _folder: str) -> None:
    """A tap of the kit, declared as an integrator would."""
    from pydantic import Field

    from snello.kit.rest import RestSettings, RestStream, RestTap, entry, page_number

    class Settings(RestSettings):
        """Where to read."""

        url: str = Field(description="Address of the interface.")

    class People(RestStream):
        """One row a person."""

        name, path, primary_keys, workers = "people", "/people", ("id",), IN_FLIGHT
        url_base, records_jsonpath = "{url}", "$.data[*]"
        paging = page_number("page", total_pages="$.pages")

    class TapPeople(RestTap):
        """The bench's tap."""

        name, settings = "tap-people", Settings

        def discover_streams(self) -> Any:
            quarantine, *_ = super().discover_streams()
            return [quarantine, People(self, self, schema={"properties": FIELDS})]

    sys.argv = ["tap-people", "--config", url]
    entry(TapPeople)()


def read_sdk(url: str, _folder: str) -> None:
    """The same over the SDK's own RESTStream, with its quickest writer."""
    from singer_sdk import RESTStream, Tap
    from singer_sdk.contrib.msgspec import MsgSpecWriter
    from singer_sdk.pagination import BasePageNumberPaginator

    class Pages(BasePageNumberPaginator):
        def has_more(self, response: Any) -> bool:
            return self.current_value < response.json()["pages"]

    class People(RESTStream):
        """One row a person."""

        name, path, primary_keys, url_base, records_jsonpath = "people", "/people", ("id",), url, "$.data[*]"
        schema = {"type": "object", "properties": FIELDS}  # noqa: RUF012

        def get_new_paginator(self) -> Pages:
            return Pages(1)

        def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
            return {"page": next_page_token}

    class TapPeople(Tap):
        """The bench's tap."""

        name, message_writer_class = "tap-people", MsgSpecWriter
        config_jsonschema: dict[str, Any] = {"type": "object", "properties": {}}  # noqa: RUF012

        def discover_streams(self) -> Any:
            return [People(self)]

    TapPeople(config={}).sync_all()


def read_dlt(url: str, folder: str) -> None:
    """dlt's rest_api source into Parquet files."""
    import dlt
    from dlt.sources.rest_api import rest_api_source

    os.environ["DLT_DATA_DIR"] = f"{folder}/dlt"
    os.environ["DESTINATION__FILESYSTEM__BUCKET_URL"] = Path(folder).as_uri()
    paginator = {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": "pages"}
    resource = {"name": "people", "endpoint": {"path": "people", "data_selector": "data", "paginator": paginator}}
    source = rest_api_source({"client": {"base_url": url}, "resources": [resource]})
    pipeline = dlt.pipeline("people", destination="filesystem", dataset_name="bench", pipelines_dir=f"{folder}/p")
    pipeline.run(source, loader_file_format="parquet")


def read_limit(url: str, _folder: str) -> None:
    """Eight requests in flight, and nothing done with the answers."""
    import httpx

    async def everything() -> None:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=IN_FLIGHT)) as client:
            pages = (await client.get(f"{url}/people?page=1")).json()["pages"]
            waiting = asyncio.Semaphore(IN_FLIGHT)

            async def one(page: int) -> None:
                async with waiting:
                    await client.get(f"{url}/people?page={page}")

            await asyncio.gather(*(one(page) for page in range(2, pages + 1)))

    asyncio.run(everything())


READERS: dict[str, Callable[[str, str], None]] = {
    "kit": read_kit,
    "sdk": read_sdk,
    "dlt": read_dlt,
    "limit": read_limit,
}


# ------------------------------------------------------------ running and measuring


def took(name: str, reader: str, url: str, rows: int, python: str = sys.executable, **settings: Any) -> float:
    """Rows a second of one reader; printed with what the interface saw of it."""
    with tempfile.TemporaryDirectory(prefix="snello-bench-") as folder:
        given = url
        if reader == "kit":
            given = f"{folder}/config.json"
            if settings.pop("batches", False):
                settings["batch_config"] = {
                    "encoding": {"format": "parquet"},
                    "storage": {"root": Path(folder).as_uri()},
                }
            Path(given).write_text(json.dumps({"url": url, **settings}))
        environment = {**os.environ, "SNELLO_STATE": folder}
        began = time.perf_counter()
        words = [python, __file__, "--read", reader, given, folder]
        subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env=environment)
        seconds = time.perf_counter() - began
    with urllib.request.urlopen(f"{url}/asked") as answer:
        asked = json.load(answer)
    rate = rows / seconds
    seen = f"{asked['requests']:,} requests, at most {asked['in_a_second']:,} in a second"
    print(f"  {name:<42} {rate:>9,.0f} rows/s   {seconds:>5.1f} s   {seen}", flush=True)
    return rate


def main(rows: int) -> None:
    from peers import programs

    print(f"{rows:,} rows in pages of {PAGE}, each answer {LATENCY * 1000:.0f} ms away")
    with served(rows) as url:
        peers = str(programs() / "python")
        took("httpx, 8 in flight, nothing kept", "limit", url, rows)
        kit = took("kit, 8 in flight, RECORD", "kit", url, rows)
        took("kit, 8 in flight, BATCH Parquet", "kit", url, rows, batches=True)
        took("kit, 1 in flight, RECORD", "kit", url, rows, workers=1)
        took(f"kit, 8 in flight, {ALLOWED} requests/s allowed", "kit", url, rows, rate_limit=f"{ALLOWED}/s")
        dlt = took("dlt rest_api, Parquet files", "dlt", url, rows, peers)
        sdk = took("singer-sdk RESTStream, msgspec writer", "sdk", url, rows)
    print(f"  kit, RECORD: {kit / sdk:.1f} times singer-sdk's RESTStream, {kit / dlt:.1f} times dlt's rest_api")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--interface", given]:
            interface(int(given))
        case ["--read", reader, given, folder]:
            READERS[reader](given, folder)
        case given:
            main(int(given[0]) if given else 100_000)
