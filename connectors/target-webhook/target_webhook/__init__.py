"""Tell a URL of the changes of an audience, in signed bodies that may safely arrive twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from urllib.parse import quote

from snello.kit.channel import (
    ActivationSink,
    ActivationTarget,
    BatchRefused,
    Change,
    ConfigError,
    Http,
    Pace,
    Verdict,
)
from snello.kit.entry import entry
from target_webhook.answers import verdicts
from target_webhook.bodies import WHERE, Bodies
from target_webhook.settings import KEY, Settings
from target_webhook.signing import Signing

NOT_THERE = (404, 405, 410)
GONE = 410


class Changes(ActivationSink[Settings]):
    """One call a batch of changes of one kind, or a change."""

    name = "changes"
    modes = frozenset({"mirror", "upsert", "insert", "update", "append"})

    @property
    def max_size(self) -> int:  # type: ignore[override]
        """As the settings say."""
        return 1 if self.settings.body == "row" else self.settings.batch_size

    @property
    def parallel(self) -> int:  # type: ignore[override]
        """As the settings say."""
        return self.settings.parallel

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The receiver's verdicts, or delivered for all when it gives none."""
        return self._tell(changes)

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """As an upsert, with the key that the row had until now."""
        return self._tell(changes)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """As an upsert, with the key alone for a row."""
        return self._tell(changes)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    @cached_property
    def _http(self) -> Http:
        given = self.settings
        more = {name: value.get_secret_value() for name, value in given.headers.items()}
        return Http(
            WHERE,
            headers={"User-Agent": "snello-target-webhook", **more, "Content-Type": given.content_type},
            retry=given.retry,
            pace=Pace(given.requests_per_second),
            parallel=self.parallel,
            renew="check that TARGET_WEBHOOK_SECRET is the receiver's, and that the URL's token is still good",
            auth=Signing(given.scheme),
            config={"secret": given.secret},
        )

    @cached_property
    def _bodies(self) -> Bodies:
        """Who makes the bodies. Raises ``ConfigError`` when the template cannot."""
        given = self.settings
        made = Bodies(self.sync, given.body == "row", given.template, given.content_type)
        columns = self.schema.get("properties", {})
        made.check({name: schema for name, schema in columns.items() if not name.startswith("_")})
        return made

    def _tell(self, changes: Sequence[Change]) -> list[Verdict]:
        first, given = changes[0], self.settings
        body = self._bodies.of(changes)
        key = quote(first.key, safe="")
        headers = {"Idempotency-Key": self.batch_id}
        if given.ordering == "key":
            headers |= {"Ordering-Key": key, "Ordering-Run": first.run_id}
        whole = given.url.get_secret_value()
        url = whole.replace(KEY, key)
        try:
            answer = self._http.call(given.method, url, place="the webhook", data=body, headers=headers)
        except BatchRefused as fault:
            if fault.status == GONE and first.op == "remove" and url != whole:
                return [Verdict.delivered(first.key)]
            if fault.status in NOT_THERE:
                raise ConfigError(WHERE, f"{fault.status} from the webhook", "check TARGET_WEBHOOK_URL") from None
            raise
        return verdicts(changes, answer.content)


class TargetWebhook(ActivationTarget):
    """Singer target that tells a URL of changes, in signed bodies."""

    name = "target-webhook"
    sinks = (Changes,)
    settings = Settings


main = entry(TargetWebhook)
