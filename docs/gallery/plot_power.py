"""
Size and power on your own data
===============================

Dates without news are drawn from the securities' own histories, and a shock is added.
"""

from eventstudy import demo

result = demo.run().result
calibration = result.calibrate(draws=100, shocks=[0, 0.0025, 0.005, 0.01], seed=1)
axes = calibration.plot()
