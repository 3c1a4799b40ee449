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
# 2020 and January 2026, and the shares that each action affected. How did these shares react?
#
# Real prices are licensed and need a network. This notebook uses *simulated* prices instead: seeded returns on the real
# sessions of Hong Kong and New York, with a known reaction added at every event. It runs offline, and we can compare
# the estimates with the known reactions.

# %%
from pathlib import Path
from tempfile import mkdtemp

import eventstudy as es

events = es.catalogue("china-tech")
events

# %% [markdown]
# Each event is one regulatory action and one share; events of the same action have the same `cluster`. Announcements
# have a time with its time zone or, at weekends, only a date.

# %%
events.frame[["ticker", "announced", "cluster", "sector", "expected_sign"]].iloc[4:14]

# %% [markdown]
# ## In which session does each event fall?
#
# An event falls in the first session of the share's exchange that closes after the announcement. `check` assigns every
# event to a session and estimates nothing; read this table before any estimate. The benchmark depends on the exchange:
# the Hang Seng in Hong Kong, the S&P 500 in New York.

# %%
study = es.Study(model="market", benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"}, sign="expected_sign")
tickers = [*dict.fromkeys(events.frame["ticker"]), "^HSI", "^GSPC"]
SPAN = ("2019-06-01", "2026-06-30")

unchanged = es.fetch_prices(tickers, *SPAN, source="simulated", seed=7)
table = study.check(events, unchanged)
examples = ["ANT_IPO_SUSPENDED:9988.HK", "ANT_IPO_SUSPENDED:BABA", "ALIBABA_FINE:9988.HK"]
table.loc[examples, ["announced", "session", "placement"]]

# %% [markdown]
# Ant's flotation was suspended at 20:40 in Hong Kong. New York could react on the same day, Hong Kong only on the next.
# The fine for Alibaba was announced on a Saturday.

# %%
table["placement"].value_counts()

# %% [markdown]
# ## Known reactions
#
# For every event that will be used, we add a return of 3 %, with the sign that was expected of the event, on the
# session that `check` shows. The other days do not change.

# %%
used = table[table["status"] == "ok"]
keys = list(zip(used["ticker"], used["session"].dt.strftime("%Y-%m-%d"), strict=True))
planted = dict(zip(keys, 0.03 * events.frame.loc[used.index, "expected_sign"], strict=True))
prices = es.fetch_prices(tickers, *SPAN, source="simulated", seed=7, reactions=planted)
result = study.run(events, prices)
result.attrition

# %% [markdown]
# ## Excluded events
#
# Every event keeps its row, with a status. Here the excluded events are duplicates, and one share in Shenzhen, for
# which we named no benchmark. Two actions that concern the same share in the same session are one price move, and one
# observation; the column `priority` says which of them is counted.

# %%
excluded = result.events[result.events["status"] != "ok"]
print(excluded[["ticker", "status", "reason"]].head(6).to_string())

# %% [markdown]
# ## The average reaction
#
# Some events were expected to be good news, others bad. The study names the column of expected signs, so that the
# average is in the expected direction; without it, good and bad news would cancel.

# %%
estimate = result.daily.loc[0, "aar"]
print(f"planted +3.00 % in the expected direction, estimated on day 0 {estimate:+.2%}")
result.tests[["start", "end", "test", "n", "effect", "statistic", "p"]]

# %% [markdown]
# Why these tests? Many events share days, so a test that counts them as independent would reject too often. The
# note of each test describes the clustering of the sample and the reason for the choice.

# %%
print(result.tests["note"].iloc[0])

# %% [markdown]
# `plot` returns axes and does not show them; a figure on the last line of a cell is shown. Many shares have several
# events nearby, whose reactions lie in each other's windows: `joint=True` takes this overlap out of the path.

# %%
result.plot("caar", joint=True).figure

# %% [markdown]
# ## One action, several shares
#
# An average can be due to a few events. The figure `events` draws single events; here are those of one action.

# %%
draft = [event_id for event_id in result.ar.index if event_id.startswith("SAMR_ANTITRUST_DRAFT:")]
result.plot("events", events=draft)[0].figure

# %% [markdown]
# ## One event at a time
#
# For a single event `p` is from Student's t with the forecast error. `p_sq` does not assume normality: it ranks the
# abnormal return among the residuals of the estimation window. The simulated returns have fat tails, as real ones do,
# so the two differ.

# %%
day = result.cars[(result.cars["start"] == 0) & (result.cars["end"] == 0)].set_index("event_id")
shares = day.loc[draft, ["car", "se", "t", "p", "p_sq"]]
shares.insert(0, "planted", 0.03 * events.frame["expected_sign"])
shares.round(4)

# %%
print(f"below 5 %: {(day['p'] < 0.05).mean():.0%} by t, {(day['p_sq'] < 0.05).mean():.0%} by sample quantiles")

# %%
result.plot("ar", event_id="ANT_IPO_SUSPENDED:BABA").figure

# %% [markdown]
# ## The dates of the events
#
# The timeline shows why the tests must allow for shared days.

# %%
result.plot("timeline").figure

# %% [markdown]
# ## A report
#
# One HTML file that includes the figures, without scripts or remote content.

# %%
report = result.report(Path(mkdtemp()) / "china-tech.html")
print(f"{report.name}: {report.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# With real prices only one line changes: `es.fetch_prices(tickers, *SPAN)` downloads them from Yahoo Finance, and
# `es.read_prices("folder/")` reads your own files.
