"""What is done about Python's garbage collector in a process of dbt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ASKED = """
import gc
from dbt.plugins.manager import PluginManager
before = gc.get_threshold()
PluginManager.from_modules("snello")
print(gc.isenabled(), *(now > then for now, then in zip(gc.get_threshold(), before)))
"""


def test_a_process_of_dbt_looks_for_garbage_seldom_and_does_look(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == ["True"] * 4
