"""The look that all figures share: a style of our own, percent axes, titles, and text that any font can draw."""

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
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
}
# DejaVu Sans comes with matplotlib; the first of the others that is installed draws Chinese, Japanese and Korean.
LATIN = "DejaVu Sans"
CJK = (
    "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK HK", "Noto Sans CJK JP", "Noto Sans SC",
    "Source Han Sans SC", "Microsoft YaHei", "SimHei", "PingFang SC", "PingFang HK", "Hiragino Sans GB", "Heiti SC",
    "Heiti TC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Arial Unicode MS",
)  # fmt: skip
UNDRAWABLE = "□"
BOLD: dict[str, Any] = {"fontfamily": LATIN, "fontweight": "bold"}  # few fonts for Chinese have a bold face


class Sheet(Figure):
    """A figure that no window owns; a notebook shows it when it is the last thing in a cell."""

    def _repr_png_(self) -> bytes:
        return png(self)


def png(figure: Figure, dpi: float | None = None) -> bytes:
    """Draw a figure as a PNG."""
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=dpi or figure.dpi, facecolor="white")
    return target.getvalue()


def context() -> AbstractContextManager[None]:
    """Give the style context of all figures; the caller's rcParams neither matter nor change."""
    return matplotlib.style.context(["default", {**STYLE, "font.family": list(families())}])


@contextmanager
def drawing(width: float, height: float, ax: Axes | None = None) -> Iterator[Axes]:
    """Give, in our style, the caller's axes, or the only axes of a new figure (inches)."""
    with context():
        ax = Sheet(figsize=(width, height)).subplots() if ax is None else ax
        ax.tick_params(labelsize=STYLE["font.size"])  # said here, for the room of a tick is reckoned when drawing
        yield ax
        if isinstance(ax.figure, Sheet):
            ax.figure.draw_without_rendering()  # ticks are made when first drawn: here, in our style


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """Give the installed font families to draw with, in the order in which a glyph is looked for."""
    installed = set(font_manager.fontManager.get_font_names())
    return (LATIN, *[name for name in CJK if name in installed][:1])


@lru_cache(maxsize=2)
def _fonts(bold: bool) -> tuple[FT2Font, ...]:
    if bold:
        return (FT2Font(font_manager.findfont(font_manager.FontProperties(family=LATIN, weight="bold"))),)
    return tuple(FT2Font(font_manager.findfont(name)) for name in families())


def drawable(text: Any, width: int = 0, *, bold: bool = False) -> str:
    """Make one line that can be drawn: unknown glyphs become boxes; past ``width`` columns it ends in an ellipsis.

    A glyph that no font has would otherwise be a warning when the figure is drawn, and then a box. ``bold`` is for
    text that is set with :data:`BOLD`.
    """
    line = formats.plain(text)
    line = formats.cut(line, width) if width else line
    return "".join(c if any(font.get_char_index(ord(c)) for font in _fonts(bold)) else UNDRAWABLE for c in line)


def verbatim(texts: Iterable[Text]) -> None:
    """Let dollar signs be dollar signs, also in text that is made before or after our style context."""
    for text in texts:
        text.set_parse_math(False)


def prices_note(result: Result) -> str:
    """Give what every figure must say of the prices, or empty text."""
    note = formats.prices_note(result)
    return drawable(note, 40, bold=True) if note else ""


def headings(ax: Axes, title: str, subtitle: str, result: Result) -> None:
    """Write title and subtitle above the axes, and what must be said of the prices at the right."""
    left = ax.set_title(drawable(title, bold=True), loc="left", **BOLD)
    right = ax.set_title(prices_note(result), loc="right", color=WARN, fontsize=9, **BOLD)
    under = ax.annotate(
        subtitle, (0, 1), xytext=(0, 6), xycoords="axes fraction", textcoords="offset points", color=GREY
    )
    verbatim([left, right, under])


def blank(ax: Axes, title: str, message: str, result: Result) -> Axes:
    """Draw the figure of a study that has nothing to show, and say so."""
    headings(ax, title, "", result)
    verbatim([ax.text(0.5, 0.5, message, transform=ax.transAxes, ha="center", va="center", color=GREY)])
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def value_axis(axis: Axis, measure: Measure, label: str = "") -> None:
    """Label an axis with values of a measure, with as many decimals as its ticks need; ``label`` is what they are."""
    _ticks(axis, measure.text, 100.0 if measure.percent else 1.0)
    if label:
        axis.set_label_text(drawable(f"{label[:1].upper()}{label[1:]}", 60))
        verbatim([axis.label])


def percent_axis(axis: Axis) -> None:
    """Label an axis of decimals as signed percentages, with as many decimals as its ticks need."""
    _ticks(axis, formats.percent, 100.0)


def shock_axis(axis: Axis, measure: Measure) -> None:
    """Label an axis with shocks to what the measure is made from."""
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


def from_the_event(result: Result) -> str:
    """Give the label of an axis of relative days."""
    return f"{formats.day_unit(result.events['session']).capitalize()}s from the event"


def day_axis(ax: Axes) -> None:
    """Make the x axis one of relative days, with lines at the event day and at zero."""
    ax.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=11, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(lambda value, _: formats.count(value))
