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
# # One firm, two listings: Hong Kong and New York
#
# Alibaba, JD, NetEase and XPeng trade in both. The same news meets the exchange that is open first; the other follows
# when it opens. This notebook shows where each announcement falls on each side, what each listing did, and why the two
# rows are one observation.

# %%
import os

import eventstudy as es

FOLDER = os.environ.get("EVENTSTUDY_PRICES")
ADR = {"9988.HK": "BABA", "9618.HK": "JD", "9868.HK": "XPEV"}
frame = es.catalogue("china-tech").frame
both = frame[frame["ticker"].isin([*ADR, *ADR.values()])]
paired = both.groupby("cluster")["ticker"].agg(set)
clusters = [name for name, names in paired.items() if any({home, adr} <= names for home, adr in ADR.items())]
frame = both[both["cluster"].isin(clusters)]
events = es.Events.from_frame(frame.reset_index())
events

# %%
study = es.Study(
    benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"}, sign="expected_sign", windows=((0, 0), (0, 1)), min_estimation=60
)
SPAN = ("2019-06-01", "2026-06-30")
tickers = [*ADR, *ADR.values(), "^HSI", "^GSPC"]
prices = es.read_prices(FOLDER) if FOLDER else es.fetch_prices(tickers, *SPAN, source="simulated", seed=5)
placed = study.check(events, prices)
placed[["ticker", "announced", "session", "placement", "status"]].head(8)

# %% [markdown]
# ## Who could react first
#
# News in the Hong Kong evening reaches New York in the same day's session, and Hong Kong in the next. A date without a
# time falls on the same date on both sides, which is a guess that `placement` names.

# %%
sessions = placed.assign(cluster=frame["cluster"], home=placed["ticker"].isin(ADR))
sessions = sessions[sessions["status"] == "ok"]
table = sessions.pivot_table(index="cluster", columns="home", values="session", aggfunc="first").dropna()
ahead = (table[False] - table[True]).dt.days
print(f"New York first {(ahead < 0).sum()}, same date {(ahead == 0).sum()}, Hong Kong first {(ahead > 0).sum()}")

# %% [markdown]
# ## Two rows, one observation
#
# Rows with the same `firm` and `cluster` are linked. The number of clusters, not of rows, is what the primary test
# counts.

# %%
result = study.run(events, prices)
print(result.provenance["clustering"])
result.tests[["start", "end", "test", "n", "effect", "se", "df", "p", "valid"]].round(4)

# %%
print(result.tests["note"].iloc[0])

# %% [markdown]
# ## The two listings of each announcement
#
# Beside each other, the abnormal returns of day 0. On simulated prices they are unrelated noise; on real ones they are
# two readings of one reaction.

# %%
day = result.cars[(result.cars["start"] == 0) & (result.cars["end"] == 0)].set_index("event_id")
day = day.join(result.events[["ticker", "cluster"]])
home = day["ticker"].isin(ADR)
sides = day.assign(side=home.map({True: "Hong Kong", False: "New York"}))
sides.pivot_table(index="cluster", columns="side", values="car").dropna().round(4).head(10)

# %%
result.plot("timeline").figure

# %% [markdown]
# ## If the benchmark is on the other side of the world
#
# Measured against the Hang Seng, an American listing meets a benchmark that closed twelve hours before. `dimson` with a
# lead and a lag takes the part that follows into account.

# %%
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", es.EventStudyWarning)  # the warning is what this cell is about
    against = es.Study(benchmark="^HSI", sign="expected_sign", windows=((0, 0),), min_estimation=60).run(events, prices)
    models = against.across(["market", es.model("dimson", leads=1, lags=1)])
models.summary()[["n", "effect", "lower", "upper", "p"]].round(4)
