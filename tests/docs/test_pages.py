"""What the written pages list is what the code has."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from eventstudy import _registry
from eventstudy.prepare.calendar import POLICIES
from eventstudy.prepare.returns import GAPS
from eventstudy.study import DEFAULT_TESTS, Study
from eventstudy.types import Status
from tests.docs.pages import PAGES

ROOT = Path(__file__).parents[2]
DATA = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def tables(text: str) -> list[list[list[str]]]:
    """Give the rows of each Markdown table, head first, as cells."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    return [[[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()] for table in found]


def first_column(text: str, head: str) -> list[str]:
    [table] = [table for table in tables(text) if table[0][0].strip("`") == head]
    return [re.sub(r'[`"]| \(default\)', "", row[0]) for row in table[2:]]


def test_statuses_are_all_explained():
    assert sorted(first_column(DATA, "status")) == sorted(code.label for code in Status)


def test_policies_and_gaps_are_all_explained():
    assert tuple(first_column(DATA, "on_closed")) == POLICIES
    assert tuple(first_column(DATA, "gaps")) == GAPS


def test_defaults_that_the_pages_name_are_those_of_the_study():
    study = Study()
    assert f'| `"{study.on_closed}"` (default)' in DATA
    assert f'| `"{study.gaps}"` (default)' in DATA
    assert f'`"{study.price}"` (default)' in DATA


def test_default_tests_are_those_of_the_study():
    [table] = [table for table in tables(DATA) if table[0] == ["sample", "default tests"]]
    named = [tuple(re.findall(r"`(\w+)`", row[1])) for row in table[2:]]
    assert named == [DEFAULT_TESTS["independent"], DEFAULT_TESTS["same_day"], DEFAULT_TESTS["overlap"]]


def test_links_of_the_methods_lead_to_members():
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    links = re.findall(r"\[`(\w+)`\]\(\.\./src/eventstudy/(\w+)/(\w+)\.py\)", page)
    assert len(links) > 10
    assert [link for link in links if link[0] != link[2] or link[2] not in _registry.names(link[1])] == []


def test_every_model_and_test_stands_in_the_methods():
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for folder in ("models", "inference"):
        linked = set(re.findall(rf"\[`(\w+)`\]\([./\w]*{folder}/", page))
        assert linked == set(_registry.names(folder, plugins=False)), folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_of_a_checkout(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


def test_links_to_files_become_links_to_pages(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    resolved = importlib.import_module("links").resolved
    text = "[a](../src/eventstudy/models/mean.py) [b](../../src/eventstudy/sources) [c](../src/eventstudy) [d](gallery)"
    expected = "[a](generated/models/mean.rst) [b](../generated/sources/index.rst) [c](generated/reference.rst)"
    assert resolved(text) == f"{expected} [d](generated/gallery/index.rst)"
    assert resolved("[e](methods.md) [f](../notebooks)") == "[e](methods.md) [f](generated/notebooks/index.md)"


def test_study_file_page_names_every_choice():
    page = (ROOT / "docs" / "study_file.md").read_text(encoding="utf-8")
    named = {name for line in re.findall(r"^`.*`$", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", line)}
    assert set(Study.__dataclass_fields__) <= named


def test_every_model_is_recommended_for_a_sample():
    page = (ROOT / "docs" / "which_model.md").read_text(encoding="utf-8")
    named = {name for row in tables(page)[0][2:] for name in re.findall(r"`(\w+)`", row[1])}
    assert set(_registry.names("models", plugins=False)) <= named


def test_every_how_to_page_is_listed():
    folder = ROOT / "docs" / "how_to"
    index = (folder / "index.md").read_text(encoding="utf-8")
    pages = {path.stem for path in folder.glob("*.md")} - {"index"}
    assert set(re.findall(r"\]\((\w+)\.md\)", index)) == pages == set(index.split("```{toctree}")[1].split()[1:-1])


def test_the_page_for_machines_lists_every_page_of_the_contents():
    text = (ROOT / "docs" / "llms.txt").read_text(encoding="utf-8")
    contents = (
        (ROOT / "docs" / "index.md").read_text(encoding="utf-8").split("```{toctree}")[1].split("```")[0].split()[1:]
    )
    assert re.findall(r"\]\(([\w/]+)\.html\)", text) == contents


def test_every_figure_and_table_stands_in_the_gallery():
    scripts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "gallery").glob("*_*.py"))
    assert set(_registry.names("plots", plugins=False)) == set(re.findall(r'result\.plot\("(\w+)"', scripts))
    assert set(_registry.names("tables", plugins=False)) == set(re.findall(r'result\.table\("(\w+)"', scripts))
