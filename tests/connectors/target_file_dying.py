"""target-file that dies when it is about to give its n-th file its name, or right after; n is in the environment."""

from __future__ import annotations

import os
import signal
from itertools import count
from typing import Any

import target_file

_calls, _rename = count(), os.replace


def _replace(source: Any, there: Any, **given: Any) -> None:
    moment = os.environ.get("DIES_AT", "")
    number = next(_calls)
    if moment == f"{number} before":
        os.kill(os.getpid(), signal.SIGKILL)
    _rename(source, there, **given)
    if moment == f"{number} after":
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    os.replace = _replace
    target_file.main()
