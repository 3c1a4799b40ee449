"""What of the contract `make quick` runs: each property once for every member that it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eventstudy import _registry

HERE = Path(__file__).parent
MEMBERS = ("name", "model", "ols")  # the arguments that stand for a member


def has_a_value(params: dict[str, Any]) -> bool:
    """Say whether a test of abnormal returns has a value in samples of a kind; else it would be tried in vain."""
    if "kind" not in params or params["name"] not in _registry.names("inference"):
        return True
    return params["kind"] in _registry.load("inference", params["name"]).value_under


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seen: set[Any] = set()
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        about = {(item.path, getattr(item, "originalname", ""), key, params[key]) for key in MEMBERS if key in params}
        if HERE not in item.path.parents or not about:
            continue
        if about <= seen or not has_a_value(params):
            item.add_marker(pytest.mark.thorough)
        else:
            seen |= about
