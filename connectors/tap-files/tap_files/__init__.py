"""Rows of files as companies keep them: CSV, TSV, fixed width, JSON lines, Excel, Parquet; local or behind a URL."""

from __future__ import annotations

from snello.kit.entry import entry
from snello.kit.files import FileSettings, FileTap


class TapFiles(FileTap):
    """Singer tap for files: CSV, TSV, fixed width, JSON lines, Excel and Parquet, compressed or not."""

    name = "tap-files"
    settings = FileSettings


main = entry(TapFiles)
