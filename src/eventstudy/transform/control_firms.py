"""Control firms: the firms that are most like the firm of each event, as its benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eventstudy import arguments
from eventstudy.bars import Prices
from eventstudy.errors import InputError, shown
from eventstudy.prepare.events import Events
from eventstudy.transform._characteristics import Characteristics
from eventstudy.transform._holding import Benchmark, Matched, matched, portfolio_returns
from eventstudy.transform._matching import Candidates, Firms, Market, check_name
from eventstudy.types import Floats, Ints

MANY = 1000  # control firms of an event


def control_firms(
    events: Events,
    prices: Prices,
    characteristics: object,
    on: Sequence[str],
    window: tuple[int, int],
    n: int = 1,
    within: Mapping[str, tuple[float, float]] | None = None,
    name: str = "control",
) -> Matched:
    r"""Match each event with the firms that are nearest in characteristics, and add them to the prices as benchmarks.

    .. math:: d_j^2 = \sum_k \Big( \frac{c_{jk} - c_{ik}}{s_k} \Big)^2

    with s_k the standard deviation of characteristic k among the firms that can be chosen. Of them, the ``n`` with the
    lowest distance are bought in equal parts before the first day of the window, and held. The market-adjusted model
    then gives abnormal returns against control firms, and with ``accumulate="compound"`` the BHARs of Barber & Lyon
    (1997, Journal of Financial Economics 43:341); Lyon, Barber & Tsai (1999, Journal of Finance 54:165).

    A firm can be chosen if it has prices on the calendar and in the currency of the event, characteristics that are
    dated before the announcement, a price on the session before the window, and no event whose window overlaps that of
    the event. A suspended control stays, and its return after the suspension is that over all of it. From the day after
    its last price on, it is replaced by the next nearest firm that still has prices; delisting returns can be added
    before (:func:`delisted`). On days before the window, the control firms are the nearest ones with a return.

    Parameters
    ----------
    events : Events
    prices : Prices
        Daily prices, or monthly ones (:func:`monthly`).
    characteristics : pandas, polars or pyarrow frame
        Columns ``ticker`` and those named in ``on``, and ``date``, the day on which a row became known: the last row
        dated before the announcement counts, so that figures of a fiscal year are dated when they were published.
        Without a column ``date`` they are taken as known before all events. Rows without a value are left out.
    on : sequence of str
        Characteristics of the distance; take logarithms of those that are skewed, as sizes are.
    window : (int, int)
        The event window of the study, in sessions. Events known by their date are placed with ``on_closed="next"``.
    n : int
        Control firms for each event.
    within : mapping from str to (float, float), optional
        Smallest and largest ratio of a characteristic to that of the event's firm: ``{"size": (0.7, 1.3)}`` with
        ``on=["bm"]`` is the match of Barber & Lyon.
    name : str
        Name of the column of the events that has the benchmarks, for ``Study(benchmark=name)``. They are the tickers
        ``CONTROL-1`` and so on. The column ``<name>_firms`` has the firms at the start of the window, ``<name>_note``
        the reason why an event has none; a study excludes such events as ``no_benchmark``.

    Returns
    -------
    Matched
        ``events`` and ``prices``.

    Raises
    ------
    InputError
        If an argument is not valid, or no event has a control firm.

    Examples
    --------
    >>> import eventstudy as es
    >>> import pandas as pd
    >>> days = pd.bdate_range("2021-01-04", periods=4)
    >>> prices = es.Prices.from_frame(pd.DataFrame({"A": [10.0] * 4, "B": [5, 5, 6, 6.0], "C": [8.0] * 4}, index=days))
    >>> events = es.Events.from_frame(pd.DataFrame({"ticker": ["A"], "announced": ["2021-01-06"]}))
    >>> sizes = pd.DataFrame({"ticker": ["A", "B", "C"], "size": [1.0, 1.2, 3.0]})
    >>> events, prices = control_firms(events, prices, sizes, on=["size"], window=(0, 1))
    >>> events.frame[["control", "control_firms"]].iloc[0].tolist()
    ['CONTROL-1', 'B']
    >>> es.Study(model="market_adjusted", benchmark="control", event=(0, 1), windows=((0, 1),)).benchmark
    'control'
    """
    arguments.whole("n", n, 1, MANY)
    names, bounds = _characteristics(on), _bounds(within)
    candidates = Candidates.of(events, prices, window)
    check_name(events, name)
    known = Characteristics.of(characteristics, [*names, *(other for other in bounds if other not in names)])
    made: dict[tuple[int, bytes], Benchmark] = {}
    benchmarks: list[Benchmark | str] = []
    for row in range(len(events)):
        firms = candidates.firms(row, known)
        if not isinstance(firms, str):
            order = _nearest(firms, known.names, len(names), bounds)
            benchmarks.append(_controls(firms, order, n, made))
        else:
            benchmarks.append(firms)
    limits = "".join(f", {key} within {low:g} to {high:g} of its own" for key, (low, high) in bounds.items())
    return matched(candidates, events, name, benchmarks, f"{n} control firms nearest in {', '.join(names)}{limits}")


def _characteristics(on: object) -> list[str]:
    """Return the names of characteristics as a list."""
    names = list(on) if isinstance(on, Sequence) and not isinstance(on, str) else []
    if not names or len(set(map(str, names))) < len(names) or not all(isinstance(name, str) for name in names):
        raise InputError(f"on is {shown(on)}; give columns of the characteristics in a list, each once, as in ['size']")
    return names


def _bounds(within: object) -> dict[str, tuple[float, float]]:
    """Return the bounds of ratios by characteristic."""
    if within is None:
        return {}
    items = dict(within) if isinstance(within, Mapping) else {}
    for key, pair in items.items():
        valid = isinstance(pair, Sequence) and len(pair) == 2 and all(map(arguments.is_number, pair))
        if not isinstance(key, str) or not valid or not 0 < pair[0] <= 1 <= pair[1]:
            raise InputError(
                f"within is {shown({key: pair})}; give the smallest and the largest ratio, around 1, as in (0.7, 1.3)"
            )
    if not items:
        raise InputError(f"within is {shown(within)}; give ratios by characteristic, as in {{'size': (0.7, 1.3)}}")
    return {key: (float(low), float(high)) for key, (low, high) in items.items()}


def _nearest(firms: Firms, names: Sequence[str], n_on: int, bounds: Mapping[str, tuple[float, float]]) -> Ints:
    """Return the rows of the firms in the market, the nearest first; ties in the order of tickers."""
    inside = np.ones(len(firms.rows), dtype=bool)
    for key, (low, high) in bounds.items():
        at = names.index(key)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = firms.values[:, at] / firms.own[at]
        inside &= (ratio >= low) & (ratio <= high)
    values, own = firms.values[:, :n_on], firms.own[:n_on]
    spread = np.vstack([values, own]).std(axis=0)
    distance = (((values - own) / np.where(spread > 0, spread, 1.0)) ** 2).sum(axis=1)
    order = np.argsort(distance, kind="stable")
    return firms.rows[order[inside[order]]]


def _controls(firms: Firms, order: Ints, n: int, made: dict[tuple[int, bytes], Benchmark]) -> Benchmark | str:
    """Return the benchmark of the first n firms of an order, or why there is none; ``made`` has those made before."""
    if len(order) < n:
        return f"{len(order)} firms can be its controls; {n} are needed"
    key = (firms.start, order.tobytes())
    if key not in made:
        made[key] = _hold(firms.market, order, n, firms.start)
    return made[key]


def _hold(market: Market, order: Ints, n: int, start: int) -> Benchmark:
    """Return the benchmark of the nearest n firms."""
    slots, notes = _spliced(market, order, n, start)
    before = market.returns[order][:, :start]
    nearest = np.isfinite(before)
    nearest &= np.cumsum(nearest, axis=0) <= n
    total = np.where(nearest, before, 0.0).sum(axis=0)
    count = nearest.sum(axis=0)
    past = np.divide(total, count, out=np.full(start, np.nan), where=count > 0)
    held = portfolio_returns(slots, np.ones(n), 0, held=True)
    return Benchmark(market, np.concatenate([past, held]), [market.tickers[at] for at in order[:n]], notes)


def _spliced(market: Market, order: Ints, n: int, start: int) -> tuple[Floats, list[str]]:
    """Return the returns (n, days) from ``start`` on of the nearest n firms, each replaced where its returns end."""
    slots, others, notes = market.returns[order[:n], start:].copy(), list(order[n:]), []
    firm = [market.tickers[at] for at in order[:n]]
    while not np.isfinite(slots).all():
        day = int(np.flatnonzero(~np.isfinite(slots).all(axis=0))[0])
        slot = int(np.flatnonzero(~np.isfinite(slots[:, day]))[0])
        others = [at for at in others if np.isfinite(market.returns[at, start + day])]
        date = market.dates[start + day]
        if not others:
            notes.append(f"no firm is left that could replace {firm[slot]} on {date}")
            break
        notes.append(f"{firm[slot]} has no further return and is replaced by {market.tickers[others[0]]} on {date}")
        firm[slot] = market.tickers[others[0]]
        slots[slot, day:] = market.returns[others.pop(0), start + day :]
    return slots, notes
