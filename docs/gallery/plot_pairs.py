"""
Two listings of one firm
========================

Which listing moved first, and how much of the gap the other closed. Simulated prices of two listings are unrelated:
their gaps are not closed.
"""

import eventstudy as es

PAIR = {"BABA": "9988.HK"}
frame = es.catalogue("china-tech").frame
events = es.Events.from_frame(frame[frame["ticker"].isin(["BABA", "9988.HK"])])
prices = es.fetch_prices(
    ["BABA", "9988.HK", "^HSI", "^GSPC", "HKD=X"], "2019-06-01", "2026-06-30", source="simulated", seed=2
)
result = es.Study(benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"}).run(events, prices)
found = result.pairs(PAIR)
axes = found.plot()

# %%
# One announcement
# ----------------

axes = found.plot(announcement="ANT_IPO_SUSPENDED")

# %%
# As a table
# ----------

result.table("pairs", of=found)
