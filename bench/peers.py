"""The environment that holds the peers, made once from ``bench/requirements.lock`` and again when that changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
VENV = ROOT / ".venv-bench"
LOCK = ROOT / "bench" / "requirements.lock"


def programs() -> Path:
    """The folder with the peers' programs."""
    mark = VENV / "requirements.lock"
    if not mark.exists() or mark.read_bytes() != LOCK.read_bytes():
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV], check=True)
        given = ["--quiet", "--python", VENV / "bin" / "python", "--require-hashes"]
        subprocess.run([uv, "pip", "sync", *given, LOCK], check=True)
        shutil.copy(LOCK, mark)
    return VENV / "bin"
