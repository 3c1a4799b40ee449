"""Firms in New York on the Hang Seng: leads and lags of the benchmark against statsmodels on the real prices.

The index closes in Hong Kong before New York opens, so that New York's session moves the index of the next day: a
simple market model misses a third of the beta.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from tests.oracles.data import agree, events

pytestmark = pytest.mark.thorough

TICKERS = ["BABA", "XPEV"]
DAY = "2021-09-13"
ESTIMATION, EVENT = (-260, -11), (-10, 10)
TOL = 1e-10  # of sums of 250 returns of prices printed to 6 decimals, in another order


class Own(NamedTuple):
    """A firm's returns ``y`` and the index's, by shift, over the estimation window and the event window."""

    before: pd.DataFrame
    during: pd.DataFrame

    @property
    def simple(self) -> dict[int, float]:
        """The slope on each shift alone."""
        return {k: slope(self.before["y"], self.before[k]) for k in range(-2, 3)}

    @property
    def rho(self) -> dict[int, float]:
        """The index's slopes on itself led and lagged, averaged."""
        on = {k: slope(self.before[0], self.before[k]) for k in range(-2, 3)}
        return {k: (on[k] + on[-k]) / 2 for k in (1, 2)}

    def multiple(self, order: int) -> pd.Series:
        """The slopes on all shifts up to an order at once."""
        x = self.before[list(range(-order, order + 1))]
        params: pd.Series = sm.OLS(self.before["y"], sm.add_constant(x)).fit().params
        return params


def slope(y: pd.Series, x: pd.Series) -> float:
    return float(sm.OLS(y, sm.add_constant(x.to_numpy())).fit().params.iloc[1])


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data" / "prices"


@pytest.fixture(scope="module")
def prices(folder: Path) -> es.Prices:
    return es.read_prices(folder)


@pytest.fixture(scope="module")
def own(folder: Path) -> dict[str, Own]:
    files = {
        name: pd.read_csv(folder / f"{name}.csv", index_col="Date", parse_dates=True) for name in (*TICKERS, "HSI")
    }
    level = {name: frame["Adj Close"] for name, frame in files.items()}
    sessions = pd.DatetimeIndex(level["BABA"].index)  # all of New York's; XPEV was listed later
    return {ticker: by_hand(level[ticker].reindex(sessions), level["HSI"]) for ticker in TICKERS}


def by_hand(price: pd.Series, index: pd.Series) -> Own:
    """Carry the index to New York's sessions as its last close, and cut the windows around the day."""
    carried = index.reindex(index.index.union(price.index)).ffill().reindex(price.index)
    market = carried / carried.shift(1) - 1
    table = pd.DataFrame({k: market.shift(-k) for k in range(-2, 3)}).assign(y=price / price.shift(1) - 1)
    at = int(price.index.searchsorted(pd.Timestamp(DAY)))
    estimation, event = (table.iloc[at + start : at + end + 1] for start, end in (ESTIMATION, EVENT))
    assert not estimation.isna().any(axis=None)
    return Own(estimation, event)


def study(model: Any, prices: es.Prices) -> es.Result:
    result = es.Study(model=model, benchmark="^HSI", estimation=ESTIMATION, event=EVENT).run(
        events(TICKERS, [DAY] * 2), prices
    )
    assert (result.events["status"] == "ok").all()
    return result


def beta(model: str, order: int, firm: Own) -> float:
    """Give the beta of a model by hand."""
    if model == "market":
        return firm.simple[0]
    if model == "scholes_williams":
        return (firm.simple[-1] + firm.simple[0] + firm.simple[1]) / (1 + 2 * firm.rho[1])
    d, one, two = firm.multiple(order), firm.rho[1], firm.rho[2]
    if order == 1:
        return float(d[0] + (1 + one) / (1 + 2 * one) * (d[-1] + d[1]))
    below = 1 + 2 * one + 2 * two
    w = (1 + 2 * one + two) / below, (1 + one + two) / below
    return float(d[0] + w[0] * (d[-1] + d[1]) + w[1] * (d[-2] + d[2]))


@pytest.mark.parametrize(("model", "options"), [
    ("scholes_williams", {}), ("fowler_rorke", {"order": 1}), ("fowler_rorke", {"order": 2}),
])  # fmt: skip
def test_corrected_betas_and_abnormal_returns(
    model: str, options: dict[str, int], prices: es.Prices, own: dict[str, Own]
):
    result = study(es.model(model, **options), prices)
    for row, ticker in enumerate(TICKERS):
        firm = own[ticker]
        b = beta(model, options.get("order", 1), firm)
        a = firm.before["y"].mean() - b * firm.before[0].mean()
        agree(result.events[["alpha", "beta"]].iloc[row], [a, b], TOL)
        agree(result.ar.iloc[row], firm.during["y"] - a - b * firm.during[0], TOL)
        e = firm.before["y"] - a - b * firm.before[0]
        assert result.events["sigma"].iloc[row] == pytest.approx(np.sqrt((e**2).sum() / (len(e) - 2)), rel=TOL)


def test_a_third_of_the_beta_comes_a_session_later(prices: es.Prices, own: dict[str, Own]):
    fit = study(es.model("dimson", leads=1, lags=1), prices).events
    for row, ticker in enumerate(TICKERS):
        wanted = own[ticker].multiple(1)[["const", -1, 0, 1]]
        agree(fit[["alpha", "beta_lag1", "beta", "beta_lead1"]].iloc[row], wanted, TOL)
    assert fit["beta_lead1"].iloc[0] == pytest.approx(0.42, abs=0.005)
    assert fit["beta"].iloc[0] == pytest.approx(0.78, abs=0.005)


def test_scholes_williams_is_near_what_the_textbook_autocorrelation_gives(prices: es.Prices, own: dict[str, Own]):
    found = study("scholes_williams", prices).events["beta"]
    for row, ticker in enumerate(TICKERS):
        market = own[ticker].before[0]
        rho = np.corrcoef(market[1:], market[:-1])[0, 1]
        b = own[ticker].simple
        # one return at either end of 250 is all that the two autocorrelations do not share
        assert found.iloc[row] == pytest.approx((b[-1] + b[0] + b[1]) / (1 + 2 * rho), rel=0.01)


def test_the_abnormal_return_of_the_day_moves_by_the_beta_that_was_missed(prices: es.Prices, own: dict[str, Own]):
    with pytest.warns(es.EventStudyWarning, match="another time zone"):
        plain = study("market", prices)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a model with a lead has nothing to be warned of
        led = study("scholes_williams", prices)
    for row, ticker in enumerate(TICKERS):
        firm = own[ticker]
        more = beta("scholes_williams", 1, firm) - beta("market", 0, firm)
        assert more > 0.3
        market = float(firm.during.loc[DAY, 0])
        assert market == pytest.approx(-0.0150, abs=5e-5)
        moved = led.ar[0].iloc[row] - plain.ar[0].iloc[row]
        assert moved == pytest.approx(more * (firm.before[0].mean() - market), abs=1e-12)
        assert moved > 0.005  # the index fell, and more of the fall is the market's
