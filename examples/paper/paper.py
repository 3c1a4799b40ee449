"""Make every table, figure and number of the paper from one study file.

    python paper.py [FOLDER OF PRICES]

Without a folder, prices are simulated, with a reaction of 2 % at platforms and none elsewhere, so that the answer is
known.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import eventstudy as es
from eventstudy import studyfile

HERE = Path(__file__).parent
OUT = HERE / "out"
REACTION = 0.02  # of platforms, in the expected direction, on simulated prices


def simulated(file: studyfile.StudyFile) -> es.Prices:
    """Simulate prices in which platforms react on day 0, and the others do not."""
    frame = file.events.frame
    placed = file.study.check(file.events, file.prices())
    used = placed[placed["status"] == "ok"]
    planted = {
        (ticker, f"{session:%Y-%m-%d}"): REACTION * frame.loc[event, "expected_sign"]
        for event, ticker, session in zip(used.index, used["ticker"], used["session"], strict=True)
        if frame.loc[event, "sector"] == "platform" and frame.loc[event, "expected_sign"] in (1, -1)
    }
    start, end = file.dates()
    return es.fetch_prices(file.tickers(), start, end, source="simulated", seed=11, reactions=planted)


def run(folder: str | None) -> es.Result:
    """Run the study of ``study.toml``, on the prices of a folder if there is one."""
    file = studyfile.read(HERE / "study.toml")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.EventStudyWarning)  # of tests that do not hold: the tables mark them
        return file.study.run(file.events, es.read_prices(folder) if folder else simulated(file))


def write(result: es.Result) -> None:
    """Write what ``paper.tex`` includes."""
    tables = {kind: result.table(kind) for kind in ("attrition", "sample", "aar", "caar", "groups", "events")}
    formulas = ["car ~ C(named)", "car ~ C(sector)", "car ~ C(named) + C(sector)"]
    tables["regressions"] = result.table("regressions", formulas=formulas)
    for name, table in tables.items():
        (OUT / f"{name}.tex").write_text(table.to_latex(), encoding="utf-8")
    for kind in ("caar", "distribution", "timeline"):
        figure = result.plot(kind).get_figure(root=True)
        assert figure is not None
        figure.savefig(OUT / f"{kind}.pdf", metadata={"CreationDate": None})
    (OUT / "numbers.tex").write_text(numbers(result), encoding="utf-8")


def numbers(result: es.Result) -> str:
    """Return the numbers that the text of the paper names, as LaTeX commands."""
    first = result.tests[
        (result.tests["group"] == "all") & (result.tests["start"] == 0) & (result.tests["end"] == 0)
    ].iloc[0]
    values = {
        "events": str(len(result.events)),
        "used": str(int((result.events["status"] == "ok").sum())),
        "counted": str(int(first["n"])),
        "effect": f"{100 * first['effect']:.2f}",
        "lower": f"{100 * first['lower']:.2f}",
        "upper": f"{100 * first['upper']:.2f}",
        "pvalue": "$p<0.001$" if first["p"] < 0.001 else f"$p={first['p']:.3f}$",
        "prices": str(result.provenance["prices"].get("note") or "prices of a folder"),
    }
    return "".join(rf"\newcommand{{\es{name}}}{{{value}}}" + "\n" for name, value in values.items())


def main(arguments: Sequence[str]) -> None:
    """Run the study and write the tables and figures."""
    OUT.mkdir(exist_ok=True)
    result = run(arguments[0] if arguments else None)
    write(result)
    print(result)
    print(f"written: {len(list(OUT.iterdir()))} files in {OUT.name}/")


if __name__ == "__main__":
    main(sys.argv[1:])
