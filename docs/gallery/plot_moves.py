"""
The largest moves and the news
==============================

The largest abnormal days of a share, and which of them have an event.
"""

import eventstudy as es
from eventstudy import demo

result = demo.run().result
prices = result.rerun.prices
moves = es.explain_moves(prices, es.catalogue("china-tech"), n=15, ticker="9988.HK", benchmark="^HSI")
axes = moves.plot()

# %%
# As a table
# ----------

result.table("moves", of=moves)
