"""
The events in time
==================

Which share had an event when, and what became of it.
"""

from eventstudy import demo

result = demo.run().result
axes = result.plot("timeline")

# %%
# What became of the events
# -------------------------
#
# Every event of the input is counted.

result.table("attrition")
