"""
Every event and day
===================

A row for each event, sorted by its CAR, and a column for each day.
"""

from eventstudy import demo

result = demo.run().result
axes = result.plot("heatmap")
