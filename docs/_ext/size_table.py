"""Turn the measured rejection rates into the tables of the page "Which test when".

The advice is written here, once; ``tests/docs/test_which_test.py`` holds it to the measurement.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from eventstudy import _registry

LOW, HIGH = 0.035, 0.065
UNKNOWN = "not measured yet"
Cells = Mapping[tuple[str, str, tuple[int, int]], Mapping[str, Any]]
# By scenario: the head of its column, the sample it stands for, and the tests that it takes.
ADVICE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "independent": (
        "apart",
        "No two event windows share a day",
        ("cross_section", "bmp", "grank_t", "generalized_sign", "wilcoxon", "wild_bootstrap"),
    ),
    "few": ("10 events", "The same, with few events", ("cross_section", "bmp", "wilcoxon", "kolari_pynnonen")),
    "missing": (
        "a fifth missing",
        "The same, with returns missing",
        ("cross_section", "bmp", "grank_t", "generalized_sign", "wilcoxon", "wild_bootstrap"),
    ),
    "variance": (
        "variance x 2",
        "The same, and the event brings variance",
        ("cross_section", "bmp", "grank_t", "generalized_sign", "wilcoxon", "wild_bootstrap"),
    ),
    "one_date": ("one date", "All events on one date", ("kolari_pynnonen", "grank_t", "mvrm")),
    "one_date_variance": (
        "one date, variance x 2",
        "All on one date, and the event makes all noise larger",
        ("kolari_pynnonen", "grank_t"),
    ),
    "one_date_own_variance": ("one date, own variance", "All on one date, and each event brings its own variance", ()),
    "days_5": ("5 days", "Windows overlap in part: dates within a week", ("kolari_pynnonen",)),
    "days_20": ("20 days", "Dates within a month", ("kolari_pynnonen",)),
    "days_60": ("60 days", "Dates within a quarter", ("kolari_pynnonen",)),
    "bunches": ("bunches", "Bunches of dates that lie apart", ("kolari_pynnonen", "wild_bootstrap")),
}


APART = ("independent", "few", "missing", "variance")
SHARED = tuple(name for name in ADVICE if name not in APART)


def read(path: Path) -> dict[str, Any]:
    """Give the measurement, its cells by scenario, test and window."""
    measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    measured["cells"] = {(c["scenario"], c["test"], tuple(c["window"])): c for c in measured["cells"]}
    return measured


def kept(cell: Mapping[str, Any]) -> bool:
    """Say whether the interval of a rate meets the band of tests that keep their size."""
    return bool(cell["n"]) and cell["lower"] <= HIGH and cell["upper"] >= LOW


def windows(cells: Cells) -> list[tuple[int, int]]:
    """Give the measured windows, the shortest first."""
    return sorted({window for _, _, window in cells}, key=lambda w: w[1] - w[0])


def percent(cell: Mapping[str, Any] | None, recommended: bool) -> str:
    """Write a rate: bold where it is above the band, marked where the test is recommended."""
    if cell is None or not cell["n"]:
        return "–"
    rate = f"{100 * cell['rate']:.1f}"
    if recommended:
        return f"{rate}\u00a0✓"
    return f"**{rate}**" if cell["rate"] > HIGH and not kept(cell) else rate


def advice(cells: Cells) -> str:
    """Write what each kind of sample takes, with the lowest and highest measured rate."""
    rows = []
    for scenario, (_, sample, tests) in ADVICE.items():
        if not tests:
            continue
        found = [cells[scenario, test, w]["rate"] for test in tests for w in windows(cells)]
        rates = [100 * rate for rate in found if rate is not None]
        named = ", ".join(f"[`{t}`](generated/inference/{t}.rst)" for t in tests)
        rows.append((sample, named, f"{min(rates):.1f} to {max(rates):.1f}\u00a0%"))
    return _table(("Your sample", "Tests that keep their size", "measured"), rows)


def drawless() -> list[str]:
    """Name the tests that draw no samples themselves: only those are measured."""
    return [name for name in _registry.names("inference") if not _registry.load("inference", name).draws]


def table(cells: Cells, window: tuple[int, int], scenarios: Sequence[str]) -> str:
    """Write the rates of one window: a row a test, a column a scenario; a test without numbers says so."""
    measured, rows = {test for _, test, _ in cells}, []
    for test in drawless():
        rates = [percent(cells.get((s, test, window)), test in ADVICE[s][2]) for s in scenarios]
        rows.append([f"`{test}`", *(rates if test in measured else [UNKNOWN] + [""] * (len(rates) - 1))])
    return _table(("", *(ADVICE[s][0] for s in scenarios)), rows)


def tables(cells: Cells, window: tuple[int, int]) -> str:
    """Write the rates of one window, for events apart and for events that share days."""
    apart, shared = (table(cells, window, scenarios) for scenarios in (APART, SHARED))
    return f"Windows that share no day:\n\n{apart}\n\nWindows that share days:\n\n{shared}"


def settings(measured: Mapping[str, Any]) -> str:
    """Say how the rates were measured."""
    how, cells = measured["settings"], measured["cells"]
    error = 196 * (how["level"] * (1 - how["level"]) / how["replications"]) ** 0.5
    lines = [f"- **{ADVICE[name][0]}**: {label}" for name, label in measured["scenarios"].items() if name in ADVICE]
    single = "; ".join(
        f"in the window {w}, `p` {100 * cells['one_event', 'p', w]['rate']:.1f} % and"
        f" `p_sq` {100 * cells['one_event', 'p_sq', w]['rate']:.1f} %"
        for w in windows(cells)
    )
    own = {f"`{test}`": when for test, when in measured.get("later", {}).items()}  # measured alone, and merged
    when = "; ".join(
        f"{of} on {its['date']} with {', '.join(f'{name} {version}' for name, version in its['versions'].items())}"
        for of, its in {"Measured": measured, **own}.items()
    )
    return "\n".join(
        [
            f"{how['replications']:,} samples of each kind, the {how['model']} model, {how['estimation_days']}"
            f" estimation days, {how['noise']} noise; where events share days their noise of a day has a correlation of"
            f" {how['correlation_by_date']}. A true 5 % is measured to within {error:.1f} points (95 %)."
            f" Where returns are missing `min_coverage={how['min_coverage_where_missing']}`.",
            "",
            *lines,
            "",
            f"Of single events reject: {single}.",
            "",
            f"{when}; seed {measured['seed']}, by `benchmarks/sizes.py`.",
        ]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def write(app: Sphinx) -> None:
    """Write the parts that the page includes into ``generated/``."""
    measured = read(Path(app.srcdir) / "measured" / "sizes.json")
    cells = measured["cells"]
    parts = {"advice": advice(cells), "settings": settings(measured)}
    first, last = windows(cells)
    parts |= {"day": tables(cells, first), "window": tables(cells, last)}
    for name, text in parts.items():
        (Path(app.srcdir) / "generated" / f"sizes_{name}.txt").write_text(text + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write after ``members`` has emptied the folder."""
    app.connect("builder-inited", write, priority=200)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
