"""
The average path
================

The cumulative average abnormal return (CAAR) with its 95 % band, in the direction that was expected of each event.
"""

from eventstudy import demo

result = demo.run().result
axes = result.plot("caar")

# %%
# With overlap taken out
# ----------------------
#
# Where events follow each other, the reaction to one lies in the window of the next. The joint path estimates the days
# of all events together.

axes = result.plot("caar", joint=True)
