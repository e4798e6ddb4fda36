"""``snello apply``: publish the plan that was made last, or refuse."""

from __future__ import annotations

from snello.cli.screen import Json, show


def command(as_json: Json = False) -> None:
    """Publish exactly what the last `snello plan` told; refuse when project or publication changed since."""
    from snello import settings
    from snello.cli import publication
    from snello.cli.plan import plan

    done = plan.apply(settings.load(), settings.project_root())
    show(done, publication.page(done), as_json=as_json)
