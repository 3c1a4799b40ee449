"""
By group
========

A study with ``group=`` draws a path for each group.
"""

import eventstudy as es

events = es.catalogue("china-tech")
tickers = [*dict.fromkeys(events.frame["ticker"]), "^HSI", "^GSPC"]
prices = es.fetch_prices(tickers, "2019-06-01", "2026-06-30", source="simulated", seed=2)
study = es.Study(benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"}, sign="expected_sign", group="actor")
result = study.run(events, prices)
axes = result.plot("caar", title="Average reaction by actor")

# %%
# A panel for each
# ----------------
#
# On shared axes, beside the path of all events; for up to twelve groups.

axes = result.plot("groups", title="Average reaction by actor")

# %%
# As a table
# ----------
#
# The primary test of each group, and the differences.

result.table("groups")
