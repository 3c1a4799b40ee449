"""
Day by day
==========

The average abnormal return of each day, with its interval.
"""

from eventstudy import demo

result = demo.run().result
axes = result.plot("aar")

# %%
# As a table
# ----------
#
# The same days with their tests.

result.table("aar")
