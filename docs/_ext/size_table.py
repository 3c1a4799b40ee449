"""Turn the measured rejection rates into the tables of the page "Which test when".

The recommendations are stated here, once; ``tests/docs/test_which_test.py`` compares them with the measurement.
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
# By scenario: the heading of its column, a description of its samples, and the recommended tests.
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
        "The same, with event-induced variance",
        ("cross_section", "bmp", "grank_t", "generalized_sign", "wilcoxon", "wild_bootstrap"),
    ),
    "one_date": ("one date", "All events on one date", ("kolari_pynnonen", "grank_t", "mvrm")),
    "one_date_variance": (
        "one date, variance x 2",
        "All on one date, and the event increases the variance of all noise",
        ("kolari_pynnonen", "grank_t"),
    ),
    "one_date_own_variance": ("one date, own variance", "All on one date, and each event adds noise of its own", ()),
    "days_5": ("5 days", "Windows overlap in part: dates within a week", ("kolari_pynnonen",)),
    "days_20": ("20 days", "Dates within a month", ("kolari_pynnonen",)),
    "days_60": ("60 days", "Dates within a quarter", ("kolari_pynnonen",)),
    "bunches": ("bunches", "Bunches of dates that are far apart", ("kolari_pynnonen", "wild_bootstrap")),
}


APART = ("independent", "few", "missing", "variance")
SHARED = tuple(name for name in ADVICE if name not in APART)


def read(path: Path) -> dict[str, Any]:
    """Return the measurement, with its cells by scenario, test and window."""
    measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    measured["cells"] = {(c["scenario"], c["test"], tuple(c["window"])): c for c in measured["cells"]}
    return measured


def keeps_size(cell: Mapping[str, Any]) -> bool:
    """Return whether the confidence interval of a rate overlaps the band of tests that keep their size."""
    return bool(cell["n"]) and cell["lower"] <= HIGH and cell["upper"] >= LOW


def windows(cells: Cells) -> list[tuple[int, int]]:
    """Return the measured windows, the shortest first."""
    return sorted({window for _, _, window in cells}, key=lambda w: w[1] - w[0])


def percent(cell: Mapping[str, Any] | None, recommended: bool) -> str:
    """Format a rate: bold if it is above the band, with a mark if the test is recommended."""
    if cell is None or not cell["n"]:
        return "–"
    rate = f"{100 * cell['rate']:.1f}"
    if recommended:
        return f"{rate}\u00a0✓"
    return f"**{rate}**" if cell["rate"] > HIGH and not keeps_size(cell) else rate


def advice(cells: Cells) -> str:
    """Format the recommended tests of each kind of sample, with the lowest and highest measured rate."""
    rows = []
    for scenario, (_, sample, tests) in ADVICE.items():
        if not tests:
            continue
        shares = [cells[scenario, test, w]["rate"] for test in tests for w in windows(cells)]
        rates = [100 * share for share in shares if share is not None]
        links = ", ".join(f"[`{t}`](generated/inference/{t}.rst)" for t in tests)
        rows.append((sample, links, f"{min(rates):.1f} to {max(rates):.1f}\u00a0%"))
    return _table(("Your sample", "Tests that keep their size", "measured"), rows)


def measurable() -> list[str]:
    """Return the names of the tests that draw no samples themselves: only those are measured."""
    return [name for name in _registry.names("inference") if not _registry.load("inference", name).draws]


def table(cells: Cells, window: tuple[int, int], scenarios: Sequence[str]) -> str:
    """Format the rates of one window: one row per test, one column per scenario; tests without rates say so."""
    measured, rows = {test for _, test, _ in cells}, []
    for test in measurable():
        rates = [percent(cells.get((s, test, window)), test in ADVICE[s][2]) for s in scenarios]
        rows.append([f"`{test}`", *(rates if test in measured else [UNKNOWN] + [""] * (len(rates) - 1))])
    return _table(("", *(ADVICE[s][0] for s in scenarios)), rows)


def tables(cells: Cells, window: tuple[int, int]) -> str:
    """Format the rates of one window, for samples with and without shared days."""
    apart, shared = (table(cells, window, scenarios) for scenarios in (APART, SHARED))
    return f"Windows that share no day:\n\n{apart}\n\nWindows that share days:\n\n{shared}"


def settings(measured: Mapping[str, Any]) -> str:
    """Describe how the rates were measured."""
    options, cells = measured["settings"], measured["cells"]
    error = 196 * (options["level"] * (1 - options["level"]) / options["replications"]) ** 0.5
    lines = [f"- **{ADVICE[name][0]}**: {label}" for name, label in measured["scenarios"].items() if name in ADVICE]
    single = "; ".join(
        f"in the window {w}, `p` {100 * cells['one_event', 'p', w]['rate']:.1f} % and"
        f" `p_sq` {100 * cells['one_event', 'p_sq', w]['rate']:.1f} %"
        for w in windows(cells)
    )
    added = {f"`{test}`": record for test, record in measured.get("later", {}).items()}  # measured separately
    dates = "; ".join(
        f"{label} on {record['date']} with {', '.join(map(' '.join, record['versions'].items()))}"
        for label, record in {"Measured": measured, **added}.items()
    )
    return "\n".join(
        [
            f"{options['replications']:,} samples of each kind, the {options['model']} model,"
            f" {options['estimation_days']} estimation days, {options['noise']} noise. If events share days, their"
            f" noise on a day has a correlation of {options['correlation_by_date']}. A true rate of 5 % is measured"
            f" to within {error:.1f} points (95 %). If returns are missing,"
            f" `min_coverage={options['min_coverage_where_missing']}`.",
            "",
            *lines,
            "",
            f"Rejection rates of single events: {single}.",
            "",
            f"{dates}; seed {measured['seed']}, by `benchmarks/sizes.py`.",
        ]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def write(app: Sphinx) -> None:
    """Write the files in ``generated/`` that the page includes."""
    measured = read(Path(app.srcdir) / "measured" / "sizes.json")
    cells = measured["cells"]
    parts = {"advice": advice(cells), "settings": settings(measured)}
    first, last = windows(cells)
    parts |= {"day": tables(cells, first), "window": tables(cells, last)}
    for name, text in parts.items():
        (Path(app.srcdir) / "generated" / f"sizes_{name}.txt").write_text(text + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write after ``members`` has deleted the folder."""
    app.connect("builder-inited", write, priority=200)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
