"""Write a report aside, in the format that its suffix names, and move it into place whole."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

from eventstudy import _registry, arguments
from eventstudy.errors import one_of
from eventstudy.files import clean, replacing, writing
from eventstudy.result import Result

SUFFIXES = {"text": "txt", "latex": "tex"}  # of reports whose name is not their suffix
NAMES = {suffix: name for name, suffix in SUFFIXES.items()} | {"htm": "html"}


def write(result: Result, path: str | Path, options: Mapping[str, object]) -> Path:
    """Write a report with its options and return its path; see :meth:`eventstudy.Result.report`."""
    target = Path(arguments.path("the path of the report", path))
    suffix = target.suffix.lstrip(".").lower()
    name = NAMES.get(suffix, suffix)
    if name not in _registry.names("reports"):
        valid = [f".{SUFFIXES.get(report, report)}" for report in _registry.names("reports")]
        raise one_of("the suffix of the report", target.suffix, valid)
    report = _registry.load("reports", name)
    parameters = inspect.signature(report.render).parameters.values()
    arguments.check_options(f"a .{suffix} report", options, [p.name for p in parameters if p.kind is p.KEYWORD_ONLY])
    with writing("the report", target):
        clean(target.parent)
        with replacing(target, getattr(report, "wrote", None)) as aside:
            report.render(result, aside, **options)
    return target
