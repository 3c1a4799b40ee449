"""
The summary
===========

What a study says of itself, as text or in a notebook.
"""

# sphinx_gallery_thumbnail_path = "generated/thumbnails/summary.png"
from eventstudy import demo

result = demo.run().result
result.summary()
