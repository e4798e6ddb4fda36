"""Taps over files: delimited, fixed width, JSON lines, Excel and Parquet, compressed or not, local or behind a URL.

layout → places → (delimited | lines | sheets | columnar) → values → reading → stream → tap
"""

from snello.kit.files.layout import Column, FileSet
from snello.kit.files.tap import FileSettings, FileTap

__all__ = ["Column", "FileSet", "FileSettings", "FileTap"]
