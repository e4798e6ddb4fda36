from __future__ import annotations

import json
import time
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from tests.connectors.test_target_webhook import Receiver, all_well, config, people, statuses

from snello.errors import ConfigError, RetryLater
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.webhook import SECRET, STANDARD_SECRET, webhook
from target_webhook import TargetWebhook
from target_webhook.settings import Settings
from target_webhook.signing import Own, Standard

NEW = "a-newer-webhook-secret"
OTHER = "whsec_" + b64encode(b"another key of thirty-two bytes!").decode()
ONE = {"body": "row", "ordering": "key"}
TEMPLATE = """
{ "list": {{ sync | tojson }}, "people": [
{%- for change in changes %}
  {"id": {{ change.key | tojson }}{% if change.op == "upsert" %}, "mail": {{ change.email | tojson }}{% endif %}}
  {{- "," if not loop.last }}
{%- endfor %}
]}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path, "webhook__loyal", max_removal_share=1)


def seen(receiver: Receiver, name: str) -> list[str | None]:
    return [headers.get(name) for headers, _ in receiver.requests]


# ---- signatures


@pytest.mark.parametrize("known", [SECRET, NEW])
def test_while_two_secrets_are_valid_a_receiver_may_know_either(stage: Rehearsal, known: str) -> None:
    stage.publish(people(1))
    with serve(webhook(secret=known)) as url:
        stage.run(TargetWebhook, {**config(url), "secret": NEW, "previous_secret": SECRET})
    assert statuses(stage) == {("delivered", ""): 1}


def test_a_receiver_that_knows_both_takes_a_sender_that_has_not_changed_yet(stage: Rehearsal) -> None:
    stage.publish(people(1))
    with serve(webhook(secret=NEW, previous=SECRET)) as url:
        stage.run(TargetWebhook, config(url))
    assert statuses(stage) == {("delivered", ""): 1}


def test_once_the_old_secret_is_gone_who_knows_it_alone_is_told_so(stage: Rehearsal) -> None:
    stage.publish(people(1))
    with serve(webhook(secret=SECRET)) as url, pytest.raises(ConfigError, match="TARGET_WEBHOOK_SECRET"):
        stage.run(TargetWebhook, {**config(url), "secret": NEW})


@pytest.mark.parametrize("known", [STANDARD_SECRET, OTHER])
def test_the_reference_library_of_standard_webhooks_accepts_our_signatures(known: str) -> None:
    body = '{"name": "Nicolò"}'
    headers = Standard((STANDARD_SECRET, OTHER)).headers("message-1", int(time.time()), body.encode())
    assert Webhook(known).verify(body, headers) == {"name": "Nicolò"}


def test_the_emulator_accepts_what_the_reference_library_signs() -> None:
    body, now = b'{"changes": []}', int(time.time())
    signed = Webhook(STANDARD_SECRET).sign("message-1", datetime.fromtimestamp(now, UTC), body.decode())
    headers = {"webhook-id": "message-1", "webhook-timestamp": str(now), "Idempotency-Key": "message-1"}
    with serve(webhook(secret=STANDARD_SECRET)) as url:
        post = [
            httpx.post(url, content=content, headers={**headers, "webhook-signature": signed}, trust_env=False)
            for content in (body, b"another")
        ]
    assert [answer.status_code for answer in post] == [200, 401]


def test_each_try_is_signed_when_it_goes_out(stage: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(100, 999))
    monkeypatch.setattr("target_webhook.signing.time.time", lambda: next(moments))
    answers = iter([503, 200])
    receiver = Receiver(lambda _: (next(answers), b""))
    stage.publish(people(1))
    with receiver.serving() as url:
        stage.run(TargetWebhook, {**config(url), "retry_attempts": 2})
    signed = seen(receiver, "Snello-Signature")
    assert len({str(each).partition(",")[0] for each in signed}) == 2
    assert len(set(seen(receiver, "Idempotency-Key"))) == 1


def test_one_secret_makes_the_signature_that_it_always_made() -> None:
    assert len(Own((SECRET,)).headers("n", 1, b"")["Snello-Signature"].split(",")) == 2


# ---- a call a row


def test_a_call_a_row_says_in_its_address_and_headers_whose_change_it_is(stage: Rehearsal) -> None:
    receiver = Receiver(all_well)
    receiver_paths: list[str] = []
    stage.publish([{"customer_id": "à/1 ?", "email": "ada@example.it"}])
    with serve(webhook()) as url:
        stage.run(TargetWebhook, {**config(f"{url}/people/{{key}}"), **ONE, "method": "PUT"})
        receiver_paths += httpx.get(f"{url}/_inspect", trust_env=False).json()["calls"]
        kept = httpx.get(f"{url}/_inspect/deliveries", trust_env=False).json()
    assert receiver_paths == ["PUT /people/à/1 ?"]
    assert kept[0]["body"]["change"]["key"] == "à/1 ?"
    stage.publish([{"customer_id": "à/1 ?", "email": "new@example.it"}])
    with receiver.serving() as url:
        receiver.requests.clear()
        stage.run(TargetWebhook, {**config(url), **ONE})
    assert seen(receiver, "Ordering-Key") == ["%C3%A0%2F1%20%3F"]
    assert all(seen(receiver, "Ordering-Run"))


def test_later_runs_have_later_ordering_numbers(stage: Rehearsal) -> None:
    receiver = Receiver(all_well)
    with receiver.serving() as url:
        for visits in range(3):
            stage.publish([{**people(1)[0], "visits": visits}])
            stage.run(TargetWebhook, {**config(url), **ONE})
    runs = seen(receiver, "Ordering-Run")
    assert runs == sorted(set(map(str, runs)))


def test_rows_keep_their_idempotency_keys_when_one_of_them_withdraws(stage: Rehearsal) -> None:
    stage.terms["mode"] = "append"
    receiver = Receiver(lambda _: (503, b""))
    stage.publish(people(3))
    with receiver.serving() as url:
        with pytest.raises(RetryLater):
            stage.run(TargetWebhook, {**config(url), **ONE, "parallel": 3})
        before = dict(zip(seen(receiver, "Ordering-Key"), seen(receiver, "Idempotency-Key"), strict=True))
        receiver.requests.clear()
        receiver.judge = all_well
        stage.publish(people(3), refusing=["c001"])
        stage.run(TargetWebhook, {**config(url), **ONE})
    after = dict(zip(seen(receiver, "Ordering-Key"), seen(receiver, "Idempotency-Key"), strict=True))
    assert "c000" in after
    assert all(after[key] == before[key] for key in after if key in before and key != "c001")


def test_gone_at_its_own_address_is_what_a_removal_asked_for(stage: Rehearsal) -> None:
    stage.publish(people(2))
    receiver = Receiver(all_well)
    with receiver.serving() as url:
        stage.run(TargetWebhook, {**config(f"{url}/{{key}}"), **ONE})
        receiver.judge = lambda _: (410, b"")
        stage.publish(people(1))
        stage.run(TargetWebhook, {**config(f"{url}/{{key}}"), **ONE})
        assert statuses(stage)["delivered", ""] == 2
        stage.publish([{"customer_id": "c900", "email": "p@example.it", "visits": 1}])
        with pytest.raises(ConfigError, match="410 from the webhook"):
            stage.run(TargetWebhook, {**config(url), **ONE})


# ---- templates and settings


def test_a_template_makes_the_body_that_the_receiver_wants(stage: Rehearsal, tmp_path: Path) -> None:
    (tmp_path / "body.j2").write_text(TEMPLATE)
    receiver = Receiver(all_well)
    stage.publish([{"customer_id": "c1", "email": 'ada "a"@example.it'}, {"customer_id": "c2", "email": None}])
    with receiver.serving() as url:
        given = {**config(url), "template": str(tmp_path / "body.j2"), "content_type": "application/vnd.acme+json"}
        stage.run(TargetWebhook, {**given, "headers": {"X-Api-Version": "7"}})
    people_told = [{"id": "c1", "mail": 'ada "a"@example.it'}, {"id": "c2", "mail": None}]
    assert json.loads(receiver.requests[0][1]) == {"list": "webhook__loyal", "people": people_told}
    assert seen(receiver, "Content-Type") == ["application/vnd.acme+json"]
    assert seen(receiver, "X-Api-Version") == ["7"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"mail": "{{ changes[0].email }}"}', "it cannot say an upsert: what it makes is no JSON"),
        ("[{{ changes[0].email | tojson }}]", "it cannot say a removal"),
        ("[{{ changes[0].mail | tojson }}]", "it cannot say an upsert"),
        ("[{{ changes[0].email.__class__.__mro__ | string | tojson }}]", "it cannot say an upsert: SecurityError"),
        ("[{{ changes", "line 1 does not parse"),
    ],
)
def test_a_template_that_cannot_do_is_found_before_the_first_call(
    stage: Rehearsal, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "body.j2").write_text(text)
    receiver = Receiver(all_well)
    stage.publish(people(2))
    with receiver.serving() as url, pytest.raises(ConfigError, match=told):
        stage.run(TargetWebhook, {**config(url), "template": str(tmp_path / "body.j2")})
    assert receiver.requests == []


def test_a_row_of_which_the_template_makes_nothing_is_refused_alone(stage: Rehearsal, tmp_path: Path) -> None:
    (tmp_path / "body.j2").write_text(
        "[{% for c in changes %}{{ 10 // c.visits if c.op == 'upsert' else 0 }}{{ ',' if not loop.last }}{% endfor %}]"
    )
    receiver = Receiver(all_well)
    stage.publish(people(6))
    receiver.judge = lambda _: (200, {})
    with receiver.serving() as url:
        stage.run(TargetWebhook, {**config(url), "template": str(tmp_path / "body.j2")})
    assert statuses(stage) == {("delivered", ""): 5, ("refused", "template_fault"): 1}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"url": "http://x/{key}"}, "set body to row"),
        ({"ordering": "key"}, "set body to row"),
        ({"signature": "standard"}, "whsec_"),
        ({"headers": {"Idempotency-Key": "s3cret-value"}}, "is set by the target"),
        ({"headers": {"X-Token": "s3cret\nvalue"}}, "cannot stand in a header"),
        ({"content_type": "json\r\nX: y"}, "content_type"),
    ],
)
def test_settings_that_do_not_go_together_are_told_with_their_cure(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as fault:
        TargetWebhook(
            config={"url": "http://x", "secret": SECRET, "ledger": "sqlite://", **given}, validate_config=False
        )
    assert told in str(fault.value)
    assert "s3cret" not in str(fault.value)


def test_the_values_of_headers_are_secrets() -> None:
    made = Settings.model_validate({"url": "http://x", "secret": SECRET, "headers": {"X-Token": "s3cret-value"}})
    assert "s3cret" not in repr(made)
