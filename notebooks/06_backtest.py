# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A scripted backtest
#
# Could one have traded on the announcements? A backtest may use only what was known. The decision falls at the
# announcement; the first price that can be had on that exchange comes after it; beta is the one estimated before. This
# notebook trades by script: one table of trades, one row per event, and a test that knows which trades are one bet.
#
# Prices are *simulated*, with a reaction of 3 % in the session of the news and nothing after it. A rule that is honest
# finds no profit in them. One that trades at the close before the news finds 3 %.

# %%
import pandas as pd

import eventstudy as es

BENCHMARK = {"XHKG": "^HSI", "XNYS": "^GSPC"}
SPAN = ("2019-06-01", "2026-06-30")
HOLD, COST = 5, 0.0010  # sessions; of each trade, both ways together

events = es.catalogue("china-tech")
tickers = [*dict.fromkeys(events.frame["ticker"]), *BENCHMARK.values()]
study = es.Study(benchmark=BENCHMARK, sign="expected_sign", windows=((0, 0), (1, HOLD)))
placed = study.check(events, es.fetch_prices(tickers, *SPAN, source="simulated", seed=3))
placed = placed[placed["status"] == "ok"]
keys = zip(placed["ticker"], placed["session"].dt.strftime("%Y-%m-%d"), strict=True)
planted = dict(zip(keys, 0.03 * events.frame.loc[placed.index, "expected_sign"], strict=True))
prices = es.fetch_prices(tickers, *SPAN, source="simulated", seed=3, reactions=planted)
result = study.run(events, prices)
result.attrition

# %% [markdown]
# ## The trades
#
# Long or short in the expected direction of the act, from the open of the session after the one of the news to the
# close of the fifth. That open is the first price that is surely later than the announcement, whatever its hour. The
# market is hedged with the beta of the estimation window.


# %%
def opens_and_closes(ticker: str) -> pd.DataFrame:
    """Return open and close by session."""
    bars = prices.bars[ticker]
    return pd.DataFrame({name: bars.fields[name] for name in ("open", "close")}, index=pd.DatetimeIndex(bars.dates))


series = {ticker: opens_and_closes(ticker) for ticker in tickers if ticker in prices.bars}


def held(ticker: str, session: pd.Timestamp) -> float:
    """Return the simple return from the next open to the close of the last session held."""
    frame = series[ticker]
    first = frame.index.searchsorted(session, side="right")
    if first + HOLD > len(frame):
        return float("nan")
    return float(frame["close"].iloc[first + HOLD - 1] / frame["open"].iloc[first] - 1)


used = result.events[(result.events["status"] == "ok") & result.events["expected_sign"].isin([1, -1])]
index = used["ticker"].map(lambda ticker: "^HSI" if ticker.endswith(".HK") else "^GSPC")
trades = used[["ticker", "session", "expected_sign", "cluster"]].copy()
trades["share"] = [held(t, s) for t, s in zip(used["ticker"], used["session"], strict=True)]
trades["hedge"] = used["beta"] * [held(t, s) for t, s in zip(index, used["session"], strict=True)]
trades["profit"] = trades["expected_sign"] * (trades["share"] - trades["hedge"]) - COST
trades[["share", "hedge", "profit"]].describe().loc[["count", "mean", "std", "min", "max"]].round(4)

# %% [markdown]
# ## Is it more than nothing?
#
# Ten shares traded on one act are one bet. The study's own primary test over days 1 to 5 counts acts, not rows; it also
# shows what the day of the news would have paid to whoever knew it the day before.

# %%
first = result.tests.drop_duplicates(["start", "end"])
first[["start", "end", "test", "n", "effect", "lower", "upper", "p", "valid"]].round(4)

# %% [markdown]
# ## The curve
#
# Equal stakes on every trade, in the order of their sessions.

# %%
curve = trades.dropna().sort_values("session").groupby("session")["profit"].sum().cumsum()
axes = curve.plot(
    figsize=(8, 3), title="Sum of profits, shares of one stake (simulated prices)", drawstyle="steps-post"
)
axes.axhline(0, color="0.6", linewidth=0.8)
_ = axes.set_xlabel("")
