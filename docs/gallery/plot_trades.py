"""
What trading the announcements earned
=====================================

Each is entered at the first price after it. The band is the same rule on dates on which nothing happened.
"""

from eventstudy import demo

result = demo.run().result
trades = result.trades(hold=3, cost_bps=10, sign="expected_sign").placebo(draws=199)
axes = trades.plot()

# %%
# In numbers
# ----------
#
# What was earned, at what risk and cost, and how sure it is.

result.table("trades", of=trades)
