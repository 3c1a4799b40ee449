"""
The sample
==========

By year and exchange, with the quantiles of the CARs.
"""

# sphinx_gallery_thumbnail_path = "generated/thumbnails/sample.png"
from eventstudy import demo

result = demo.run().result
result.table("sample")
