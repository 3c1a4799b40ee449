"""
The specification curve
=======================

The same study with other models.
"""

from eventstudy import demo

result = demo.run().result
models = result.across(["market", "market_adjusted", "mean", "robust"], windows=[(0, 0), (-1, 1)])
axes = models.plot()

# %%
# As a table
# ----------
#
# Models beside each other.

result.table("models", of=models)

# %%
# By event
# --------
#
# The range of each event's CAR over the models.

axes = models.plot("events", most=20)
