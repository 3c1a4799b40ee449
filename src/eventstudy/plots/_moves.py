"""The largest abnormal days of a ticker, with the events that meet them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from eventstudy.analysis.moves import Moves
from eventstudy.display import formats
from eventstudy.display.measure import measure_of
from eventstudy.errors import one_of
from eventstudy.plots import _style, _text

ROW_HEIGHT = 0.22  # inches per day


def draw(
    moves: Moves,
    *,
    ticker: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the abnormal returns of the largest days of a ticker, largest first, with the ids of their events.

    Parameters
    ----------
    moves : Moves
    ticker : str, optional
        By default the one with the most events on its largest days.
    title : str, optional
        In place of "Largest abnormal days of" the ticker.
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Blue bars have an event in the session, grey ones none. Of a ticker without an estimated day, the reason.

    Raises
    ------
    InputError
        If the ticker is not one of the moves.
    """
    known = list(moves.tickers.index)
    chosen = _most_met(moves) if ticker is None else ticker
    if ticker is not None and ticker not in known:
        raise one_of("ticker", ticker, known)
    rows = moves.frame[moves.frame["ticker"] == chosen]
    name = _style.named(title, f"Largest abnormal {moves.row}s of {chosen}")
    with _style.drawing((8.4, 1.4 + ROW_HEIGHT * max(len(rows), 3)), figsize, ax) as ax:
        if not len(rows):
            reason = str(moves.tickers["reason"][chosen])
            return _style.blank(ax, name, f"no {moves.row} could be estimated: {reason}", moves)
        y, met = np.arange(len(rows)), rows["events"].astype(bool).to_numpy()
        for part, colour, label in ((met, _style.BLUE, "with an event"), (~met, _style.GREY, "without an event")):
            ax.barh(y[part], rows["ar"][part], height=0.62, color=colour, label=label)
        ax.axvline(0, color=_style.GREY, linewidth=0.8)
        ax.set_yticks(y, [_label(row) for row in rows.to_dict("records")], fontsize=7.5)
        ax.tick_params(axis="y", length=0)
        _style.verbatim(ax.get_yticklabels())
        ax.set_ylim(len(rows) - 0.4, -0.6)
        _style.value_axis(ax.xaxis, measure_of(), "Abnormal return")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, borderaxespad=4.2, borderpad=0, fontsize=8)
        of = moves.tickers.loc[[chosen]].to_dict("records")[0]
        text = f"{of['n_met']:.0f} of {of['n_largest']:.0f} have an event; by chance {of['expected']:.1f}"
        _style.headings(ax, name, f"{text} (p {formats.p_value(of['p'])})", moves)
    return ax


def _most_met(moves: Moves) -> str:
    """Return the ticker with the most events on its largest days, of those with estimated days."""
    return str(moves.tickers.loc[moves.tickers["n_days"] > 0, "n_met"].idxmax())


def _label(row: Mapping[Hashable, Any]) -> str:
    """Return the date of a day and its events."""
    events = [_text.drawable(", ".join(row["events"]), 38)] if row["events"] else []
    return "  ".join([*events, formats.date(row["session"])])
