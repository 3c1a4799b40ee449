"""Write a report aside, in the format that its suffix names, and move it into place whole."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventstudy import _registry, arguments
from eventstudy.errors import one_of
from eventstudy.files import check_place, clean, replacing, writing
from eventstudy.result import Result

SUFFIXES = {"text": "txt", "latex": "tex"}  # of reports whose name is not their suffix
NAMES = {suffix: name for name, suffix in SUFFIXES.items()} | {"htm": "html"}


def write(result: Result, path: str | Path, options: Mapping[str, object]) -> Path:
    """Write a report with its options and return its path; see :meth:`eventstudy.Result.report`."""
    target, report = _report_of(path)
    arguments.check_options(f"a {target.suffix.lower()} report", options, option_names(path))
    with writing("the report", target):
        clean(target.parent)
        with replacing(target, getattr(report, "wrote", None)) as aside:
            report.render(result, aside, **options)
    return target


def check(path: str | Path) -> Path:
    """Check the suffix and the place of a report before there is a result; raise what :func:`write` would raise.

    Examples
    --------
    >>> check("report.pptx")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: the suffix of the report is '.pptx'; valid are '.csv', '.docx', '.html', ...
    """
    target, report = _report_of(path)
    check_place("the report", target, getattr(report, "wrote", None))
    return target


def option_names(path: str | Path) -> list[str]:
    """Return the options of the report that the suffix of a path names."""
    parameters = inspect.signature(_report_of(path)[1].render).parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]


def _report_of(path: str | Path) -> tuple[Path, Any]:
    """Return the path of a report, and the member that its suffix names."""
    target = Path(arguments.path("the path of the report", path))
    suffix = target.suffix.lstrip(".").lower()
    name = NAMES.get(suffix, suffix)
    if name not in _registry.names("reports"):
        raise one_of("the suffix of the report", target.suffix, suffixes())
    return target, _registry.load("reports", name)


def suffixes() -> list[str]:
    """Return the suffixes of the reports."""
    return [f".{SUFFIXES.get(report, report)}" for report in _registry.names("reports")]
