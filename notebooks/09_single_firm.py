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
# # One firm and one day, as for a court
#
# On the morning of 24 December 2020 the regulator of markets said that it was investigating Alibaba. In Hong Kong the
# share closed 8 % lower. A court, or an editor, asks four questions of such a day: was the move more than chance, how
# strong is the evidence, what could have been found at all, and what would the share have cost without the news? Prices
# are simulated with the reported move planted, unless `EVENTSTUDY_PRICES` names a folder.

# %%
import os

import pandas as pd

import eventstudy as es

FOLDER = os.environ.get("EVENTSTUDY_PRICES")
planted = {("9988.HK", "2020-12-24"): -0.08}
simulated = es.fetch_prices(["9988.HK", "^HSI"], "2019-11-26", "2021-06-30", source="simulated", totals=planted, seed=4)
prices = es.read_prices(FOLDER) if FOLDER else simulated
news = pd.DataFrame({"event_id": ["PROBE"], "ticker": ["9988.HK"], "announced": ["2020-12-24T08:30+08:00"]})
study = es.Study(benchmark="^HSI", estimation=(-200, -11), windows=((0, 0), (0, 1), (-1, 1), (0, 5)))
result = study.run(es.Events.from_frame(news), prices)

# %% [markdown]
# ## The sheet
#
# A window a row. `SQ p` and `Conformal p` rank the event among the firm's own days and assume no normal returns; with
# one firm the usual *t* is trusted least. **Detectable** is the effect that would be found with a power of 80 %: a
# smaller one can be there and not be seen.

# %%
sheet = result.single()
result.table("single", of=sheet)

# %% [markdown]
# ## In words

# %%
print(sheet.answer())

# %% [markdown]
# ## The price without the news
#
# From the close before, with the return that the index explains. The dotted lines are the 95 % interval; `level=` sets
# another.

# %%
sheet.plot(title="Alibaba in Hong Kong").figure

# %%
sheet.prices.loc[-1:3, ["price", "but_for", "difference", "lower", "upper"]].round(2)

# %% [markdown]
# ## Among the firm's own days
#
# Every day of the estimation window is a placebo. The Bayes factor compares the height of this distribution at the
# event with what effects of a stated size would give; it is stated before: here a standard deviation of 5 %, then 2 %
# and 10 %.

# %%
sheet.plot(panel="placebo").figure

# %%
factors = {scale: result.single(scale=scale).frame["bayes_factor"] for scale in (0.02, 0.05, 0.10)}
pd.DataFrame(factors).set_axis([str(window) for window in study.windows]).round(1)

# %% [markdown]
# ## A day on which nothing is found
#
# The same firm, ten sessions earlier, when nothing was planted. "Not significant" is no proof of "no effect": what can
# be excluded is in the interval of the difference, and what could not have been seen is `detectable`.

# %%
quiet = news.assign(event_id="QUIET", announced="2020-12-10T08:30+08:00")
nothing = study.run(es.Events.from_frame(quiet), prices).single()
print(nothing.answer())
