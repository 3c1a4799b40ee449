"""The style shared by all figures: colours, fonts, percent axes, titles, and text without missing glyphs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.display.formats import HasProvenance
from eventstudy.display.measure import Measure
from eventstudy.errors import InputError, shown
from eventstudy.result import Result

INK, GREY, RULE, BLUE, RED, WARN = "#1f2933", "#5b6570", "#d5dade", "#1f5a8a", "#b3372f", "#9a3412"
# Colours of Okabe & Ito (2008), which colour-blind readers tell apart; in grey, line styles and markers do.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), "-", (0, (6, 2)), (0, (2, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SIZE = (7.2, 3.9)  # inches
Size = tuple[float, float]
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 20,
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "font.size": 9,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "eventstudy",
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
}
# DejaVu Sans comes with matplotlib; the first installed font of CJK draws Chinese, Japanese and Korean.
LATIN = "DejaVu Sans"
CJK = (
    "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK HK", "Noto Sans CJK JP", "Noto Sans SC",
    "Source Han Sans SC", "Microsoft YaHei", "SimHei", "PingFang SC", "PingFang HK", "Hiragino Sans GB", "Heiti SC",
    "Heiti TC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Arial Unicode MS",
)  # fmt: skip
UNDRAWABLE = "□"
BOLD: dict[str, Any] = {"fontfamily": LATIN, "fontweight": "bold"}  # few Chinese fonts have a bold face

ABOVE: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}


class PngFigure(Figure):
    """A figure without a window; a notebook displays it when it is the last expression of a cell."""

    def _repr_png_(self) -> bytes:
        return png(self)


def png(figure: Figure, dpi: float | None = None) -> bytes:
    """Return a figure as a PNG."""
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=dpi or figure.dpi, facecolor="white")
    return target.getvalue()


def context() -> AbstractContextManager[None]:
    """Return the style context of all figures, which neither depends on the caller's rcParams nor changes them."""
    return matplotlib.style.context(["default", {**STYLE, "font.family": list(families())}])


def size(figsize: object, default: Size, ax: Axes | None = None) -> Size:
    """Return the width and height of a new figure in inches; raise InputError unless they are positive numbers."""
    if figsize is None:
        return default
    if ax is not None:
        raise InputError("figsize is that of a new figure, and ax is given; leave out one of them")
    pair = list(figsize) if isinstance(figsize, list | tuple | np.ndarray) else []
    if len(pair) != 2 or not all(arguments.is_number(side) and 0.5 <= side <= 200 for side in pair):
        raise InputError(f"figsize is {shown(figsize)}; give width and height in inches, as (3.5, 2.6)")
    return float(pair[0]), float(pair[1])


@contextmanager
def drawing(default: Size, figsize: object = None, ax: Axes | None = None) -> Iterator[Axes]:
    """Yield the caller's axes, or the axes of a new figure of some size in inches, within the style context."""
    inches = size(figsize, default, ax)
    with context():
        ax = PngFigure(figsize=inches).subplots() if ax is None else ax
        ax.tick_params(labelsize=STYLE["font.size"])  # the space for tick labels is computed later, outside the context
        yield ax
        if isinstance(ax.figure, PngFigure):
            ax.figure.draw_without_rendering()  # matplotlib makes ticks when it first draws: here, with the style set


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """Return the installed font families to draw with, in the order in which they are searched for a glyph."""
    installed = set(font_manager.fontManager.get_font_names())
    return (LATIN, *[name for name in CJK if name in installed][:1])


@lru_cache(maxsize=2)
def _fonts(bold: bool) -> tuple[FT2Font, ...]:
    if bold:
        return (FT2Font(font_manager.findfont(font_manager.FontProperties(family=LATIN, weight="bold"))),)
    return tuple(FT2Font(font_manager.findfont(name)) for name in families())


def drawable(text: object, width: int = 0, *, bold: bool = False) -> str:
    """Return text as one line that the fonts can draw, with an ellipsis after ``width`` columns unless that is 0.

    A character that no font has becomes a box; matplotlib would warn and then draw a box. ``bold`` is for text that is
    drawn with :data:`BOLD`.
    """
    line = formats.plain(text)
    line = formats.cut(line, width) if width else line
    return "".join(c if any(font.get_char_index(ord(c)) for font in _fonts(bold)) else UNDRAWABLE for c in line)


def verbatim(texts: Iterable[Text]) -> None:
    """Turn off mathematics between dollar signs; the style does so only for text that is created in its context."""
    for text in texts:
        text.set_parse_math(False)


def prices_note(result: HasProvenance) -> str:
    """Return the note on the prices that every figure must show, or empty text."""
    note = formats.prices_note(result)
    return drawable(note, 40, bold=True) if note else ""


def named(title: object, default: str) -> str:
    """Return the title of a figure: the caller's, which is checked, or the figure's own."""
    return default if title is None else arguments.text("title", title, "a title, as 'Reaction to fines'")


def headings(ax: Axes, title: str, subtitle: str, result: HasProvenance) -> None:
    """Write title and subtitle above the axes, in as many lines as they need, and the note on the prices at the right.

    Where title and note do not fit beside each other, the note is a line of its own above the title.
    """
    room, note = 72.0 * width(ax), prices_note(result)
    head = wrapped(drawable(title, bold=True), room / 7.6)
    text = wrapped(subtitle, room / 5.1)
    beside = len(head) == 1 and 7.6 * formats.columns_of(head[0]) + 6.5 * formats.columns_of(note) + 12 < room
    pad = 9.0 + 11.0 * len(text)
    texts: list[Text] = [ax.set_title("\n".join(head), loc="left", pad=pad, **BOLD)]
    texts.append(ax.annotate("\n".join(text), (0, 1), xytext=(0, 6), color=GREY, **ABOVE))
    if beside:
        texts.append(ax.set_title(note, loc="right", pad=pad, color=WARN, fontsize=9, **BOLD))
    elif note:
        above = (0, pad + 13.5 * len(head))
        texts.append(ax.annotate(note, (0, 1), xytext=above, color=WARN, fontsize=9, **ABOVE, **BOLD))
    verbatim(texts)


def heading(figure: Figure, title: str, result: HasProvenance) -> int:
    """Write the title of a figure of several axes, and the note on the prices at its right, or in a line below.

    Returns
    -------
    int
        The number of lines.
    """
    width, height = figure.get_size_inches()
    note, room = prices_note(result), 72.0 * (width - 0.16)
    lines = wrapped(drawable(title, bold=True), room / 7.6)
    beside = len(lines) == 1 and 7.6 * formats.columns_of(lines[0]) + 6.5 * formats.columns_of(note) + 12 < room
    if note and not beside:
        lines.append(" ")
    down = 0.08 + (0.0 if beside else 0.185 * (len(lines) - 1))
    head = figure.suptitle(
        "\n".join(lines), x=0.08 / width, y=1 - 0.08 / height, va="top", ha="left", fontsize=11, **BOLD
    )
    side = figure.text(
        (1 if beside else 0) + (-0.08 if beside else 0.08) / width, 1 - down / height, note, va="top",
        ha="right" if beside else "left", color=WARN, fontsize=9, **BOLD,
    )  # fmt: skip
    verbatim([head, side])
    return len(lines)


def width(ax: Axes) -> float:
    """Return about how many inches wide axes will be: a layout engine places them when the figure is complete."""
    figure = ax.get_figure(root=True)
    width = 6.4 if figure is None else float(figure.get_size_inches()[0])
    alone = isinstance(figure, PngFigure) and len(figure.axes) == 1
    return width - 0.8 if alone else width * ax.get_position().width


def wrapped(text: str, width: float) -> list[str]:
    """Return text as lines of at most some columns, broken between words, and within words that are longer.

    Examples
    --------
    >>> wrapped("24 events; shaded: 95 % band", 14), wrapped("反垄断指南", 8)
    (['24 events;', 'shaded: 95 %', 'band'], ['反垄断指', '南'])
    """
    lines, most = [""], max(int(width), 8)
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if formats.columns_of(longer) <= most or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    whole: list[str] = []
    for line in lines:
        while formats.columns_of(line) > most:
            whole.append(formats.truncate(line, most))
            line = line[len(whole[-1]) :]
        whole.append(line)
    return whole


def blank(ax: Axes, title: str, message: str, result: HasProvenance) -> Axes:
    """Draw a message in the place of a figure for which there are no data."""
    headings(ax, title, "", result)
    verbatim([ax.text(0.5, 0.5, message, transform=ax.transAxes, ha="center", va="center", color=GREY)])
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def value_axis(axis: Axis, measure: Measure, label: str) -> None:
    """Format the ticks of an axis as values of a measure, with as many decimals as they need; label it with the unit.

    Values of returns are shown in per cent, and the label says so.
    """
    signed_axis(axis, measure.percent)
    axis.set_label_text(drawable(f"{label[:1].upper()}{label[1:]}", 60) + (" (%)" if measure.percent else ""))
    verbatim([axis.label])


def signed_axis(axis: Axis, percent: bool) -> None:
    """Format the ticks of an axis as signed numbers, or as those of per cent, with as many decimals as they need."""
    scale = 100.0 if percent else 1.0

    def text(value: float, _: float) -> str:
        ticks = scale * axis.get_majorticklocs()
        close = 1e-6 * min(1.0, float(np.ptp(ticks)))
        digits = next((d for d in range(12) if np.allclose(ticks, ticks.round(d), rtol=0, atol=close)), 12)
        return "0" if abs(scale * value) < close else formats.signed(scale * value, digits)

    axis.set_major_formatter(text)


def day_label(result: Result) -> str:
    """Return the label of an axis of relative days."""
    return f"{formats.day_unit(result.events['session']).capitalize()}s from the event"


def day_axis(ax: Axes) -> None:
    """Format the x axis as relative days; draw lines at day 0 and at the value 0."""
    ax.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=11, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(lambda value, _: formats.count(value))
