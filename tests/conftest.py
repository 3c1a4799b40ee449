"""Fixtures of all tests: the shared data, a proxy that blocks the network, and the selection of quick tests."""

from __future__ import annotations

import base64
import gc
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from _pytest.doctest import DoctestModule

from tests.cases import params_of
from tests.once import once
from tests.shared import ROOT, shared_folder
from tests.site import left_out_of_a_quick_site

NOWHERE = "http://127.0.0.1:9"
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


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
    for name in PROXIES:
        monkeypatch.setenv(name, NOWHERE)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Build the site offline, once for all processes: ``html`` has its pages, ``cache`` the notebooks that it ran.

    It is built from a copy, so that a run leaves nothing in the repository. Where the ``full`` tests are left out, the
    pages of some notebooks and figures are made without running them.
    """
    whole = "not full" not in request.config.getoption("markexpr")

    def build(folder: Path) -> None:
        left_out = shutil.ignore_patterns("_build", "generated", "__pycache__")
        shutil.copytree(ROOT / "docs", folder / "docs", ignore=left_out)
        shutil.copytree(ROOT / "notebooks", folder / "notebooks")
        for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"):
            shutil.copy(ROOT / name, folder)
        if not whole:
            with (folder / "docs" / "conf.py").open("a", encoding="utf-8") as settings:
                settings.write(left_out_of_a_quick_site())
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", "html"]
        command += ["-D", "nb_execution_mode=cache", "-D", f"nb_execution_cache_path={folder / 'cache'}"]
        offline = os.environ | dict.fromkeys(PROXIES, NOWHERE)
        made = subprocess.run(command, cwd=folder, env=offline, capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr

    return once(tmp_path_factory, "site", build)


@pytest.fixture(autouse=True)
def _hundred_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the terminal 100 columns, whatever the one is from which the tests run."""
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def of_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put one small picture in the place of all figures of a page, which take most of its time: for tests of words."""
    from PIL import Image

    from eventstudy.reports import _html_page

    target = io.BytesIO()
    Image.new("RGB", (8, 4)).save(target, format="png")
    picture = base64.b64encode(target.getvalue()).decode("ascii")

    def drawn(plot: object, words: str, narrow: object) -> _html_page.Figure:
        return _html_page.Figure(words, picture, 800, 400, picture if narrow else "")

    monkeypatch.setattr(_html_page, "_drawn", drawn)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let no search for garbage go through what is collected, and few through the rest: they take much time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        gc.enable()


def pytest_sessionfinish() -> None:
    """Let all be collected again: some libraries count what is left when the process ends."""
    gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Look for doctests in the library alone: the search of every test module takes as long as its import."""
    collectors = yield
    return [collector for collector in collectors if not isinstance(collector, DoctestModule)]


def members(item: pytest.Item) -> list[tuple[str, str, str]]:
    """Give the members whose contract a case tests, each beside the test that holds it to that; none elsewhere."""
    contract = item.get_closest_marker("contract")
    params = params_of(item)
    names = contract.args if contract else ()
    return [(item.nodeid.split("[")[0], name, str(params[name])) for name in names if name in params]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests of a contract as thorough, except the first case of each test for every member.

    Those are full, except one more for every member, from member to member of other values.
    Tests of the site come first: one process builds it, and others do not wait for it.
    """
    items.sort(key=lambda item: "built" not in getattr(item, "fixturenames", ()))
    seen: set[tuple[str, str, str]] = set()
    others: dict[tuple[str, str], dict[str, list[pytest.Item]]] = {}
    for item in items:
        keys = members(item)
        if keys and not item.get_closest_marker("thorough"):
            if seen.issuperset(keys):
                item.add_marker("thorough")
            seen.update(keys)
        if item.get_closest_marker("thorough") and not any(map(item.get_closest_marker, ("full", "slow"))):
            for test, name, member in keys:
                others.setdefault((test, name), {}).setdefault(member, []).append(item)
    of_members = [(n, cases) for one in others.values() for n, cases in enumerate(one.values())]
    kept = {cases[n % len(cases)] for n, cases in of_members}
    for item in {item for _, cases in of_members for item in cases} - kept:
        item.add_marker("full")
