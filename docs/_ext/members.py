"""Generate the reference: one page for each public name, and one for each member of an extension folder.

Names come from ``eventstudy.__all__`` and from the folders, so that a new member gets its page automatically.
"""

from __future__ import annotations

import importlib
import pkgutil
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import samples
from sphinx.application import Sphinx

import eventstudy
from eventstudy import _registry
from eventstudy.display.names import DEPENDENCE, FAILINGS
from eventstudy.study import DEFAULT_TESTS

MODULES = ("transform",)  # public, but not in ``eventstudy.__all__``
RETURNED = {"tables": (".. autoclass:: eventstudy.tables._table.Table\n   :members:",)}  # by the members of a folder
DEFAULT = {
    "independent": "no two event windows share a day",
    "same_day": "all events share one date",
    "overlap": "event windows overlap in part",
}


def write(app: Sphinx) -> None:
    """Delete ``generated/`` and write all pages."""
    target = Path(app.srcdir) / "generated"
    shutil.rmtree(target, ignore_errors=True)
    shown = {"models": samples.models(), "inference": samples.tests()}
    folders = [_folder(target, folder, shown.get(folder, {})) for folder in _registry.CONTRACTS]
    _page(
        target / "reference.rst",
        _heading("Reference", "="),
        "Every public name, and every member of the folders that can be extended.",
        _toctree(["api/index", *(f"{folder}/index" for folder in folders)]),
    )
    _api(target / "api")
    _internals(target / "internals")
    _figures(target / "plots")


def _folder(target: Path, folder: str, shown: Mapping[str, str]) -> str:
    """Write a folder's index and a page for each of its members, with what it returns on a sample if that is shown."""
    docstring = _doc(f"eventstudy.{folder}")
    rows = []
    for name, summary in _registry.summaries(folder, plugins=False).items():
        _page(
            target / folder / f"{name}.rst",
            _heading(name, "="),
            *_usage(folder, name, _registry.load(folder, name)),
            *_described(folder, name, shown.get(name, "")),
        )
        rows.append((f":doc:`{name}`", summary))
    _page(
        target / folder / "index.rst",
        _heading(docstring.split(",")[0], "="),
        docstring,
        _table(("Name", "What it is"), rows),
        *RETURNED.get(folder, ()),
        _toctree(_registry.names(folder, plugins=False), hidden=True),
    )
    return folder


def _usage(folder: str, name: str, member: Any) -> list[str]:
    """Return how a member is used, and the properties that it declares."""
    if folder == "models":
        needs = ", ".join(dict.fromkeys(f"``{column.name}``" for column in member.columns)) or "nothing but the prices"
        estimates = ", ".join(f"``{c}``" for c in member.coefficients) or "nothing"
        return [f':Use: ``es.Study(model="{name}")``\n:Needs: {needs}\n:Estimates: {estimates}']
    if folder == "inference":
        lines = [f':Use: ``es.Study(tests=["{name}"])``', f":Valid: {DEPENDENCE[member.survives]}"]
        default = [DEFAULT[kind] for kind, tests in DEFAULT_TESTS.items() if name in tests]
        if default:
            lines.append(f":By default: where {', or '.join(default)}")
        for label, failings in (("Robust to", member.robust_to), ("Fails under", member.fails_under)):
            if failings:
                lines.append(f":{label}: {', '.join(FAILINGS[failing] for failing in failings)}")
        return ["\n".join(lines)]
    if folder == "sources":
        return [f':Use: ``es.fetch_prices(tickers, start, end, source="{name}")``']
    if folder == "plots":
        return [
            f':Use: ``result.plot("{name}")``',
            f".. image:: {name}.png\n   :width: 100%\n   :alt: The figure {name}, on simulated prices",
        ]
    if folder == "tables":
        needed = {"models": ', of=["market", "mean"]', "regressions": ', formulas=["car ~ size"]',
                  "single": ', of=result.single("E0001")'}.get(name, "")  # fmt: skip
        return [f':Use: ``result.table("{name}"{needed})``']
    return [":Use: ``result.report(path)``; the suffix of the path selects the report"]


def _described(folder: str, name: str, output: str) -> list[str]:
    """Return the docstrings of a member, and before those of its functions what it returns on the sample."""
    module = f"eventstudy.{folder}.{name}"
    if not output:
        return [f".. automodule:: {module}\n   :members:\n   :exclude-members: {_registry.CONTRACTS[folder]}"]
    frame, sample = {
        "models": ("events", "three events of one date, on simulated prices"),
        "inference": ("tests", "the shipped events, on simulated prices that react by 0.3 % in the expected direction"),
    }[folder]
    lines = "\n".join(f"   {line}".rstrip() for line in output.splitlines())
    functions = [f".. auto{kind}:: {module}.{each}{options}" for each, kind, options in _defined(module)]
    return [
        f".. automodule:: {module}",
        _heading("Output", "-"),
        f"``result.{frame}``: {sample}.",
        f".. code-block:: text\n\n{lines}",
        *([_heading("Functions", "-")] if functions else []),
        *functions,
    ]


def _defined(module: str) -> list[tuple[str, ...]]:
    """Return the functions and classes that a module defines, without private ones: name, directive, options."""
    return [
        (name, "class", "\n   :members:") if isinstance(value, type) else (name, "function", "")
        for name, value in vars(importlib.import_module(module)).items()
        if getattr(value, "__module__", "") == module and hasattr(value, "__qualname__") and not name.startswith("_")
    ]


def _api(target: Path) -> None:
    rows = []
    for name in eventstudy.__all__:
        value = getattr(eventstudy, name)
        directive = f".. autofunction:: {name}"
        if isinstance(value, type):
            error = issubclass(value, BaseException)
            directive = f".. autoclass:: {name}\n   :members:"
            directive += "\n   :show-inheritance:" if error else "\n   :inherited-members: tuple"
        _page(target / f"{name}.rst", _heading(name, "="), ".. currentmodule:: eventstudy", directive)
        rows.append((f":doc:`{name}`", (value.__doc__ or "").splitlines()[0]))
    for name in MODULES:
        module = f"eventstudy.{name}"
        _page(target / f"{name}.rst", _heading(name, "="), f".. automodule:: {module}\n   :members:")
        rows.append((f":doc:`{name}`", _doc(module).splitlines()[0]))
    _page(
        target / "index.rst",
        _heading("Public names", "="),
        "The names that ``import eventstudy as es`` provides. All other names may change without notice.",
        _table(("Name", "What it is"), rows),
        _toctree([*eventstudy.__all__, *MODULES], hidden=True),
    )


def _internals(target: Path) -> None:
    """Write a page for the types and one for each module of the core, which new members use."""
    core = [f"core.{m.name}" for m in pkgutil.iter_modules(importlib.import_module("eventstudy.core").__path__)]
    modules = ["types", "bars", "prices", "_registry", "markets", *core]
    for module in modules:
        _page(
            target / f"{module}.rst",
            _heading(f"eventstudy.{module}", "="),
            f".. automodule:: eventstudy.{module}\n   :members:",
        )
    _page(
        target / "index.rst",
        _heading("Internals", "="),
        "The types and the arithmetic that members use. None of it is public.",
        _table(("Module", "What it is"), [(f":doc:`{m}`", _doc(f"eventstudy.{m}").split("\n\n")[0]) for m in modules]),
        _toctree(modules, hidden=True),
    )


def _figures(target: Path) -> None:
    """Draw every figure of the demo; that of groups by sector."""
    import matplotlib as mpl
    import numpy as np

    mpl.use("agg")
    import eventstudy as es
    from eventstudy import demo

    result = demo.run().result
    data = result.rerun.data
    by_sector = es.Study(benchmark=demo.BENCHMARK, sign="expected_sign", group="sector", seed=0)
    for name in _registry.names("plots", plugins=False):
        of = by_sector.run(data.events, data.prices) if name == "groups" else result
        axes: Any = np.ravel(of.plot(name))
        axes[0].figure.savefig(target / f"{name}.png", dpi=144, facecolor="white")


def _doc(module: str) -> str:
    return importlib.import_module(module).__doc__ or ""


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * max(len(text), 3)}"


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    cells = [f"   * - {a}\n     - {' '.join(b.split())}" for a, b in [head, *rows]]
    return ".. list-table::\n   :header-rows: 1\n   :widths: 25 75\n\n" + "\n".join(cells)


def _toctree(names: Iterable[str], hidden: bool = False) -> str:
    option = "   :hidden:\n" if hidden else "   :maxdepth: 1\n"
    return f".. toctree::\n{option}\n" + "\n".join(f"   {name}" for name in names)


def _page(path: Path, *parts: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for sources."""
    app.connect("builder-inited", write, priority=100)
    app.setup_extension("size_table")
    app.setup_extension("commands")
    app.setup_extension("notebooks")
    app.setup_extension("gallery")
    app.setup_extension("links")
    app.setup_extension("tested")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
