from __future__ import annotations

from dataclasses import replace
from typing import Any

import fsspec
import pytest

from snello.kit.files import known as module
from snello.kit.files.known import KnownFiles
from snello.kit.files.places import Found

REMOTE = Found("a.csv", "bucket/a.csv", 10, 100.0, "etag-1", fsspec.filesystem("memory"))


def known(state: dict[str, Any], layout: str = "layout-1") -> KnownFiles:
    return KnownFiles(state, layout)


def test_a_file_is_new_until_it_is_remembered() -> None:
    state: dict[str, Any] = {}
    assert not known(state).unchanged(REMOTE)
    known(state).remember(REMOTE, "etag-1", {"a.csv"})
    assert known(state).unchanged(REMOTE)


@pytest.mark.parametrize(
    ("changes", "unchanged"),
    [
        ({"modified": 200.0}, True),  # copied again: the store's tag is the same
        ({"tag": "etag-2"}, False),
        ({"size": 11}, False),
        ({"modified": 200.0, "tag": ""}, False),
        ({"name": "b.csv"}, False),
    ],
)
def test_the_tag_of_the_store_decides_about_a_file_elsewhere(changes: dict[str, Any], unchanged: bool) -> None:
    state: dict[str, Any] = {}
    known(state).remember(REMOTE, "etag-1", {"a.csv"})
    assert known(state).unchanged(replace(REMOTE, **changes)) is unchanged


@pytest.mark.parametrize(("moment", "unchanged"), [(100.0, True), (0.0, False)])
def test_without_a_tag_size_and_time_decide_and_without_a_time_the_content(moment: float, unchanged: bool) -> None:
    state: dict[str, Any] = {}
    plain = replace(REMOTE, tag="", modified=moment)
    known(state).remember(plain, "hash-1", {"a.csv"})
    assert known(state).unchanged(plain) is unchanged
    assert not known(state).unchanged(replace(plain, modified=200.0))
    assert known(state).is_read(replace(plain, modified=200.0), "hash-1")
    assert known(state).unchanged(replace(plain, modified=200.0))
    assert not known(state).is_read(plain, "hash-2")


def test_what_was_known_under_another_layout_does_not_count_and_is_dropped() -> None:
    state: dict[str, Any] = {}
    known(state).remember(REMOTE, "1", {"a.csv"})
    assert not known(state, "layout-2").unchanged(REMOTE)
    known(state, "layout-2").remember(replace(REMOTE, name="b.csv"), "1", {"a.csv", "b.csv"})
    assert list(state["files"]) == ["b.csv"]


def test_a_file_that_left_is_known_for_a_month_and_forgotten_then(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {}
    clock = [1_000_000.0]
    monkeypatch.setattr(module.time, "time", lambda: clock[0])
    known(state).remember(REMOTE, "etag-1", {"a.csv"})
    known(state).remember(replace(REMOTE, name="b.csv"), "etag-1", {"b.csv"})
    clock[0] += module.GONE_SECONDS - 1
    known(state).remember(replace(REMOTE, name="c.csv"), "etag-1", {"b.csv", "c.csv"})
    assert known(state).unchanged(REMOTE)
    clock[0] += 1
    known(state).remember(replace(REMOTE, name="d.csv"), "etag-1", {"b.csv", "c.csv", "d.csv"})
    assert sorted(state["files"]) == ["b.csv", "c.csv", "d.csv"]
