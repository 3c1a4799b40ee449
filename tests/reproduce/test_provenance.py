"""The record of a result has the versions of what computed it, and neither a path nor a time of the run."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version

import pytest

import eventstudy as es
from tests.reproduce import studies

BASE = {"python", "numpy", "pandas", "scipy", "exchange_calendars", "matplotlib"}


@pytest.mark.parametrize(
    ("choices", "also"),
    [
        ({}, set()),
        ({"model": "robust", "tests": ["bmp"]}, {"statsmodels"}),
        ({"tests": ["calendar_time"]}, {"statsmodels"}),
        ({"model": "garch", "tests": ["bmp"]}, {"arch"}),
        ({"model": "elastic_net", "tests": ["bmp"]}, {"scikit-learn"}),
    ],
    ids=["base", "robust", "calendar_time", "garch", "elastic_net"],
)
@pytest.mark.filterwarnings("ignore")  # of a few events and peers
def test_versions_are_those_of_what_computed(choices, also):
    for name in also:
        pytest.importorskip({"scikit-learn": "sklearn"}.get(name, name))
    found = es.Study(**{**studies.CHOICES, **choices}).run(studies.events(), studies.prices()).provenance["versions"]
    assert set(found) == BASE | also
    assert found.pop("python") == platform.python_version()
    assert found == {name: version(name) for name in found}


@pytest.mark.filterwarnings("ignore:1 of 6 tickers could not be read")
def test_the_lock_is_in_it_and_no_path_is(tmp_path):
    study = es.Study(**studies.CHOICES)
    es.freeze(studies.prices(), tmp_path / "prices")
    prices = es.fetch_prices(
        ["MKT", *studies.TICKERS, "GONE"], None, None, source="folder", path=tmp_path / "prices"
    )  # fmt: skip
    result = study.run(studies.events(), prices, checkpoint=tmp_path / "parts")
    record = result.provenance
    lock = json.loads((tmp_path / "prices" / "lock.json").read_text())
    assert record["prices"]["retrieved"] == max(row["retrieved"] for row in lock["tickers"].values())
    assert len(record["prices"]["lock"]) == 64
    assert "created" not in record
    assert str(tmp_path) not in json.dumps(record, default=str)
    assert not result.events["reason"].astype(str).str.contains(str(tmp_path), regex=False).any()
    assert "no file for GONE in the folder" in result.events.loc[result.events["ticker"] == "GONE", "reason"].iloc[0]
