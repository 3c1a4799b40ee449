"""What the fast tests of figures leave out: looks that figures share, of kinds that others stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import params_of

CONTRACT = Path(__file__).with_name("test_contract.py")
# By the average, the distribution, the groups and the heat map.
STOOD_FOR = {"aar", "ar", "diagnostics", "events", "forest", "path", "timeline"}
LOOKS = {
    "test_the_callers_style_neither_matters_nor_changes",
    "test_dollars_are_text_and_foreign_letters_neither_crash_nor_warn",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the full tests bytes and styles of most kinds, and overlaps of texts in results without statistics."""
    for item in items:
        params = params_of(item)
        if item.path == CONTRACT and params.get("kind") in STOOD_FOR:
            test = getattr(item, "originalname", "")
            wanting = test == "test_no_text_overlaps_another_or_is_cut" and params["variant"] == "nan_statistics"
            if test in LOOKS or wanting:
                item.add_marker("full")
