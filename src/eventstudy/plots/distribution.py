"""The distribution of the CARs (or another studied outcome) of events, against that of as many days before them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from eventstudy import arguments
from eventstudy.analysis.past import Past
from eventstudy.display import formats
from eventstudy.display.rows import in_window
from eventstudy.errors import NotEnoughData
from eventstudy.plots import _events, _style
from eventstudy.result import Result

MOST_BINS = 40


def distribution(
    result: Result,
    *,
    window: tuple[int, int] | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how the CARs of the used events are spread, and how sums of as many estimation days are.

    Parameters
    ----------
    result : Result
    window : (int, int), optional
        A window of the study; the first by default.
    title : str, optional
        In place of "Distribution of the CARs", or "of the signed CARs" in a study with signs.
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Shares of the events (bars) and of all runs of estimation days of the same events that are as long as the window
        (line), by CAR; the outer bins hold what lies beyond them. Without an effect both are alike but for the error of
        the forecast. In a study with signs both are multiplied by the sign of the event, as in its averages, and events
        without a sign are left out. The line is not drawn for compounded effects, or for a result without its study.

    Raises
    ------
    InputError
        If the window is not one of the study.

    Examples
    --------
    >>> from eventstudy import demo
    >>> demo.run().result.plot("distribution").get_xlabel()
    'Signed CAR (0, 0) (%)'
    """
    measure = result.measure
    name = _style.named(title, f"Distribution of the {measure.averaged}s")
    with _style.drawing(_style.SIZE, figsize, ax) as ax:
        unsigned, pair = _cars(result, window)
        cars = _events.signed(result, unsigned)
        if not len(cars):
            return _style.blank(ax, name, f"no event has a {measure.averaged}", result)
        before = _before(result, cars.index, pair)
        bins = _bins(cars.to_numpy(), before)
        _shares(ax, cars.to_numpy(), bins, filled=True, label=f"{formats.plural(len(cars), 'event')}")
        if len(before):
            days = formats.plural(pair[1] - pair[0] + 1, formats.day_or_bar(result.events["session"]))
            _shares(ax, before, bins, filled=False, label=f"{len(before):,} runs of {days} before")
        ax.axvline(0, color=_style.GREY, linewidth=0.8, zorder=1)
        ax.axvline(float(cars.mean()), color=_style.RED, linewidth=1.4, linestyle=(0, (5, 3)), zorder=4)
        _style.value_axis(ax.xaxis, measure, f"{measure.averaged} {formats.window(*pair)}")
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=""))
        ax.set_ylabel("Share in the bin (%)")
        _style.legend_below(ax, 2)
        caption = _caption(result, cars, before)
        n_without = len(unsigned) - len(cars)
        caption += f"; {n_without} without a sign left out" if n_without else ""
        _style.headings(ax, name, caption, result)
    return ax


def _cars(result: Result, window: tuple[int, int] | None) -> tuple[pd.Series[float], tuple[int, int]]:
    """Return the CARs of the used events over a window, and the window."""
    cars, column = result.cars, result.measure.column
    windows = list(dict.fromkeys(zip(cars["start"].tolist(), cars["end"].tolist(), strict=True)))
    if not windows:
        return cars.set_index("event_id")[column], (0, 0)
    pair = arguments.one_window(window, windows)
    values = in_window(cars, pair).set_index("event_id")[column].dropna()
    return values[values.index.isin(formats.usable_events(result).index)], pair


def _before(result: Result, events: pd.Index, window: tuple[int, int]) -> np.ndarray:
    """Return the sums over runs of estimation days, flat; none where they do not compare with the effects.

    In a study with signs they are signed, as all that it sums over events.
    """
    if result.rerun is None or not result.measure.has_p:
        return np.empty(0)
    try:
        runs = Past(result.rerun, result.events.loc[events], window, 0).runs
    except NotEnoughData:
        return np.empty(0)
    return np.asarray(runs[np.isfinite(runs)])


def _bins(cars: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the edges of bins over the CARs and all but the outermost 0.2 % of the sums before."""
    low, high = float(cars.min()), float(cars.max())
    if len(before):
        low, high = min(low, float(np.quantile(before, 0.001))), max(high, float(np.quantile(before, 0.999)))
    if high - low < 1e-12:
        low, high = low - 0.5, high + 0.5
    n = int(np.clip(2.0 * len(cars) ** 0.5, 8, MOST_BINS))
    return np.linspace(low, high, n + 1)


def _shares(ax: Axes, values: np.ndarray, bins: np.ndarray, *, filled: bool, label: str) -> None:
    """Draw the share of values in each bin; those beyond the outer edges are in the outer bins."""
    share = np.histogram(np.clip(values, bins[0], bins[-1]), bins)[0] / len(values)
    if filled:
        ax.bar(
            bins[:-1], share, np.diff(bins), align="edge", color=_style.BLUE, alpha=0.45, linewidth=0.4,
            edgecolor="white", label=label, zorder=2,
        )  # fmt: skip
    else:
        ax.stairs(share, bins, color=_style.INK, linewidth=1.5, label=label, zorder=3)


def _caption(result: Result, cars: pd.Series[float], before: np.ndarray) -> str:
    measure = result.measure
    text = f"dashed: mean {measure.text(cars.mean())}"
    if len(cars) > 1:
        text += f"; standard deviation {measure.text(cars.std()).lstrip('+')}"
        text += f", before the events {measure.text(before.std()).lstrip('+')}" if len(before) > 1 else ""
    return text


def alt(result: Result) -> str:
    """Describe mean, standard deviation and quartiles of the effects."""
    measure, (unsigned, pair) = result.measure, _cars(result, None)
    cars = _events.signed(result, unsigned)
    text = (
        f"Histogram of the {measure.averaged_full} of {formats.plural(len(cars), 'event')} over {formats.window(*pair)}"
    )
    if not len(cars):
        return f"{text}: no event has one"
    quartiles = " to ".join(measure.text(cars.quantile(q)) for q in (0.25, 0.75))
    return f"{text}: mean {measure.text(cars.mean())}, median {measure.text(cars.median())}, half from {quartiles}"


PLOT = distribution
