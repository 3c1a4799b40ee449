"""
One event
=========

The path of one event with its band, and the other news in its windows.
"""

from eventstudy import demo

result = demo.run().result
axes = result.plot("path", event_id="ANT_IPO_SUSPENDED:BABA")

# %%
# Its abnormal returns
# --------------------
#
# Against twice their standard deviation.

axes = result.plot("ar", event_id="ANT_IPO_SUSPENDED:BABA")
