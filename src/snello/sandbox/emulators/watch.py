"""What every emulator shares: it counts its calls, and on bad days it answers 429 or 503."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

INSPECT = "/_inspect"


@dataclass(frozen=True)
class Weather:
    """How often a service fails: by default never; the order of the failures follows from the seed.

    - ``limited``: share of calls answered 429 with ``Retry-After``
    - ``broken``: share of calls answered 503
    """

    limited: float = 0.0
    broken: float = 0.0
    retry_after: int = 1
    seed: int = 0


CALM = Weather()


@dataclass
class Watch:
    """ASGI middleware around a service: counts, bad weather, and the page that tests look at.

    - ``report``: what the service holds
    - ``calm``: headers by which the vendor says how many seconds to wait
    """

    app: ASGIApp
    service: str
    report: Callable[[], dict[str, Any]]
    weather: Weather = CALM
    home: str = ""
    calm: Callable[[int], dict[str, str]] = lambda seconds: {"Retry-After": str(seconds)}
    calls: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.weather.seed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the service, or let it answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == INSPECT:
            await JSONResponse(self.inspect())(scope, receive, send)
        elif scope["path"].startswith(INSPECT):
            await self.app(scope, receive, send)
        else:
            await self._watched(scope, receive, send)

    def inspect(self) -> dict[str, Any]:
        """What the service holds, its calls by method and path, its answers by status."""
        about = {"service": self.service, "home": self.home, "calls": dict(self.calls), "answers": dict(self.answers)}
        return about | self.report()

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls[f"{scope['method']} {scope['path']}"] += 1

        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.answers[str(message["status"])] += 1
            await send(message)

        failure = self._failure(Request(scope))
        await (failure or self.app)(scope, receive, noted)

    def _failure(self, request: Request) -> Response | None:
        luck = self.chance.random()
        after = self.calm(self.weather.retry_after)
        if luck < self.weather.limited:
            return JSONResponse({"code": "too_many_requests", "message": "Too many requests"}, 429, after)
        if luck < self.weather.limited + self.weather.broken:
            return Response("<html><body>503 Service Unavailable</body></html>", 503, after, "text/html")
        return None
