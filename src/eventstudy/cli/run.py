"""Estimate, test and report a study.

The report as text is printed; --report, --figures and --save write files too. Their formats and places are checked
before the work begins.

    eventstudy run study.toml --report study.html --figures figures --save study.result
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from eventstudy import _registry
from eventstudy.cli._figures import FORMATS, figure_paths, write_figures
from eventstudy.cli._json import result_document
from eventstudy.cli._output import add_output, say, show
from eventstudy.cli._study import add_prices, add_study, load
from eventstudy.cli._terminal import width
from eventstudy.errors import InputError, NotEnoughData
from eventstudy.files import check_place


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    suffixes = " ".join(_registry.helper("reports", "_write").suffixes())
    add_study(parser)
    add_prices(parser)
    parser.add_argument(
        "--report", type=Path, nargs="+", action="extend", default=[], metavar="FILE",
        help=f"also write reports: {suffixes}",
    )  # fmt: skip
    parser.add_argument("--title", help="the title of the reports that have one, such as .html")
    parser.add_argument("--figures", type=Path, metavar="FOLDER", help="also write every figure to this folder")
    parser.add_argument(
        "--figure-format", choices=FORMATS, default="png", help="the format of the figures (default: %(default)s)"
    )
    parser.add_argument(
        "--save", type=Path, metavar="FILE",
        help="also keep the whole result in one file, for eventstudy verify and es.read_result",
    )  # fmt: skip
    add_output(parser)


def run(options: argparse.Namespace) -> None:
    """Print the report as text, and write the other reports, the figures and the result."""
    from eventstudy.reports.text import text
    from eventstudy.reproduce import register

    titled = _check_reports(options.report, options.title)
    _check_save(options.save, options.report)
    paths = {} if options.figures is None else figure_paths(options.figures, options.figure_format)
    file = load(options)
    registered = register.held(options.study)  # before the work
    progress = sys.stderr.isatty() and not options.quiet
    result = file.study.run(file.events, file.prices(), factors=file.factors, progress=progress)
    result = register.stamped(result, registered)
    options.noted += result.provenance["notes"]
    show(options, lambda: text(result, width()), lambda: result_document(result))
    if options.save is not None:
        say(options, f"written: {result.save(options.save)}")
    for path in options.report:
        say(options, f"written: {result.report(path, **titled[path])}")
    written, skipped = write_figures(result, paths)
    for path in written:
        say(options, f"written: {path}")
    for kind, reason in skipped.items():
        say(options, f"no figure {kind}: {reason}")
    if not (result.events["status"] == "ok").any():
        raise NotEnoughData("no event could be used; the table of events not used says why for each")


def _check_reports(paths: list[Path], title: str | None) -> dict[Path, dict[str, str]]:
    """Check the suffixes and places of reports, and return the options of each."""
    reports = _registry.helper("reports", "_write")
    for path, times in Counter(map(reports.check, paths)).items():
        if times > 1:
            raise InputError(f"the report {path} is named {times} times; name each report once")
    if title is None:
        return {path: {} for path in paths}
    titled = {path: {"title": title} if "title" in reports.option_names(path) else {} for path in paths}
    if not any(titled.values()):
        raise InputError(f"--title is {title!r}, and no report has a title; add --report study.html, or leave it out")
    return titled


def _check_save(path: Path | None, reports: list[Path]) -> None:
    """Check the place of the result that is kept."""
    if path is None:
        return
    if path.absolute() in (report.absolute() for report in reports):
        raise InputError(f"--save and --report both name {path}; give each a file of its own")
    check_place("the result", path, _registry.helper("reports", "_saved").is_saved)
