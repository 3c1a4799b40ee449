"""
What the events cost
====================

Each abnormal return times the value of its firm before the event, with the sum and its interval. The values here are
drawn at random.
"""

import numpy as np

from eventstudy import demo

rerun = demo.run().result.rerun
rng = np.random.default_rng(1)
value = {ticker: float(np.exp(23 + rng.standard_normal())) for ticker in rerun.events["ticker"].unique()}
events = rerun.events.assign(market_value=rerun.events["ticker"].map(value), market_value_currency="USD")
result = rerun.result(events=events)
money = result.money(group="sector")
axes = money.plot()

# %%
# By group
# --------

axes = money.plot(by="group", title="What the events cost, by sector")

# %%
# As a table
# ----------
#
# The sum beside the means, as of these events and as of events like these.

result.table("money", of=money)
