"""Files dropped for others to fetch: rows encoded, names that tell nothing of people, a manifest that comes last.

layout → identifiers → encoding → (delimited | fixed | columnar) → formats → compression → place → drop
"""

from snello.kit.files.writing.drop import Drop, Kept
from snello.kit.files.writing.encoding import Encoded, Encoder
from snello.kit.files.writing.formats import encoder
from snello.kit.files.writing.layout import Column, Columns, Dialect, Layout
from snello.kit.files.writing.names import Names
from snello.kit.files.writing.place import Place

__all__ = ["Column", "Columns", "Dialect", "Drop", "Encoded", "Encoder", "Kept", "Layout", "Names", "Place", "encoder"]
