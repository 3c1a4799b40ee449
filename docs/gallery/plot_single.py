"""
One event, with and without it
==============================

The price of a share, and what it would have been without the event.
"""

from eventstudy import demo

result = demo.run().result
first_day = result.cars[result.cars["end"] == 0].set_index("event_id")
sheet = result.single(first_day["t"].idxmin(), window=(0, 5))
axes = sheet.plot()

# %%
# The CAR among those of other days
# ---------------------------------

axes = sheet.plot(panel="placebo")

# %%
# As a table
# ----------

result.table("single", of=sheet)
