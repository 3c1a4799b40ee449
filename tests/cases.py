"""The cases of tests that are parametrised, as pytest collects them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest


def params_of(item: pytest.Item) -> Mapping[str, Any]:
    """Give what a case is run with, by name; nothing if its test is not parametrised."""
    return getattr(getattr(item, "callspec", None), "params", {})
