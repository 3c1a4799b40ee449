"""Fixtures of all tests: the shared data, and a proxy that blocks the network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOWHERE = "http://127.0.0.1:9"


def shared_folder() -> Path:
    return Path(os.environ.get("EVENTSTUDY_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real prices and oracles; required if CI=true, not published with the library."""
    folder = shared_folder()
    if not (folder / "data").is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"no shared data in {folder}; CI needs it (EVENTSTUDY_SHARED)")
        pytest.skip("the shared data is missing; set EVENTSTUDY_SHARED to its folder")
    return folder


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send requests of tests to a closed port; curl uses these variables, and guards on Python's sockets miss it."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, NOWHERE)
