"""Rows of files as companies keep them: CSV, TSV, fixed width, JSON lines, Excel, Parquet, XML; here or elsewhere."""

from __future__ import annotations

from snello.kit.entry import entry
from snello.kit.files import FileSettings, FileTap


class TapFiles(FileTap):
    """Singer tap for files: CSV, TSV, fixed width, JSON lines, Excel, Parquet and XML, compressed or not."""

    name = "tap-files"
    settings = FileSettings


main = entry(TapFiles)
