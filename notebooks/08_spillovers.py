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
# # Did the news hit firms that it did not name?
#
# A rule for one platform may be read as a rule for all of them, or as a chance for their competitors. This notebook
# looks at securities that an announcement does not treat, around the same announcements.

# %%
import os

import eventstudy as es

FOLDER = os.environ.get("EVENTSTUDY_PRICES")
TREATED = ["BABA", "9988.HK", "0700.HK", "JD", "9618.HK", "3690.HK"]
PEERS = ["NIO", "XPEV", "9868.HK", "1211.HK", "BYDDY"]
FIRM = {"BABA": "Alibaba", "9988.HK": "Alibaba", "JD": "JD.com", "9618.HK": "JD.com", "1211.HK": "BYD", "BYDDY": "BYD"}
frame = es.catalogue("china-tech").frame
frame = frame[(frame["date"] >= "2020-09-01") & (frame["date"] < "2022-12-01")]
frame = frame[frame["ticker"].isin([*TREATED, *PEERS])]
events = es.Events.from_frame(frame.assign(firm=frame["ticker"].map(FIRM).fillna(frame["ticker"])))

SPAN = ("2019-06-01", "2022-12-30")
tickers = [*TREATED, *PEERS, "^HSI", "^GSPC", "HKD=X"]
prices = es.read_prices(FOLDER) if FOLDER else es.fetch_prices(tickers, *SPAN, source="simulated", seed=5)
study = es.Study(
    benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"}, sign="expected_sign", windows=((0, 0), (0, 1)), min_estimation=100
)
result = study.run(events, prices)

# %% [markdown]
# ## Named peers
#
# Makers of electric cars beside the platforms. A peer with an event of its own in the event window is left out of that
# announcement, and so is another listing of a treated firm: `attrition` counts them.

# %%
found = result.spillover(PEERS)
found

# %%
found.attrition

# %% [markdown]
# Each announcement counts once. Where the peers have the sign of the treated and the difference is near zero, the news
# was of more than the firms that it named. On simulated prices the peers have no reaction.

# %%
found.plot("network").figure

# %%
found.plot("paths").figure

# %% [markdown]
# ## The nearest peers
#
# Those whose abnormal returns correlated most with those of the treated before the announcement. They resemble the
# treated in everything, the news included, so that a small difference is expected where the news was of the sector.

# %%
near = result.spillover("nearest", k=2)
print(near.answer())

# %% [markdown]
# ## Two listings of one firm
#
# The other way in which a reaction travels: from one exchange to the next. After the first close the gap is the move
# that the other market has not seen; after the second close it should be gone.

# %%
pairs = result.pairs()
print(pairs.answer())

# %%
pairs.plot().figure

# %%
pairs.plot(announcement="ANT_IPO_SUSPENDED").figure
