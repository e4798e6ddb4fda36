"""Delivering rows to a receiver that takes 20 ms to answer: target-webhook beside drt-core's REST destination.

.venv/bin/python bench/deliver.py [ROWS]        default: 100,000 rows in bodies of 500

Each figure is a process of its own, against one local receiver that counts rows and requests: rows a second with the
start-up, and from the first request to the last answer. The
limit posts ready bodies, eight at once, and remembers nothing. target-webhook signs each body, writes an intent before
and a receipt a row after each call; drt reads the same rows out of DuckDB and keeps a line a run, its pace switched
off. CPU seconds say more than the clock on a shared machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LATENCY, SIZE, IN_FLIGHT = 0.020, 500, 8
SECRET = "bench-secret"
DRT = {
    "drt_project.yml": "name: bench\nversion: '0.1'\nprofile: bench\n",
    ".drt/profiles.yml": "bench:\n  type: duckdb\n  database: {folder}/people.duckdb\n",
    "syncs/people.yml": """
name: people
model: select * from people
destination:
  type: rest_api
  url: {url}
  method: POST
  body_mode: batch
  batch_template: '{{{{ rows | tojson }}}}'
  headers: {{Content-Type: application/json}}
sync:
  mode: full
  batch_size: {size}
  rate_limit: {{requests_per_second: 0}}
  on_error: fail
""",
}


# ------------------------------------------------------------ the receiver


def receiver() -> None:
    """Take bodies on a free port, which is printed; ``GET`` tells how many rows and requests came, and forgets them."""
    seen: dict[str, float] = {"rows": 0, "requests": 0, "first": 0, "last": 0}

    async def answer(head: bytes, reader: asyncio.StreamReader) -> bytes:
        if head.startswith(b"GET"):
            said = json.dumps(seen).encode()
            seen.update(rows=0, requests=0, first=0)
            return said
        seen["first"] = seen["first"] or time.monotonic()
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        seen["rows"] += body.count(b'"customer_id"')
        seen["requests"] += 1
        await asyncio.sleep(LATENCY)
        seen["last"] = time.monotonic()
        return b"{}"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                said = await answer(head, reader)
                start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(said)
                writer.write(start + said)
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
def received() -> Iterator[str]:
    words = [sys.executable, __file__, "--receiver"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/hook"
        finally:
            process.terminate()


def limit(url: str, folder: str) -> None:
    """Ready bodies, eight in flight."""
    import httpx

    bodies = [line.encode() for line in (Path(folder) / "bodies").read_text().splitlines()]

    async def everything() -> None:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=IN_FLIGHT)) as client:
            waiting = asyncio.Semaphore(IN_FLIGHT)

            async def one(body: bytes) -> None:
                async with waiting:
                    await client.post(url, content=body)

            await asyncio.gather(*(one(body) for body in bodies))

    asyncio.run(everything())


# ------------------------------------------------------------ what is delivered


def person(number: int) -> dict[str, Any]:
    return {
        "customer_id": f"c{number:07}",
        "email": f"person{number}@example.org",
        "first_name": f"First{number % 5000}",
        "last_name": f"Last{number % 20000}",
        "birth_date": f"19{number % 60 + 40}-0{number % 9 + 1}-1{number % 9}",
        "visits": number % 30,
        "revenue": number % 1000 / 7,
        "language": "it",
        "stage": "occasional",
    }


def prepare(folder: Path, rows: int, url: str) -> None:
    """The same people as a published audience, as Singer messages, as a DuckDB table and as bodies."""
    import duckdb
    import pyarrow as pa

    from snello.kit.channel.rehearsal import Rehearsal

    people = [person(number) for number in range(rows)]
    for name in ("messages", "pipe"):
        stage = Rehearsal(folder / name, purpose="profiling", channel="any")
        stage.publish(people)
        (folder / name / "tap.json").write_text(json.dumps(stage.tap_config))
        settings = {"url": url, "secret": SECRET, "batch_size": SIZE, "parallel": IN_FLIGHT, "ledger": stage.ledger_url}
        (folder / name / "target.json").write_text(json.dumps(settings))
        if name == "messages":
            (folder / "messages.singer").write_text(stage.messages())
    with duckdb.connect(str(folder / "people.duckdb")) as connection:
        connection.register("found", pa.Table.from_pylist(people))
        connection.execute("create table people as select * from found")
    bodies = [json.dumps(people[start : start + SIZE]) for start in range(0, rows, SIZE)]
    (folder / "bodies").write_text("\n".join(bodies))
    for name, text in DRT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.format(folder=folder, url=url, size=SIZE))


# ------------------------------------------------------------ running and measuring


@dataclass
class Taken:
    """Rows a second, with the start-up and without."""

    whole: float
    sending: float


def took(name: str, words: list[str], url: str, rows: int, folder: Path, stdin: Path | None = None) -> Taken:
    """Run a command; print its figures and what the receiver saw of it."""
    environment: Mapping[str, str] = {
        **os.environ,
        "HOME": str(folder),
        "SNELLO_STATE": str(folder),
        "LOGLEVEL": "ERROR",
    }
    with (stdin or Path(os.devnull)).open() as given, (folder / "said").open("w") as said:
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with subprocess.Popen(words, stdin=given, stdout=said, stderr=said, cwd=folder, env=environment) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"{name} failed:\n{(folder / 'said').read_text()[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with urllib.request.urlopen(url) as answer:
        seen = json.load(answer)
    assert seen["rows"] == rows, f"{name}: {seen['rows']:,} rows arrived"
    sending = rows / (seen["last"] - seen["first"])
    rates = f"{rows / seconds:>8,.0f} rows/s with start-up, {sending:>8,.0f} sending"
    used_up = f"{cpu:>5.1f} s of CPU   {used.ru_maxrss / 1024:>4.0f} MB"
    print(f"  {name:<32} {rates}   {used_up}   {seen['requests']:,.0f} requests", flush=True)
    return Taken(rows / seconds, sending)


def main(rows: int) -> None:
    from peers import programs

    print(f"{rows:,} rows in bodies of {SIZE}, each answer {LATENCY * 1000:.0f} ms away")
    target = str(Path(sys.executable).with_name("target-webhook"))
    tap = str(Path(sys.executable).with_name("tap-activation"))
    with received() as url, tempfile.TemporaryDirectory(prefix="snello-bench-") as name:
        folder = Path(name)
        # apart, for a process begins with the memory of the one that starts it
        subprocess.run([sys.executable, __file__, "--prepare", name, str(rows), url], check=True)
        took("httpx, 8 in flight, nothing kept", [sys.executable, __file__, "--limit", url, name], url, rows, folder)
        given = [target, "--config", f"{folder}/messages/target.json"]
        ours = took("target-webhook, 8 in flight", given, url, rows, folder, folder / "messages.singer")
        pipe = f"{tap} --config pipe/tap.json | {target} --config pipe/target.json"
        whole = took("tap-activation | target-webhook", ["bash", "-c", f"set -o pipefail; {pipe}"], url, rows, folder)
        drt = took("drt-core, REST destination", [str(programs() / "drt"), "run"], url, rows, folder)
    print(
        f"  target-webhook: {ours.whole / drt.whole:.1f} times drt-core with the start-up, "
        f"{ours.sending / drt.sending:.1f} times without; with its tap {whole.whole / drt.whole:.1f} times"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--receiver"]:
            receiver()
        case ["--prepare", folder, many, url]:
            prepare(Path(folder), int(many), url)
        case ["--limit", url, folder]:
            limit(url, folder)
        case given:
            main(int(given[0].replace("_", "").replace(",", "")) if given else 100_000)
