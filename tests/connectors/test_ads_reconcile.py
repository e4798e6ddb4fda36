"""What targets of advertising platforms answer to ``--reconcile``: these list nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

META = {"access_token": "token", "ad_account": "1"}
GOOGLE = {"client_id": "c", "client_secret": "s", "refresh_token": "r", "account_id": "1"}


@pytest.mark.parametrize(("target", "config"), [("target-meta-audiences", META), ("target-google-audiences", GOOGLE)])
def test_who_asks_for_their_rows_is_sent_to_the_check_of_their_figures(
    tmp_path: Path, target: str, config: dict[str, Any]
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**config, "ledger": f"sqlite:///{tmp_path / 'ledger.db'}"}))
    command = [str(Path(sys.executable).parent / target), "--reconcile", "ads__loyal", "--config", str(file)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.splitlines()[-1].endswith(
        "sync ads__loyal: the platform lists nobody, so that no rows can be compared; it tells how many it has. "
        "Next: ask `snello sync check ads__loyal`, which compares its figures with ours."
    )
    assert "Traceback" not in told.stderr
