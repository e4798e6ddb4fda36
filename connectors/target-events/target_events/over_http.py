"""Events to an HTTP endpoint: in headers, one a body, or many a body."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cloudevents.core.bindings.http import to_binary
from cloudevents.core.formats.json import JSONFormat

from snello.kit.channel import BatchRefused, ConfigError, Http, Pace, Verdict
from target_events.sending import WHERE, Told
from target_events.settings import Settings

NOT_THERE = (404, 405, 410)
OTHER_MODE = 415
ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"


class OverHttp:
    """Posts events; any 2xx is an acceptance."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
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
            try:
                self._post(*self._message(one))
                yield Verdict.delivered(one.key)
            except BatchRefused as fault:
                yield Verdict.refused(one.key, fault.code)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

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
