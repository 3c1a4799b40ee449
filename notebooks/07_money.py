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
# # What it cost in dollars
#
# Two days of the crackdown. On 13 September 2021 the press said that Alibaba had fallen 6 % on news about Ant; on
# 23 July the rules on private tutoring took most of the value of three firms. How much money is that, how sure is it,
# and is the headline true? Prices are simulated with the reported moves planted, unless `EVENTSTUDY_PRICES` names a
# folder.

# %%
import os

import pandas as pd

import eventstudy as es

FOLDER = os.environ.get("EVENTSTUDY_PRICES")
SHARES = {"Alibaba": "9988.HK", "Tencent": "0700.HK", "BYD": "1211.HK", "XPeng": "9868.HK"}
PRESS = {"9988.HK": -0.06, "0700.HK": -0.03, "1211.HK": -0.035, "9868.HK": -0.035, "^HSI": -0.023}
planted = {(ticker, "2021-09-13"): move for ticker, move in PRESS.items()}
simulated = es.fetch_prices([*PRESS], "2020-06-01", "2021-12-31", source="simulated", totals=planted)
prices = es.read_prices(FOLDER) if FOLDER else simulated

# %% [markdown]
# ## The value before the news
#
# Shares outstanding, in billions and about: Alibaba 21.7, Tencent 9.6, BYD 2.9, XPeng 1.7. `shares="shares"` takes
# these times the close before the window, in Hong Kong dollars.

# %%
frame = pd.DataFrame(
    {
        "event_id": [*SHARES],
        "ticker": SHARES.values(),
        "announced": "2021-09-13T09:30+08:00",
        "cluster": 1,
        "shares": [21.7e9, 9.6e9, 2.9e9, 1.7e9],
    }
)
result = es.Study(benchmark="^HSI", windows=((0, 0), (0, 5)), min_estimation=30).run(
    es.Events.from_frame(frame), prices
)
money = result.money(shares="shares")
money.frame[["car", "value", "valued_on", "abnormal_value", "lower", "upper", "status"]]

# %% [markdown]
# ## To the open, to the low, at the close, and abnormal
#
# In billions, from the close before. Most of it is the market's: the last column has what the Hang Seng does not
# explain.

# %%
(money.reactions[["open", "low", "close", "abnormal"]] / 1e9).round(1)

# %%
print(money.answer())

# %%
money.plot().figure

# %% [markdown]
# ## Is the headline true?
#
# Each quoted move against every price of the session and the next.

# %%
for ticker, move in PRESS.items():
    print(es.headline(ticker, "2021-09-13T09:30+08:00", move, prices=prices), "\n")

# %% [markdown]
# ## A day that moved a sector: the rules on tutoring
#
# Three firms of very unequal value, about 13.3, 10.9 and 2.4 billion dollars the evening before. Their prices are
# simulated, with the falls of that day planted.

# %%
falls = {"TAL": -0.71, "EDU": -0.54, "GOTU": -0.63}
value = {"TAL": 13.3e9, "EDU": 10.9e9, "GOTU": 2.4e9}
moves = {(ticker, "2021-07-23"): fall for ticker, fall in falls.items()}
tutors = es.fetch_prices([*falls, "^GSPC"], "2020-06-01", "2021-12-31", source="simulated", totals=moves)
day = pd.DataFrame({"ticker": [*falls], "announced": "2021-07-23T08:00-04:00", "cluster": "rules"})
events = es.Events.from_frame(day.assign(event_id=day["ticker"], market_value=day["ticker"].map(value)))
lost = es.Study(benchmark="^GSPC", windows=((0, 0), (0, 5))).run(events, tutors)
cost = lost.money()
lost.table("money", of=cost)

# %% [markdown]
# The interval of these events is narrow: noise of a few per cent a day is small beside a fall of 60 %. That of events
# like these is wide: three firms on one day say little about what such rules cost in general.

# %%
cost.plot(title="23 July 2021").figure
