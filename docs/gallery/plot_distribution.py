"""
The distribution of the reactions
=================================

The CARs of the events against sums of as many days before them.
"""

from eventstudy import demo

result = demo.run().result
axes = result.plot("distribution")
