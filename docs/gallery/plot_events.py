"""
Small multiples
===============

The cumulative abnormal return of chosen events, on shared axes.
"""

from eventstudy import demo

result = demo.run().result
shown = [name for name in result.ar.index if name.startswith("SAMR_ANTITRUST_DRAFT:")]
axes = result.plot("events", events=shown)
