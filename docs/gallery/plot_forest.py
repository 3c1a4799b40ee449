"""
Every event with its interval
=============================

The CARs of single events, and their mean.
"""

from eventstudy import demo

result = demo.run().result
axes = result.plot("forest")

# %%
# As a table
# ----------
#
# The same events, with the p-value that does not assume normality first.

result.table("events")
