"""
All specifications
==================

The same study under all combinations of choices: effects by size, and below them the choices of each.
"""

from eventstudy import demo

result = demo.run().result
found = result.multiverse(
    models=["market", "market_adjusted", "mean"],
    windows=[(0, 0), (-1, 1), (0, 5), (-5, -1)],
    estimations=[(-260, -11), (-140, -11)],
    samples={"all": None, "2021": "date.dt.year == 2021"},
)
axes = found.plot()

# %%
# As a table
# ----------
#
# The median and the shares that agree, under each choice.

result.table("multiverse", of=found)
