"""The Singer SDK's own suite for targets, on target-lake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import get_target_test_class

from target_lake import TargetLake

# rows without a key go to quarantine; this setting makes them fail the run too, as the SDK's suite expects
CONFIG: dict[str, Any] = {"source": "suite", "fail_on_refused": True}

Suite = get_target_test_class(TargetLake, config=CONFIG, parse_env_config=False)


class TestSdkSuite(Suite):  # type: ignore[misc, valid-type]
    """Every stream of the SDK, each into a lake of its own."""

    @pytest.fixture(autouse=True)
    def _own_lake(self, tmp_path: Path) -> Iterator[None]:
        CONFIG["root"] = str(tmp_path)
        yield
        del CONFIG["root"]
