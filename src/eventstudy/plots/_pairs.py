"""Pairs: the premium of an ADR over its home listing by close, around announcements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.plots import _style, _text

if TYPE_CHECKING:
    from eventstudy.analysis.pairs import Pairs

BEFORE, AFTER = -10, 10  # closes
FAINT = 0.35


def draw(
    pairs: Pairs,
    *,
    announcement: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the moves of both listings and the premium of one announcement, or the gaps of all.

    Parameters
    ----------
    pairs : Pairs
    announcement : str, optional
        One announcement: the cumulative moves of the ADR (in the home currency) and of the home listing, and the
        premium. By default the premium after the first close against that after the second, of all announcements.
    title : str, optional
        In place of the figure's own.
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Log points in per cent.
    """
    if announcement is None:
        return _gaps(pairs, _style.named(title, "The gap between two listings"), figsize, ax)
    arguments.choice("announcement", announcement, list(dict.fromkeys(pairs.frame["announcement"])))
    return _one(pairs, announcement, title, figsize, ax)


def _gaps(pairs: Pairs, title: str, figsize: tuple[float, float] | None, ax: Axes | None) -> Axes:
    rows = pairs.frame.dropna(subset=["gap_first", "gap_both"])
    with _style.drawing((6.4, 5.0), figsize, ax) as ax:
        if rows.empty:
            return _style.blank(ax, title, "no announcement has a premium on both listings", pairs)
        for k, (first, name) in enumerate((("adr", "the ADR closed first"), ("home", "the home listing closed first"))):
            own = rows[rows["first"] == first]
            large = own["closed"].notna().to_numpy()
            style: dict[str, Any] = {
                "marker": _style.MARKERS[k],
                "s": 30,
                "edgecolor": _style.COLOURS[k],
                "linewidth": 1.0,
                "zorder": 3,
            }
            for part, face in ((~large, "white"), (large, _style.COLOURS[k])):
                ax.scatter(own["gap_first"][part], own["gap_both"][part], facecolor=face, **style)
            ax.scatter([], [], facecolor=_style.COLOURS[k], label=name, **style)
        reach = float(np.nanmax(rows[["gap_first", "gap_both"]].abs().to_numpy())) * 1.08
        ax.plot([-reach, reach], [-reach, reach], color=_style.GREY, linewidth=1.0, linestyle=(0, (5, 3)), zorder=2)
        ax.axhline(0, color=_style.GREY, linewidth=0.8, zorder=1)
        ax.axvline(0, color=_style.GREY, linewidth=0.8, zorder=1)
        ax.grid(visible=True, axis="both")
        ax.set(xlabel="Gap after the first close (%)", ylabel="Gap after the second close (%)")
        for axis in (ax.xaxis, ax.yaxis):
            _style.signed_axis(axis, percent=True)
        _style.legend_below(ax, 2)
        _style.headings(
            ax, title,
            "premium of the ADR, less its median before; at 0: closed; dashed line: nothing closed; filled: larger"
            " than usual", pairs,
        )  # fmt: skip
    return ax


def _one(
    pairs: Pairs, announcement: str, title: str | None, figsize: tuple[float, float] | None, ax: Axes | None
) -> Axes:
    path = pairs.path
    rows = path[(path["announcement"] == announcement) & path["step"].between(BEFORE, AFTER)] if len(path) else path
    name = _style.named(title, _text.drawable(announcement, 50))
    with _style.drawing(_style.SIZE, figsize, ax) as ax:
        if rows.empty:
            reason = pairs.frame.loc[pairs.frame["announcement"] == announcement, "note"].iloc[0]
            return _style.blank(ax, name, formats.plain(reason), pairs)
        rows = rows[(rows["adr"] == rows["adr"].iloc[0]) & (rows["home"] == rows["home"].iloc[0])]
        adr, home = rows["adr"].iloc[0], rows["home"].iloc[0]
        rate = rows["fx_log"].fillna(0.0) if rows["fx_log"].isna().all() else rows["fx_log"]
        lines = (
            (f"{adr}, in the currency of {home}" if rows["fx_log"].notna().any() else str(adr), rows["adr_log"] + rate),
            (str(home), rows["home_log"]), ("premium", rows["premium"]),
        )  # fmt: skip
        for k, (label, values) in enumerate(lines):
            ax.plot(
                rows["step"], values, drawstyle="steps-post", color=_style.COLOURS[k], linestyle=_style.DASHES[k],
                label=_text.drawable(label, 40), zorder=3,
            )  # fmt: skip
        _style.day_axis(ax)
        ax.axvspan(0, 1, color=_style.RULE, alpha=FAINT, zorder=0)
        _style.signed_axis(ax.yaxis, percent=True)
        ax.set(xlabel="Closes of either market; 1: the first that could react", ylabel="Log change (%)")
        _style.legend_below(ax, 3)
        row = pairs.frame[(pairs.frame["announcement"] == announcement) & (pairs.frame["adr"] == adr)].iloc[0]
        _style.headings(ax, name, _words(row), pairs)
    return ax


def _words(row: pd.Series) -> str:
    """Return who closed first, the gaps, and what the currency did."""
    first = {"adr": row["adr"], "home": row["home"]}.get(row["first"], "both")
    text = f"{first} closed first, by {row['hours']:.0f} hours"
    if formats.is_missing(row["gap_first"]):
        return text
    gaps = (formats.percent(row[name]) for name in ("gap_first", "gap_both", "currency"))
    return "{}; gap {} after the first close, {} after the second; currency {}".format(text, *gaps)
