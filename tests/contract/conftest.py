"""What of the contract of tests of abnormal returns `make quick` leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from eventstudy import _registry

INFERENCE = Path(__file__).with_name("test_inference.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out samples in which a test has no value: it would stand for all of them by keeping silent."""
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        if item.path != INFERENCE or not {"name", "kind"} <= set(params):
            continue
        if params["kind"] not in _registry.load("inference", params["name"]).value_under:
            item.add_marker("thorough")
