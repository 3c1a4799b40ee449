"""
Events whose date is not certain
================================

The abnormal return of each such event on every session that its time allows.
"""

from eventstudy import demo

result = demo.run().result
dates = result.dates()
axes = dates.plot(most=18)

# %%
# As a table
# ----------
#
# The mean of all events, with these on their first, last, lowest and highest possible session.

result.table("dates", of=dates)
