"""The specification curve: what each specification finds, by size, above the choices that it is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from eventstudy.display import formats
from eventstudy.plots import _style

LEVEL = 0.05
NUMBERED = 60  # specifications, which have then room to say how many events they have
INCH = 0.19  # a row of the lower panel
Row = tuple[str, str]  # a block and a choice


def draw(found: Any, *, window: Any = None, test: str | None = None) -> np.ndarray:
    """Draw the mean CARs of all models, sorted, with their 95 % intervals.

    Parameters
    ----------
    found : Specifications
    window : (int, int) or "all", optional
        The first by default; "all" makes each window a specification of its own.
    test : str, optional
        The test that colours the estimates; the study's first by default.

    Returns
    -------
    array of Axes (2,)
        Percent by specification; and below it a dot for each choice. In the rows of the tests a dot is filled where
        the test rejects at 5 %, hollow where it does not.
    """
    windows = found.windows if isinstance(window, str) and window == "all" else [window]
    parts = []
    for its in windows:
        chosen = found.windows[0] if its is None else tuple(its)
        parts.append(found.summary(chosen, test).reset_index().assign(window=formats.window(*chosen)))
    table = pd.concat(parts).sort_values("effect", kind="stable").reset_index(drop=True)  # NaN last
    rows = _rows(table, [formats.window(*its) for its in found.windows])
    blocks = len({block for block, _ in rows})
    names = max(formats.columns_of(choice) for _, choice in rows)
    side = 0.4 + 0.07 * min(max(names, 12), 40)
    width = side + 0.15 + max(5.7, 0.34 * min(len(table), 60))
    below = INCH * (len(rows) + 1.35 * blocks)
    with _style.context():
        figure = _style.Sheet(figsize=(width, 0.6 + 2.7 + 0.3 + below + 0.3))
        figure.set_layout_engine("none")
        height = figure.get_size_inches()[1]
        grid = GridSpec(
            2, 1, figure, left=side / width, right=1 - 0.15 / width, top=1 - 0.6 / height, bottom=0.3 / height,
            height_ratios=[2.7, below], hspace=2 * 0.3 / (2.7 + below),
        )  # fmt: skip
        upper = figure.add_subplot(grid[0])
        lower = figure.add_subplot(grid[1], sharex=upper)
        _estimates(upper, table)
        _style.value_axis(upper.yaxis, found.measure)
        upper.set_ylabel("")
        _choices(lower, table, rows)
        name = str(table["test"].iloc[0])
        given = formats.plural(len(table), "specification")
        where = f"; window {table['window'].iloc[0]}" if len(windows) == 1 else ""
        text = f"{given}{where}; bars: 95 %; red: p < 5 % by {_style.drawable(name, 24)}"
        _style.headings(upper, f"Mean {found.measure.short} by specification", text, found)
        _notes(figure, found, table)
        figure.draw_without_rendering()  # ticks are made when first drawn: here, in our style
    return np.array([upper, lower])


def _notes(figure: Figure, found: Any, table: pd.DataFrame) -> None:
    """Say below what the grey strokes and the crosses are, where there are any."""
    said = []
    if _apart(table).any():
        said.append(f"grey stroke: what {_style.drawable(found.models.index[0], 24)} gives the same events")
    if (table["n"] == 0).any():
        said.append("×: no event could be estimated")
    width, height = figure.get_size_inches()
    note = figure.text(0.1 / width, 0.1 / height, "; ".join(said), fontsize=8, color=_style.GREY, va="bottom")
    _style.verbatim([note])


def _apart(table: pd.DataFrame) -> np.ndarray:
    """Say where a specification differs from the first model on the same events."""
    return ((table["effect"] - table["reference"]).abs() > 1e-9 * table["effect"].abs()).to_numpy()


def _rows(table: pd.DataFrame, windows: list[str]) -> list[Row]:
    """Give the rows of the lower panel: blocks of choices, each choice a row."""
    blocks: dict[str, list[str]] = {}
    blocks["Model"] = list(dict.fromkeys(table["model"]))
    if table["family"].nunique() > 1:
        blocks["Made from"] = list(dict.fromkeys(table["family"]))
    if table["window"].nunique() > 1:
        blocks["Window"] = windows
    blocks["Rejects at 5 %"] = [str(name)[2:] for name in table if str(name).startswith("p_")]
    return [(block, choice) for block, choices in blocks.items() for choice in choices]


def _estimates(ax: Axes, table: pd.DataFrame) -> None:
    at = np.arange(len(table))
    colour = np.where(table["p"] < LEVEL, _style.RED, _style.BLUE)
    ax.axhline(0, color=_style.GREY, linewidth=0.8, zorder=1)
    ax.vlines(at, table["lower"], table["upper"], color=colour.tolist(), linewidth=1.8, alpha=0.55, zorder=2)
    apart = _apart(table)
    ax.hlines(table["reference"][apart], at[apart] - 0.25, at[apart] + 0.25, color=_style.GREY, linewidth=1.4, zorder=2)
    ax.scatter(at, table["effect"], s=30, color=colour.tolist(), edgecolor="white", linewidth=0.7, zorder=3)
    ax.set_xlim(-0.7, len(table) - 0.3)
    ax.tick_params(axis="x", length=0, labelbottom=False)
    ax.spines["bottom"].set_visible(False)
    if len(table) > NUMBERED:
        return
    for x, n in zip(at, table["n"], strict=True):
        _style.verbatim(
            [
                ax.annotate(
                    formats.count(n), (x, 0), xycoords=("data", "axes fraction"), xytext=(0, -4),
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
    place: dict[Row, float] = {}
    heads: dict[str, float] = {}
    y = 0.0
    for block, choice in rows:
        if block not in heads:
            y += 1.35 if heads else 1.0
            heads[block] = y - 1.0
        place[block, choice] = y
        y += 1.0
    for (block, choice), height in place.items():
        ax.axhline(height, color=_style.RULE, linewidth=0.6, zorder=1)
        full, hollow = _marked(table, block, choice)
        ax.scatter(
            np.flatnonzero(hollow), np.full(hollow.sum(), height), s=15, facecolor="white", edgecolor=_style.GREY,
            linewidth=0.9, zorder=3,
        )  # fmt: skip
        empty = full & (table["n"] == 0).to_numpy() & (block == "Model")
        full = full & ~empty
        ax.scatter(np.flatnonzero(full), np.full(full.sum(), height), s=17, color=_style.INK, zorder=3)
        ax.scatter(np.flatnonzero(empty), np.full(empty.sum(), height), s=26, marker="x", color=_style.RED, zorder=4)
    ax.set_yticks(list(place.values()), [_style.drawable(choice, 40) for _, choice in place], fontsize=8)
    _style.verbatim(ax.get_yticklabels())
    for block, height in heads.items():
        _style.verbatim(
            [
                ax.annotate(
                    block, (0, height), xycoords=("axes fraction", "data"), xytext=(-4, 0), ha="right", va="center",
                    textcoords="offset points", fontsize=8, color=_style.GREY, **_style.BOLD,
                )
            ]
        )  # fmt: skip
    ax.set_ylim(y - 0.5, -0.6)
    ax.grid(visible=False)
    ax.tick_params(length=0, labelbottom=False)
    ax.spines[:].set_visible(False)


def _marked(table: pd.DataFrame, block: str, choice: str) -> tuple[np.ndarray, np.ndarray]:
    """Say at which specifications a row has a filled dot, and at which a hollow one."""
    column = {"Model": "model", "Made from": "family", "Window": "window"}.get(block)
    if column is not None:
        full = (table[column] == choice).to_numpy()
        return full, np.zeros_like(full)
    p = table[f"p_{choice}"].to_numpy()
    return p < LEVEL, p >= LEVEL
