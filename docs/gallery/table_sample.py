"""
The sample
==========

By year and exchange, with the quantiles of the CARs.
"""

from eventstudy import demo

result = demo.run().result
result.table("sample")
