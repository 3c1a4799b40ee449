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
# # Which hour moved the price?
#
# On the evening of 2 November 2020 in Beijing regulators summoned Ant's founders; at 20:40 on the 3rd the flotation was
# suspended. In New York both fell into, or just before, the trading day. Daily returns see one day; bars see the hour.
#
# Bars are prices with times: the same study runs on them, and windows count bars. Here the bars are *simulated*: a
# random walk with wild first hours, and a fall of 5 % that we plant in the first two bars after the news.

# %%
import numpy as np
import pandas as pd

import eventstudy as es

rng = np.random.default_rng(4)
days = pd.bdate_range("2020-03-02", "2020-12-18")
sessions = es.fetch_prices(["BABA"], "2020-03-02", "2020-12-18", source="simulated").bars["BABA"].dates
days = [day for day in days if np.datetime64(day, "D") in set(sessions.astype("datetime64[D]"))]
clock = ["09:30", "10:30", "11:30", "12:30", "13:30", "14:30", "15:30"]
times = pd.DatetimeIndex([f"{day:%Y-%m-%d} {time}" for day in days for time in clock]).tz_localize("America/New_York")
spread = np.tile([0.012, 0.006, 0.004, 0.003, 0.003, 0.004, 0.006], len(days))
moves = rng.normal(0, spread)
news = pd.Timestamp("2020-11-03T20:40+08:00")
first = int(np.searchsorted(times.tz_convert("UTC"), news.tz_convert("UTC")))
moves[first : first + 2] -= [0.03, 0.02]
close = pd.Series(300 * np.exp(np.cumsum(moves)), index=times, name="BABA")
times[first]

# %% [markdown]
# The news came at 07:40 in New York, before the first bar: the event falls on the bar that ends next. These bars have
# closes alone, so that the first holds the night too; with opens, `transform.overnight` makes the night a bar of its
# own.

# %%
prices = es.Prices.from_frame(close.to_frame(), exchange="XNYS")
events = es.Events.from_frame(
    pd.DataFrame({"event_id": ["ANT_IPO_SUSPENDED"], "ticker": ["BABA"], "announced": ["2020-11-03T20:40+08:00"]})
)
study = es.Study(model="clock", estimation=(-700, -17), event=(-7, 14), windows=((0, 0), (0, 1), (0, 6)))
result = study.run(events, prices)
result.events[["session", "placement", "status"]]

# %% [markdown]
# ## Bar by bar
#
# `clock` compares each bar with those of the same time on earlier days, in mean and in variance: an hour that is always
# wild is not news.

# %%
result.path("ANT_IPO_SUSPENDED").loc[-3:6]

# %%
result.cars[["start", "end", "car", "se", "t", "p", "p_sq"]].round(4)

# %%
result.plot("path", event_id="ANT_IPO_SUSPENDED").figure
