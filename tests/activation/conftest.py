from __future__ import annotations

import pytest

from snello.kit.channel.rehearsal import Rehearsal


@pytest.fixture(params=["sqlite", "postgresql"])
def on_both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with the ledger in a file, once in PostgreSQL; for modules whose stages are rehearsals."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres")
        monkeypatch.setattr(
            Rehearsal, "ledger_url", property(lambda stage: url, lambda stage, given: None), raising=False
        )
