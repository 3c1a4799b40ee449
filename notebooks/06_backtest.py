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
# notebook trades by `result.trades`: one row for each event, the profit of each day, and the same rule on dates on
# which nothing happened.
#
# Prices are *simulated*, with a reaction of 3 % in the session of the news and nothing after it.

# %%
import eventstudy as es

BENCHMARK = {"XHKG": "^HSI", "XNYS": "^GSPC"}
SPAN = ("2019-06-01", "2026-06-30")

events = es.catalogue("china-tech")
tickers = [*dict.fromkeys(events.frame["ticker"]), *BENCHMARK.values()]
study = es.Study(benchmark=BENCHMARK, sign="expected_sign", windows=((0, 0), (1, 5)))
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
# Long or short in the expected direction of the act, at the first price after it: the next open of news after the
# close, the close of news during the session, and the open of the session after a date of which the hour is not known.
# Five sessions are held, the market is hedged with the beta of the estimation window, and every purchase and sale costs
# ten basis points.

# %%
trades = result.trades(entry="next", hold=5, cost_bps=10)
trades.frame[["ticker", "status", "decided", "entry_time", "entry_field", "beta", "net", "return"]].dropna().head(6)

# %% [markdown]
# What could not be traded has a reason, and is counted.

# %%
trades.frame.groupby(["status", "reason"]).size().sort_values(ascending=False).head(8)

# %%
trades

# %% [markdown]
# ## Is it more than nothing?
#
# The same rule is traded on dates drawn from the histories of the shares. Announcements that came together are moved
# together, because ten shares traded on one act are one bet. The grey band is what a rule earns that knows nothing.

# %%
compared = trades.placebo(draws=199)
print(compared.answer())

# %%
compared.plot().figure

# %% [markdown]
# ## Where the profit is
#
# Of the 3 % a share moves in the session of the news, the open after the news has a part already. A day later nothing
# is left but the costs; and whoever knew the news at the close before it, which nobody did, would have had all of it:
# that is the study's mean effect on day 0.

# %%
late = result.trades(entry="next", hold=5, cost_bps=10, delay=1)
for name, one in (("first price", trades), ("a session later", late)):
    print(f"{name:<16} {one.summary().loc['mean_return', 'value']:+.2%} of the stake, on average")
print(f"{'the day before':<16} {result.effects['effect'].iloc[0]:+.2%}, which is no trade")

# %% [markdown]
# ## A rule chosen on the past
#
# How long to hold? The best answer over all years is known only afterwards. A walk-forward chooses at each date the
# rule that was best before it, and trades by it until the next.

# %%
walked = trades.walk_forward(["2022-01-01", "2023-01-01", "2024-01-01"], [{"hold": 1}, {"hold": 5}, {"hold": 20}])
for note in walked.notes[:3]:
    print(note)
walked.summary().loc[["n_trades", "mean_return", "sharpe"], ["value", "lower", "upper"]].round(4)
