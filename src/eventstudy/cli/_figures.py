"""The figures of a result as files."""

from __future__ import annotations

from pathlib import Path

from eventstudy import _registry
from eventstudy.errors import EventStudyError
from eventstudy.files import check_place
from eventstudy.result import Result

FORMATS = ("png", "pdf", "svg")


def figure_paths(folder: Path, suffix: str) -> dict[str, Path]:
    """Return the path of each kind of figure in a folder, after a check that it can be written there.

    Raises
    ------
    InputError
        If a path is not that of a file.
    OutputError
        If the folder does not let this process write.
    """
    paths = {kind: folder / f"{kind}.{suffix}" for kind in _registry.names("plots")}
    for path in paths.values():
        check_place("the figure", path)
    return paths


def write_figures(result: Result, paths: dict[str, Path]) -> tuple[list[Path], dict[str, str]]:
    """Draw each kind of figure; return the files that were written, and by kind why another cannot be drawn."""
    from eventstudy.plots._alt import alt_text
    from eventstudy.plots._save import save_figure

    written, skipped = [], {}
    for kind, path in paths.items():
        try:
            drawn, text = result.plot(kind), alt_text(kind, result)
        except EventStudyError as error:
            skipped[kind] = str(error)
        else:
            written.append(save_figure(drawn, path, alt=text))
    return written, skipped
