"""Taps over files: delimited, fixed width, JSON lines, Excel, Parquet and XML, compressed or not, here or elsewhere.

(column →) layout → stores → places → (drops, checksums, parts) → (delimited | lines | sheets | columnar | xml)
→ (values, repeats) → reading → (whole → waiting) → reader → stream → tap
"""

from snello.errors import choices
from snello.kit.files.layout import Column, FileSet
from snello.kit.files.tap import FileSettings, FileTap

__all__ = ["Column", "FileSet", "FileSettings", "FileTap", "choices"]
