"""What of the contract of tests of abnormal returns `make quick` leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from eventstudy import _registry
from tests.cases import params_of

INFERENCE = Path(__file__).with_name("test_inference.py")


def has_a_value(test: str, kind: str) -> bool:
    try:
        return kind in _registry.load("inference", test).value_under
    except Exception:  # the tests of a member that cannot be loaded say so
        return True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out samples in which a test has no value: it would stand for all of them by keeping silent."""
    for item in items:
        params = params_of(item)
        if (
            item.path == INFERENCE
            and {"name", "kind"} <= set(params)
            and not has_a_value(params["name"], params["kind"])
        ):
            item.add_marker("thorough")
