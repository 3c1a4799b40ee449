"""
A study that grows
==================

The mean standardised effect as events arrive, with a confidence sequence that holds at every look.
"""

from eventstudy import demo

looks = demo.run().result.sequential()
axes = looks.plot()
