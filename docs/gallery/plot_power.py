"""
Size and power on your own data
===============================

Dates without news are drawn from the securities' own histories, and a shock is added.
"""

from eventstudy import demo

result = demo.run().result
calibration = result.calibrate(draws=60, shocks=[0, 0.004, 0.008], seed=1)
axes = calibration.plot()
