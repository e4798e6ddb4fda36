"""``snello publish``: commit to the lake what dbt built and its tests passed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snello.cli.screen import Json, show


def command(
    target_dir: Annotated[
        Path | None, typer.Option(help="Folder of dbt's artifacts. [default: transform/target]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Publish to the lake what the last dbt command built, if all of it passed its tests."""
    from snello import settings
    from snello.cli import publication

    done = publication.commit(settings.load(), target_dir or settings.project_root() / "transform" / "target")
    show(done, publication.page(done), as_json=as_json)
