"""Every model and test has its references, and they are those that its docstring names."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import eventstudy as es
from eventstudy import _registry
from eventstudy.reproduce import references
from tests.reports.browser import program
from tests.reproduce import studies

ROOT = Path(__file__).parents[2]
FILE = ROOT / "src" / "eventstudy" / "data" / "references.bib"
MEMBERS = [(folder, name) for folder in ("models", "inference") for name in _registry.names(folder, plugins=False)]
NEEDED = {  # of the standard BibTeX styles
    "article": {"author", "title", "journal", "year", "volume", "pages"},
    "book": {"author", "title", "publisher", "year"},
    "misc": {"author", "title", "year", "howpublished", "url"},
    "phdthesis": {"author", "title", "school", "year"},
    "techreport": {"author", "title", "institution", "year"},
}


def page(folder: str, name: str) -> str:
    return " ".join((ROOT / "src" / "eventstudy" / folder / f"{name}.py").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(("folder", "name"), MEMBERS)
def test_every_member_has_the_references_of_its_docstring(folder, name):
    entries = references.of_member(folder, name)
    assert entries, f"{folder}.{name} is in no field members of data/references.bib"
    text = page(folder, name)
    for entry in entries:
        family = entry.fields["author"].split(",")[0].strip("{}").removeprefix("J.P. ")
        assert family.translate(str.maketrans("öüá", "oua")) in text, entry.key
        assert entry.fields["year"] in text, entry.key
        if entry.kind == "article":
            assert f"{entry.fields['volume']}:{entry.fields['pages'].split('--')[0]}" in text, entry.key
    # and the other way round: no article of the docstring is missing
    named = set(re.findall(r"\b(\d{1,3}:\d{1,4})\b(?=[);])", text.split("from __future__")[0]))
    stated = {f"{e.fields['volume']}:{e.fields['pages'].split('--')[0]}" for e in entries if e.kind == "article"}
    assert named <= stated


def test_every_entry_is_read_and_is_well_formed():
    text = FILE.read_text(encoding="utf-8")
    entries = references._entries()
    keys = [entry.key for entry, _ in entries]
    assert keys == sorted(set(keys))
    assert len(keys) == text.count("\n@")
    members = {f"{folder}.{name}" for folder, name in MEMBERS}
    members |= {"frames.p_sq", "frames.p_conformal", "frames.effects"}
    for entry, of in entries:
        assert NEEDED[entry.kind] <= set(entry.fields), entry.key
        assert of <= members
        assert of or entry.key == references.LIBRARY
        assert re.fullmatch(r"\d{4}", entry.fields["year"])
        assert entry.bibtex.count("{") == entry.bibtex.count("}")
        assert entry.key == references.LIBRARY or entry.key.endswith(entry.fields["year"])
        assert not re.search(r"[{}\\]|\(\)|  ", entry.text)


def test_the_entry_of_the_library_is_its_citation_file():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entry = next(e for e, _ in references._entries() if e.key == references.LIBRARY)
    assert entry.fields["author"].strip("{}") == citation["authors"][0]["name"] == project["authors"][0]["name"]
    assert entry.fields["title"].casefold() == citation["title"].casefold()
    assert entry.fields["year"] == str(citation["date-released"])[:4]
    assert entry.fields["url"] == citation["repository-code"] == project["urls"]["Repository"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]


def test_cite_names_what_was_used_and_nothing_else():
    choices = {"model": es.model("dimson", leads=1), "tests": {"mine": es.test("bmp"), "c": "corrado"}}
    result = es.Study(**studies.CHOICES, **choices).run(studies.events(), studies.prices())
    keys = [entry.key for entry in result.cite().entries]
    of_frames = ["chernozhukov2021", "gelbach2013"]  # of p_conformal and p_sq; no two events share a cluster
    of_members = ["boehmer1991", "corrado1989", "corrado1992", "cowan1992", "dimson1979", "eventstudy"]
    assert keys == sorted([*of_members, *of_frames])
    assert f"Version {result.provenance['eventstudy']}" in result.cite().text
    assert result.cite().bibtex.count("\n@") + 1 == len(keys)


def test_a_label_with_options_is_the_test_of_its_name():
    record = {"settings": {"model": "market", "tests": "default"}, "tests": ["kolari_pynnonen(variance='additive')"]}

    cars = pd.DataFrame({"p_sq": [np.nan], "p_conformal": [np.nan]})
    result: Any = SimpleNamespace(provenance=record, cars=cars)
    assert [entry.key for entry in references.used(result)] == ["eventstudy", "kolari2010", "mackinlay1997"]


@pytest.mark.thorough
def test_bibtex_reads_every_entry_without_a_warning(tmp_path):
    entries = tuple(entry for entry, _ in references._entries())
    (tmp_path / "all.bib").write_text(references.Citation(entries).bibtex, encoding="utf-8")
    aux = r"\relax \citation{*} \bibstyle{plain} \bibdata{all}".replace(" ", "\n")
    (tmp_path / "x.aux").write_text(aux, encoding="utf-8")
    done = subprocess.run([program("bibtex"), "x"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "Warning" not in done.stdout
    assert (tmp_path / "x.bbl").read_text(encoding="utf-8").count(r"\bibitem") == len(entries)
