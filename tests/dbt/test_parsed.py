"""dbt goes on from its last reading of the project where no file of the project is another, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from snello.dbt.parsed import forget_if_changed


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "transform"
    (folder / "models" / "staging").mkdir(parents=True)
    (folder / "models" / "staging" / "one.sql").write_text("select 1")
    return folder


@pytest.fixture
def kept(project: Path) -> Path:
    """What dbt kept of a project that was read."""
    file = project / "target" / "partial_parse.msgpack"
    forget_if_changed(project, file)
    file.write_bytes(b"read")
    return file


def added(models: Path) -> None:
    (models / "two.sql").write_text("select 2")


def added_folder(models: Path) -> None:
    (models / "gym").mkdir()
    (models / "gym" / "_gym.yml").write_text("sources: []")


def removed(models: Path) -> None:
    (models / "one.sql").unlink()


def renamed(models: Path) -> None:
    (models / "one.sql").rename(models / "two.sql")


def changed(models: Path) -> None:
    (models / "one.sql").write_text("select 3")


@pytest.mark.parametrize("deed", [added, added_folder, removed, renamed, changed])
def test_a_file_that_is_new_gone_or_other_makes_dbt_read_the_project_whole(
    project: Path, kept: Path, deed: Callable[[Path], None]
) -> None:
    deed(project / "models" / "staging")
    forget_if_changed(project, kept)
    assert not kept.exists()


def test_a_project_that_did_not_change_is_not_read_again(project: Path, kept: Path) -> None:
    (project / "models" / "staging" / "one.sql").write_text("select 1")
    (project / "target" / "compiled.sql").write_text("select 1")
    forget_if_changed(project, kept)
    assert kept.exists()


def test_a_project_that_is_reached_by_another_path_is_read_whole(project: Path, kept: Path, tmp_path: Path) -> None:
    linked = tmp_path / "home" / "transform"
    linked.parent.mkdir()
    linked.symlink_to(project)
    forget_if_changed(linked, linked / "target" / "partial_parse.msgpack")
    assert not kept.exists()


def test_what_another_run_kept_without_a_note_of_the_project_is_not_trusted(project: Path, tmp_path: Path) -> None:
    stray = tmp_path / "partial_parse.msgpack"
    stray.write_bytes(b"read")
    forget_if_changed(project, stray)
    assert not stray.exists()
