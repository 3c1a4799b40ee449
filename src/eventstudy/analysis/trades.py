"""What could have been earned by trading on the announcements, without looking ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis import trades_ledger as books
from eventstudy.analysis.figures import drawn
from eventstudy.analysis.trades_desk import Desk, open_desk
from eventstudy.analysis.trades_figures import Figures, figures, grid, sentences
from eventstudy.analysis.trades_placebo import Placebos, drawn_trades
from eventstudy.analysis.trades_plan import OUT, Settled, planned, settled, told
from eventstudy.analysis.trades_rule import Rule
from eventstudy.core import positions
from eventstudy.core.bootstrap import sharpe_ratio
from eventstudy.display import formats
from eventstudy.display.cards import Summary
from eventstudy.errors import InputError, NotEnoughData, shown
from eventstudy.prepare.spacing import Spacing, spacing
from eventstudy.types import Floats, Ints, Rerun, ResultFrames

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENOUGH = 20  # returns whose own dates say how many a year has; with fewer, all sessions of the prices do


@dataclass(frozen=True, eq=False)
class Made:
    """How trades were made: the desk, the rules with their directions, and the rule of each event."""

    desk: Desk
    rules: tuple[Rule, ...]
    direction: tuple[Floats, ...]
    which: Ints


@dataclass(frozen=True, repr=False, eq=False)
class Trades:
    """A backtest of announcements.

    Profits are shares of a constant capital: nothing is reinvested, so that they add over trades and days.

    Attributes
    ----------
    frame : DataFrame
        Index ``event_id``, every event of the study; ticker, status, reason, decided (UTC, the latest moment at which
        the event became public), direction, entry_date, entry_field ("open" or "close"), entry_price (as quoted),
        entry_time (UTC; the earliest possible on a day whose hours are not known), the same of the exit, weight (share
        of the capital), beta, sigma (known at the entry), gross (profit of the shares), hedge (profit of the
        benchmark), cost, borrow, net, return (net over weight), capacity (the capital for which the entry is 1 % of the
        value traded in its session), benchmark, currency. ``status`` is ``traded``, ``open`` (held when its prices
        end), or why it is no trade.
    returns : Series
        ``returns``: the net profit of each session (of each week or month of such prices), over all sessions of the
        exchanges from the first entry to the last exit; index their dates, those of intraday bars by day. Programs as
        quantstats and pyfolio read it.
    gross : Series
        The same before costs.
    positions : DataFrame
        Dates by tickers, benchmarks included: the net value at the end of each day, as a share of the capital.
    traded : Series
        The value bought and sold on each day, as a share of the capital.
    rule : Rule
        How announcements are traded; after a walk-forward the first of the rules.
    notes : tuple of str
    provenance : mapping
    made : Made
        The events and prices as they could be traded, from which :meth:`placebo` and :meth:`walk_forward` trade again.
    seed : int
    placebos : Placebos or None
        Of :meth:`placebo`.
    """

    kind: ClassVar[str] = "trades"

    frame: pd.DataFrame
    returns: pd.Series[float]
    gross: pd.Series[float]
    positions: pd.DataFrame
    traded: pd.Series[float]
    rule: Rule
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]
    made: Made
    seed: int
    placebos: Placebos | None = None
    cached: dict[str, Figures] = field(default_factory=dict)

    @property
    def equity(self) -> pd.Series[float]:
        """The capital by day, 1 at the beginning: 1 plus the sum of the returns."""
        return (1.0 + self.returns.cumsum()).rename("equity")

    @property
    def drawdown(self) -> pd.Series[float]:
        """The capital less the highest before it, 0 or below, as a share of the constant capital."""
        equity = self.equity
        return (equity - np.maximum(equity.cummax(), 1.0)).rename("drawdown")

    @property
    def figures(self) -> Figures:
        """The figures of :meth:`summary` as numbers."""
        if not self.cached:
            self.cached["figures"] = figures(self, _spacing(self))
        return self.cached["figures"]

    def summary(self) -> pd.DataFrame:
        """Return the figures of the backtest.

        Returns
        -------
        DataFrame
            Index ``figure``; value, lower, upper (the 95 % interval of the Sharpe ratio), note.

            - n_events, n_trades: events of the study, and those that were traded
            - hit_rate, mean_return: the share of trades with a profit, and their mean net return on the stake
            - total, annual_return, volatility: the sum of the returns, their mean times the number that a year has,
              and their standard deviation times its root. A year has 252 returns of daily sessions on five weekdays,
              365 of every day, 52 of weeks and 12 of months, by the dates of the returns
            - sharpe: their ratio, with the percentiles of the stationary bootstrap (Politis & Romano 1994), whose
              blocks have the length of Politis & White (2004)
            - max_drawdown, turnover (value bought and sold in a year), exposure (mean of the sum of the absolute
              positions), max_exposure
            - cost, borrow: their sums
            - capacity: the capital for which 95 % of the entries are at most 1 % of the value traded in their session;
              of entries in several currencies that of each, capacity_HKD and capacity_USD
            - placebo_p: the share of drawn dates whose Sharpe ratio is at least that of the rule, if drawn
        """
        return self.figures.frame()

    def answer(self) -> str:
        """Return what was earned, how sure it is, and whether it beats its placebo."""
        return " ".join(sentences(self.figures, self.placebos))

    def placebo(self, draws: int = 999, seed: int | None = None) -> Trades:
        """Trade the same rule on dates drawn anew, for the band and the rank of what was earned.

        The dates are those of the placebo test: events whose windows overlap move together, to days of the securities'
        own histories without events. Entry, hold, sizes, caps, hedges estimated before the drawn date and costs are
        those of the rule.

        Parameters
        ----------
        draws : int
            Samples, 19 or more.
        seed : int, optional
            That of the trades by default.

        Returns
        -------
        Trades
            The same trades, with ``placebos``: ``frame`` (by draw: sharpe, mean_return, total), ``band`` of the equity
            by date, and ``p``, the rank of the Sharpe ratio, (1 + draws at or above it) / (draws + 1).
        """
        draws = arguments.whole("draws", draws, 19, 100_000)
        seed = self.seed if seed is None else arguments.whole("seed", seed)
        made = self.made
        drawn = drawn_trades(made.desk, made.rules, made.direction, made.which, draws, seed, self.figures)
        return replace(self, placebos=drawn, cached={})

    def walk_forward(self, split: object, rules: Sequence[Mapping[str, object]]) -> Trades:
        """Trade by the rule that was best before, chosen anew at each date.

        Parameters
        ----------
        split : date, or sequence of dates
            From each date until the next, events are traded by the rule with the highest Sharpe ratio of the net
            returns before that date. Events before the first are not traded.
        rules : sequence of mappings
            The choices in which each rule differs from this one, as in ``[{"hold": 1}, {"hold": 10}]``: entry, hold,
            delay, stop, hedge, sign. Sizes and costs are common.

        Returns
        -------
        Trades
            Of the events from the first date on; ``frame`` has a column ``rule``, and ``notes`` which rule was chosen
            when.

        Raises
        ------
        InputError
            If a date or a rule is not valid.
        NotEnoughData
            If nothing was earned or lost before the first date.
        """
        dates = _splits(split)
        chosen = [self.rule.changed(rule) for rule in _listed(rules)]
        made = self.made
        pairs = [told(made.desk, rule, made.desk.events) for rule in chosen]
        chosen, direction = [rule for rule, _ in pairs], tuple(sign for _, sign in pairs)
        known = made.desk.known.astype("datetime64[ns]")
        past = [
            _trades(replace(made, rules=(rule,), direction=(sign,), which=np.zeros_like(made.which)), self).returns
            for rule, sign in zip(chosen, direction, strict=True)
        ]
        which, notes = np.full(len(known), OUT, dtype=np.int64), []
        a_year = _spacing(self).a_year
        for first, end in zip(dates, [*dates[1:], pd.Timestamp.max], strict=True):
            ratios = np.array([_ratio(returns[returns.index < first]) for returns in past])
            if np.isnan(ratios).all():
                raise NotEnoughData(
                    f"no rule earned or lost anything before {first:%Y-%m-%d}; let the first split be later"
                )
            best = int(np.nanargmax(ratios))
            which[(known >= first.to_numpy()) & (known < end.to_numpy())] = best
            notes.append(
                f"from {first:%Y-%m-%d}: rule {best + 1} of {len(chosen)} ({chosen[best]}), whose Sharpe ratio before"
                f" was {np.sqrt(a_year) * ratios[best]:.2f}"
            )
        return _trades(Made(made.desk, tuple(chosen), direction, which), self, tuple(notes))

    def plot(self, **options: Any) -> Axes:
        """Draw the equity, net and gross, with drawdowns and entries, and the band of placebos if they were drawn.

        Parameters
        ----------
        **options
            ``title``, ``figsize``, ``ax``.
        """
        axes: Axes = drawn(self, "_trades", "the figure of trades", options)
        return axes

    def __repr__(self) -> str:
        return self._card().as_text()

    def _repr_html_(self) -> str:
        return self._card().as_html()

    def _card(self) -> Summary:
        note = formats.prices_note(self)
        title = f"Trades on {formats.plural(len(self.frame), 'event')}" + (f", {note}" if note else "")
        days, row = self.returns.index, self.figures.spacing.row
        ends = zip(("First", "Last"), (0, -1), strict=True)
        span = [(f"{end} {row}", formats.date(days[at])) for end, at in ends] if len(days) else []
        return Summary(title, [*span, *self.rule.named().items()], [grid(self.figures)], self.notes)


def trades(rerun: Rerun, result: ResultFrames, rule: Rule) -> Trades:
    """Trade the announcements of a study by a rule; see ``Result.trades``.

    Raises
    ------
    InputError
        If the study has no sign, no prices, or windows from which nothing can be known before the events.
    NotEnoughData
        If no event has a session and prices.
    """
    currency = rerun.choices.currency if rule.currency is None else rule.currency
    if currency is not None and not (isinstance(currency, str) and len(currency) == 3):
        raise InputError(f"currency is {shown(currency)}; give a code of three capital letters, as in 'USD'")
    desk = open_desk(rerun, currency, rule.hedge)
    rule, direction = told(desk, rule, rerun.events)
    which = np.zeros(len(desk.rows), dtype=np.int64)
    record = {name: result.provenance.get(name, {}) for name in ("prices", "settings")}
    return _settle(Made(desk, (rule,), (direction,), which), rule, record, rerun.choices.seed)


def _trades(made: Made, of: Trades, notes: tuple[str, ...] = ()) -> Trades:
    return _settle(made, made.rules[0], of.provenance, of.seed, notes)


def _settle(made: Made, rule: Rule, record: Mapping[str, Any], seed: int, notes: tuple[str, ...] = ()) -> Trades:
    """Return the trades of the real dates."""
    desk = made.desk
    plan = planned(desk, made.rules, made.which, made.direction, None)
    done = settled(desk, plan, rule)
    frame = books.ledger(desk, done, rule, made.which == OUT)
    if len(made.rules) > 1:
        named = pd.Series(
            [str(made.rules[k]) if k != OUT else "" for k in made.which], frame.index[desk.rows], dtype=object
        )
        frame["rule"] = named.reindex(frame.index, fill_value="")
    first, last = _span(desk, done)
    index = pd.DatetimeIndex(desk.dates[first:last], name="date")
    book = done.book

    def series(values: Floats, name: str) -> pd.Series[float]:
        return pd.Series(values[0, first:last], index, name=name)

    net = book.gross - book.cost - book.borrow
    held = positions.positions(desk.points, done.legs)[:, first:last]
    used = np.unique(done.legs.asset)
    own = pd.DataFrame(held[used].T, index, [desk.tickers[a] for a in used])
    return Trades(
        frame, series(net, "returns"), series(book.gross, "gross"), own, series(book.traded, "traded"), rule,
        (*notes, *_notes(frame, desk)), record, made, seed,
    )  # fmt: skip


def _span(desk: Desk, done: Settled) -> tuple[int, int]:
    """Return the columns from the first entry to the last exit, or to the end if something is still held."""
    legs, n_points = done.legs, desk.points.price.shape[1]
    if not len(legs.enter):
        return 0, 0
    last = np.where(
        legs.leave < n_points, desk.points.date[legs.asset, np.minimum(legs.leave, n_points - 1)], len(desk.dates) - 1
    )
    return int(desk.points.date[legs.asset, legs.enter].min()), int(last.max()) + 1


def _notes(frame: pd.DataFrame, desk: Desk) -> list[str]:
    """Return what was not traded, and what the profits leave out."""
    counts = frame["status"].value_counts()
    lost = [f"{books.in_words(status)} {n}" for status, n in counts.items() if status != "traded"]
    notes = [f"not traded, or not to the end: {', '.join(lost)} (frame.reason says why)"] if lost else []
    used = frame[frame["status"].isin(books.TRADED)]
    late = int((used["entry_field"] == "close").sum())
    if late and not desk.opens.all():
        notes.append(f"{late} of {len(used)} entries are at a close; of some tickers there are no opens")
    if used["entry_price"].isna().any():
        notes.append("entries without a price are of tickers whose prices are returns, not closes as quoted")
    currencies = [str(name) for name in dict.fromkeys(used["currency"].dropna())]
    if len(currencies) > 1:
        notes.append(
            f"returns in {' and '.join(currencies)} are added as they are, as if every currency was hedged;"
            " currency='USD' converts them"
        )
    return notes


def _spacing(trades: Trades) -> Spacing:
    """Return how many returns a year has."""
    own = trades.returns.index.to_numpy().astype("datetime64[D]")
    return spacing(own if len(own) >= ENOUGH else trades.made.desk.dates)


def _ratio(returns: pd.Series[float]) -> float:
    values = np.asarray(returns, dtype=np.float64)
    return float(sharpe_ratio(values)) if len(values) > 1 else float("nan")


def _splits(split: object) -> list[pd.Timestamp]:
    """Return the dates of a walk-forward."""
    values = [split] if isinstance(split, str) or not isinstance(split, Sequence) else list(split)
    if any(isinstance(value, Real) for value in values):  # pandas takes a number for nanoseconds
        raise InputError(f"split is {shown(split)}; give dates as text, as in ['2021-01-01', '2023-01-01']")
    try:
        dates = list(pd.DatetimeIndex(values).normalize())
    except (TypeError, ValueError):
        raise InputError(f"split is {shown(split)}; give dates, as in ['2021-01-01', '2023-01-01']") from None
    if not dates or any(pd.isna(date) or date.tz is not None for date in dates) or sorted(set(dates)) != dates:
        raise InputError(f"split is {shown(split)}; give dates in their order, as in ['2021-01-01', '2023-01-01']")
    return dates


def _listed(rules: object) -> list[object]:
    if isinstance(rules, str | Mapping) or not isinstance(rules, Sequence) or not rules:
        raise InputError(f"rules is {shown(rules)}; give a list, as in [{{'hold': 1}}, {{'hold': 10}}]")
    return list(rules)
