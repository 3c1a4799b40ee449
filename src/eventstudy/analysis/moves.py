"""The other way round: the largest abnormal days of securities, and the events that meet them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis.figures import drawn
from eventstudy.bars import Prices
from eventstudy.display import formats
from eventstudy.display.cards import Grid, Summary
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData
from eventstudy.prepare.events import Events
from eventstudy.prepare.spacing import spacing
from eventstudy.result import Result
from eventstudy.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVEL = 0.05
MOST = 10_000
BEFORE = 2  # sessions between the estimation window and the day, so that news that leaked does not enter sigma
OF_EVENTS = "es.Events.from_frame(df) or es.read_events(path)"
SHOWN = 12  # rows of the printed table
NAMED = 3  # securities without an estimate that a text names


@dataclass(frozen=True, repr=False, eq=False)
class Moves:
    """The largest abnormal days of securities beside their events.

    Attributes
    ----------
    frame : DataFrame
        ticker, rank, session, ar, t (AR over its standard error with the forecast error), p (of the t distribution),
        p_adjusted (1 - (1 - p)^T, for the largest of the T days of the ticker: Sidak 1967), events (a tuple of the ids
        of the events of the ticker in that session, empty if none explains it) and near (of those in the session before
        or after): the n largest ``|t|`` of each ticker.
    events : DataFrame
        Index ``event_id``; ticker, session, ar, t, p, rank (of its session among the days of the ticker), moved (p
        below 5 %), status, reason: all events of the tickers; NaN where the session has no estimate.
    tickers : DataFrame
        Index ``ticker``; n_days (with an abnormal return), n_event_days, n_largest, n_met (of the largest days, those
        with an event), expected (their number if events fell on days at random), p (the probability of at least n_met
        then, hypergeometric), n_moved and share_moved (event days with p below 5 %), reason (why no day of the ticker
        could be estimated, such as too few sessions; else empty). All securities that have prices.
    n : int
    provenance : mapping
        The prices and settings of the study that estimates every day.
    row : str
        What a row of the prices is, and a day here: a day, a week or a month.
    """

    frame: pd.DataFrame
    events: pd.DataFrame
    tickers: pd.DataFrame
    n: int
    provenance: Mapping[str, Any]
    row: str = "day"
    kind: ClassVar[str] = "moves"

    def answer(self) -> str:
        """Return how many of the largest days have an event, against chance, and how many events have a move."""
        total = self.tickers[["n_largest", "n_met", "expected", "n_event_days", "n_moved"]].sum()
        clear, n_estimated = int((self.tickers["p"] < LEVEL).sum()), int((self.tickers["n_days"] > 0).sum())
        unexplained = self.frame[~self.frame["events"].astype(bool)]
        largest = ""
        if len(unexplained):
            row = unexplained.iloc[int(unexplained["t"].abs().to_numpy().argmax())]
            largest = (
                f" The largest {self.row} without an event is {formats.date(row['session'])} for"
                f" {formats.plain(row['ticker'])} ({formats.percent(row['ar'])})."
            )
        return (
            f"{total['n_met']:.0f} of the {total['n_largest']:.0f} largest abnormal {self.row}s have an event, where"
            f" {total['expected']:.1f} would by chance; that is more than chance at 5 % for {clear} of"
            f" {formats.plural(n_estimated, 'ticker')}. {total['n_moved']:.0f} of {total['n_event_days']:.0f}"
            f" {self.row}s with events have p below 5 %.{largest}{self._not_placed()}{self._not_estimated()}"
        )

    def _not_placed(self) -> str:
        """Return how many events of the tickers have no session."""
        n = int(self.events["session"].isna().sum())
        return f" {formats.plural(n, 'event')} {'has' if n == 1 else 'have'} no session (events.reason)." if n else ""

    def _not_estimated(self) -> str:
        """Return which securities have no estimated day, and why."""
        reasons = self.tickers.loc[self.tickers["n_days"] == 0, "reason"]
        return f" No {self.row} could be estimated of {_listed(dict(reasons))}." if len(reasons) else ""

    def plot(self, **options: Any) -> Axes:
        """Draw the largest days of a ticker with their events, and return the axes."""
        axes: Axes = drawn(self, "_moves", "the figure of moves", options)
        return axes

    def __repr__(self) -> str:
        return self._card().as_text()

    def _repr_html_(self) -> str:
        return self._card().as_html()

    def _card(self) -> Summary:
        counts = ("n_days", "n_event_days", "n_largest", "n_met")
        rows = [
            (formats.plain(row["ticker"]), *(formats.count(row[name]) for name in counts),
             formats.number(row["expected"], 1), formats.p_value(row["p"]), formats.count(row["n_moved"]))
            for row in self.tickers.head(SHOWN).reset_index().to_dict("records")
        ]  # fmt: skip
        rest = ("With events", "Largest", "Of these met", "By chance", "p", "Events with a move")
        heads = ("Ticker", f"{self.row.capitalize()}s", *rest)
        note = formats.prices_note(self)
        title = f"Largest abnormal {self.row}s and their events" + (f", {note}" if note else "")
        more = len(self.tickers) - SHOWN
        notes = [self.answer(), *([f"{formats.plural(more, 'ticker')} more are in .tickers"] if more > 0 else [])]
        return Summary(title, tables=[Grid(heads, rows, (False, *[True] * 7))], notes=notes)


def explain_moves(
    prices: Prices,
    events: Events,
    n: int = 20,
    *,
    ticker: str | None = None,
    benchmark: str | Mapping[str, str] | None = None,
    estimation: int = 250,
) -> Moves:
    r"""Find the largest abnormal days of securities, the events that meet them, and the events without a move.

    Every session of a security is estimated as the day of an event: the market model (or, without a benchmark, the mean
    return) is fitted to the sessions before it alone, and :math:`t = AR / (\hat\sigma \sqrt{1 + h})`. Events are placed
    on sessions as in a study.

    Parameters
    ----------
    prices : Prices
    events : Events
        Of any tickers; those of securities without prices are listed with their status.
    n : int
        The number of largest days of each security.
    ticker : str, optional
        One security; by default all of the events.
    benchmark : str or mapping, optional
        As in :class:`eventstudy.Study`; None compares with the security's own mean return.
    estimation : int
        The number of sessions to which the model is fitted, up to day -3: the two before the day are left out, in which
        news may have leaked. At least half of them must have a return.

    Returns
    -------
    Moves
        ``frame``, ``events``, ``tickers``, ``answer()`` and ``plot()``.

    Raises
    ------
    InputError
        If an argument is not valid, the ticker is in no event, or no security of the events has prices.
    NotEnoughData
        If no day of any security can be estimated, as with too few sessions. Beside others, such a security is in
        ``tickers`` with the reason.

    Notes
    -----
    The largest of many days are large by selection: ``p`` of a day is not evidence that something happened on it, and
    ``p_adjusted`` is. That largest days have more events than chance is tested by the hypergeometric distribution,
    which takes the days of events as drawn at random. Events chosen because a price moved make it small by themselves.
    Cutler, Poterba & Summers (1989, Journal of Portfolio Management 15:4) ask the question of an index.

    Examples
    --------
    >>> import eventstudy as es
    >>> from eventstudy import demo
    >>> data = demo.run().result.rerun
    >>> moves = es.explain_moves(data.prices, es.catalogue("china-tech"), n=5, ticker="0700.HK", benchmark="^HSI")
    >>> moves.frame[["rank", "session"]].shape
    (5, 2)
    """
    n, estimation = arguments.whole("n", n, 1, MOST), arguments.whole("estimation", estimation, 20, MOST)
    arguments.instance("prices", prices, Prices, "es.read_prices(folder) or es.fetch_prices(...)")
    arguments.instance("events", events, Events, OF_EVENTS)
    tickers = list(dict.fromkeys(events.frame["ticker"]))
    if ticker is not None:
        arguments.choice("ticker", ticker, tickers)
        tickers = [ticker]
    priced = [name for name in tickers if name in prices.bars]
    if not priced:
        raise InputError(f"there are no prices of {', '.join(tickers[:5])}; read those of the tickers of the events")
    least = max(estimation // 2, 3)
    study = Study(
        model="mean" if benchmark is None else "market", benchmark=benchmark,
        estimation=(-BEFORE - estimation, -BEFORE - 1), event=(0, 0), windows=((0, 0),),
        min_estimation=least, tests=("cross_section",), on_closed="drop",
    )  # fmt: skip
    closes = {name: int(np.isfinite(prices.bars[name].fields["close"]).sum()) for name in priced}
    needed = least + BEFORE + 2  # the first close, those of the returns, the days left out, and the day
    short = {
        name: f"{formats.plural(n_closes, 'session')} with a close, and {needed} are needed"
        for name, n_closes in closes.items() if n_closes < needed
    }  # fmt: skip
    every_day = _every_day(prices, priced)
    if len(short) == len(priced):
        raise _nothing(short, estimation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)  # of a study in which every day is an event
        days = study.run(every_day, prices)
        at_events = replace(study, on_closed="next")  # news of a closed day reaches the next session
        placed = at_events.check(Events.from_frame(events.frame[events.frame["ticker"].isin(tickers)]), prices)
    estimated = _estimated(days)
    reasons = {
        name: short.get(name) or _usual_reason(days, name) for name in sorted({*priced} - {*estimated["ticker"]})
    }
    if not len(estimated):
        raise _nothing(reasons, estimation)
    return _moves(estimated, placed, n, days.provenance, reasons)


def _nothing(reasons: Mapping[str, str], estimation: int) -> NotEnoughData:
    """Return the error of securities of which no day can be estimated."""
    return NotEnoughData(
        f"no day can be estimated of {_listed(reasons)}; read more prices, or let estimation be less than {estimation}"
    )


def _listed(reasons: Mapping[str, str]) -> str:
    """Return the first securities with their reasons in words."""
    more = len(reasons) - NAMED
    parts = [f"{formats.plain(name)} ({reason})" for name, reason in list(reasons.items())[:NAMED]]
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")


def _usual_reason(days: Result, ticker: str) -> str:
    """Return the most frequent reason for which a day of a security has no estimate."""
    reasons = days.events.loc[days.events["ticker"] == ticker, "reason"]
    known = reasons[reasons.astype(bool)]
    return str(known.mode().iloc[0]) if len(known) else "its returns do not vary"


def _every_day(prices: Prices, tickers: list[str]) -> Events:
    """Return an event for each date on which a security has a close."""
    parts = []
    for name in tickers:
        bars = prices.bars[name]
        if bars.intraday:
            raise InputError(f"{name} has intraday bars; explain_moves is for daily prices")
        dates = bars.dates[np.isfinite(bars.fields["close"])].astype(str)
        parts.append(pd.DataFrame({"ticker": name, "announced": dates, "phase": "session"}))
    frame = pd.concat(parts, ignore_index=True)
    return Events.from_frame(frame.assign(event_id=[f"D{row}" for row in range(len(frame))]))


def _estimated(days: Result) -> pd.DataFrame:
    """Return ticker, session, ar, t, p and rank of every estimated day."""
    cars = days.cars.set_index("event_id")[["car", "t", "p"]].rename(columns={"car": "ar"})
    frame = days.events[["ticker", "session"]].join(cars, how="inner").dropna(subset=["t"]).reset_index(drop=True)
    frame["rank"] = frame["t"].abs().groupby(frame["ticker"]).rank(method="first", ascending=False).astype(np.int64)
    return frame


def _moves(
    days: pd.DataFrame, placed: pd.DataFrame, n: int, provenance: Mapping[str, Any], reasons: Mapping[str, str]
) -> Moves:
    keys = ["ticker", "session"]
    events = placed[[*keys, "status", "reason"]].rename_axis("event_id").reset_index()
    events["session"] = pd.to_datetime(events["session"])
    events = events.merge(days, on=keys, how="left").set_index("event_id")
    events.insert(6, "moved", events["p"] < LEVEL)
    on_day = events.dropna(subset=["session"])
    meeting = on_day.reset_index().groupby(keys)["event_id"].agg(tuple)
    days = days.sort_values(keys, ignore_index=True)
    of_day = meeting.to_dict()
    ids = pd.Series([of_day.get(key, ()) for key in days[keys].itertuples(index=False, name=None)], dtype=object)
    by_ticker = ids.groupby(days["ticker"])
    before, after = (
        by_ticker.shift(step).map(lambda cell: cell if isinstance(cell, tuple) else ()) for step in (1, -1)
    )
    days = days.assign(events=ids, near=before + after)
    n_days = days.groupby("ticker")["t"].transform("size")
    days["p_adjusted"] = -np.expm1(n_days * np.log1p(-days["p"]))
    columns = ["ticker", "rank", "session", "ar", "t", "p", "p_adjusted", "events", "near"]
    largest = days[days["rank"] <= n].sort_values(["ticker", "rank"], ignore_index=True)[columns]
    order = ["ticker", "session", "ar", "t", "p", "rank", "moved", "status", "reason"]
    tickers = _by_ticker(days, n).assign(reason="")
    if reasons:
        tickers = pd.concat([tickers, _without(reasons)]).sort_index()
    row = spacing(np.unique(days["session"].to_numpy().astype("datetime64[D]"))).row
    return Moves(largest, events[order], tickers, n, provenance, row)


def _without(reasons: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of the securities of which no day is estimated."""
    counts = dict.fromkeys(("n_days", "n_event_days", "n_largest", "n_met"), 0)
    rows = {
        name: {**counts, "expected": 0.0, "p": np.nan, "n_moved": 0, "share_moved": np.nan, "reason": reason}
        for name, reason in reasons.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("ticker")


def _by_ticker(days: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return, by ticker, how many of its largest days have events, against chance."""
    from scipy import stats

    rows = {}
    for ticker, own in days.groupby("ticker", sort=True):
        has_event, largest = own["events"].astype(bool), own["rank"] <= n
        n_event, n_largest, n_met = int(has_event.sum()), int(largest.sum()), int((has_event & largest).sum())
        n_moved = int((has_event & (own["p"] < LEVEL)).sum())
        rows[ticker] = {
            "n_days": len(own), "n_event_days": n_event, "n_largest": n_largest, "n_met": n_met,
            "expected": n_largest * n_event / len(own),
            "p": float(stats.hypergeom.sf(n_met - 1, len(own), n_event, n_largest)),
            "n_moved": n_moved, "share_moved": n_moved / n_event if n_event else np.nan,
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("ticker")
