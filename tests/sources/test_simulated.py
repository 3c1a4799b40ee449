"""Simulated prices: the same for the same question, and made of what the provenance says."""

from __future__ import annotations

import numpy as np
import pytest

from eventstudy.errors import InputError, TickerNotFound
from eventstudy.markets import sessions_between
from eventstudy.prices import fetch_prices

HK = ["9988.HK", "0700.HK", "1211.HK", "9618.HK", "3690.HK"]


def fetch(tickers, start="2015-01-01", end="2022-12-31", **options):
    return fetch_prices(tickers, start, end, source="simulated", **options)


def returns(prices, ticker):
    close = prices.bars[ticker].fields["close"]
    return dict(zip(prices.bars[ticker].dates[1:].astype(str), close[1:] / close[:-1] - 1, strict=True))


def test_the_same_question_gives_the_same_prices_and_another_seed_others():
    first, again, other = fetch(["BABA"]), fetch(["BABA"]), fetch(["BABA"], seed=1)
    assert first.provenance["sha256"] == again.provenance["sha256"]
    assert first.provenance["sha256"] != other.provenance["sha256"]


def test_a_path_does_not_depend_on_the_other_tickers():
    alone, among = fetch(["0700.HK"]), fetch(["BABA", "^HSI", "0700.HK", "9988.HK"])
    assert alone.provenance["sha256"]["0700.HK"] == among.provenance["sha256"]["0700.HK"]
    assert alone.provenance["truth"]["0700.HK"] == among.provenance["truth"]["0700.HK"]


def test_a_path_does_not_depend_on_the_range():
    long, short = fetch(["BABA"], "2001-05-01", "2025-12-31").frame("BABA"), fetch(["BABA"], "2021-03-01", "2021-03-31")
    cut = long.loc["2021-03-01":"2021-03-31"]
    np.testing.assert_array_equal(cut.to_numpy(), short.frame("BABA").to_numpy())


def test_prices_stand_on_the_sessions_of_each_exchange():
    prices = fetch(["9988.HK", "BABA", "HKD=X"], "2021-01-01", "2021-12-31")
    for ticker, mic in (("9988.HK", "XHKG"), ("BABA", "XNYS"), ("HKD=X", "FX")):
        np.testing.assert_array_equal(prices.bars[ticker].dates, sessions_between(mic, "2021-01-01", "2021-12-31"))
        assert prices.bars[ticker].mic == mic
    assert "2021-10-14" not in prices.bars["9988.HK"].dates.astype(str)  # a holiday in Hong Kong, none in New York
    assert "2021-10-14" in prices.bars["BABA"].dates.astype(str)


def test_betas_alphas_and_sigmas_are_recovered_by_least_squares():
    prices = fetch([*HK, "^HSI"], "2000-01-01", "2025-12-31")
    market = np.array(list(returns(prices, "^HSI").values()))
    design = np.column_stack([np.ones_like(market), market])
    assert prices.provenance["truth"]["^HSI"] == {"alpha": 0.0, "beta": 1.0, "sigma": 0.0}
    for ticker in HK:
        truth, firm = prices.provenance["truth"][ticker], np.array(list(returns(prices, ticker).values()))
        estimate, ssr, *_ = np.linalg.lstsq(design, firm)
        sigma = np.sqrt(ssr[0] / (len(firm) - 2))
        errors = sigma * np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
        assert np.all(np.abs(estimate - [truth["alpha"], truth["beta"]]) < 3.5 * errors)
        assert sigma == pytest.approx(truth["sigma"], rel=0.06)
        assert 0.6 <= truth["beta"] <= 1.6


def test_firms_share_nothing_but_the_market():
    prices = fetch([*HK, "^HSI"], "2000-01-01", "2025-12-31")
    market = np.array(list(returns(prices, "^HSI").values()))
    rest = [np.array(list(returns(prices, t).values())) - prices.provenance["truth"][t]["beta"] * market for t in HK]
    correlations = np.corrcoef([*rest, market])[np.triu_indices(len(HK) + 1, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(len(market))


def test_noise_has_fat_tails_and_markets_share_a_world():
    prices = fetch(["^HSI", "^GSPC", "BABA", "9988.HK"], "2000-01-01", "2025-12-31")
    hk, us = returns(prices, "^HSI"), returns(prices, "^GSPC")
    days = sorted(hk.keys() & us.keys())
    a, b = np.array([hk[d] for d in days]), np.array([us[d] for d in days])
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(0.4, abs=0.06)
    assert 4 < np.mean((a - a.mean()) ** 4) / a.var() ** 2 < 20  # 3 for the normal, 9 for t(5) at most
    assert a.std() == pytest.approx(0.011, rel=0.05)


def test_low_open_close_high_are_in_order_and_volume_is_whole():
    for ticker, bars in fetch([*HK, "BABA", "^HSI", "HKD=X"], "2000-01-01", "2025-12-31").bars.items():
        f = bars.fields
        assert np.all(f["low"] <= np.minimum(f["open"], f["close"])), ticker
        assert np.all(f["high"] >= np.maximum(f["open"], f["close"])), ticker
        assert np.array_equal(f["close"], f["adjusted"])
        assert np.all((f["volume"] > 0) & (f["volume"] == np.rint(f["volume"])))


def test_levels_around_2021_are_plausible():
    prices = fetch(["BABA", "9988.HK", "^HSI"], "2020-12-31", "2021-01-04")
    for ticker, low, high in (("BABA", 15, 250), ("9988.HK", 15, 250), ("^HSI", 5000, 30000)):
        assert low <= prices.bars[ticker].fields["close"][-1] <= high


# --- planted returns ---------------------------------------------------------------------------------------------


def test_a_total_is_exact_and_touches_that_session_alone():
    plain = returns(fetch(["9988.HK"]), "9988.HK")
    planted = returns(fetch(["9988.HK"], totals={("9988.HK", "2021-09-13"): -0.06}), "9988.HK")
    assert abs(planted.pop("2021-09-13") - -0.06) < 1e-12
    for day, value in planted.items():
        assert abs(value - plain[day]) < 1e-12


def test_a_reaction_is_added_to_what_would_have_been():
    plain = returns(fetch(["BABA"]), "BABA")
    planted = returns(fetch(["BABA"], reactions={("BABA", "2021-07-02"): -0.08}), "BABA")
    assert abs(planted["2021-07-02"] - plain["2021-07-02"] - -0.08) < 1e-12


def test_a_total_overrides_a_reaction():
    day = ("BABA", "2021-07-02")
    planted = returns(fetch(["BABA"], reactions={day: 0.5}, totals={day: -0.1}), "BABA")
    assert abs(planted["2021-07-02"] - -0.1) < 1e-12


def test_the_total_of_an_index_moves_the_firms_of_its_exchange_by_their_betas():
    day = "2021-09-13"
    totals = {("^HSI", day): -0.023, ("9988.HK", day): -0.06}
    asked = ["0700.HK", "9988.HK", "^HSI", "BABA"]
    plain, planted = fetch(asked), fetch(asked, totals=totals)
    moved = {t: returns(planted, t)[day] - returns(plain, t)[day] for t in asked}
    beta = planted.provenance["truth"]["0700.HK"]["beta"]
    assert abs(returns(planted, "^HSI")[day] - -0.023) < 1e-12
    assert abs(returns(planted, "9988.HK")[day] - -0.06) < 1e-12
    assert abs(moved["0700.HK"] - beta * moved["^HSI"]) < 1e-12
    assert moved["BABA"] == 0
    without_index = returns(fetch(["0700.HK"], totals=totals), "0700.HK")
    assert without_index == returns(planted, "0700.HK")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"totals": {("BABA", "2021-07-05"): 0.1}}, "not a session of XNYS"),
        ({"reactions": {("BABA", "1999-12-31"): 0.1}}, "not a session of XNYS since 2000-01-03"),
        ({"totals": {("BABA", "2021-07-02"): -1.0}}, "above -1"),
        ({"totals": {("BABA", "2021-07-02"): float("nan")}}, "above -1"),
        ({"totals": {("baba", "2021-07-02"): 0.1}}, "ticker 'baba'"),
        ({"reactions": {("BABA", "02/07/2021"): 0.1}}, "the date of reactions"),
        ({"reactions": {"BABA": 0.1}}, "a key is"),
        ({"totals": {("^GSPC", "2021-07-02"): 0.01, ("^IXIC", "2021-07-02"): 0.02}}, "one market factor"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
    ],
)
def test_what_cannot_be_planted_is_refused(options, says):
    with pytest.raises(InputError, match=says):
        fetch(["BABA"], **options)


def test_a_range_without_a_session_is_not_found():
    with pytest.raises(TickerNotFound, match="begin on 2000-01-03"):
        fetch(["BABA"], "1995-01-01", "1999-12-31")
    with pytest.raises(TickerNotFound, match="no price of BABA from 2021-07-03 to 2021-07-05"):
        fetch(["BABA"], "2021-07-03", "2021-07-05")


def test_tickers_must_be_named():
    with pytest.raises(InputError, match="name the tickers"):
        fetch(None)


def test_the_provenance_says_simulated():
    found = fetch(["BABA"], seed=3).provenance
    assert (found["source"], found["note"], found["seed"]) == ("simulated", "simulated prices", 3)
