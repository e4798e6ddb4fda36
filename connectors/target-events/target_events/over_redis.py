"""Events into a Redis stream: each once, for as long as its id is remembered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from snello.kit.channel import ConfigError, RetryLater, Verdict
from target_events.sending import WHERE, Told
from target_events.settings import Settings

# One step on the server: an event is never in the stream without being remembered, nor the other way round.
ADD = """
local known = redis.call('GET', KEYS[2])
if known then return known end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'id', ARGV[3], 'event', ARGV[4])
redis.call('SET', KEYS[2], id, 'EX', ARGV[2])
return id
"""
LATER = ("LOADING", "BUSY", "OOM", "READONLY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "MISCONF", "NOREPLICAS")
CURE = "check TARGET_EVENTS_URL: its host, port and stream"


class OverRedis:
    """Adds events to a stream, in one round trip a batch; the stream's own id of each is noted."""

    def __init__(self, settings: Settings) -> None:
        try:
            import redis
        except ImportError:
            cure = "install it: pip install 'snello[redis]'"
            raise ConfigError(WHERE, "events into Redis need the package redis", cure) from None
        self._redis = redis
        self.settings = settings
        parts = urlsplit(settings.url.get_secret_value())
        *database, stream = parts.path.strip("/").split("/")
        self.stream = unquote(stream)
        if not self.stream or len(database) > 1 or not all(each.isdigit() for each in database):
            raise ConfigError(WHERE, "its URL names no stream", "write redis://host:port/stream")
        server = urlunsplit(parts._replace(path=f"/{database[0]}" if database else "/0"))
        try:
            self._client: Any = redis.Redis.from_url(
                server, socket_timeout=settings.timeout, socket_connect_timeout=settings.timeout
            )
        except ValueError:
            raise ConfigError(WHERE, "its URL is not one", CURE) from None

    def send(self, told: Sequence[Told]) -> Iterable[Verdict]:
        """Add those that the stream has not yet. Raises ``RetryLater`` when the answer did not come."""
        pipe = self._client.pipeline(transaction=False)
        for one in told:
            event = str(one.event.get_id())
            seen = f"{{{self.stream}}}:told:{event}"
            pipe.eval(ADD, 2, self.stream, seen, self.settings.max_length, self.settings.remember, event, one.whole)
        try:
            answers = pipe.execute(raise_on_error=False)
        except self._redis.RedisError as error:
            raise self._fault(error) from None
        verdicts = []
        for one, answer in zip(told, answers, strict=True):
            if isinstance(answer, Exception):
                raise self._fault(answer)
            verdicts.append(Verdict.delivered(one.key, bytes(answer).decode()))
        return verdicts

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _fault(self, error: Exception) -> Exception:
        known = self._redis.exceptions
        if isinstance(error, known.AuthenticationError | known.NoPermissionError):
            return ConfigError(WHERE, "Redis refuses the user or its rights", "check the user in TARGET_EVENTS_URL")
        weather = isinstance(error, known.ConnectionError | known.TimeoutError | known.BusyLoadingError)
        if weather or str(error).startswith(LATER):
            return RetryLater(WHERE, f"Redis does not take events ({type(error).__name__})", "run again later")
        if "WRONGTYPE" in str(error):
            return ConfigError(WHERE, "what Redis has under the stream's name is no stream", CURE)
        if "NOAUTH" in str(error) or "NOPERM" in str(error):
            return ConfigError(WHERE, "Redis refuses the user or its rights", "check the user in TARGET_EVENTS_URL")
        return ConfigError(WHERE, f"Redis refuses the command ({type(error).__name__})", "give it Redis 5 or later")
