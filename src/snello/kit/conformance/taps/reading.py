"""Cases of what is read: all rows, once, as their schema says, and only what changed the next time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from snello.kit.conformance.taps.case import case
from snello.kit.conformance.taps.trial import QUARANTINE, Trial, rows_of
from snello.kit.testing import Run

FORMATS = FormatChecker(("date",))


def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


FORMATS.checkers["date-time"] = (_is_moment, ValueError)


@case()
def every_row_comes(trial: Trial) -> None:
    """A first run reads all."""
    found = rows_of(trial.whole().messages)
    assert {name: len(found.get(name, {})) for name in trial.subject.rows} == dict(trial.subject.rows)


@case()
def no_row_comes_twice(trial: Trial) -> None:
    """One run hands out each row once."""
    done = trial.whole()
    for stream, keys in _keys(done).items():
        times = Counter(str([row[key] for key in keys]) for row in done.records(stream)) if keys else Counter()
        assert not [1 for count in times.values() if count > 1], f"{stream}: rows came twice"


@case()
def every_value_fits_its_schema(trial: Trial) -> None:
    """Types, formats, and no field that is not declared."""
    done = trial.whole()
    for stream in trial.subject.rows:
        schema = done.schema(stream)["schema"]
        judge = Draft202012Validator(schema, format_checker=FORMATS)
        for row in done.records(stream):
            assert not row.keys() - schema["properties"], f"{stream}: a field that its schema does not declare"
            assert not (wrong := next(judge.iter_errors(row), None)), f"{stream}: {_place(wrong)}"


@case()
def every_declared_column_comes(trial: Trial) -> None:
    """A column without a value is null, not absent."""
    done = trial.whole()
    for stream in trial.subject.rows:
        declared = {name for name in done.schema(stream)["schema"]["properties"] if not name.startswith("_sdc_")}
        for row in done.records(stream):
            assert not declared - row.keys(), f"{stream}: columns that do not come: {sorted(declared - row.keys())}"


@case()
def no_key_is_null(trial: Trial) -> None:
    """What a row is told by is there."""
    done = trial.whole()
    for stream, keys in _keys(done).items():
        assert all(row.get(key) is not None for row in done.records(stream) for key in keys), f"{stream}: a null key"


@case()
def reading_all_again_gives_the_same_rows(trial: Trial) -> None:
    """A full refresh."""
    trial.same(rows_of(trial.whole().messages), rows_of(trial.whole().messages))


@case("changes")
def a_second_run_moves_what_changed_and_no_more(trial: Trial) -> None:
    """The changed row comes with its new content."""
    assert trial.subject.change
    first = trial.whole()
    stream, key = trial.subject.change()
    second = trial.whole(first.state)
    came = rows_of(_schemas(first), second.messages)[stream]
    assert key in came, f"{stream}: the changed row did not come"
    assert len(second.records(stream)) <= 1 + trial.subject.overlap, f"{stream}: rows came that did not change"
    trial.same(rows_of(first.messages, second.messages), rows_of(trial.whole().messages))


@case("ties")
def rows_of_the_last_moment_that_come_late_are_read(trial: Trial) -> None:
    """Rows of one transaction share a moment; a bookmark does not pass over those that were not there yet."""
    assert trial.subject.tie
    first = trial.whole()
    stream, keys = trial.subject.tie()
    came = rows_of(_schemas(first), trial.whole(first.state).messages)[stream]
    assert not set(keys) - came.keys(), f"{stream}: {len(set(keys) - came.keys())} rows of the last moment are lost"


@case("removes")
def a_row_that_is_gone_is_told(trial: Trial) -> None:
    """And no other."""
    assert trial.subject.remove
    first = trial.whole()
    stream, key = trial.subject.remove()
    wanted = {name: set(rows) for name, rows in rows_of(first.messages).items()}
    wanted[stream].remove(key)
    second = rows_of(first.messages, trial.whole(first.state).messages)
    assert {name: set(rows) for name, rows in second.items()} == wanted, f"{stream}: another row is gone, or none"


def _keys(done: Run) -> dict[str, list[str]]:
    messages = [each for each in done.messages if each["type"] == "SCHEMA" and each["stream"] != QUARANTINE]
    return {each["stream"]: each["key_properties"] for each in messages}


def _schemas(done: Run) -> list[dict[str, Any]]:
    return [each for each in done.messages if each["type"] == "SCHEMA"]


def _place(wrong: ValidationError | None) -> str:
    """Where a value does not fit, without it."""
    return "" if wrong is None else f"{'.'.join(str(part) for part in wrong.absolute_path)} is not {wrong.validator}"
