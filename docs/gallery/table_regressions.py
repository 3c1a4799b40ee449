"""
Regressions side by side
========================

Standard errors that allow for events of one date.
"""

# sphinx_gallery_thumbnail_path = "generated/thumbnails/regressions.png"
from eventstudy import demo

result = demo.run().result
result.table("regressions", formulas=["car ~ C(named)", "car ~ C(sector)", "car ~ C(named) + C(sector)"])
