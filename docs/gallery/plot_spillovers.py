"""
Spillovers
==========

Which untreated peers moved with which treated firms, and the mean paths of both.
"""

import eventstudy as es

events = es.catalogue("china-tech")
tickers = [*dict.fromkeys(events.frame["ticker"]), "^HSI", "^GSPC", "DIS", "KO", "0005.HK", "0011.HK"]
prices = es.fetch_prices(tickers, "2019-06-01", "2026-06-30", source="simulated", seed=2)
study = es.Study(benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"}, sign="expected_sign", windows=((0, 0), (0, 1)))
result = study.run(events, prices)
found = result.spillover(["DIS", "KO", "0005.HK", "0011.HK"])
axes = found.plot("network")

# %%
# The paths of both
# -----------------

axes = found.plot("paths")

# %%
# As a table
# ----------

result.table("spillover", of=found)
