"""Names as paths, and files that are replaced whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.lake import storage

CALM = settings(deadline=None)  # a busy machine is no fault


@CALM
@given(st.text(min_size=1))
def test_any_name_is_one_safe_segment_and_comes_back(name: str) -> None:
    segment = storage.folder_name(name)
    assert not set(segment) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@")
    assert segment not in (".", "..")
    assert storage.stream_name(segment) == name


@CALM
@given(st.text(min_size=1), st.text(min_size=1))
def test_two_names_never_share_a_segment(one: str, other: str) -> None:
    assert (storage.folder_name(one) == storage.folder_name(other)) == (one == other)


def test_a_file_is_replaced_whole_and_no_draft_stays(tmp_path: Path) -> None:
    storage.replace_bytes(str(tmp_path), "f", b"old")
    storage.replace_bytes(str(tmp_path), "f", b"new")
    assert storage.read_bytes(str(tmp_path), "f") == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_replacement_that_fails_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.replace_bytes(str(tmp_path), "f", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        storage.replace_bytes(str(tmp_path), "f", b"new")
    assert storage.read_bytes(str(tmp_path), "f") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_an_absent_file_has_no_content(tmp_path: Path) -> None:
    assert storage.read_bytes(str(tmp_path), "f") is None
    assert storage.read_bytes(str(tmp_path / "absent"), "f") is None


@pytest.mark.parametrize(("uri", "remote"), [("/a/b", False), ("a", False), ("file:///a", False), ("s3://b/a", True)])
def test_an_object_store_is_told_from_a_folder(uri: str, remote: bool) -> None:
    assert storage.is_remote(uri) is remote


def test_a_file_url_names_the_folder_it_means() -> None:
    assert storage.local_path("file:///my%20lake") == Path("/my lake")
