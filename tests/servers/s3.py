"""An S3 server of this test: moto's, in a process of its own on a free port, with access rights that hold."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

BUCKET = "drop"
SERVER = """
import sys
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", int(sys.argv[1]), verbose=False)
server.start()
print("listens", flush=True)
sys.stdin.read()
server.stop()
"""


@dataclass
class S3:
    """A running server with one bucket, ``drop``."""

    port: int
    process: subprocess.Popen[str]

    @property
    def options(self) -> dict[str, Any]:
        """``storage_options`` that are right."""
        return {"key": "reader", "secret": "sesame-reader", "endpoint_url": self.url, "region": "eu-south-1"}

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def make(self, bucket: str) -> None:
        """Make a bucket."""
        place = "<LocationConstraint>eu-south-1</LocationConstraint>"
        self._ask("PUT", f"/{bucket}", f"<CreateBucketConfiguration>{place}</CreateBucketConfiguration>".encode())

    def put(self, name: str, content: bytes, bucket: str = BUCKET) -> None:
        """Keep an object."""
        self._ask("PUT", f"/{bucket}/{name}", content)

    def delete(self, name: str, bucket: str = BUCKET) -> None:
        """Remove an object."""
        self._ask("DELETE", f"/{bucket}/{name}")

    def close_doors(self) -> None:
        """From now on, whoever asks must be known; nobody is."""
        requests.post(f"{self.url}/moto-api/reset-auth", data="0", timeout=20).raise_for_status()

    def stop(self) -> None:
        """End the server."""
        self.process.kill()
        self.process.communicate()

    def _ask(self, method: str, path: str, content: bytes | None = None) -> None:
        # moto asks for the form of a signature, not for a right one
        signed = (
            "AWS4-HMAC-SHA256 Credential=writer/20260101/eu-south-1/s3/aws4_request, SignedHeaders=host, Signature=x"
        )
        headers = {"Authorization": signed}
        requests.request(method, f"{self.url}{path}", data=content, headers=headers, timeout=20).raise_for_status()


def start() -> S3:
    """A server, up and answering, with its bucket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-W", "ignore", "-c", SERVER, str(port)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    assert process.stdout is not None
    while (line := process.stdout.readline()) and "listens" not in line:
        continue
    server = S3(port, process)
    server.make(BUCKET)
    return server


@pytest.fixture
def s3() -> Iterator[S3]:
    """An S3 server of this test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = start()
    try:
        yield server
    finally:
        server.stop()
