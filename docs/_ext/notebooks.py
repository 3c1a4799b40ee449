"""Show the notebooks as pages: scripts of ``notebooks/`` become notebooks in ``generated/``, which myst-nb runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jupytext

if TYPE_CHECKING:
    from sphinx.application import Sphinx

INDEX = """# Notebooks

Whole studies, from events to report, run offline on simulated prices when this page was made. Each is a script in
`notebooks/` of the repository; `jupytext --to ipynb notebooks/*.py` makes notebooks of them.

{listed}

```{{toctree}}
:hidden:

{names}
```
"""


def write(app: Sphinx) -> None:
    """Write each notebook, and the page that lists them."""
    source, target = Path(app.srcdir).parent / "notebooks", Path(app.srcdir) / "generated" / "notebooks"
    target.mkdir(parents=True, exist_ok=True)
    titles = {}
    for script in sorted(source.glob("*.py")):
        notebook = jupytext.read(script)
        titles[script.stem] = next(
            line.removeprefix("# ") for cell in notebook.cells for line in cell.source.splitlines() if line[:2] == "# "
        )
        jupytext.write(notebook, target / f"{script.stem}.ipynb")
    listed = "\n".join(f"- [{title}]({name}.ipynb)" for name, title in titles.items())
    (target / "index.md").write_text(INDEX.format(listed=listed, names="\n".join(titles)), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write after ``members`` has deleted the folder."""
    app.connect("builder-inited", write, priority=200)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
