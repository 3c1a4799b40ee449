"""
A study that grows
==================

The mean standardised effect as events arrive, with a confidence sequence that holds at every look.
"""

from eventstudy import demo

result = demo.run().result
looks = result.sequential()
axes = looks.plot()

# %%
# As a table
# ----------

result.table("sequential", of=looks)
