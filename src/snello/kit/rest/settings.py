"""Settings that every REST tap has; a connector's own settings extend them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class RestSettings(BaseModel):
    """What every REST tap is told."""

    start_date: datetime | None = Field(None, description="Rows changed before this moment are not read.")
    rate_limit: str | None = Field(
        None, description="Most requests, as in 10/s or 300/min, shared by all processes with these credentials."
    )
    workers: int | None = Field(None, ge=1, le=64, description="Requests in flight at once, at most.")
    timeout: float = Field(60, gt=0, description="Seconds to wait for an answer.")
    memory: str | None = Field(
        None, description="Folder or URL for what compared streams held last. Default: memory in the state folder."
    )
    deletes_at_most: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Share of a compared stream's rows that may be gone in one run; of more, none is told. "
        "Default: what the stream declares, mostly 0.5.",
    )
    fail_on_refused: bool = Field(False, description="Exit with code 5 when rows were refused.")
