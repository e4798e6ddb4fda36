from __future__ import annotations

from dataclasses import replace
from typing import Any

import fsspec
import pytest

from snello.kit.files.known import KnownFiles
from snello.kit.files.places import Found

REMOTE = Found("a.csv", "bucket/a.csv", 10, 100.0, "etag-1", fsspec.filesystem("memory"))


def known(state: dict[str, Any], layout: str = "layout-1") -> KnownFiles:
    return KnownFiles(state, layout)


def test_a_file_is_new_until_it_is_remembered() -> None:
    state: dict[str, Any] = {}
    assert not known(state).unchanged(REMOTE)
    known(state).remember(REMOTE, REMOTE.version(), {"a.csv"})
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
    known(state).remember(REMOTE, REMOTE.version(), {"a.csv"})
    assert known(state).unchanged(replace(REMOTE, **changes)) is unchanged


def test_a_file_elsewhere_without_a_tag_goes_by_size_and_time() -> None:
    state: dict[str, Any] = {}
    plain = replace(REMOTE, tag="")
    known(state).remember(plain, plain.version(), {"a.csv"})
    assert known(state).unchanged(plain)
    assert not known(state).unchanged(replace(plain, modified=200.0))


def test_what_was_known_under_another_layout_does_not_count_and_is_dropped() -> None:
    state: dict[str, Any] = {}
    known(state).remember(REMOTE, "1", {"a.csv"})
    assert not known(state, "layout-2").unchanged(REMOTE)
    known(state, "layout-2").remember(replace(REMOTE, name="b.csv"), "1", {"a.csv", "b.csv"})
    assert list(state["files"]) == ["b.csv"]
