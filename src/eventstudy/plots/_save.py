"""Figures written to files: the same bytes for the same figure, with its fonts and its description inside."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from eventstudy import arguments
from eventstudy.errors import InputError, one_of, shown
from eventstudy.files import clean, replacing, writing
from eventstudy.plots import _style, _text

DPI = 200  # of a PNG: 700 pixels across a column of a journal
# Names of the description in the metadata of each format, and of the time of writing, which is left out.
DESCRIPTION = {".png": "Description", ".pdf": "Subject", ".svg": "Description"}
OUTLINES = 3  # fonts of outlines: most of Chinese are no TrueType, and PDF readers warn of them as such
DATE = {".pdf": "CreationDate", ".svg": "Date"}


def check_figure_path(path: str | Path) -> Path:
    """Return the path of a figure; raise InputError unless its suffix is ``.png``, ``.pdf`` or ``.svg``.

    Examples
    --------
    >>> check_figure_path("caar.docx")
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: the suffix of the figure is '.docx'; valid are '.png', '.pdf', '.svg'
    """
    file = Path(arguments.path("path", path))
    if file.suffix.lower() not in DESCRIPTION:
        raise one_of("the suffix of the figure", file.suffix, DESCRIPTION)
    return file


def save_figure(drawn: Axes | np.ndarray | Figure, path: str | Path, *, alt: str = "", dpi: float = DPI) -> Path:
    """Write a figure as PNG, PDF or SVG, whole or not at all; an existing file is replaced.

    A figure gives the same bytes on any day: the time of writing is left out, unless the environment variable
    SOURCE_DATE_EPOCH sets it in PDF and SVG.

    Parameters
    ----------
    drawn : Axes, array of Axes, or Figure
        As a figure of ``Result.plot`` returns them.
    path : str or Path
        The suffix sets the format: ``.png``, or ``.pdf`` (fonts embedded: as TrueType, or as
        outlines where text is Chinese, Japanese or Korean) and ``.svg`` (text as outlines).
    alt : str
        A description for those who do not see the figure (:func:`eventstudy.plots._alt.alt_text`), for the metadata:
        ``Description`` of PNG and SVG, ``Subject`` of PDF.
    dpi : float
        Pixels in an inch of a PNG.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If ``drawn`` is no figure, or the suffix is not valid.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from eventstudy import demo
    >>> file = Path(tempfile.mkdtemp(), "caar.pdf")
    >>> save_figure(demo.run().result.plot("caar"), file).read_bytes()[:5]
    b'%PDF-'
    """
    file, figure = check_figure_path(path), figure_of(drawn)
    suffix = file.suffix.lower()
    metadata: dict[str, Any] = {DESCRIPTION[suffix]: alt} if alt else {}
    if suffix == ".png":
        metadata["Software"] = None
    elif "SOURCE_DATE_EPOCH" not in os.environ:
        metadata[DATE[suffix]] = None
    with writing("the figure", file):
        clean(file.parent)
        fonts = {} if _is_latin(figure) else {"pdf.fonttype": OUTLINES}
        with _style.context(fonts), _style.placed(figure, dpi), replacing(file) as aside:
            figure.savefig(aside, format=suffix[1:], dpi=dpi, facecolor="white", metadata=metadata)
    return file


def _is_latin(figure: Figure) -> bool:
    return all(_text.is_latin(text.get_text()) for text in figure.findobj(Text) if isinstance(text, Text))


def figure_of(drawn: Axes | np.ndarray | Figure) -> Figure:
    """Return the figure of what ``Result.plot`` has returned."""
    first = drawn if isinstance(drawn, Figure) else next(iter(np.ravel(np.asarray(drawn, dtype=object))), None)
    figure = first.get_figure(root=True) if isinstance(first, Axes) else first
    if not isinstance(figure, Figure):
        raise InputError(f"the figure is {shown(drawn)}; give what result.plot(...) returns")
    return figure
