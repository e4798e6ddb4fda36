"""dbt may go on from what it read of the project last time, where every file of the project is as it was then."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dbt.flags import get_flags
from dbt.plugins.manager import dbtPlugin

_READ = {".sql", ".py", ".yml", ".yaml", ".csv", ".md"}
_MADE = {"target", "logs", "__pycache__"}
_MARK = "project_read"


class ParsedOnce(dbtPlugin):
    """Throws away what dbt kept of its last reading when any file of the project was added, removed, changed or moved.

    - sources, shapes and segments are found by the names of their macros; dbt, reading in part, does not know that a
      model asked which there are
    """

    def initialize(self) -> None:
        """Compare the project with what it was when the kept reading was made."""
        flags = get_flags()  # type: ignore[no-untyped-call]
        project = Path(getattr(flags, "PROJECT_DIR", None) or ".")
        target = project / (getattr(flags, "TARGET_PATH", None) or "target")
        kept = Path(getattr(flags, "PARTIAL_PARSE_FILE_PATH", None) or target / "partial_parse.msgpack")
        forget_if_changed(project, kept)


def forget_if_changed(project: Path, kept: Path) -> None:
    """Remove the file ``kept`` unless a note beside it says that the project was as it is now, and where it is now."""
    place = f"{project.absolute()}\0{project_print(project)}"  # dbt keeps whole paths, and reads seeds by them
    note, now = kept.with_name(_MARK), hashlib.sha256(place.encode()).hexdigest()
    if note.exists() and note.read_text() == now:
        return
    # The note comes last: cut off between the two, the next run finds nothing to go on from.
    kept.unlink(missing_ok=True)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(now)


def project_print(project: Path) -> str:
    """A hash over the names and contents of all files that dbt may read of the project."""
    digest = hashlib.sha256()
    for path in sorted(_files(project)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(project).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    found = []
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in _MADE:
            continue
        if path.is_dir():
            found += _files(path)
        elif path.suffix in _READ:
            found.append(path)
    return found
