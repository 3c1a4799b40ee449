"""
The summary
===========

What a study says of itself, as text or in a notebook.
"""

from eventstudy import demo

result = demo.run().result
result.summary()
