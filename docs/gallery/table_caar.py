"""
Windows and tests
=================

The table that papers print: mean, stars, standard errors in brackets, and every test.
"""

# sphinx_gallery_thumbnail_path = "generated/thumbnails/caar.png"
from eventstudy import demo

result = demo.run().result
result.table("caar")

# %%
# For LaTeX
# ---------
#
# Booktabs and threeparttable; the first lines name the packages.

print(result.table("caar").to_latex())

# %%
# For Markdown
# ------------
#
# And for Excel and Word: ``to_excel(path)``, ``to_word(path)``.

print(result.table("caar").to_markdown())
