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
# # A first study, from events to report
#
# The catalogue `china-tech` lists what Chinese regulators did, or were reported to be about to do, between November
# 2020 and July 2022, and the shares that each act touched. How did these shares react?
#
# Real prices are somebody's property and need a network. This notebook uses *simulated* prices instead: seeded returns
# on the real sessions of Hong Kong and New York, with a reaction planted at every event. So everything runs offline,
# and we know what the study should find.

# %%
from pathlib import Path
from tempfile import mkdtemp

import eventstudy as es

events = es.catalogue("china-tech")
events

# %% [markdown]
# One act and one share make one event; `cluster` holds the act together. Times carry their zone, or only a date is
# known.

# %%
events.frame[["ticker", "announced", "cluster", "sector", "expected_sign"]].iloc[4:14]

# %% [markdown]
# ## Where does each event fall?
#
# An announcement reacts in the first session of its own exchange whose close is later. `check` places every event and
# estimates nothing; it is the table to read before believing any number. The benchmark follows the exchange: the Hang
# Seng in Hong Kong, the S&P 500 in New York.

# %%
study = es.Study(model="market", benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"})
tickers = [*dict.fromkeys(events.frame["ticker"]), "^HSI", "^GSPC"]
SPAN = ("2019-06-01", "2022-12-30")

plain = es.fetch_prices(tickers, *SPAN, source="simulated", seed=7)
table = study.check(events, plain)
three = ["ANT_IPO_SUSPENDED:9988.HK", "ANT_IPO_SUSPENDED:BABA", "ALIBABA_FINE:9988.HK"]
table.loc[three, ["announced", "session", "placement"]]

# %% [markdown]
# Ant's flotation was stopped at 20:40 in Hong Kong. New York could react the same day, Hong Kong only the next. The
# fine for Alibaba came on a Saturday.

# %%
table["placement"].value_counts()

# %% [markdown]
# ## Known reactions
#
# Every event that will be used gets a return of 3 % in the direction that was expected of it, on the session that
# `check` found. The other days stay as they were drawn.

# %%
used = table[table["status"] == "ok"]
keys = list(zip(used["ticker"], used["session"].dt.strftime("%Y-%m-%d"), strict=True))
planted = dict(zip(keys, 0.03 * events.frame.loc[used.index, "expected_sign"], strict=True))
prices = es.fetch_prices(tickers, *SPAN, source="simulated", seed=7, reactions=planted)
result = study.run(events, prices)
result.attrition

# %% [markdown]
# ## What was dropped, and why
#
# No event disappears. Here the only losses are duplicates: two acts that fall on the same share in the same session are
# one price move, and one observation.

# %%
lost = result.events[result.events["status"] != "ok"]
print(lost[["ticker", "status", "reason"]].head(6).to_string())

# %% [markdown]
# ## The average reaction
#
# Some of the events were expected to be good news, so the average that was planted is smaller than 3 %.

# %%
average = sum(planted.values()) / len(planted)
found = result.daily.loc[0, "aar"]
print(f"planted on average {average:+.2%}, found on day 0 {found:+.2%}")
result.tests[["start", "end", "test", "n", "effect", "statistic", "p"]]

# %% [markdown]
# Why these two tests? Many events share days, so a test that takes them as independent would find too much. The note
# of each test says what the study saw and chose.

# %%
print(result.tests["note"].iloc[0])

# %% [markdown]
# A plot gives back its axes and shows nothing by itself; the figure, last in a cell, is shown.

# %%
result.plot("caar").figure

# %% [markdown]
# ## The same act, other shares
#
# A study of averages can hide that a few events do all the work. `events` draws each of them; here is one act.

# %%
draft = [event_id for event_id in result.ar.index if event_id.startswith("SAMR_ANTITRUST_DRAFT:")]
result.plot("events", events=draft)[0].figure

# %% [markdown]
# ## One event at a time
#
# For a single event `p` takes Student's t with the forecast error. `p_sq` needs no normality: it ranks the abnormal
# return among the share's own residuals. The simulated returns have fat tails, as real ones do, so the two differ.

# %%
day = result.cars[(result.cars["start"] == 0) & (result.cars["end"] == 0)].set_index("event_id")
one = day.loc[draft, ["car", "se", "t", "p", "p_sq"]]
one.insert(0, "planted", 0.03 * events.frame["expected_sign"])
one.round(4)

# %%
print(f"below 5 %: {(day['p'] < 0.05).mean():.0%} by t, {(day['p_sq'] < 0.05).mean():.0%} by sample quantiles")

# %%
result.plot("ar", event_id="ANT_IPO_SUSPENDED:BABA").figure

# %% [markdown]
# ## Where events crowd
#
# The timeline shows why the tests had to allow for shared days.

# %%
result.plot("timeline").figure

# %% [markdown]
# ## A report to hand on
#
# One HTML file, figures and all, without scripts or anything remote.

# %%
report = result.report(Path(mkdtemp()) / "china-tech.html")
print(f"{report.name}: {report.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# With real prices only one line changes: `es.fetch_prices(tickers, *SPAN)` asks Yahoo Finance, and
# `es.read_prices("folder/")` reads files of your own.
