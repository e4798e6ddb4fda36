"""What a letter says: languages, voices, phrases of the day, missing values, headers."""

from __future__ import annotations

import email
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from tests.connectors.smtp_letters import COLUMNS, SHIPPED, change, sink

from snello.errors import ConfigError
from snello.kit.mail.phrases import phrases_in
from snello.kit.mail.refs import Left, Refs, leaving, left
from snello.kit.mail.templates import Letter, Unfit
from target_smtp import Letters
from target_smtp.composing import Composer

GOLDEN = Path(__file__).parent / "data" / "smtp"
FRIDAY = datetime(2026, 3, 6, 10, 30, tzinfo=ZoneInfo("Europe/Rome"))


def letter(folder: Path, files: dict[str, str], languages: tuple[str, ...] = ("it",), **more: Any) -> Letter:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Letter(folder, "hello", languages, **more)


def made(letters: Letters, monkeypatch: pytest.MonkeyPatch, moment: datetime, **payload: Any) -> bytes:
    monkeypatch.setattr(Composer, "now", moment)
    return letters.composer.job(change(7, **payload)).compose()


def parsed(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def body(raw: bytes, kind: str = "plain") -> str:
    part = parsed(raw).get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize(
    ("file", "payload"),
    [
        (
            "win-back.it.long_standing.eml",
            {
                "first_name": "Nicolò",
                "salutation": "Gentile Sig. Però",
                "lifecycle_stage": "long_standing",
                "last_order_on": "2025-03-12",
            },
        ),
        ("win-back.it.eml", {"first_name": None, "lifecycle_stage": "lapsed"}),
        (
            "win-back.en.new.eml",
            {
                "first_name": "Tom & Ann",
                "salutation": "Dear Mr O'Neill <x>",
                "language": "en-GB",
                "lifecycle_stage": "new",
                "last_order_on": "2025-12-24",
            },
        ),
    ],
)
def test_the_shipped_letter_is_byte_for_byte_what_was_agreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, payload: dict[str, Any]
) -> None:
    with sink(tmp_path, unsubscribe_mail="leave@aurora.example") as letters:
        raw = made(letters, monkeypatch, FRIDAY, **payload)
        assert raw == made(letters, monkeypatch, FRIDAY, **payload)
    assert raw.decode("ascii") == (GOLDEN / file).read_bytes().decode("ascii")


def test_the_phrase_is_that_of_the_day_of_sending_in_the_letters_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sink(tmp_path) as letters:
        assert "buon fine settimana" in body(made(letters, monkeypatch, FRIDAY))
        monday = datetime(2026, 3, 8, 23, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Rome"))
        assert "buon inizio settimana" in body(made(letters, monkeypatch, monday))
        assert "have a good weekend" in body(made(letters, monkeypatch, FRIDAY, language="en"))
        monkeypatch.setenv("SNELLO_TODAY", "2026-03-08")
        assert "buona domenica" in body(made(letters, monkeypatch, FRIDAY))


def test_phrases_beside_the_templates_win_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "phrases.yaml").write_text("it:\n  weekday: {friday: ci vediamo lunedì}\nfur:\n  words: {hi: Mandi}\n")
    found = phrases_in(tmp_path)
    assert found["it"].on(date(2026, 3, 6)) == "ci vediamo lunedì"
    assert found["it"].on(date(2026, 3, 7)) == "buon fine settimana"
    assert found["fur"].words == {"hi": "Mandi"}
    assert found["fur"].on(date(2026, 3, 7)) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("it: [", "line 1"),
        ("it: {weekday: {venerdì: ciao}}", "venerdì is no day"),
        ("it: {saluti: x}", "it.saluti"),
        ("no: {}", "in quotes"),
    ],
)
def test_phrases_that_are_not_understood_are_told_with_their_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "phrases.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        phrases_in(tmp_path)


def test_each_stage_has_its_voice_and_a_stage_without_one_gets_the_letter_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sink(tmp_path) as letters:
        texts = {
            stage: body(made(letters, monkeypatch, FRIDAY, lifecycle_stage=stage))
            for stage in ("new", "occasional", "long_standing", "lapsed", None, "../../etc/passwd")
        }
    assert "appena conosciuti" in texts["new"]
    assert "ogni tanto" in texts["occasional"]
    assert "da anni" in texts["long_standing"]
    assert texts["lapsed"] == texts[None] == texts["../../etc/passwd"]


def test_a_value_that_a_row_lacks_refuses_it_by_the_columns_name(tmp_path: Path) -> None:
    one = letter(tmp_path, {"hello.it.html.j2": "{% block subject %}Ciao{% endblock %}{{ first_name }}"})
    with pytest.raises(Unfit) as fault:
        one.render("it", None, {"first_name": None})
    assert (fault.value.code, fault.value.told) == (
        "missing_first_name",
        "template hello.it.html.j2 writes first_name",
    )
    assert one.render("it", None, {"first_name": "Ada"}).html == "CiaoAda"


@pytest.mark.parametrize(
    "text",
    [
        "{{ nick|title }}",
        "{{ nick ~ '!' }}",
        "{{ nick|day }}",
        "{{ nick + 'x' }}",
        "{% for x in nick %}{% endfor %}",
        "{{ nick[0] }}",
    ],
)
def test_a_missing_value_is_not_written_by_any_detour(tmp_path: Path, text: str) -> None:
    one = letter(tmp_path, {"hello.it.txt.j2": "{% block subject %}Ciao{% endblock %}" + text})
    with pytest.raises(Unfit, match="missing_nick"):
        one.render("it", None, {"nick": None, "language": "it"})


@pytest.mark.parametrize(
    "text",
    [
        "{% if nick %}{{ nick }}{% endif %}",
        "{{ nick or '' }}",
        "{{ nick|default('') }}",
        "{% if nick is defined %}x{% endif %}",
    ],
)
def test_a_missing_value_may_be_asked_for(tmp_path: Path, text: str) -> None:
    one = letter(tmp_path, {"hello.it.txt.j2": "{% block subject %}Ciao{% endblock %}" + text})
    assert one.render("it", None, {"nick": None}).plain == "Ciao"


def test_a_name_that_no_column_has_stops_everything_with_the_nearest_right_one(tmp_path: Path) -> None:
    files = {
        "layout.j2": "{% block subject %}{{ frist_name }}{% endblock %}",
        "hello.it.html.j2": "{% extends 'layout.j2' %}",
    }
    with pytest.raises(ConfigError, match=r"no column frist_name\. Next: did you mean 'first_name'\?"):
        letter(tmp_path, files).check(COLUMNS)


def test_a_name_that_a_template_guards_itself_may_be_lacking(tmp_path: Path) -> None:
    letter(
        tmp_path,
        {"hello.it.txt.j2": "{% if points is defined %}{{ points|number }}{% endif %}{% set x = 1 %}{{ x }}"},
    ).check(COLUMNS)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, r"has no hello\.it\.html\.j2 nor \.txt\.j2"),
        ({"hello.it.html.j2": "a\n{% if %}"}, r"template hello\.it\.html\.j2: line 2 does not parse"),
        ({"hello.it.html.j2": "{% extends 'layuot.j2' %}", "layout.j2": ""}, "did you mean 'layout.j2'"),
    ],
)
def test_a_template_that_is_wrong_is_told_before_the_first_letter(
    tmp_path: Path, files: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        letter(tmp_path, files).check(COLUMNS)


def test_a_language_without_a_template_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no win-back\.de\.html\.j2"), sink(tmp_path, languages=["it", "de"]) as one:
        list(one.upsert([change(1)]))


def test_who_speaks_another_language_gets_the_fallback_or_no_letter(tmp_path: Path) -> None:
    files = {"hello.it.txt.j2": "", "hello.en.txt.j2": ""}
    one = letter(tmp_path, files, ("it", "en"), fallback="en")
    assert [one.language(given) for given in ("it-CH", "IT", "de", None, "")] == ["it", "it", "en", "en", "en"]
    with pytest.raises(Unfit, match="no_language"):
        letter(tmp_path, files, ("it", "en")).language("de")


@pytest.mark.parametrize(
    "text",
    ["{{ ''['__cl' ~ 'ass__'] }}", "{{ rows.append(1) }}", "{{ 1 / 0 }}"],
)
def test_a_template_that_leaves_its_sandbox_or_fails_refuses_the_row(tmp_path: Path, text: str) -> None:
    one = letter(tmp_path, {"hello.it.txt.j2": "{% block subject %}Ciao{% endblock %}" + text})
    with pytest.raises(Unfit, match=r"template_fault|missing_"):
        one.render("it", None, {"phrase": {}, "rows": []})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{{ ''.__class__.__mro__ }}", "__mro__"),
        ("{{ phrase.__init__.__globals__ }}", "__globals__"),
        ("{{ first_name['__class__'] }}", "__class__"),
        ("{{ first_name|attr('__class__') }}", "the filter attr"),
    ],
)
def test_a_template_that_reaches_into_its_values_is_told_before_the_first_letter(
    tmp_path: Path, text: str, named: str
) -> None:
    told = rf"template hello\.it\.txt\.j2: line 2 reaches for {named}, which is no value of a row\. Next: write columns"
    with pytest.raises(ConfigError, match=told):
        letter(tmp_path, {"hello.it.txt.j2": "{% block subject %}Ciao{% endblock %}\n" + text})


@pytest.mark.parametrize(
    "value", ["{{ 7 * 7 }}", "{% for x in [1] %}49{% endfor %}", "{{ phrase.__init__ }}", "{# x #}"]
)
def test_what_looks_like_a_template_in_a_persons_value_is_text(tmp_path: Path, value: str) -> None:
    text = "{% block subject %}{{ n }}{% endblock %}|{{ n }}"
    said = letter(tmp_path, {"hello.it.txt.j2": text, "hello.it.html.j2": f"<p>{text}</p>"}).render(
        "it", None, {"n": value, "phrase": {}}
    )
    assert (said.subject, said.plain) == (value, f"{value}|{value}")
    assert said.html == f"<p>{value}|{value}</p>"


def test_values_are_escaped_in_html_and_not_in_the_subject(tmp_path: Path) -> None:
    one = letter(
        tmp_path, {"hello.it.html.j2": "<title>{% block subject %}{{ n }}{% endblock %}</title><p>{{ n }}</p>"}
    )
    said = one.render("it", None, {"n": "Tom & <b>Ann</b>"})
    assert said.subject == "Tom & <b>Ann</b>"
    assert said.html == "<title>Tom &amp; &lt;b&gt;Ann&lt;/b&gt;</title><p>Tom &amp; &lt;b&gt;Ann&lt;/b&gt;</p>"
    assert said.plain == "Tom & <b>Ann</b>\n"


def test_a_letter_without_a_subject_is_not_sent(tmp_path: Path) -> None:
    with pytest.raises(Unfit, match="no_subject"):
        letter(tmp_path, {"hello.it.txt.j2": "ciao"}).render("it", None, {})


def test_a_plain_template_alone_makes_a_plain_letter_and_beside_html_wins_over_the_made_one(tmp_path: Path) -> None:
    subject = "{% block subject %}S{% endblock %} "
    assert letter(tmp_path, {"hello.it.txt.j2": subject + "own"}).render("it", None, {}).html is None
    both = letter(tmp_path, {"hello.it.html.j2": "<p>made</p>"}).render("it", None, {})
    assert (both.plain, both.html) == ("S own", "<p>made</p>")


def test_days_and_numbers_are_written_in_the_letters_language(tmp_path: Path) -> None:
    text = "{% block subject %}S{% endblock %}|{{ on|day }}|{{ points|number }}"
    one = letter(tmp_path, {"hello.it.txt.j2": text})
    values = {"on": "2025-03-12", "points": 12345.5}
    assert one.render("it", None, values | {"language": "it"}).plain == "S|12 marzo 2025|12.345,5"
    assert one.render("it", None, values | {"language": "en"}).plain == "S|March 12, 2025|12,345.5"
    with pytest.raises(Unfit, match="template_fault"):
        one.render("it", None, {"on": "yesterday", "points": 1, "language": "it"})


def test_a_template_that_fails_for_every_row_stops_the_run_instead_of_refusing_all(tmp_path: Path) -> None:
    (tmp_path / "bad.it.txt.j2").write_text("{% block subject %}S{% endblock %}{{ 1 / 0 }}")
    more = {"templates": tmp_path, "template": "bad", "languages": ["it"]}
    with sink(tmp_path, **more) as letters, pytest.raises(ConfigError, match=r"ZeroDivisionError, for each of 25 rows"):
        list(letters.upsert([change(number) for number in range(60)]))


def test_one_click_and_mail_unsubscribe_who_is_signed_in_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sink(tmp_path, unsubscribe_mail="leave@aurora.example") as letters:
        message = parsed(made(letters, monkeypatch, FRIDAY))
        web, mail = (part.strip(" <>") for part in message["List-Unsubscribe"].split(","))
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        said = left(letters.composer.refs.secret, web.removeprefix("https://aurora.example/leave/"))
        assert said == Left("smtp__win_back", "c007", "c007")
        assert mail == f"mailto:leave@aurora.example?subject={web.rpartition('/')[2]}"
        assert "person7" not in message["List-Unsubscribe"] + message["Message-ID"]


def test_the_repetition_of_a_letter_has_its_message_id_and_another_content_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sink(tmp_path) as letters:
        refs = letters.composer.refs
        assert refs.message("c1", "a" * 32) == refs.message("c1", "a" * 32)
        assert refs.message("c1", "a" * 32) != refs.message("c1", "b" * 32)
        assert refs.of_message(refs.message("c1", "a" * 32)) == "c1"


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_reference_is_read_by_its_sync_and_secret_alone_even_in_lower_case(key: str, other: str) -> None:
    refs, foreign = Refs(b"one secret", "a"), Refs(b"one secret", "b")
    assert refs.of_path(refs.path(key)) == key
    assert refs.of_path(refs.path(key).lower()) == key
    assert refs.of_message(refs.message(key, "0" * 32)) == key
    assert refs.of_leave(refs.leave(key, other)) == key
    assert left(b"one secret", refs.leave(key, other)) == Left("a", key, other)
    assert foreign.of_path(refs.path(key)) is foreign.of_message(refs.message(key, None)) is None
    assert foreign.of_leave(refs.leave(key, other)) is None
    assert left(b"another", refs.leave(key, other)) is None
    assert refs.of_message(refs.path(key)) is None


@given(st.text())
def test_what_was_not_signed_is_no_reference(text: str) -> None:
    refs = Refs(b"one secret", "a")
    assert refs.of_path(text) is refs.of_message(text) is refs.of_leave(text) is None
    token = leaving(b"one secret", Left("a", "k", "c"))
    assert left(b"one secret", text + token) == (Left("a", "k", "c") if not text else None)


def test_a_letter_signed_here_verifies_and_both_unsubscribe_headers_are_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])
    given = {"domain": "aurora.example", "selector": "s1", "key": pem.decode()}
    with sink(tmp_path, dkim=given) as letters:
        raw = made(letters, monkeypatch, FRIDAY, first_name="Nicolò")
    assert dkim.verify(raw, dnsfunc=lambda *_args, **_more: record)
    signed = {name.strip() for name in parsed(raw)["DKIM-Signature"].partition("h=")[2].partition(";")[0].split(":")}
    assert {"list-unsubscribe", "list-unsubscribe-post", "from", "message-id"} <= signed


def test_a_key_that_is_none_is_told_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"domain": "aurora.example", "selector": "s1", "key": "no key at all"}
    with sink(tmp_path, dkim=given) as letters, pytest.raises(ConfigError, match="no RSA key") as fault:
        made(letters, monkeypatch, FRIDAY)
    assert "at all" not in str(fault.value)


def test_the_shipped_templates_speak_only_of_columns_that_the_win_back_audience_has() -> None:
    audience = ("customer_id", "email", "first_name", "last_name", "salutation", "language", "lifecycle_stage", "city")
    Letter(SHIPPED, "win-back", ("it", "en")).check((*audience, "last_order_on"))
