"""Entity sets of a service that speaks OData 4: those of SAP, of Dynamics 365, and of many others."""

from __future__ import annotations

from snello.kit.entry import entry
from snello.kit.odata import ODataTap


class TapOData(ODataTap):
    """Singer tap for services that speak OData 4."""

    name = "tap-odata"


main = entry(TapOData)
