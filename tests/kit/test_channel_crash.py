"""Killed at random instants, a sync loses nothing and doubles nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).parents[2] / "bench" / "kills.py"


@pytest.mark.timeout(300)
def test_killed_twenty_times_nothing_is_lost_and_nothing_is_doubled() -> None:
    run = subprocess.run([sys.executable, KILLS, "20", "7"], capture_output=True, text=True, check=False, timeout=280)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    assert "20 kills" in run.stdout
    assert "lost 0, doubled 0, same key with another body 0, ledger equal to the receiver's truth" in run.stdout
