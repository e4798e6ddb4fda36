"""Laws over graphs: examples without a clock."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no clock", deadline=None)  # a slow machine is not a fault
settings.load_profile("no clock")
