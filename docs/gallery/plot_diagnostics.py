"""
Do the assumptions hold?
========================

Normality, autocorrelation, common days, and the variance of the event.
"""

from eventstudy import demo

result = demo.run().result
axes = result.plot("diagnostics")
