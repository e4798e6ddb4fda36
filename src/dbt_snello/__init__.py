"""What dbt finds of Snello by this name before it reads a project; see ``snello.dbt.parsed``."""

from snello.dbt.garbage import SeldomCollected
from snello.dbt.parsed import ParsedOnce

plugins = [SeldomCollected, ParsedOnce]
