"""The tables of one source in the folder of a generated company, as an emulator reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from snello.errors import ConfigError


def tables_of(company: Path, source: str, names: Sequence[str]) -> dict[str, pa.Table]:
    """The tables by name, mapped into memory. Raises ``ConfigError`` when the company lacks one."""
    found = {}
    for name in names:
        path = company / source / f"{name}.arrow"
        if not path.exists():
            raise ConfigError(source, f"no {path.name} in {path.parent}", "make the company with `snello demo up`")
        found[name] = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return found
