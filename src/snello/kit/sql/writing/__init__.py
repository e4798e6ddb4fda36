"""Rows of an audience into one table of a SQL database: what was agreed, what is ours there, one transaction a batch.

terms → database → faults → values → table → ours → bulk → merge
"""

from snello.kit.sql.writing.database import Database
from snello.kit.sql.writing.merge import Merge
from snello.kit.sql.writing.terms import Flag, Terms
from snello.kit.sql.writing.values import canonical

__all__ = ["Database", "Flag", "Merge", "Terms", "canonical"]
