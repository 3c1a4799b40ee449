"""The command line: ``eventstudy demo``, and ``run``, ``check`` and ``fetch`` on a study file.

Exit codes: 0 success; 1 failure (no prices, no event that can be estimated); 2 the arguments, the study file, the
events or the prices are not valid.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy import _registry, studyfile
from eventstudy.errors import EventStudyError, EventStudyWarning, NotEnoughData, SourceError, SourceUnavailable, one_of
from eventstudy.files import clean, replacing, writing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

WIDTH = 100
AT_ONCE = 25  # tickers fetched before they are written, so that an interrupted fetch loses no more
NOT_ASKED = "not asked for"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("always", EventStudyWarning)
        warnings.showwarning = _warn
        try:
            options.command(options)
        except EventStudyError as error:
            print(f"eventstudy: {error}", file=sys.stderr)
            return 2 if isinstance(error, ValueError) else 1
        except KeyboardInterrupt:
            print("eventstudy: interrupted", file=sys.stderr)
            return 1
        except BrokenPipeError:  # the reader has closed the pipe, as in `eventstudy demo | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    return 0


def _warn(message: Warning | str, category: type[Warning], *args: object, **kwargs: object) -> None:
    if issubclass(category, EventStudyWarning):
        print(f"eventstudy: note: {message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eventstudy", description="Event studies: dated events and prices in, abnormal returns and tests out."
    )
    parser.add_argument("--version", action="version", version=f"eventstudy {version('eventstudy-quant')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="the shipped events on simulated prices; needs no network")
    demo.add_argument("--out", type=Path, default=Path("demo"), help="folder for the report (default: %(default)s)")
    demo.set_defaults(command=_demo)
    for name, command, text in (
        ("run", _run, "estimate, test and report a study"),
        ("check", _check, "place the events and show the status that each would have; estimates nothing"),
        ("calibrate", _calibrate, "measure size and power of the study's tests on the securities' own histories"),
        ("fetch", _fetch, "fetch the study's prices into a folder that source = 'folder' reads"),
    ):
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("study", type=Path, help="the study file (TOML)")
        sub.set_defaults(command=command)
        if name == "fetch":
            sub.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="folder for the files")
        else:
            sub.add_argument("--prices", type=Path, metavar="FOLDER", help="read the prices from this folder or store")
        if name == "calibrate":
            sub.add_argument("--draws", type=int, default=1000, help="samples per shock (default: %(default)s)")
            sub.add_argument(
                "--shocks", type=float, nargs="+", default=[0.0], metavar="RETURN",
                help="added to day 0, decimal returns or units of the outcome, as 0 0.01 0.02 (default: 0, the size)",
            )  # fmt: skip
            sub.add_argument("--plot", type=Path, metavar="FILE", help="also draw the power curves (.png .svg .pdf)")
        if name == "run":
            sub.add_argument(
                "--report", type=Path, action="append", default=[], metavar="FILE",
                help="also write a report: .html .csv .tex .txt .parquet (repeatable)",
            )  # fmt: skip
    return parser


def _load(options: argparse.Namespace) -> studyfile.StudyFile:
    file = studyfile.read(options.study)
    folder = getattr(options, "prices", None)
    if folder is None:
        return file
    source = "store" if _registry.helper("sources", "_stored").is_store(folder) else "folder"
    return replace(file, source=source, options={"path": folder})


def _run(options: argparse.Namespace) -> None:
    from eventstudy.reports.text import text

    file = _load(options)
    result = file.study.run(file.events, file.prices(), factors=file.factors, progress=sys.stderr.isatty())
    print(text(result))
    for path in options.report:
        print(f"written: {result.report(path)}")
    if not (result.events["status"] == "ok").any():
        raise NotEnoughData("no event could be used; the table above says why for each")


def _check(options: argparse.Namespace) -> None:
    from eventstudy.reports.text import placement

    file = _load(options)
    print(placement(file.study.check(file.events, file.prices(), factors=file.factors)))


def _calibrate(options: argparse.Namespace) -> None:
    file = _load(options)
    result = file.study.run(file.events, file.prices(), factors=file.factors)
    calibration = result.calibrate(options.draws, options.shocks, seed=file.study.seed)
    print(calibration)
    if options.plot:
        _save(calibration.plot().figure, options.plot)
        print(f"\nwritten: {options.plot}")


def _save(figure: Figure, path: Path) -> None:
    """Write a figure whole; the suffix sets the format."""
    valid = figure.canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in valid:
        raise one_of("the suffix of the figure", path.suffix, [f".{name}" for name in valid])
    with writing("the figure", path):
        clean(path.parent)
        with replacing(path) as aside:
            figure.savefig(aside, dpi=150)


def _fetch(options: argparse.Namespace) -> None:
    from eventstudy.sources._shared import check_span
    from eventstudy.sources._write import fetched, listed

    file = _load(options)
    names, folder = file.tickers(), options.to
    already_there = fetched(folder, names, check_span(*file.dates()), file.request())
    new, problems = _fetch_missing(file, [name for name in names if name not in already_there], folder)
    rows = listed(folder)
    for ticker in names:
        row = rows.get(ticker)
        there = "" if row is None else f"kept from the fetch of {row.retrieved}, {row.start} to {row.end}"
        print(f"{ticker:<12} " + (new.get(ticker) or "; ".join(filter(None, [problems.get(ticker), there]))))
    if rows:
        print(
            f"written: {len(new)} files and manifest.csv in {folder}"
            + (f"; {len(already_there)} were there" if already_there else "")
        )
    if problems:
        raise SourceError(
            f"{len(problems)} of {len(names)} tickers could not be fetched; the list above says why for each. The same"
            " command asks for these alone"
        )


def _fetch_missing(
    file: studyfile.StudyFile, names: Sequence[str], folder: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """Fetch tickers and write them some at a time; return what was fetched, and the reasons for what was not."""
    from tqdm.auto import tqdm

    from eventstudy.sources._write import write

    new: dict[str, str] = {}
    problems: dict[str, str] = {}
    with tqdm(total=len(names), unit="ticker", disable=not sys.stderr.isatty()) as bar:
        for at in range(0, len(names), AT_ONCE):
            some = names[at : at + AT_ONCE]
            try:
                prices = file.prices(some)
            except EventStudyError as error:
                if not error.problems and not isinstance(error, SourceError):
                    raise
                problems |= error.problems or dict.fromkeys(some, str(error))
                if isinstance(error, SourceUnavailable):
                    problems |= dict.fromkeys(names[at + AT_ONCE :], f"{NOT_ASKED}: no answer for those before it")
                    break
            else:
                problems |= prices.problems
                write(prices, folder, file.request())
                new |= {t: f"{b.dates[0]} to {b.dates[-1]}  {len(b.dates):>6} rows" for t, b in prices.bars.items()}
            bar.update(len(some))
    return new, problems


def _demo(options: argparse.Namespace) -> None:
    from eventstudy import demo
    from eventstudy.reports.text import text

    run = demo.run()
    run.result.report(options.out / "report.txt")
    print(text(run.result))
    print(_planted_table(run.planted))
    print(f"\nwritten: {run.result.report(options.out / 'report.html')} and report.txt")


def _planted_table(frame: pd.DataFrame) -> str:
    """Return the planted and the recovered reactions as text: the press day by ticker, then all events."""
    from eventstudy.demo import DAY

    press = frame[frame["total"].notna()]
    head = f"{'ticker':<10}{'day return':>12}{'planted AR':>12}{'recovered AR':>14}{'s.e.':>9}   within 95 %"
    lines = ["Planted beside recovered (simulated prices)", "-" * WIDTH, f"{DAY}, as the press had it", head]
    for _, row in press.iterrows():
        lines.append(
            f"{row['ticker']:<10}{row['total']:>11.2%} {row['planted']:>11.2%} {row['recovered']:>13.2%} "
            f"{row['se']:>8.2%}   {'yes' if row['within'] else 'no'}"
        )
    events = frame[frame["planted"] != 0]
    sign = events["planted"].apply(lambda x: 1 if x > 0 else -1)
    lines += [
        "",
        f"all {len(events)} events with a planted reaction, in its direction: on average planted"
        f" {(sign * events['planted']).mean():.2%}, recovered {(sign * events['recovered']).mean():.2%};",
        f"the 95 % interval holds the planted reaction for {frame['within'].mean():.1%} of {len(frame)} events",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
