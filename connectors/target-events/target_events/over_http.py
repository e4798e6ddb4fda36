"""Events to an HTTP endpoint: in headers, one a body, or many a body."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from cloudevents.core.bindings.http import to_binary
from cloudevents.core.formats.json import JSONFormat

from snello.kit.channel import BatchRefused, ConfigError, Http, Pace, Verdict
from target_events.sending import WHERE, Told
from target_events.settings import Settings

NOT_THERE = (404, 405, 410)
OTHER_MODE = 415
HOPELESS = 25  # so many events refused and none taken: it is not the events
ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"


class OverHttp:
    """Posts events; any 2xx is an acceptance."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock, self._taken, self._refused = Lock(), 0, 0
        token = settings.token
        self._http = Http(
            WHERE,
            headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else {},
            retry=settings.retry,
            pace=Pace(settings.requests_per_second),
            parallel=settings.parallel,
            renew="check TARGET_EVENTS_TOKEN, and that the URL is still good",
        )

    def send(self, told: Sequence[Told]) -> Iterable[Verdict]:
        """One call an event, or one for all of them."""
        if self.settings.mode == "batched":
            self._post(b"[" + b",".join(one.whole for one in told) + b"]", {"content-type": MANY})
            yield from (Verdict.delivered(one.key) for one in told)
            return
        for one in told:
            code = self._refusal(one)
            yield Verdict.refused(one.key, code) if code else Verdict.delivered(one.key)
            self._check_hope(code)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _refusal(self, one: Told) -> str:
        """The code with which the endpoint refuses an event; empty when it takes it."""
        try:
            self._post(*self._message(one))
        except BatchRefused as fault:
            return fault.code
        return ""

    def _check_hope(self, code: str) -> None:
        """Count; raise ``ConfigError`` when everything is refused, which is not the events' fault."""
        with self._lock:
            self._refused += bool(code)
            self._taken += not code
            if self._refused >= HOPELESS and not self._taken:
                what = f"the endpoint refused {self._refused} events and took none, last with code {code}"
                raise ConfigError(WHERE, what, "ask its owner which events it takes; check source, dataschema and mode")

    def _message(self, one: Told) -> tuple[bytes, dict[str, str]]:
        if self.settings.mode == "structured":
            return one.whole, {"content-type": ONE}
        message = to_binary(one.event, JSONFormat())
        return message.body, message.headers

    def _post(self, body: bytes, headers: dict[str, str]) -> None:
        url = self.settings.url.get_secret_value()
        try:
            self._http.call("POST", url, place="the endpoint", data=body, headers=headers)
        except BatchRefused as fault:
            if fault.status in NOT_THERE:
                raise ConfigError(WHERE, f"{fault.status} from the endpoint", "check TARGET_EVENTS_URL") from None
            if fault.status == OTHER_MODE:
                what = f"the endpoint takes no events in mode {self.settings.mode}"
                raise ConfigError(WHERE, what, "set mode to another") from None
            raise
