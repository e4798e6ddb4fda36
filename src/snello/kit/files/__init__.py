"""Taps over files: delimited, fixed width, JSON lines, Excel, Parquet and XML, compressed or not, here or elsewhere.

layout → stores → places → parts → (delimited | lines | sheets | columnar | xml) → (values, repeats) → reading → reader
→ stream → tap
"""

from snello.kit.files.layout import Column, FileSet
from snello.kit.files.tap import FileSettings, FileTap

__all__ = ["Column", "FileSet", "FileSettings", "FileTap"]
