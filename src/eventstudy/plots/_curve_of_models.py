"""The specification curve: the estimates of all specifications, sorted, above the choices that define each."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.display.formats import HasProvenance
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.plots import _bands, _style, _text

LEVEL = 0.05
MAX_COUNTED = 60  # specifications for which there is room to show their numbers of events
ROW_HEIGHT = 0.19  # inches, of a row of the lower panel
Row = tuple[str, str]  # a block and a choice
Window = tuple[int, int]


class Specifications(HasProvenance, Protocol):
    """The part of :class:`eventstudy.analysis.specifications.Specifications` that the figures use."""

    @property
    def models(self) -> pd.DataFrame:
        """The models, by label."""

    @property
    def effects(self) -> pd.DataFrame:
        """The mean effects with their standard errors, by model and window."""

    @property
    def windows(self) -> list[Window]:
        """The windows, in their order."""

    @property
    def measure(self) -> Measure:
        """What the study measures."""

    def summary(self, window: Window | None = None, test: str | None = None) -> pd.DataFrame:
        """Return the mean effect by model."""

    def table(self, window: Window | None = None) -> pd.DataFrame:
        """Return the effect of each event by model."""

    def dependence(self, window: Window | None = None) -> pd.DataFrame:
        """Return the range of each event's effect over the models."""


def draw(
    specifications: Specifications,
    *,
    window: Window | Literal["all"] | None = None,
    test: str | None = None,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
) -> np.ndarray:
    """Draw the mean CARs of all models, sorted, with their intervals.

    Parameters
    ----------
    specifications : Specifications
    window : (int, int) or "all", optional
        The first by default; "all" draws a specification for each pair of model and window.
    test : str, optional
        The test that fills the estimates; the study's first by default.
    level : float
        Level of confidence of the intervals, 0.95 by default.
    title : str, optional
        In place of "Mean CAR by specification".
    figsize : (float, float), optional
        Width and height of a new figure in inches.

    Returns
    -------
    array of Axes (2,)
        Percent by specification; and below it a dot for each choice. In the rows of the tests a dot is filled where
        the test rejects at 5 %, hollow where it does not.
    """
    windows, level = specifications.windows, _bands.check_level(level)
    if not isinstance(window, str) or window != "all":
        windows = [arguments.one_window(window, windows)]
    table = pd.concat([_of_window(specifications, pair, test, level) for pair in windows])
    table = table.sort_values("effect", kind="stable").reset_index(drop=True)  # NaN last
    rows = _rows(table, [formats.window(*pair) for pair in specifications.windows])
    n_blocks = len({block for block, _ in rows})
    label_width = max(formats.columns_of(choice) for _, choice in rows)
    side = 0.4 + 0.07 * min(max(label_width, 12), 40)
    below = ROW_HEIGHT * (len(rows) + 1.35 * n_blocks)
    own = (side + 0.15 + max(5.7, 0.34 * min(len(table), 60)), 0.6 + 2.7 + 0.3 + below + 0.3)
    width, height = _style.size(figsize, own)
    curve = max(height - (0.6 + 0.3 + below + 0.3), 0.5)
    with _style.context():
        figure = _style.PngFigure(figsize=(width, height))
        figure.set_layout_engine("none")
        grid = GridSpec(
            2, 1, figure, left=side / width, right=1 - 0.15 / width, top=1 - 0.6 / height, bottom=0.3 / height,
            height_ratios=[curve, below], hspace=2 * 0.3 / (curve + below),
        )  # fmt: skip
        upper = figure.add_subplot(grid[0])
        lower = figure.add_subplot(grid[1], sharex=upper)
        _estimates(upper, table)
        _style.value_axis(upper.yaxis, specifications.measure, f"mean {specifications.measure.averaged}")
        _choices(lower, table, rows)
        name = str(table["test"].iloc[0])
        count = formats.plural(len(table), "specification")
        where = f"; window {table['window'].iloc[0]}" if len(windows) == 1 else ""
        text = f"{count}{where}; bars: {_bands.percent(level)}; filled, red: p < 5 % by {_text.drawable(name, 24)}"
        text += "" if table.loc[table["p"].notna(), "valid"].all() else ", which does not hold for this sample"
        heading = _style.named(title, f"Mean {specifications.measure.averaged} by specification")
        _style.headings(upper, heading, text, specifications)
        _notes(figure, specifications, table)
        figure.draw_without_rendering()  # matplotlib makes ticks when it first draws: here, with the style set
    return np.array([upper, lower])


def _of_window(specifications: Specifications, window: Window, test: str | None, level: float) -> pd.DataFrame:
    """Return the mean effect of each model in a window, with its interval."""
    summary = specifications.summary(window, test)
    se = in_window(specifications.effects, window).set_index("model")["se"].reindex(summary.index)
    ends = _bands.edges(summary.assign(se=se), level, "effect")
    return summary.assign(lower=ends["lower"], upper=ends["upper"], window=formats.window(*window)).reset_index()


def _notes(figure: Figure, specifications: Specifications, table: pd.DataFrame) -> None:
    """Explain the grey strokes and the crosses below the figure, if there are any."""
    notes = []
    if _differs(table).any():
        notes.append(f"grey stroke: what {_text.drawable(specifications.models.index[0], 24)} gives the same events")
    if (table["n"] == 0).any():
        notes.append("×: no event could be estimated")
    width, height = figure.get_size_inches()
    note = figure.text(0.1 / width, 0.1 / height, "; ".join(notes), fontsize=8, color=_style.GREY, va="bottom")
    _style.verbatim([note])


def _differs(table: pd.DataFrame) -> np.ndarray:
    """Return where a specification's estimate differs from that of the first model on the same events."""
    return ((table["effect"] - table["reference"]).abs() > 1e-9 * table["effect"].abs()).to_numpy()


def _rows(table: pd.DataFrame, windows: list[str]) -> list[Row]:
    """Return the rows of the lower panel: one for each choice, by block."""
    blocks: dict[str, list[str]] = {}
    blocks["Model"] = list(dict.fromkeys(table["model"]))
    if table["family"].nunique() > 1:
        blocks["Made from"] = list(dict.fromkeys(table["family"]))
    if table["window"].nunique() > 1:
        blocks["Window"] = windows
    blocks["Rejects at 5 %"] = [str(name)[2:] for name in table if str(name).startswith("p_")]
    return [(block, choice) for block, choices in blocks.items() for choice in choices]


def _estimates(ax: Axes, table: pd.DataFrame) -> None:
    x = np.arange(len(table))
    colour = np.where(table["p"] < LEVEL, _style.RED, _style.BLUE)
    ax.axhline(0, color=_style.GREY, linewidth=0.8, zorder=1)
    ax.vlines(x, table["lower"], table["upper"], color=colour.tolist(), linewidth=1.8, alpha=0.55, zorder=2)
    differs = _differs(table)
    reference, middle = table["reference"][differs], x[differs]
    ax.hlines(reference, middle - 0.25, middle + 0.25, color=_style.GREY, linewidth=1.4, zorder=2)
    face = np.where(table["p"] < LEVEL, _style.RED, "white")
    ax.scatter(x, table["effect"], s=26, c=face.tolist(), edgecolor=colour.tolist(), linewidth=1.2, zorder=3)
    ax.set_xlim(-0.7, len(table) - 0.3)
    ax.tick_params(axis="x", length=0, labelbottom=False)
    ax.spines["bottom"].set_visible(False)
    if len(table) > MAX_COUNTED:
        return
    for position, n in zip(x, table["n"], strict=True):
        _style.verbatim(
            [
                ax.annotate(
                    formats.count(n), (position, 0), xycoords=("data", "axes fraction"), xytext=(0, -4),
                    textcoords="offset points", ha="center", va="top", fontsize=7.5, color=_style.GREY,
                )
            ]
        )  # fmt: skip
    _style.verbatim(
        [
            ax.annotate(
                "events", (0, 0), xycoords="axes fraction", xytext=(-4, -4), textcoords="offset points", ha="right",
                va="top", fontsize=7.5, color=_style.GREY,
            )
        ]
    )  # fmt: skip


def _choices(ax: Axes, table: pd.DataFrame, rows: list[Row]) -> None:
    """Draw the dots of the lower panel, block by block from the top."""
    heights: dict[Row, float] = {}
    heads: dict[str, float] = {}
    y = 0.0
    for block, choice in rows:
        if block not in heads:
            y += 1.35 if heads else 1.0
            heads[block] = y - 1.0
        heights[block, choice] = y
        y += 1.0
    for (block, choice), height in heights.items():
        ax.axhline(height, color=_style.RULE, linewidth=0.6, zorder=1)
        full, hollow = _dots(table, block, choice)
        ax.scatter(
            np.flatnonzero(hollow), np.full(hollow.sum(), height), s=15, facecolor="white", edgecolor=_style.GREY,
            linewidth=0.9, zorder=3,
        )  # fmt: skip
        empty = full & (table["n"] == 0).to_numpy() & (block == "Model")
        full = full & ~empty
        ax.scatter(np.flatnonzero(full), np.full(full.sum(), height), s=17, color=_style.INK, zorder=3)
        ax.scatter(np.flatnonzero(empty), np.full(empty.sum(), height), s=26, marker="x", color=_style.RED, zorder=4)
    ax.set_yticks(list(heights.values()), [_text.drawable(choice, 40) for _, choice in heights], fontsize=8)
    _style.verbatim(ax.get_yticklabels())
    for block, height in heads.items():
        _style.verbatim(
            [
                ax.annotate(
                    block, (0, height), xycoords=("axes fraction", "data"), xytext=(-4, 0), ha="right", va="center",
                    textcoords="offset points", fontsize=8, color=_style.GREY, **_text.BOLD,
                )
            ]
        )  # fmt: skip
    ax.set_ylim(y - 0.5, -0.6)
    ax.grid(visible=False)
    ax.tick_params(length=0, labelbottom=False)
    ax.spines[:].set_visible(False)


def _dots(table: pd.DataFrame, block: str, choice: str) -> tuple[np.ndarray, np.ndarray]:
    """Return at which specifications a row has a filled dot, and at which a hollow one."""
    column = {"Model": "model", "Made from": "family", "Window": "window"}.get(block)
    if column is not None:
        full = (table[column] == choice).to_numpy()
        return full, np.zeros_like(full)
    p = table[f"p_{choice}"].to_numpy()
    return p < LEVEL, p >= LEVEL
