"""Turn the measured rejection rates into the tables of the page "Which test when".

``python docs/_ext/size_table.py`` writes the table that stands in the page itself; the others are generated when the
pages are built. ``tests/docs/test_which_test.py`` compares the page with the measurement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sphinx.application import Sphinx

import eventstudy as es
from eventstudy import _registry
from eventstudy.core.residuals import Residuals
from eventstudy.display.formats import ONE_DATE
from eventstudy.members import labelled_tests
from eventstudy.run.news import matters
from eventstudy.run.settings import BRACKET, DEFAULT_TESTS, tests_for
from eventstudy.run.validity import Situation, judge

DOCS = Path(__file__).parents[1]
MEASURED = Path(es.__file__).parent / "data" / "sizes.json"
LOW, HIGH = 0.035, 0.065
BRACKETED = "one date cannot tell whether firms share the added noise; p is between those of the two `kolari_pynnonen`"
UNKNOWN = "not measured yet"
OF_SAMPLES = ("apart", "dates", "one date", "chains", "noise", "signed", "exchanges", "long", "real")
MAIN = re.compile(r"(?<=<!-- sizes: begin -->\n).*?(?=<!-- sizes: end -->)", re.DOTALL)
Window = tuple[int, int]
Cell = Mapping[str, Any]
Cells = Mapping[tuple[str, str, Window], Cell]  # by scenario, test and window
# Kinds of samples, and the scenarios in which a test must keep its size to be recommended for them.
ADVICE: dict[str, tuple[str, ...]] = {
    "No two event windows share a day, 12 events or more": (
        "independent_12", "independent_20", "independent", "independent_own",
    ),
    "The same, with 3 to 8 events": ("independent_3", "independent_5", "independent_8", "independent_8_own"),
    "The same, with 30 % of the returns missing": ("independent_missing",),
    "All events on one date, equal variance": ("one_date_12", "one_date", "one_date_industries"),
    "3 to 12 dates that are far apart, nothing but the event on them": (
        "dates_3", "dates_5", "dates_uneven", "dates_12", "dates_12_own",
    ),
    "3 to 12 dates that are far apart, on which news hits all firms": (
        "dates_3", "dates_5", "dates_uneven", "dates_12", "dates_3_common", "dates_5_common", "dates_uneven_common",
        "dates_12_common",
    ),
    "30 dates that are far apart": ("dates_30", "dates_30_common"),
    "Windows that overlap in one chain": ("days_5", "days_20", "days_60", "days_120"),
    "The same, and news hits all firms": ("days_60", "days_60_common"),
    "Ten bunches of dates that are far apart": ("bunches", "bunches_common"),
    "The same news on two exchanges, linked": ("two_exchanges_linked",),
    "Windows of 60 to 250 days": ("long_apart", "long_dates"),
}  # fmt: skip
# The samples of the table in the page, in its order.
SHOWN = (
    "independent", "independent_8", "independent_own", "dates_3", "dates_5", "dates_uneven", "dates_12",
    "dates_3_common", "dates_5_common", "dates_uneven_common", "dates_12_common", "one_date", "one_date_all",
    "one_date_own", "one_date_common", "days_5", "days_20", "days_60", "days_5_common", "days_20_common",
    "days_60_common", "bunches", "bunches_common", "independent_8_exponential", "independent_thin", "dates_missing",
    "dates_exponential", "two_exchanges_linked", "two_exchanges", "hong_kong_50", "hong_kong_one_date",
    "hong_kong_5_dates", "hong_kong_alike_one_date", "hong_kong_alike_5_dates",
)  # fmt: skip


def read(path: Path = MEASURED) -> dict[str, Any]:
    """Return the measurement, with its cells by scenario, test and window."""
    measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    measured["cells"] = {(c["scenario"], c["test"], tuple(c["window"])): c for c in measured["cells"]}
    return measured


def holds(cell: Cell) -> bool:
    """Return whether the measured rate is within the band of tests that keep their size."""
    return bool(cell["n"]) and LOW <= cell["rate"] <= HIGH


def outside(cell: Cell) -> bool:
    """Return whether the whole confidence interval of a rate lies outside the band."""
    return bool(cell["n"]) and (cell["lower"] > HIGH or cell["upper"] < LOW)


def keeps_size(found: Sequence[Cell | None], scenarios: Mapping[str, Any]) -> bool:
    """Return whether a test has a value in nearly all samples, its mean rate in the band, and no interval outside."""
    known = [cell for cell in found if cell and cell["n"] > 0.95 * scenarios[cell["scenario"]]["replications"]]
    if not known or len(known) < len(found):
        return False
    mean = sum(cell["rate"] for cell in known) / len(known)
    return LOW <= mean <= HIGH and not any(map(outside, known))


def windows(cells: Cells, scenario: str) -> list[Window]:
    """Return the measured windows of a scenario, the shortest first."""
    return sorted({window for name, _, window in cells if name == scenario}, key=lambda w: w[1] - w[0])


def recommended(measured: Mapping[str, Any], names: Sequence[str]) -> dict[str, list[Cell]]:
    """Return the tests that keep their size in all samples of some scenarios, with their cells."""
    cells, found = measured["cells"], {}
    for test in measurable():
        of_test = [cells.get((name, test, window)) for name in names for window in windows(cells, name)]
        if keeps_size(of_test, measured["scenarios"]):
            found[test] = of_test
    return found


class Primary(NamedTuple):
    """The default test that a study takes first in samples of a kind and a window, and why it is not offered there."""

    test: str
    cell: Cell | None
    not_offered: str


def situation(record: Mapping[str, Any], window: Window) -> Situation:
    """Return what a study knows of a sample of a scenario."""
    n, n_dates, n_linked, n_unlinked = (record[name] for name in ("n_events", "n_dates", "n_linked", "n_unlinked"))
    length = window[1] - window[0] + 1
    n_clusters = n_dates - n_linked if length == 1 else record["n_clusters"]
    before = Residuals(record["skewness"], record["skewness_se"], record["zeros"])
    return Situation(n, n_clusters, n_dates, length, n_linked, n_unlinked * matters(n_unlinked, n), before)


def primary(measured: Mapping[str, Any], scenario: str, window: Window) -> Primary:
    """Return the first default test that has a value and holds by what is known of the sample.

    It is not offered where none holds, or where its measured rate is outside the band on one date, on which it cannot
    be seen that the variance changes, and whose.
    """
    cells, record = measured["cells"], measured["scenarios"][scenario]
    known = situation(record, window)
    tests = tests_for(es.Study(benchmark="M"), record["kind"], record["n_clusters"], known.n_unlinked > 0)
    having = {test: member for test, member in tests.items() if (scenario, test, window) in cells}
    judged = {test: judge(member, known, 0.5) for test, member in having.items()}
    first = next((test for test, judgement in judged.items() if judgement.valid), None)
    if first is None:
        return Primary("", None, next((each.note for each in judged.values()), "no test has a value"))
    cell = cells[scenario, first, window]
    unseen = "" if known.kind != "same_day" or not outside(cell) else ONE_DATE if cell["rate"] > HIGH else BRACKETED
    return Primary(first, cell, unseen)


def primaries(measured: Mapping[str, Any]) -> str:
    """Format the primary test of every sample and window, or why it is not offered."""
    rows = [
        [record["label"], str(window), shown_primary(primary(measured, name, window))]
        for name, record in measured["scenarios"].items()
        for window in (windows(measured["cells"], name) if record["section"] in OF_SAMPLES else ())
    ]
    return _table(("sample", "window", "primary test, and how often it rejects"), rows)


def shown_primary(found: Primary) -> str:
    """Format the primary test with its rate."""
    named = f"`{found.test}` {rate(found.cell)}" if found.test else ""
    reason = f"not offered: {found.not_offered}" if found.not_offered else ""
    return "; ".join(filter(None, (reason, named)))


def rate(cell: Cell | None) -> str:
    """Format a rate with its interval: ✓ within the band, bold where too high and italic where too low for sure."""
    if cell is None or not cell["n"]:
        return "–"
    text = f"{100 * cell['rate']:.1f}"
    if holds(cell):
        text += "\u00a0✓"
    elif outside(cell):
        text = f"**{text}**" if cell["rate"] > HIGH else f"*{text}*"
    return f"{text} ({100 * cell['lower']:.1f}–{100 * cell['upper']:.1f})"


def rate_and_power(cell: Cell | None) -> str:
    """Format a rate, and the power by size of the shock below it."""
    if cell is None or not cell["power"]:
        return rate(cell)
    return f"{rate(cell)}<br>{' · '.join(f'{100 * power:.0f}' for power in cell['power'])}"


def advice(measured: Mapping[str, Any]) -> str:
    """Format the recommended tests of each kind of sample, with the lowest and highest measured rate."""
    rows = []
    for sample, scenarios in ADVICE.items():
        found = recommended(measured, scenarios)
        links = ", ".join(f"[`{test}`](generated/inference/{test}.rst)" for test in found) or "none"
        rates = [100 * cell["rate"] for of_test in found.values() for cell in of_test]
        rows.append((sample, links, f"{min(rates):.1f} to {max(rates):.1f}\u00a0%" if rates else "–"))
    return _table(("Your sample", "Tests that keep their size", "measured"), rows)


def measurable() -> list[str]:
    """Return the names of the tests: those that draw no samples themselves first."""
    names = _registry.names("inference", plugins=False)
    return sorted(names, key=lambda name: _registry.load("inference", name).draws > 0)


def sections(measured: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the scenarios of each section of the page."""
    found: dict[str, list[str]] = {}
    for name, record in measured["scenarios"].items():
        found.setdefault(record["section"].replace(" ", "_"), []).append(name)
    return found


def section(measured: Mapping[str, Any], names: Sequence[str]) -> str:
    """Describe some scenarios, and format a table of rates and power for each of their windows."""
    cells, known = measured["cells"], [(name, measured["scenarios"][name]) for name in names]
    parts = ["\n".join(f"- `{name}`: {each['label']}; {each['replications']:,} samples" for name, each in known)]
    tests = [test for test in measurable() if any((s, test, w) in cells for s in names for w in windows(cells, s))]
    tests += sorted({test for s, test, _ in cells if s in names} - set(tests))  # p-values of single events
    for window in sorted({w for name in names for w in windows(cells, name)}, key=lambda w: w[1] - w[0]):
        having = [name for name in names if window in windows(cells, name)]
        rows = [[f"`{t}`", *(rate_and_power(cells.get((s, t, window))) for s in having)] for t in tests]
        parts.append(f"Window {window}:\n\n{_table(('', *(f'`{name}`' for name in having)), rows)}")
    missing = [f"`{test}`" for test in measurable() if not any(test == t for _, t, _ in cells)]
    return "\n\n".join([*parts, *([f"{', '.join(missing)}: {UNKNOWN}."] if missing else [])])


def shown_tests() -> list[str]:
    """Return the default tests by label, with the second of the two that bracket one date."""
    bracket = labelled_tests(["kolari_pynnonen", es.test("kolari_pynnonen", **BRACKET)])
    return list(dict.fromkeys([*(test for kind in DEFAULT_TESTS.values() for test in kind), *bracket]))


def main_table(measured: Mapping[str, Any]) -> str:
    """Format the default tests in the samples of the page itself: day 0, and below it the eleven days around it."""
    cells, rows = measured["cells"], []
    tests = shown_tests()
    for name in SHOWN:
        both = [[rate(cells.get((name, test, w))) for w in windows(cells, name)] for test in tests]
        first = [shown_primary(primary(measured, name, window)) for window in windows(cells, name)]
        rows.append([measured["scenarios"][name]["label"], "<br>".join(first), *map("<br>".join, both)])
    return _table(("sample", "primary", *(f"`{test}`" for test in tests)), rows)


def slopes(measured: Mapping[str, Any]) -> str:
    """Format how often regressions across events and comparisons of groups reject."""
    rows = [(row["sample"], f"`{row['method']}`", rate(row)) for row in measured["slopes"]["rows"]]
    return _table(("sample", "method", "rejects"), rows)


def settings(measured: Mapping[str, Any]) -> str:
    """Describe how the rates were measured."""
    runs = [
        f"- on {run['date']} with {', '.join(map(' '.join, run['versions'].items()))}, seed {run['seed']}:"
        f" `{run['command']}`"
        for run in (*measured["runs"], measured["slopes"]["run"])
    ]
    return "\n".join(
        [
            f"The {measured['model']} model, {measured['estimation_days']} estimation days; normal noise where nothing"
            " else is said, and on shared days a correlation of 0.1. A test rejects if p is at most"
            f" {measured['level']:g}. Power is that of a shock on day 0 of every event, on the first samples of"
            f" each kind. `placebo` has {measured['placebo_draws']} draws. Measured by",
            "",
            *runs,
        ]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def write(app: Sphinx) -> None:
    """Write the files in ``generated/`` that the page includes."""
    measured = read()
    parts = {"advice": advice(measured), "primary": primaries(measured)}
    parts |= {"slopes": slopes(measured), "settings": settings(measured)}
    parts |= {name: section(measured, names) for name, names in sections(measured).items()}
    for name, text in parts.items():
        (Path(app.srcdir) / "generated" / f"sizes_{name}.txt").write_text(text + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write after ``members`` has deleted the folder."""
    app.connect("builder-inited", write, priority=200)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    page = DOCS / "which_test.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(MAIN.sub(lambda _: main_table(read()) + "\n", text), encoding="utf-8")
