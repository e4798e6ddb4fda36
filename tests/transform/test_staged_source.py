"""A source of its own folder: attributes, a double opt-in and an opt-out register reach golden values and consent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import TYPE_CHECKING, Any

import pytest

from snello.identifiers import hash_key

if TYPE_CHECKING:
    from conftest import Hub

PROJECT = Path(__file__).parents[2] / "transform"
BUILD = (
    "build", "--select", "+customer_values", "+consents", "+consent_current", "+consent_suppressions",
    "+seen_by_profiling", "+seen_by_service", "--exclude-resource-type", "test", "unit_test",
)  # fmt: skip
COLUMNS = {
    "person_observed": ("record_key", "full_name", "email", "mobile"),
    "attribute_observed": ("record_key", "person_key", "attribute", "value", "kind"),
    "consent_observed": ("record_key", "person_key", "state", "double_opt_in", "requested_at", "observed_at"),
    "suppression_observed": ("record_key", "kind", "value", "purpose", "channel", "observed_at"),
}
FIXED = {
    "person_observed": "'people' as stream",
    "attribute_observed": "'answers' as stream, 'people' as person_stream",
    "consent_observed": (
        "'boxes' as stream, 'people' as person_stream, 'email_marketing' as purpose, 'email' as channel,"
        " 'consent' as legal_basis"
    ),
    "suppression_observed": "'register' as stream",
}
SHAPES = {"quiz": tuple(COLUMNS), "clinic": ("person_observed", "attribute_observed")}
TODAY, LAST_WEEK, LONG_AGO = (
    datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC),
)  # fmt: skip
IN_TIME = datetime(2026, 9, 8, tzinfo=UTC)


def person(key: str, name: str, **more: str) -> dict[str, Any]:
    return {"record_key": key, "full_name": name, "email": f"{name.split()[0].lower()}@posta.example", **more}


def said(key: str, attribute: str, value: str, kind: str = "explicit") -> dict[str, Any]:
    return {"record_key": f"{key}-{attribute}", "person_key": key, "attribute": attribute, "value": value, "kind": kind}


def box(key: str, opt_in: str | None, day: datetime, asked: datetime | None = None) -> dict[str, Any]:
    """``key`` is the person's, with a letter where there are several rows."""
    what = {"state": "granted", "double_opt_in": opt_in, "requested_at": asked, "observed_at": day}
    return {"record_key": key, "person_key": key.strip("abc"), **what}


def entry(key: str, kind: str, value: str, purpose: str, channel: str) -> dict[str, Any]:
    what = {"purpose": purpose, "channel": channel, "observed_at": TODAY}
    return {"record_key": key, "kind": kind, "value": value, **what}


ROWS = {
    "quiz.person_observed": [
        person("1", "Ada Rossi"), person("2", "Bea Verdi"), person("3", "Cleo Neri"), person("4", "Dina Gallo"),
        person("5", "Elio Conti", mobile="3471234505"), person("6", "Fina Serra"), person("7", "Gino Russo"),
        person("8", "Hilda Greco"), person("9", "Ivo Marini"), person("10", "Lea Ferri"),
    ],
    "clinic.person_observed": [person("1", "Ada Rossi")],
    "quiz.attribute_observed": [said("1", "shoe_size", "39"), said("1", "child_age", "7", "derived")],
    "clinic.attribute_observed": [said("1", "shoe_size", "40"), said("1", "sore_foot", "left", "implicit")],
    "quiz.consent_observed": [
        box("1", "confirmed", LONG_AGO), box("2", "requested", LAST_WEEK), box("3", "requested", LONG_AGO),
        # the notice asks for a confirmation that nobody recorded
        box("4", None, LAST_WEEK), box("5", "confirmed", LONG_AGO),
        # 6 confirms too late, and clicks again; 7 confirms in time, and later anew; 8's only row tells both days
        box("6a", "requested", LONG_AGO), box("6b", "confirmed", LAST_WEEK), box("6c", "confirmed", TODAY),
        box("7a", "requested", LONG_AGO), box("7b", "confirmed", IN_TIME), box("7c", "confirmed", LAST_WEEK),
        box("8", "confirmed", LAST_WEEK, asked=LONG_AGO), box("9", "confirmed", IN_TIME, asked=LONG_AGO),
        # 10 lets one request lapse and answers the next
        box("10a", "requested", LONG_AGO), box("10b", "requested", LAST_WEEK), box("10c", "confirmed", TODAY),
    ],
    "quiz.suppression_observed": [
        entry("a", "phone", "347 123 4505", "all", "any"),
        entry("b", "email", "Nobody@Posta.example", "email_marketing", "email"),
    ],
}  # fmt: skip


def columns_of(shape: str) -> str:
    kinds = dict.fromkeys(("observed_at", "requested_at"), "timestamp with time zone")
    return "".join(
        f"          - {{name: {name}, data_type: {kinds.get(name, 'varchar')}}}\n" for name in COLUMNS[shape]
    )


def stage(models: Path, source: str, shapes: tuple[str, ...]) -> None:
    folder = models / "staging" / source
    folder.mkdir()
    tables = "".join(f"      - name: {shape}\n        columns:\n{columns_of(shape)}" for shape in shapes)
    (folder / f"_{source}.yml").write_text(
        f"sources:\n  - name: {source}\n    schema: raw_{source}\n    tables:\n{tables}"
    )
    given = {shape: [f"stg_{source}__{shape}"] for shape in shapes}
    macro = f"{{% macro shapes__{source}() %}}{{{{ return({given!r}) }}}}{{% endmacro %}}\n"
    (folder / f"_{source}__shapes.sql").write_text("{{ config(enabled=false) }}\n" + macro)
    for shape in shapes:
        source_of = f"{{{{ source('{source}', '{shape}') }}}}"
        (folder / f"stg_{source}__{shape}.sql").write_text(f"select *, {FIXED[shape]} from {source_of}\n")


def look(models: Path, purpose: str) -> None:
    sync = {"sync": {"purpose": purpose, "channel": "any"}}
    (models / "figures" / f"seen_by_{purpose}.sql").write_text(
        f"{{{{ config(materialized='table', meta={sync!r}) }}}}\n"
        "{{ permitted_values(['first_name', 'shoe_size', 'child_age', 'sore_foot']) }}\n"
    )


@pytest.fixture(scope="module")
def quiz(tmp_path_factory: pytest.TempPathFactory, make_hub: Callable[..., Hub]) -> Hub:
    """A quiz whose notice covers marketing after a double opt-in, and a clinic of which nobody said anything."""
    project = tmp_path_factory.mktemp("project") / "transform"
    copytree(PROJECT, project, ignore=ignore_patterns("target", "logs"))
    for source, shapes in SHAPES.items():
        stage(project / "models", source, shapes)
    for purpose in ("profiling", "service"):
        look(project / "models", purpose)
    with (project / "seeds" / "source_policies.csv").open("a") as policies:
        policies.write('quiz,50,"service,email_marketing,profiling",latest,A quiz\n')
    with (project / "seeds" / "notice_policies.csv").open("a") as notices:
        notices.write('quiz,*,"service,email_marketing,profiling",,,14,,true,7,A quiz\n')
    return make_hub(ROWS, project).make(*BUILD)


def decided(hub: Hub, number: int) -> tuple[Any, ...]:
    [found] = hub.query(
        "select state, reason from marts.consent_current"
        " where customer_id = ? and purpose = 'email_marketing' and channel = 'email'",
        [hub.customer(f"quiz/people/{number}")],
    )
    return found


def test_a_profile_attribute_reaches_the_golden_record_with_its_kind_and_the_more_trusted_source_wins(
    quiz: Hub,
) -> None:
    assert quiz.customer("quiz/people/1") == quiz.customer("clinic/people/1")
    found = quiz.query(
        "select attribute, value, source, kind, is_winner, lost_to, purposes from marts.customer_values"
        " where customer_id = ? and attribute in ('shoe_size', 'child_age', 'sore_foot') order by attribute, rank",
        [quiz.customer("quiz/people/1")],
    )
    marketing = "service,email_marketing,profiling"
    assert found == [
        ("child_age", "7", "quiz", "derived", True, None, marketing),
        ("shoe_size", "39", "quiz", "explicit", True, None, marketing),
        ("shoe_size", "40", "clinic", "explicit", False, "trust", "service"),
        ("sore_foot", "left", "clinic", "implicit", True, None, "service"),
    ]


@pytest.mark.parametrize(
    ("purpose", "seen"),
    [("profiling", ("Ada", "39", "7", None)), ("service", ("Ada", "39", "7", "left"))],
)
def test_a_purpose_sees_a_profile_attribute_of_sources_that_allow_it_alone(
    quiz: Hub, purpose: str, seen: tuple[str | None, ...]
) -> None:
    found = quiz.query(
        f"select first_name, shoe_size, child_age, sore_foot from figures.seen_by_{purpose} where customer_id = ?",
        [quiz.customer("quiz/people/1")],
    )
    assert found == [seen]


def test_a_double_opt_in_counts_once_confirmed_and_lapses_when_nobody_confirms_in_time(quiz: Hub) -> None:
    assert decided(quiz, 1) == ("yes", "granted")
    assert decided(quiz, 2) == ("no", "double opt-in pending")
    assert decided(quiz, 3) == ("no", "double opt-in expired")


def test_a_double_opt_in_confirmed_after_its_days_is_no_yes_and_a_further_click_makes_it_none(quiz: Hub) -> None:
    assert decided(quiz, 6) == ("no", "double opt-in expired")
    assert decided(quiz, 8) == ("no", "double opt-in expired")


def test_a_double_opt_in_confirmed_in_time_may_be_confirmed_again(quiz: Hub) -> None:
    assert decided(quiz, 7) == ("yes", "granted")
    assert decided(quiz, 9) == ("yes", "granted")
    assert decided(quiz, 10) == ("yes", "granted")


def test_a_notice_that_asks_for_a_double_opt_in_takes_no_yes_without_one(quiz: Hub) -> None:
    assert decided(quiz, 4) == ("no", "double opt-in pending")


def test_an_entry_of_an_opt_out_register_withdraws_whatever_its_owner_granted(quiz: Hub) -> None:
    assert decided(quiz, 5) == ("no", "withdrawn")


def test_an_entry_of_an_opt_out_register_is_kept_hashed_whoever_it_is_of(quiz: Hub) -> None:
    kept = quiz.query(
        "select record_key, kind, value_hash, purpose, channel from marts.consent_suppressions"
        " where stream = 'register' and purpose in ('email_marketing', 'service') order by all"
    )
    assert kept == [
        ("a", "phone", hash_key("+393471234505", "salt"), "email_marketing", "any"),
        ("b", "email", hash_key("nobody@posta.example", "salt"), "email_marketing", "email"),
    ]
    assert "obody@" not in str(quiz.query("select * from marts.consents"))
