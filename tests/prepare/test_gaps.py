"""Prices with gaps, from prices to result: returns that span them, by hand and by statsmodels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.errors import InputError
from tests.prepare.plain import DATES, events, prices

WINDOWS: dict[str, Any] = {
    "estimation": (-90, -6), "event": (-5, 5), "windows": ((-5, 5), (0, 0)), "min_estimation": 20,
    "min_coverage": 0.1, "tests": ["cross_section"], "benchmark": "M", "model": "trade_to_trade",
}  # fmt: skip
N = 6


def thin(seed: int = 1) -> es.Prices:
    """Take away some third of the prices, also in runs, and two of the benchmark."""
    rng = np.random.default_rng(seed)
    names = [*(f"S{i}" for i in range(N)), "M"]
    close = pd.DataFrame({name: bars.fields["close"] for name, bars in prices(names, seed=seed).bars.items()})
    holes = rng.random(close.shape) < 0.3
    holes[40:48, 2] = True
    holes[:, -1] = False
    holes[[30, 120], -1] = True
    return es.Prices.from_frame(close.mask(holes).set_axis(DATES))


ROWS = [(f"S{i}", 100 + 7 * i) for i in range(N)]


def by_hand(its: es.Prices, ticker: str, day: int) -> pd.DataFrame:
    """Give the returns between prices (index: position of the second), the sessions and the benchmark's sum."""
    price, market = (its.frame(name)["close"].reset_index(drop=True) for name in (ticker, "M"))
    step = market.pct_change(fill_method=None)
    seen = price.dropna()
    rows = {}
    for before, at in zip(seen.index[:-1], seen.index[1:], strict=True):
        rows[at] = (seen[at] / seen[before] - 1, at - before, step[before + 1 : at + 1].sum(skipna=False))
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["r", "sessions", "market"]).dropna()
    return frame.set_axis(frame.index - day, axis=0)


def test_trade_to_trade_is_weighted_least_squares_of_statsmodels_from_prices_with_gaps() -> None:
    its = thin()
    made = es.Study(**WINDOWS).run(events(ROWS), its)
    assert (made.events["status"] == "ok").all()
    for event, (ticker, day) in zip(made.events.index, ROWS, strict=True):
        frame = by_hand(its, ticker, day)
        assert frame["sessions"].max() >= 3
        before = frame.loc[-90:-6]
        fit = sm.WLS(before["r"], before[["sessions", "market"]], weights=1 / before["sessions"]).fit()
        after = frame.loc[-5:5]
        ar = after["r"] - fit.predict(after[["sessions", "market"]])
        row = made.events.loc[event]
        assert row["n_estimation"] == len(before)
        np.testing.assert_allclose(row[["alpha", "beta"]].astype(float), fit.params, rtol=1e-9)
        np.testing.assert_allclose(row["sigma"], np.sqrt(fit.scale), rtol=1e-10)
        shown = made.ar.loc[event].dropna()
        assert shown.index.tolist() == after.index.tolist()
        np.testing.assert_allclose(shown, ar, atol=1e-13)
        car = made.cars[made.cars["event_id"] == event].iloc[0]
        total = after[["sessions", "market"]].sum().to_numpy()
        var = fit.scale * (after["sessions"].sum() + total @ fit.normalized_cov_params.to_numpy() @ total)
        np.testing.assert_allclose([car["car"], car["se"]], [ar.sum(), np.sqrt(var)], rtol=1e-9)
        assert car["n_days"] == len(after)


@pytest.mark.parametrize("choice", [{}, {"model": "market", "gaps": "span"}])
def test_what_an_event_has_does_not_hang_on_the_other_events(choice: dict[str, Any]) -> None:
    its, study = thin(), es.Study(**{**WINDOWS, **choice})
    together = study.run(events(ROWS), its)
    for event, row in zip(together.events.index, ROWS, strict=True):
        alone = study.run(events([row]), its).events.iloc[0]
        for name in ("n_estimation", "beta", "sigma"):
            assert alone[name] == pytest.approx(together.events.loc[event, name], rel=1e-12), name


def test_check_counts_the_days_that_run_uses() -> None:
    study, its = es.Study(**WINDOWS), thin()
    checked, made = study.check(events(ROWS), its), study.run(events(ROWS), its)
    assert checked["n_estimation"].tolist() == made.events["n_estimation"].tolist()


def test_a_sum_of_levels_is_refused() -> None:
    frame = {
        name: es.bars.Bars(name, b.dates, {**b.fields, "volume": b.fields["close"]}) for name, b in thin().bars.items()
    }
    with pytest.raises(InputError, match="outcome is 'volume', and the model sums returns"):
        es.Study(**WINDOWS, outcome="volume").check(events(ROWS), es.Prices(frame))
