"""Services that speak OData 4: streams out of their ``$metadata``, paged and read by change as far as they can."""

from snello.kit.odata.settings import ODataSettings
from snello.kit.odata.stream import ODataStream
from snello.kit.odata.tap import ODataTap

__all__ = ["ODataSettings", "ODataStream", "ODataTap"]
