"""Factors and settings, from a study to its provenance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import eventstudy as es
from eventstudy.core.ols import least_squares
from eventstudy.prepare.factors import coded_notes, factor_names, read_factors
from eventstudy.types import Abnormal, Block, Column
from tests.prepare.plain import DATES, events, prices

WINDOWS: dict[str, Any] = {
    "estimation": (-60, -6), "event": (-5, 5), "windows": ((0, 0),), "min_estimation": 30, "tests": ["cross_section"],
    "benchmark": "M",
}  # fmt: skip
NAMES = ("A", "B", "C", "M")
ROWS = [("A", 100), ("B", 120), ("C", 150)]


def factors(last: int = len(DATES), first: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    made = pd.DataFrame(0.01 * rng.standard_normal((len(DATES), 3)), index=DATES, columns=["Mkt-RF", "SMB", "HML"])
    return made.assign(RF=0.0001).iloc[first:last]


@pytest.mark.thorough
def test_factors_that_end_before_an_event_lose_that_event_alone() -> None:
    its, study = prices(NAMES), es.Study(**WINDOWS, model="ff3")
    made = study.run(events(ROWS), its, factors=factors(140))
    assert made.events["status"].tolist() == ["ok", "ok", "no_factors"]
    assert made.events["reason"].iloc[2] == f"factor Mkt-RF ends on {DATES[139].date()}, before its session"
    whole = study.run(events(ROWS), its, factors=factors())
    pd.testing.assert_frame_equal(made.ar, whole.ar.loc[made.ar.index])
    pd.testing.assert_series_equal(
        study.check(events(ROWS), its, factors=factors(140))["status"], made.events["status"], check_names=False
    )
    assert made.attrition.set_index("reason")["n"].to_dict() == {"ok": 2, "no_factors": 1}


def test_factors_that_begin_late_or_end_within_the_window() -> None:
    its = prices(NAMES)
    late = es.Study(**WINDOWS, model="ff3").run(events(ROWS), its, factors=factors(first=110))
    assert late.events["status"].tolist() == ["no_factors", "too_few_estimation", "ok"]
    assert late.events["reason"].iloc[0] == f"factor Mkt-RF begins on {DATES[110].date()}, after its session"
    assert late.events["n_estimation"].tolist() == [0, 5, 35]
    short = es.Study(**WINDOWS, model="ff3").run(events(ROWS), its, factors=factors(152))
    assert short.events["status"].tolist() == ["ok"] * 3
    assert short.ar.loc["E2"].isna().tolist() == [False] * 7 + [True] * 4


def test_no_factor_for_any_event_leaves_empty_frames() -> None:
    made = es.Study(**WINDOWS, model="capm").run(events(ROWS), prices(NAMES), factors=factors(50))
    assert set(made.events["status"]) == {"no_factors"}
    assert made.cars.empty


def test_a_factor_of_missing_values_has_none_at_all() -> None:
    frame = factors().assign(SMB=np.nan)
    made = es.Study(**WINDOWS, model="ff3").check(events(ROWS), prices(NAMES), factors=frame)
    assert set(made["reason"]) == {"factor SMB has no value at all"}


@pytest.mark.thorough
def test_provenance_tells_what_the_factors_are() -> None:
    frame = factors()
    frame.attrs["source"] = {"files": {"x.zip": "abc"}, "vintage": "202409"}
    its = es.Study(**WINDOWS, model="ff3").run(events(ROWS), prices(NAMES), factors=frame).provenance["factors"]
    assert its["names"] == ["Mkt-RF", "SMB", "HML", "RF"]
    assert (its["n"], its["first"], its["last"]) == (200, str(DATES[0].date()), str(DATES[-1].date()))
    assert its["source"] == frame.attrs["source"]
    changed = es.Study(**WINDOWS, model="ff3").run(events(ROWS), prices(NAMES), factors=factors() * 2).provenance
    assert changed["factors"]["sha256"] != its["sha256"]
    assert "source" not in changed["factors"]
    assert "factors" not in es.Study(**WINDOWS).run(events(ROWS), prices(NAMES)).provenance


@dataclass(frozen=True)
class Mine:
    """A user's model with an option."""

    power: float = 2.0
    columns: tuple[Column, ...] = ()
    coefficients: tuple[str, ...] = ("alpha",)

    def fit(self, block: Block) -> Abnormal:
        return least_squares(block, [1.0])


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("ff3", "ff3"),
        (es.model("ff3"), {"name": "ff3", "names": ("Mkt-RF", "SMB", "HML"), "risk_free": "RF"}),
        (es.model("factors", names=("SMB",)), {"name": "factors", "names": ("SMB",), "risk_free": None}),
        (es.model("capm"), {"name": "capm", "risk_free": "RF"}),
        (es.model("peers", matched=2), {"name": "peers", "matched": 2, "weights": "equal", "adjust": "regression"}),
        (Mine(3.0), {"name": "Mine", "power": 3.0, "columns": (), "coefficients": ("alpha",)}),
    ],
)
def test_settings_name_the_model_and_its_options(model: Any, wanted: Any) -> None:
    made = es.Study(**WINDOWS, model=model).run(events(ROWS), prices((*NAMES, "P", "Q")), factors=factors())
    its = made.provenance["settings"]["model"]
    found = its if isinstance(its, str) else {k: tuple(v) if isinstance(v, list) else v for k, v in its.items()}
    assert found == wanted
    json.dumps(made.provenance)


def test_settings_hold_every_choice_as_plain_values() -> None:
    study = es.Study(
        **WINDOWS, contaminated="flag", confounding=(-1, 1), peers={"A": ["C"]}, event_columns=("x", "y"), currency=None
    )
    made = study.run(events(ROWS, x=[-5] * 3, y=[5] * 3), prices(NAMES))
    its = json.loads(json.dumps(made.provenance["settings"]))
    assert its["contaminated"] == "flag"
    assert its["confounding"] == [-1, 1]
    assert its["event_columns"] == ["x", "y"]
    assert its["peers"] == {"A": ["C"]}
    assert its["accumulate"] == "sum"


DAYS = pd.bdate_range("2021-01-04", periods=60)


def test_wrds_names_are_those_of_the_library() -> None:
    values = np.linspace(-0.01, 0.01, 60)
    frame = pd.DataFrame({name: values * k for k, name in enumerate(("mktrf", "smb", "hml", "rf", "umd"), 1)}, DAYS)
    factors = read_factors(frame)
    for k, name in enumerate(("Mkt-RF", "SMB", "HML", "RF", "Mom"), 1):
        np.testing.assert_array_equal(factors[name][1], values * k)
    np.testing.assert_array_equal(factors["mktrf"][1], values)


def test_a_column_with_the_name_of_the_library_is_taken_before_one_of_another_source() -> None:
    frame = pd.DataFrame({"mktrf": 0.02, "Mkt-RF": 0.01}, DAYS)
    assert set(read_factors(frame)["Mkt-RF"][1]) == {0.01}
    with pytest.raises(es.InputError, match="'umd' and 'mom' are both Mom"):
        read_factors(pd.DataFrame({"umd": 0.01, "mom": 0.02}, DAYS))


@pytest.mark.parametrize("name", ["Mkt-RF", "MKT_RF", "mkt rf", "Mkt.RF", " MktRF "])
def test_case_and_separators_of_a_known_name_are_no_difference(name: str) -> None:
    assert factor_names(pd.DataFrame(columns=[name, "oil"]))["Mkt-RF"] == name


@pytest.mark.parametrize("name", ["mktrf2", "2mktrf", "smb5", "HML (value)", "mom%", "rf*", "mktrf_lag", "\uff53mb"])
def test_a_name_that_holds_a_known_one_is_another(name: str) -> None:
    assert factor_names(pd.DataFrame(columns=[name, "oil"])) == {name: name, "oil": "oil"}


@pytest.mark.parametrize("code", [-99.99, -999.0, -0.9999, -9.99])
def test_codes_of_missing_values_are_missing_and_said(code: float) -> None:
    frame = pd.DataFrame({"Mkt-RF": np.where(np.arange(60) == 7, code, 0.001)}, DAYS)
    values = read_factors(frame)["Mkt-RF"][1]
    assert np.flatnonzero(np.isnan(values)).tolist() == [7]
    assert "Mkt-RF (1)" in coded_notes(frame)[0]
    assert frame["Mkt-RF"].iloc[7] == code  # the caller's frame is not changed


@pytest.mark.parametrize(
    ("frame", "match"),
    [
        (pd.DataFrame({"Mkt-RF": np.linspace(-1, 1, 60)}, DAYS), "per cent"),
        (pd.DataFrame({"mktrf": np.linspace(-1, 1, 60)}, DAYS), "per cent"),
        (pd.DataFrame({"x": [np.inf] * 60}, DAYS), "infinite on 2021-01-04"),
        (pd.DataFrame({"x": [True] * 60}, DAYS), "type bool"),
        (pd.DataFrame({"x": [1j] * 60}, DAYS), "type complex"),
        (pd.DataFrame({"x": DAYS}, DAYS), "type datetime64"),
        (pd.DataFrame({"x": ["low"] * 60}, DAYS), "'x' is not of decimal returns"),
        (pd.DataFrame({"x": [[1]] * 60}, DAYS), "'x' is not of decimal returns"),
        (pd.DataFrame({"x": [0.1] * 60}), "numbers of rows"),
        (pd.DataFrame({"x": [0.1] * 60}, 20210104 + np.arange(60)), "'20210132' is not an ISO date"),
        (pd.DataFrame({"x": [0.1] * 60}, [*DAYS[:-1], pd.NaT]), "missing dates"),
        (pd.DataFrame([[0.1, 0.2]] * 60, DAYS, columns=["x", "x"]), "two columns 'x'"),
        (pd.DataFrame([[0.1, 0.2]] * 60, DAYS, columns=[1, "1"]), "two columns 1"),
    ],
)
def test_what_is_no_factor_is_refused(frame: pd.DataFrame, match: str) -> None:
    with pytest.raises(es.InputError, match=match):
        read_factors(frame)


def test_a_factor_of_another_kind_may_have_any_size() -> None:
    levels = pd.DataFrame({"vix": np.linspace(10, 60, 60), "oil": np.linspace(-2, 2, 60)}, DAYS)
    assert np.isfinite(read_factors(levels)["vix"][1]).all()


def made() -> pd.DataFrame:
    return factors().rename_axis("date")


FORMS: dict[str, Any] = {
    "yyyymmdd": lambda: made().set_axis([int(day.strftime("%Y%m%d")) for day in DATES]),
    "text": lambda: made().set_axis(DATES.strftime("%Y-%m-%d")),
    "yyyymmdd text": lambda: made().set_axis(DATES.strftime("%Y%m%d")),
    "periods": lambda: made().set_axis(DATES.to_period("D")),
    "dates": lambda: made().set_axis(pd.Index(DATES.date, dtype=object)),
    "zoned midnights": lambda: made().tz_localize("America/New_York"),
    "a column": lambda: made().reset_index(),
    "a column of WRDS": lambda: made().rename_axis("caldt").reset_index(),
    "the last column": lambda: made().assign(Date=DATES).reset_index(drop=True),
    "polars": lambda: pl.from_pandas(made().reset_index()),
    "polars, yyyymmdd": lambda: pl.from_pandas(FORMS["yyyymmdd"]().reset_index(names="date")),
    "pyarrow": lambda: pa.Table.from_pandas(made().reset_index(), preserve_index=False),
    "in any order": lambda: made().sample(frac=1, random_state=3),
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_factors_gives_the_same_result(form: str) -> None:
    study, its = es.Study(**WINDOWS, model="ff3"), prices(NAMES)
    wanted = study.run(events(ROWS), its, factors=factors())
    found = study.run(events(ROWS), its, factors=FORMS[form]())
    assert wanted.events["status"].tolist() == ["ok"] * 3
    pd.testing.assert_frame_equal(found.ar, wanted.ar, check_exact=True)
    assert found.provenance["factors"]["names"] == ["Mkt-RF", "SMB", "HML", "RF"]
    assert study.check(events(ROWS), its, factors=FORMS[form]())["status"].tolist() == ["ok"] * 3


@pytest.mark.parametrize(
    "zoned",
    [
        lambda index: index.tz_localize("America/New_York").tz_convert("UTC"),
        lambda index: index.tz_localize("Asia/Hong_Kong").tz_convert("UTC"),
        lambda index: index.tz_localize("UTC").tz_convert("America/New_York"),
    ],
)
def test_dates_converted_to_another_zone_are_named(zoned: Any) -> None:
    frame = factors().set_axis(zoned(DATES))
    with pytest.raises(es.InputError, match=r"one row a day with a time of day.*df\.tz_convert\('America/New_York'\)"):
        es.Study(**WINDOWS, model="ff3").run(events(ROWS), prices(NAMES), factors=frame)


def test_months_as_periods_are_dated_at_their_last_day() -> None:
    frame = pd.DataFrame({"x": [0.01, 0.02]}, index=pd.period_range("2021-01", periods=2, freq="M"))
    assert read_factors(frame)["x"][0].astype(str).tolist() == ["2021-01-31", "2021-02-28"]


@pytest.mark.parametrize("frame", [[1], {"Mkt-RF": [0.1]}, "factors.csv", factors()["SMB"]])
def test_what_is_no_frame_of_factors_is_refused(frame: Any) -> None:
    with pytest.raises(es.InputError, match="factors"):
        es.Study(**WINDOWS, model="ff3").run(events(ROWS), prices(NAMES), factors=frame)


def test_factors_within_the_day_are_refused_beside_daily_prices() -> None:
    hours = pd.date_range("2020-01-01", periods=500, freq="h", tz="UTC")
    frame = pd.DataFrame(dict.fromkeys(("Mkt-RF", "SMB", "HML", "RF"), 0.001), index=hours)
    with pytest.raises(es.InputError, match="factor Mkt-RF has values by time of day, and the prices are daily"):
        es.Study(**WINDOWS, model="ff3").run(events(ROWS), prices(NAMES), factors=frame)
