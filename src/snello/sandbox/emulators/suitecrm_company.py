"""The SuiteCRM of a generated company: its fleets and rentals."""

from __future__ import annotations

from pathlib import Path

from starlette.types import ASGIApp

from snello.sandbox.emulators.company_tables import tables_of
from snello.sandbox.emulators.suitecrm import suitecrm
from snello.sandbox.emulators.suitecrm_fields import CUSTOM, OBJECTS
from snello.sandbox.emulators.watch import CALM, Weather

HANDLE = {"bluesky_c": "varchar"}
MODULES = {name.lower(): name for name in OBJECTS if name != "ProspectLists"}


def of_company(company: Path, *, weather: Weather = CALM) -> ASGIApp:
    """The SuiteCRM in the folder of a company, with a field of the administrator's own for the handle at Bluesky.

    Changes live in memory, over the files. Raises ``ConfigError`` without a company.
    """
    tables = tables_of(company, "suitecrm", list(MODULES))
    records = {MODULES[name]: table.to_pylist() for name, table in tables.items()}
    home = str(company.parent.resolve())
    return suitecrm(custom={**CUSTOM, **HANDLE}, records=records, weather=weather, home=home)
