from __future__ import annotations

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello.kit import redact

CANARY = "canary.person@aurora.example"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"no customer {CANARY} found", "no customer *** found"),
        ("postgresql://aurora:p%40ss@127.0.0.1:5432/crm", "postgresql://aurora:***@127.0.0.1:5432/crm"),
        ("redis://:hunter2@cache/0", "redis://:***@cache/0"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("GET /x?consumer_secret=cs_1234&page=2", "GET /x?consumer_secret=***&page=2"),
        ('{"password": "pa ss", "user": "u"}', '{"password": "***", "user": "u"}'),
        ("api-key: xkeysib-1", "api-key: ***"),
        ("token expired, 3 tokens left", "token expired, 3 tokens left"),
        ("cards.csv:12 at 10:30", "cards.csv:12 at 10:30"),
    ],
)
def test_credentials_and_addresses_are_struck_out_and_the_rest_stays(text: str, clean: str) -> None:
    assert redact.scrub(text) == clean


@given(st.text(min_size=4, max_size=30).filter(lambda text: "*" not in text))
def test_a_hidden_value_never_shows_again(secret: str) -> None:
    redact.hide(secret)
    try:
        assert secret not in redact.scrub(f"<{secret}> and {secret}!")
    finally:
        redact.forget()


def test_a_hidden_value_is_found_as_json_and_in_a_url_too() -> None:
    redact.hide('pa"ss/wörd')
    try:
        for written in ('pa\\"ss/w\\u00f6rd', "pa%22ss%2Fw%C3%B6rd", 'pa"ss/wörd'):
            assert redact.scrub(f"x={written}") == "x=***"
    finally:
        redact.forget()


def test_short_values_are_not_hidden_because_they_would_blacken_everything() -> None:
    redact.hide("a")
    assert redact.scrub("banana") == "banana"


def log_through(*, error: Exception | None = None) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("redact-test")
    logger.addHandler(handler)
    try:
        redact.install()
        redact.install()
        if error is None:
            logger.warning("refused %s of %d", CANARY, 3)
        else:
            logger.error("failed", exc_info=error)
    finally:
        logger.removeHandler(handler)
    return stream.getvalue()


def test_log_arguments_are_scrubbed() -> None:
    assert log_through() == "refused *** of 3\n"


def test_tracebacks_are_scrubbed() -> None:
    try:
        raise ValueError(f"bad row of {CANARY}")
    except ValueError as error:
        written = log_through(error=error)
    assert "ValueError: bad row of ***" in written
    assert CANARY not in written
