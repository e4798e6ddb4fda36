from __future__ import annotations

import builtins
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
import redis
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from tests.servers.kafka import events_in, kafka_broker
from tests.servers.redis import free_port, redis_server

from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit.channel import Change, Verdict
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.events import TOKEN, events
from target_events import TargetEvents
from target_events.events import Events
from target_events.over_redis import OverRedis
from target_events.sending import Told
from target_events.settings import Settings

PREFIX = "com.snello.audience.member."


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path, "events__loyal", max_removal_share=1)


@pytest.fixture
def server() -> Iterator[str]:
    with redis_server() as url:
        yield url


def people(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"customer_id": name, "email": f"{name}@example.it", "city": "Forlì", **more} for name in names]


def config(url: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "retry_attempts": 1, "timeout": 5, **more}


def statuses(stage: Rehearsal, *names: str) -> Counter[tuple[str, str]]:
    ledger = stage.ledger()
    rows = ledger.lookup(stage.sync, list(names))
    ledger.close()
    return Counter((row["status"], row["code"]) for row in rows.values())


def kept(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{url}/_inspect/events", trust_env=False).json()
    return found


# ---- what an event says


@pytest.mark.parametrize("mode", ["binary", "structured", "batched"])
def test_in_every_mode_the_official_sdk_reads_who_was_added_changed_and_removed(stage: Rehearsal, mode: str) -> None:
    with serve(events()) as url:
        given = config(url, mode=mode, token=TOKEN, source="https://hub.example.it", dataschema="https://x/loyal.json")
        for audience in (people("à1", "c2"), [*people("à1", city="Roma"), *people("c2")], people("à1", city="Roma")):
            stage.publish(audience)
            stage.run(TargetEvents, given)
        told = kept(url)
    kinds = [(event["type"].removeprefix(PREFIX), event["subject"]) for event in told]
    assert sorted(kinds[:2]) == [("added", "c2"), ("added", "à1")]
    assert kinds[2:] == [("updated", "à1"), ("removed", "c2")]
    first = told[2]
    assert {event["_mode"] for event in told} == {mode}
    assert (first["source"], first["dataschema"]) == ("https://hub.example.it/events__loyal", "https://x/loyal.json")
    assert (first["purpose"], first["consent"], first["consentchannel"]) == ("profiling", "yes", "any")
    assert first["data"] == {"customer_id": "à1", "email": "à1@example.it", "city": "Roma"}
    assert not told[3]["data"]
    assert len({event["id"] for event in told}) == 4
    assert all("example.it" not in event["id"] for event in told)


def test_who_comes_back_is_told_under_another_id(stage: Rehearsal) -> None:
    with serve(events()) as url:
        for audience in (people("c1", "c2"), people("c2"), people("c1", "c2"), people("c2")):
            stage.publish(audience)
            stage.run(TargetEvents, config(url, token=TOKEN))
        told = [event for event in kept(url) if event["subject"] == "c1"]
    assert [event["type"].removeprefix(PREFIX) for event in told] == ["added", "removed", "added", "removed"]
    assert len({event["id"] for event in told}) == 4


def test_an_event_told_again_has_its_id_also_when_others_of_its_batch_have_withdrawn(
    stage: Rehearsal, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = OverRedis.send

    def unanswered(over: OverRedis, told: Sequence[Told]) -> Iterable[Verdict]:
        assert len(list(send(over, told))) == 3
        raise RetryLater("target-events", "the answer was lost", "run again later")

    stage.publish(people("c1", "c2", "c3"))
    monkeypatch.setattr(OverRedis, "send", unanswered)
    with pytest.raises(RetryLater):
        stage.run(TargetEvents, config(f"{server}/loyal"))
    monkeypatch.setattr(OverRedis, "send", send)
    stage.publish(people("c1", "c2", "c3"), refusing=["c2"])
    stage.run(TargetEvents, config(f"{server}/loyal"))
    with redis.Redis.from_url(server) as client:
        told = [json.loads(one[b"event"]) for _, one in client.xrange("loyal")]
    kinds = sorted((event["subject"], event["type"].removeprefix(PREFIX)) for event in told)
    assert kinds == [("c1", "added"), ("c2", "added"), ("c2", "removed"), ("c3", "added")]


# ---- HTTP


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"token": "wrong"}, "check TARGET_EVENTS_TOKEN"),
        ({"token": TOKEN, "mode": "binary"}, "the endpoint takes no events in mode binary. Next: set mode to another"),
    ],
)
def test_what_the_account_is_to_blame_for_is_one_sentence(stage: Rehearsal, given: dict[str, Any], told: str) -> None:
    stage.publish(people("c1"))
    with serve(events(modes=frozenset({"structured"}))) as url, pytest.raises(ConfigError) as fault:
        stage.run(TargetEvents, config(url, **given))
    assert told in str(fault.value)


def test_a_batch_is_halved_until_the_event_to_blame_is_alone(stage: Rehearsal) -> None:
    names = [f"c{number}" for number in range(8)]
    stage.publish([{**row, "visits": number} for number, row in enumerate(people(*names))])
    with serve(events(refuses=lambda data: "too_young" if data["visits"] == 5 else None)) as url:
        stage.run(TargetEvents, config(url, mode="batched", token=TOKEN))
        assert len(kept(url)) == 7
    assert statuses(stage, *names) == {("delivered", ""): 7, ("refused", "too_young"): 1}


# ---- Redis


def test_a_stream_takes_each_event_once_however_often_it_is_handed_over(stage: Rehearsal, server: str) -> None:

    over = OverRedis(Settings.model_validate({"url": f"{server}/0/loyal"}))
    event = Events("/snello", "loyal").of(Change("upsert", "c1", "f1", {"a": 1}), "first")
    told = [Told("c1", event, b"{}")]
    first, again = (list(over.send(told)) for _ in range(2))
    over.close()
    assert first == again
    with redis.Redis.from_url(server) as client:
        assert client.xlen("loyal") == 1
        assert first[0].remote_id == client.xrange("loyal")[0][0].decode()


@pytest.mark.parametrize(
    ("path", "kind", "told"),
    [
        ("", ConfigError, "names no stream"),
        ("/1/2/loyal", ConfigError, "names no stream"),
        ("/taken", ConfigError, "is no stream"),
        ("/99/loyal", ConfigError, "Redis refuses"),
    ],
)
def test_a_wrong_address_in_redis_is_one_sentence(
    stage: Rehearsal, server: str, path: str, kind: type[Exception], told: str
) -> None:
    with redis.Redis.from_url(server) as client:
        client.set("taken", "1")
    stage.publish(people("c1"))
    with pytest.raises(kind, match=told):
        stage.run(TargetEvents, config(f"{server}{path}"))


def test_redis_asks_for_the_password_and_is_not_shown_in_the_fault(stage: Rehearsal) -> None:
    stage.publish(people("c1"))
    with redis_server("--requirepass", "open-sesame") as url:
        with pytest.raises(ConfigError, match="refuses the user") as fault:
            stage.run(TargetEvents, config(url.replace("://", "://:wr0ng@") + "/loyal"))
        stage.run(TargetEvents, config(url.replace("://", "://:open-sesame@") + "/loyal"))
    assert "wr0ng" not in str(fault.value)
    assert statuses(stage, "c1") == {("delivered", ""): 1}


# ---- Kafka


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_a_topic_holds_the_events_of_a_row_in_their_order_under_one_key(stage: Rehearsal, mode: str) -> None:
    with kafka_broker() as servers:
        for city in ("Forlì", "Roma", "Bari"):
            stage.publish(people("c1", "c2", "c3", city=city))
            stage.run(TargetEvents, config(f"kafka://{servers}/loyal", mode=mode))
        found = events_in(servers, "loyal")
    told = [
        from_kafka_event(
            KafkaMessage(
                {name: text.encode() for name, text in one["headers"].items()},
                one["key"].encode(),
                json.dumps(one["value"]).encode(),
            )
        )
        for one in found
    ]
    assert len(told) == 9
    for name in ("c1", "c2", "c3"):
        mine = [(one, event) for one, event in zip(found, told, strict=True) if one["key"] == name]
        assert len({one["partition"] for one, _ in mine}) == 1
        assert [event.get_data()["city"] for _, event in mine] == ["Forlì", "Roma", "Bari"]  # type: ignore[index,call-overload]
        assert {event.get_subject() for _, event in mine} == {name}


def test_what_is_told_of_a_row_stands_in_one_partition_also_after_its_customer_became_another(stage: Rehearsal) -> None:
    young = [f"c{number}" for number in range(20)]
    with kafka_broker() as servers:
        stage.publish(people("elder", *young))
        stage.run(TargetEvents, config(f"kafka://{servers}/loyal"))
        merged = pa.table({"alias": young, "customer_id": ["elder"] * len(young)})
        stage.lake.publish({"customer_aliases": merged}, run_id="merged")
        stage.publish(people("elder"))
        stage.run(TargetEvents, config(f"kafka://{servers}/loyal"))
        found = events_in(servers, "loyal")
    for name in young:
        mine = [one for one in found if one["value"]["rowkey"] == name]
        assert [one["value"]["type"] for one in mine] == [PREFIX + "added", PREFIX + "removed"]
        assert len({one["partition"] for one in mine}) == 1


def test_a_broker_that_takes_no_larger_event_refuses_that_row_alone(stage: Rehearsal) -> None:
    stage.publish([*people("c1", "c2"), *people("c3", city="x" * 5_000)])
    with kafka_broker() as servers:
        options = {"message.max.bytes": "2000", "compression.type": "none"}
        stage.run(TargetEvents, config(f"kafka://{servers}/loyal", options=options))
    assert statuses(stage, "c1", "c2", "c3") == {("delivered", ""): 2, ("refused", "too_large"): 1}


# ---- nobody there


@pytest.mark.parametrize("scheme", ["kafka", "redis", "http"])
def test_where_nobody_listens_the_rows_wait_for_the_next_run(stage: Rehearsal, scheme: str) -> None:
    stage.publish(people("c1", "c2"))
    with pytest.raises(RetryLater):
        stage.run(TargetEvents, config(f"{scheme}://127.0.0.1:{free_port()}/loyal", timeout=1))
    assert statuses(stage, "c1", "c2") == {("retrying", "unreachable"): 2}


@pytest.mark.parametrize(("scheme", "package"), [("kafka", "confluent_kafka"), ("redis", "redis")])
def test_a_package_that_is_not_installed_is_one_sentence(
    stage: Rehearsal, monkeypatch: pytest.MonkeyPatch, scheme: str, package: str
) -> None:
    real = builtins.__import__

    def without(name: str, *given: Any, **more: Any) -> Any:
        if name == package:
            raise ImportError(name)
        return real(name, *given, **more)

    stage.publish(people("c1"))
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=rf"pip install 'snello\[{scheme}\]'"):
        stage.run(TargetEvents, config(f"{scheme}://127.0.0.1:1/loyal"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"url": "ftp://x/y"}, "begins with no scheme"),
        ({"url": "kafka://x/y", "mode": "batched"}, "mode batched is for http alone"),
        ({"url": "redis://x/y", "mode": "binary"}, "set mode to structured"),
        ({"url": "kafka://x/y", "options": {"acks": "1"}}, "option acks is set by the target"),
        ({"url": "kafka://x/y", "options": {"no.such": "1"}}, "none that librdkafka takes"),
    ],
)
def test_settings_that_do_not_go_together_are_told(stage: Rehearsal, given: dict[str, Any], told: str) -> None:
    stage.publish(people("c1"))
    with pytest.raises(ConfigError, match=told):
        stage.run(TargetEvents, given)


def test_an_endpoint_that_refuses_everything_is_not_asked_for_every_event(stage: Rehearsal) -> None:
    stage.publish(people(*(f"c{number:03}" for number in range(60))))
    with serve(events(refuses=lambda _: "unknown_source")) as url:
        told = "target-events: the endpoint refused 25 events and took none, last with code unknown_source. Next: ask"
        with pytest.raises(ConfigError, match=told):
            stage.run(TargetEvents, config(url, token=TOKEN, parallel=1))
        assert httpx.get(f"{url}/_inspect", trust_env=False).json()["answers"] == {"422": 25}
    names = [f"c{number:03}" for number in range(60)]
    assert statuses(stage, *names) == {("refused", "unknown_source"): 25, ("retrying", "configuration"): 35}


def test_one_event_that_was_taken_lets_all_others_be_tried(stage: Rehearsal) -> None:
    names = [f"c{number:03}" for number in range(40)]
    stage.publish(people(*names))
    with serve(events(refuses=lambda data: None if data["customer_id"] == "c003" else "no")) as url:
        stage.run(TargetEvents, config(url, token=TOKEN, parallel=1))
    assert statuses(stage, *names) == {("refused", "no"): 39, ("delivered", ""): 1}


def test_batches_whose_events_are_refused_one_by_one_stop_too(stage: Rehearsal) -> None:
    stage.publish(people(*(f"c{number:03}" for number in range(60))))
    with serve(events(refuses=lambda _: "no")) as url, pytest.raises(ContractError, match="refused 25 rows one by one"):
        stage.run(TargetEvents, config(url, token=TOKEN, mode="batched", parallel=1))
