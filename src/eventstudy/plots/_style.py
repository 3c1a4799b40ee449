"""The style shared by all figures: colours, fonts, percent axes, titles, and text without missing glyphs."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
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

from eventstudy.display import formats
from eventstudy.display.formats import HasProvenance
from eventstudy.display.measure import Measure
from eventstudy.result import Result

INK, GREY, RULE, BLUE, RED, WARN = "#1f2933", "#5b6570", "#d5dade", "#1f5a8a", "#b3372f", "#9a3412"
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


@contextmanager
def drawing(width: float, height: float, ax: Axes | None = None) -> Iterator[Axes]:
    """Yield the caller's axes, or the axes of a new figure of some size in inches, within the style context."""
    with context():
        ax = PngFigure(figsize=(width, height)).subplots() if ax is None else ax
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


def headings(ax: Axes, title: str, subtitle: str, result: HasProvenance) -> None:
    """Write title and subtitle above the axes, and the note on the prices at the right."""
    left = ax.set_title(drawable(title, bold=True), loc="left", **BOLD)
    right = ax.set_title(prices_note(result), loc="right", color=WARN, fontsize=9, **BOLD)
    below = ax.annotate(
        subtitle, (0, 1), xytext=(0, 6), xycoords="axes fraction", textcoords="offset points", color=GREY
    )
    verbatim([left, right, below])


def blank(ax: Axes, title: str, message: str, result: HasProvenance) -> Axes:
    """Draw a message in the place of a figure for which there are no data."""
    headings(ax, title, "", result)
    verbatim([ax.text(0.5, 0.5, message, transform=ax.transAxes, ha="center", va="center", color=GREY)])
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def value_axis(axis: Axis, measure: Measure, label: str = "") -> None:
    """Format the ticks of an axis as values of a measure, with as many decimals as they need; set its label."""
    _ticks(axis, measure.text, 100.0 if measure.percent else 1.0)
    if label:
        axis.set_label_text(drawable(f"{label[:1].upper()}{label[1:]}", 60))
        verbatim([axis.label])


def percent_axis(axis: Axis) -> None:
    """Format the ticks of an axis of decimals as signed percentages, with as many decimals as they need."""
    _ticks(axis, formats.percent, 100.0)


def shock_axis(axis: Axis, measure: Measure) -> None:
    """Format the ticks of an axis of shocks to the series of a measure: as percentages if it is a return."""
    if measure.of_returns:
        percent_axis(axis)
    else:
        _ticks(axis, formats.signed, 1.0)


def _ticks(axis: Axis, text: Callable[[float, int], str], scale: float) -> None:
    def label(value: float, _: float) -> str:
        ticks = scale * axis.get_majorticklocs()
        close = 1e-6 * min(1.0, float(np.ptp(ticks)))
        digits = next((d for d in range(12) if np.allclose(ticks, ticks.round(d), rtol=0, atol=close)), 12)
        return text(0.0, 0) if abs(scale * value) < close else text(value, digits)

    axis.set_major_formatter(label)


def day_label(result: Result) -> str:
    """Return the label of an axis of relative days."""
    return f"{formats.day_unit(result.events['session']).capitalize()}s from the event"


def day_axis(ax: Axes) -> None:
    """Format the x axis as relative days; draw lines at day 0 and at the value 0."""
    ax.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=11, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(lambda value, _: formats.count(value))
