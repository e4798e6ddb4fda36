"""The SQL reader: tables and views of any database as Singer streams, in key order, resumable, read only.

The path of a row: ``tables`` finds out what there is, ``types`` what each column becomes, ``query`` writes the SELECT,
``postgres`` or ``rows`` runs it, ``fit`` and ``values`` make columns of it, ``stream`` sends them and keeps the state.
"""

from snello.kit.sql.settings import Replication, Settings
from snello.kit.sql.tap import SqlTap

__all__ = ["Replication", "Settings", "SqlTap"]
