"""The style shared by all figures: colours, fonts, percent axes, titles, and text without missing glyphs."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import Formatter, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.display.formats import HasProvenance
from eventstudy.display.measure import Measure
from eventstudy.errors import InputError, shown
from eventstudy.plots import _text

INK, GREY, RULE, BLUE, RED, WARN = "#1f2933", "#5b6570", "#d5dade", "#1f5a8a", "#b3372f", "#9a3412"
# Colours of Okabe & Ito (2008), which colour-blind readers tell apart; in grey, line styles and markers do.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), "-", (0, (6, 2)), (0, (2, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SIZE = (7.2, 3.9)  # inches
SMALLEST = 2.0  # inches: headings and labels leave no room for axes in less
TICK = 3.5  # points: the length of a tick, and its distance from the label
Size = tuple[float, float]
STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK,
    "axes.labelpad": 4.0,
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
    "xtick.major.pad": TICK,
    "xtick.major.size": TICK,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.major.pad": TICK,
    "ytick.major.size": TICK,
}
HEADING = "heading"  # the gid of subtitle and note
INSET = 0.9  # inches: axes further from the left edge have their headings at the edge
ABOVE: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}


class PngFigure(Figure):
    """A figure without a window; a notebook displays it when it is the last expression of a cell.

    ``rewrap`` breaks the lines of the headings again, for axes of some width that are some inches from the left edge,
    and returns whether they differ.
    """

    rewrap: Callable[[float, float], bool] | None = None

    def _repr_png_(self) -> bytes:
        return png(self)


def png(figure: Figure, dpi: float | None = None) -> bytes:
    """Return a figure as a PNG."""
    target, dpi = io.BytesIO(), dpi or figure.dpi
    with placed(figure, dpi):
        figure.savefig(target, format="png", dpi=dpi, facecolor="white")
    return target.getvalue()


def context(more: Mapping[str, Any] | None = None) -> AbstractContextManager[None]:
    """Return the style context of all figures, which neither depends on the caller's rcParams nor changes them.

    ``more`` are further rcParams.
    """
    return matplotlib.style.context(["default", {**STYLE, "font.family": list(_text.families()), **(more or {})}])


def size(figsize: object, default: Size, ax: Axes | None = None) -> Size:
    """Return the width and height of a new figure in inches; raise InputError unless they are numbers."""
    if figsize is None:
        return default
    if ax is not None:
        raise InputError("figsize is that of a new figure, and ax is given; leave out one of them")
    pair = list(figsize) if isinstance(figsize, list | tuple | np.ndarray) else []
    if len(pair) != 2 or not all(arguments.is_number(side) and SMALLEST <= side <= 200 for side in pair):
        raise InputError(f"figsize is {shown(figsize)}; give width and height in inches, 2 or more, as (3.5, 2.6)")
    return float(pair[0]), float(pair[1])


def fitting(figsize: object, taken: float, each: float, most: int, ax: Axes | None = None) -> int:
    """Return how many rows a figure shows: at most some, and no more than fit into the height that the caller sets.

    Parameters
    ----------
    figsize, ax
        Of the caller; without both the height grows with the rows.
    taken : float
        Inches above and below the rows.
    each : float
        Inches of a row at least.
    most : int
    """
    figure = None if ax is None else ax.get_figure(root=True)
    if figsize is None and (ax is None or figure is None):
        return most
    inside = 0.0 if ax is None or figure is None else figure.get_size_inches()[1] * ax.get_position().height
    height = inside if figsize is None else size(figsize, SIZE, ax)[1] - taken
    return int(np.clip(height / each, 5, most))


@contextmanager
def drawing(default: Size, figsize: object = None, ax: Axes | None = None) -> Iterator[Axes]:
    """Yield the caller's axes, or the axes of a new figure of some size in inches, within the style context."""
    inches = size(figsize, default, ax)
    with context():
        ax = PngFigure(figsize=inches).subplots() if ax is None else ax
        _set_spaces(ax)
        yield ax
        if isinstance(ax.figure, PngFigure):
            lay_out(ax.figure)  # matplotlib makes ticks when it first places axes: here, with the style set
            place, across = ax.get_position(), float(ax.figure.get_size_inches()[0])
            if ax.figure.rewrap is not None and ax.figure.rewrap(across * place.width, across * place.x0):
                lay_out(ax.figure)


def lay_out(figure: Figure) -> None:
    """Place the axes of a figure; to draw it for that, as matplotlib does, takes twice as long."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


@contextmanager
def placed(figure: Figure, dpi: float) -> Iterator[None]:
    """Place the axes of a figure for a resolution and keep them there; to place them, matplotlib draws it twice.

    Letters are as wide as whole pixels make them, so that their widths in inches depend on the resolution.
    """
    engine, before = figure.get_layout_engine(), figure.dpi
    if engine is None:
        yield
        return
    figure.dpi = dpi
    try:
        engine.execute(figure)
        with matplotlib.rc_context({"figure.autolayout": False, "figure.constrained_layout.use": False}):
            figure.set_layout_engine(None)
        yield
    finally:
        figure.set_layout_engine(engine)
        figure.dpi = before


def _set_spaces(ax: Axes) -> None:
    """Set the sizes and distances of tick labels and axis labels: axes of the caller may have those of another style.

    The space for tick labels is computed later, outside the context.
    """
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_tick_params(labelsize=STYLE["font.size"], pad=TICK, length=TICK)
        axis.label.set_fontsize(STYLE["axes.labelsize"])
        axis.labelpad = STYLE["axes.labelpad"]


def legend_below(ax: Axes, most: int, *, gap: float = 4.6) -> None:
    """Place the legend below the axes, where it covers no line, in as many columns as are not wider than the axes.

    Parameters
    ----------
    ax : Axes
    most : int
        Columns at most.
    gap : float
        Distance from the axes, in sizes of the legend's font: the labels of the axis stand there.
    """
    size, handle, between = 8.0, 2.8, 1.2
    names = ax.get_legend_handles_labels()[1]
    widest = max(_text.points(name, size) for name in names) + (handle + 0.8 + between) * size
    columns = int(np.clip(72.0 * width(ax) / widest, 1, most))
    legend = ax.legend(
        loc="upper left", bbox_to_anchor=(0, 0), ncols=columns, borderaxespad=gap, borderpad=0, fontsize=size,
        handlelength=handle, columnspacing=between,
    )  # fmt: skip
    verbatim(legend.get_texts())


def verbatim(texts: Iterable[Text]) -> None:
    """Turn off mathematics between dollar signs; the style does so only for text that is created in its context."""
    for text in texts:
        text.set_parse_math(False)


def prices_note(result: HasProvenance) -> str:
    """Return the note on the prices that every figure must show, or empty text."""
    note = formats.prices_note(result)
    return _text.drawable(note, 40, bold=True) if note else ""


def named(title: object, default: str) -> str:
    """Return the title of a figure: the caller's, which is checked, or the figure's own."""
    return default if title is None else arguments.text("title", title, "a title, as 'Reaction to fines'")


def headings(ax: Axes, title: str, subtitle: str, result: HasProvenance) -> None:
    """Write title and subtitle above the axes, in as many lines as they need, and the note on the prices at the right.

    Where title and note do not fit beside each other, the note is a line of its own above the title.
    """
    note = prices_note(result)
    first = _headings(_text.drawable(title, bold=True), subtitle, note, width(ax))
    _write_headings(ax, first, note)

    def rewrap(inside: float, left: float) -> bool:
        shift = left - 0.08 if left > INSET else 0.0
        beside = inside + shift  # the note ends where the axes end, the lines before a bar of colours does
        room = max(beside, _figure_width(ax) - (left - shift) - 0.12)
        again = _headings(_text.drawable(title, bold=True), subtitle, note, room, beside)._replace(left=shift)
        if again[:3] == first[:3] and not shift:
            return False
        for text in [text for text in ax.texts if text.get_gid() == HEADING]:
            text.remove()
        _write_headings(ax, again, note)
        return True

    figure = ax.get_figure(root=True)
    if isinstance(figure, PngFigure):
        figure.rewrap = rewrap


class _Headings(NamedTuple):
    """Lines of title and subtitle, whether the note is beside the title, its size, and how far left they begin."""

    title: list[str]
    subtitle: list[str]
    beside: bool
    size: float
    left: float = 0.0


def _headings(title: str, subtitle: str, note: str, inches: float, beside: float | None = None) -> _Headings:
    """Break title and subtitle into the lines that fit in a width, in which the note ends at ``beside``."""
    room, size = 72.0 * inches, 11.0 if inches > 4.0 else 9.5
    lines, end = _text.wrapped(title, room, size, bold=True), room if beside is None else 72.0 * beside
    return _Headings(lines, _text.wrapped(subtitle, room), _fit_beside(lines, note, end, size), size)


def _fit_beside(lines: list[str], note: str, room: float, size: float) -> bool:
    """Return whether a title and the note on the prices fit on one line of some points."""
    return (
        len(lines) == 1 and _text.points(lines[0], size, bold=True) + _text.points(note, 9.0, bold=True) + 12.0 < room
    )


def _write_headings(ax: Axes, lines: _Headings, note: str) -> None:
    pad, left = 9.0 + 11.0 * len(lines.subtitle), -72.0 * lines.left
    style = {"gid": HEADING, **ABOVE}
    texts: list[Text] = [ax.annotate("\n".join(lines.subtitle), (0, 1), xytext=(left, 6), color=GREY, **style)]
    figure = ax.get_figure(root=True)
    # It stands below the title, and its lines are broken to fit: beside narrow axes it would make them narrower still.
    texts[0].set_in_layout(not isinstance(figure, PngFigure))
    texts.append(ax.set_title(note if lines.beside else "", loc="right", pad=pad, color=WARN, fontsize=9, **_text.BOLD))
    texts.append(ax.set_title("\n".join(lines.title), loc="left", pad=pad, fontsize=lines.size, **_text.BOLD))
    if figure is not None and lines.left:
        shift = ScaledTranslation(-lines.left, pad / 72.0, figure.dpi_scale_trans)
        texts[-1].set_transform(ax.transAxes + shift)
    if note and not lines.beside:
        above = (left, pad + 1.22 * lines.size * len(lines.title))
        texts.append(ax.annotate(note, (0, 1), xytext=above, color=WARN, fontsize=9, **style, **_text.BOLD))
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
    size = 11.0 if width > 4.0 else 9.5
    lines = _text.wrapped(_text.drawable(title, bold=True), room, size, bold=True)
    beside = _fit_beside(lines, note, room, size)
    if note and not beside:
        lines.append(" ")
    down = 0.08 + (0.0 if beside else 0.185 * (len(lines) - 1))
    head = figure.suptitle(
        "\n".join(lines), x=0.08 / width, y=1 - 0.08 / height, va="top", ha="left", fontsize=size, **_text.BOLD
    )
    side = figure.text(
        (1 if beside else 0) + (-0.08 if beside else 0.08) / width, 1 - down / height, note, va="top",
        ha="right" if beside else "left", color=WARN, fontsize=9, **_text.BOLD,
    )  # fmt: skip
    verbatim([head, side])
    return len(lines)


def width(ax: Axes) -> float:
    """Return about how many inches wide axes will be: a layout engine places them when the figure is complete."""
    figure, across = ax.get_figure(root=True), _figure_width(ax)
    alone = isinstance(figure, PngFigure) and len(figure.axes) == 1
    return across - 0.8 if alone else across * ax.get_position().width


def _figure_width(ax: Axes) -> float:
    figure = ax.get_figure(root=True)
    return SIZE[0] if figure is None else float(figure.get_size_inches()[0])


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
    axis.set_label_text(_text.drawable(f"{label[:1].upper()}{label[1:]}", 60) + (" (%)" if measure.percent else ""))
    verbatim([axis.label])


def signed_axis(axis: Axis, percent: bool) -> None:
    """Format the ticks of an axis as signed numbers, or as those of per cent, with as many decimals as they need."""
    axis.set_major_formatter(_Signed(100.0 if percent else 1.0))


class _Signed(Formatter):
    """Format signed numbers, times a scale, with as many decimals as the ticks of the axis need."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.set_locs(())

    def set_locs(self, locs: Any) -> None:
        """Find the decimals of the ticks of the axis: once for all of them."""
        ticks = self.scale * np.asarray(locs, dtype=np.float64)
        self.close = 1e-6 * min(1.0, float(np.ptp(ticks))) if len(ticks) else 0.0
        near = (np.abs(ticks - ticks.round(d)).max(initial=0.0) <= self.close for d in range(12))
        self.digits = next((d for d, enough in enumerate(near) if enough), 12)

    def __call__(self, x: float, pos: int | None = None) -> str:
        return "0" if abs(self.scale * x) < self.close else formats.signed(self.scale * x, self.digits)


def day_label(result: formats.HasEvents) -> str:
    """Return the label of an axis of relative days."""
    return f"{formats.day_unit(result.events['session']).capitalize()}s from the event"


def day_axis(ax: Axes) -> None:
    """Format the x axis as relative days; draw lines at day 0 and at the value 0."""
    ax.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    day_ticks(ax)


def day_ticks(ax: Axes) -> None:
    """Format the ticks of the x axis as relative days."""
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=11 if width(ax) > 4 else 7, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(lambda value, _: formats.count(value))
