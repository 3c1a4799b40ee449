"""Two listings of one firm around an announcement: which moved first, how the gap closed, and the currency's part."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis.figures import drawn
from eventstudy.analysis.spillover_peers import phase_elsewhere, restated
from eventstudy.display import formats
from eventstudy.display.cards import Grid, Summary
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.display.shares import in_percent
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData, shown
from eventstudy.prepare.calendar import calendar_name
from eventstudy.prepare.currency import MINOR, latest_rate
from eventstudy.prepare.placing import firm_names, firm_of_tickers
from eventstudy.prepare.returns import is_level, level_of_shares, priced_rows
from eventstudy.types import Dates, Floats, Rerun, ResultFrames, Window, required

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AMERICAN = "XNYS"  # the calendar of the exchanges on which depositary receipts trade
LEAST_RATIO = 20  # closes before the announcement that the ratio needs
OLDEST_RATE = 5  # days for which the last exchange rate is taken
LARGE = 1.0  # usual deviations from which a gap is one that can close
Pairing = Mapping[str, str]


@dataclass(frozen=True, repr=False, eq=False)
class Pairs:
    r"""Announcements on two listings of one firm, each on its own sessions.

    Attributes
    ----------
    frame : DataFrame
        announcement, adr, home (tickers), first ("adr", "home" or "same": whose session closed first), hours (between
        the two closes), adr_session, home_session, adr_return, home_return (of these sessions, in their own
        currencies), adr_car, home_car (of the window), gap_first and gap_both (the log premium after the first and
        after the second close, less that of before), usual (its standard deviation before the announcement, after a
        close of the same exchange), closed (the share of gap_first that is gone after the second close, above 1 where
        the second market moved further; NaN unless that gap is larger than is usual), currency (the log change of the
        exchange rate from before to the second close), ratio (home shares in an ADR, estimated), n_ratio (closes from
        which it is), note.
    path : DataFrame
        announcement, adr, home, step, market, session, close (UTC), adr_log, home_log, fx_log (log changes since step
        0), premium (log). Step 1 is the close of the first session that could react, and step 0 the close before it.
    window : (int, int)
        That of the CARs.
    measure : Measure
    provenance : mapping

    Notes
    -----
    The premium is :math:`\log(P^{ADR} X / (k P^{home}))`, with the price X of the ADR's currency in that of the home
    listing, and k the ratio. The median of the premium over the estimation window is set to zero: k and a premium
    that lasts cannot be told apart. Its change is ``adr_log + fx_log - home_log``. Rates are those of the date of a
    close, which a source may quote some hours later. Prices are those of the study's returns, adjusted for splits and
    dividends where the source has that, and in shares of the day before the reaction.
    """

    frame: pd.DataFrame
    path: pd.DataFrame
    window: Window
    measure: Measure
    provenance: Mapping[str, Any]
    kind: ClassVar[str] = "pairs"

    def answer(self) -> str:
        """Return who moved first, and how much of the gap was closed when the second market had closed."""
        used = self.frame[self.frame["first"] != ""]
        n, count = formats.plural(len(used), "announcement"), used["first"].value_counts()
        order = f"In {n} with both listings, the ADR's session closed first"
        order += f" {formats.plural(count.get('adr', 0), 'time')}, the home listing's"
        order += f" {formats.plural(count.get('home', 0), 'time')}."
        closed = used["closed"].dropna()
        if len(used) and used["gap_first"].isna().all():
            why = used["note"].value_counts().index[0].removeprefix("no premium: ")
            return f"{order} No gap is known: {why or 'prices are missing'}."
        if closed.empty:
            return f"{order} No gap after the first close was larger than usual."
        gap, left = used.loc[closed.index, "gap_first"].abs().median(), closed.median()
        return (
            f"{order} After the first close the median gap was {formats.percent(gap).lstrip('+')} where it was larger"
            f" than usual ({formats.plural(len(closed), 'time')}); when the second market had closed,"
            f" {in_percent(left)} of it was closed (median). The currency moved by"
            f" {formats.percent(used['currency'].abs().median()).lstrip('+')} (median)."
        )

    def plot(self, **options: Any) -> Axes:
        """Draw the premium by close around the announcements, and return the axes.

        Parameters
        ----------
        **options
            ``announcement``, ``title``, ``figsize``, ``ax``.
        """
        axes: Axes = drawn(self, "_pairs", "the figure of pairs", options)
        return axes

    def _summary(self) -> Summary:
        rows = [
            (
                formats.plain(row["announcement"])[:26], f"{row['adr']} / {row['home']}", str(row["first"]) or "none",
                formats.percent(row["adr_return"]), formats.percent(row["home_return"]),
                formats.percent(row["gap_first"]), formats.percent(row["gap_both"]), formats.percent(row["currency"]),
            )
            for row in self.frame.to_dict("records")
        ]  # fmt: skip
        heads = ("Announcement", "Pair", "First", "ADR", "Home", "Gap 1", "Gap 2", "FX")
        note = formats.prices_note(self)
        title = "Two listings of one firm" + (f", {note}" if note else "")
        grid = Grid(heads, rows, (False, False, False, *(True,) * 5))
        reasons = self.frame["note"][self.frame["note"] != ""].value_counts()
        return Summary(title, (), [grid], [self.answer(), *(f"{n}: {why}" for why, n in reasons.items())])

    def __repr__(self) -> str:
        return self._summary().as_text()

    def _repr_html_(self) -> str:
        return self._summary().as_html()


def pairs(rerun: Rerun | None, result: ResultFrames, given: Pairing | None, window: Window | None) -> Pairs:
    """Follow announcements on two listings of a firm; see ``Result.pairs``."""
    rerun = required(rerun)
    window = arguments.one_window(window, rerun.choices.windows)
    if rerun.sample().event_table.intraday:
        raise InputError("the study has intraday bars; pairs() compares the closes of daily sessions")
    found = list(_announcements(rerun, given))
    if not found:
        raise NotEnoughData(_no_pair(rerun))
    events, reasons = _events(rerun, found)
    placed: ResultFrames | None = None
    if len(events):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EventStudyWarning)  # the study has issued its own
            placed = rerun.result(
                events=events,
                choices={"contaminated": "keep", "confounding": None, "group": None, "tests": "cross_section"},
            )
    rows, paths = [], []
    for (announcement, adr, home), reason in zip(found, reasons, strict=True):
        row, path = _follow(rerun, placed, (announcement, adr, home), reason, window)
        rows.append(row)
        paths.append(path)
    return Pairs(pd.DataFrame(rows), pd.concat(paths, ignore_index=True), window, result.measure, result.provenance)


def _announcements(rerun: Rerun, given: Pairing | None) -> Iterator[tuple[str, str, str]]:
    """Yield announcement, ADR and home listing."""
    frame, bars = rerun.events, rerun.prices.bars
    if given is not None:
        valid = isinstance(given, Mapping) and all(isinstance(n, str) for pair in given.items() for n in pair)
        if not valid or not given:
            raise InputError(
                f"pairs is {shown(given)}; give a mapping from ADR to home listing, as {{'BABA': '9988.HK'}}"
            )
        for ticker in (ticker for pair in given.items() for ticker in pair):
            arguments.choice("a ticker of pairs", ticker, bars)
        for name, own in frame.groupby("cluster", sort=False):
            tickers = set(own["ticker"])
            yield from ((str(name), adr, home) for adr, home in given.items() if {adr, home} & tickers)
        return
    firm = firm_names(frame, firm_of_tickers(frame))
    for (announcement, _), own in frame.groupby([frame["cluster"], firm], sort=False):
        known = [name for name in dict.fromkeys(own["ticker"]) if name in bars]
        american = [name for name in known if calendar_name(bars[name].mic) == AMERICAN]
        yield from (
            (str(announcement), adr, home)
            for adr in american
            for home in known
            if calendar_name(bars[home].mic) not in (AMERICAN, None)
        )


def _no_pair(rerun: Rerun) -> str:
    """Say why no announcement has two listings, and what to do."""
    frame, bars = rerun.events, rerun.prices.bars
    name_them = "name them, as pairs={'BABA': '9988.HK'}, the ADR first"
    firm = firm_names(frame, firm_of_tickers(frame))
    several = frame["ticker"].groupby([frame["cluster"], firm]).transform("nunique") > 1
    listed = [name for name in dict.fromkeys(frame["ticker"][several]) if name in bars]
    unknown = [formats.plain(name) for name in listed if calendar_name(bars[name].mic) is None]
    if unknown:
        return (
            f"the prices do not say the exchanges of {', '.join(unknown)}, by which the listings of a firm are told"
            f" apart (those of weeks and months have none); {name_them}"
        )
    return (
        f"no announcement has two listings of a firm on different exchanges; {name_them}, or give the events a column"
        " 'firm'"
    )


def _events(rerun: Rerun, found: Sequence[tuple[str, str, str]]) -> tuple[pd.DataFrame, list[str]]:
    """Return one event for each listing of each announcement, and why a pair cannot be followed."""
    frame, bars = rerun.events, rerun.prices.bars
    by_name = {str(name): own for name, own in frame.groupby("cluster", sort=False)}
    rows: list[tuple[str, str, str]] = []
    reasons = []
    for announcement, adr, home in found:
        own = by_name[announcement]
        source = {
            ticker: own[own["ticker"].isin([ticker] if ticker in set(own["ticker"]) else [adr, home])].iloc[0]
            for ticker in (adr, home)
        }
        elsewhere = any(
            phase_elsewhere(event, bars[event["ticker"]].mic, bars[ticker].mic) for ticker, event in source.items()
        )
        reasons.append("the announcement has a phase of another exchange, and no time" if elsewhere else "")
        if not elsewhere:
            rows += [(str(e.name), ticker, f"{announcement}:{adr}:{home}:{ticker}") for ticker, e in source.items()]
    sources, tickers, ids = ([row[at] for row in rows] for at in range(3))
    return restated(rerun, sources, tickers, ids), reasons


class _Listing(NamedTuple):
    """One listing: sessions with a price, their closes in UTC, prices, position of the reaction, and CAR.

    Prices are those of the study's returns, in shares of the day before the reaction.
    """

    ticker: str
    sessions: Dates
    closes: Dates
    price: Floats
    at: int
    car: float

    def move(self) -> float:
        """Return the simple return of the session."""
        return float(self.price[self.at] / self.price[self.at - 1] - 1.0)


def _listing(rerun: Rerun, placed: ResultFrames, event_id: str, ticker: str, window: Window) -> _Listing | str:
    """Return a listing around an announcement, or why it cannot be followed."""
    event = placed.events.loc[event_id]
    if event["status"] not in ("ok", "duplicate"):
        return f"{ticker}: {event['status']}"
    bars = rerun.prices.bars[ticker]
    calendar = rerun.sample().calendars[calendar_name(bars.mic)]
    if calendar.closes is None:
        return f"{ticker}: its closing times are not known"
    contradictory = rerun.choices.contradictory
    known = priced_rows(bars, contradictory)
    both, of_bars, of_calendar = np.intersect1d(bars.dates[known], calendar.dates, return_indices=True)
    at = int(np.searchsorted(both, np.datetime64(event["session"], "D")))
    if at == 0 or at >= len(both) or both[at] != np.datetime64(event["session"], "D"):
        return f"{ticker}: no price in its session, or none before"
    cars = placed.cars[placed.cars["event_id"] == event_id]
    car = in_window(cars, window)[placed.measure.column]
    closes = np.asarray(calendar.closes, dtype="datetime64[s]")[of_calendar]
    rows = known[of_bars]
    price = level_of_shares(bars, contradictory, int(rows[at - 1]))[rows]
    return _Listing(ticker, both, closes, price, at, float(car.iloc[0]))


def _follow(
    rerun: Rerun, placed: ResultFrames | None, pair: tuple[str, str, str], reason: str, window: Window
) -> tuple[dict[str, object], pd.DataFrame]:
    """Return the row of an announcement, and its path."""
    announcement, adr, home = pair
    row: dict[str, object] = {
        "announcement": announcement, "adr": adr, "home": home, "first": "", "hours": np.nan, "adr_session": pd.NaT,
        "home_session": pd.NaT,
        **dict.fromkeys(
            (
                "adr_return", "home_return", "adr_car", "home_car", "gap_first", "gap_both", "usual", "closed",
                "currency", "ratio",
            ),
            np.nan,
        ),
        "n_ratio": 0, "note": reason,
    }  # fmt: skip
    nothing = pd.DataFrame()
    if reason or placed is None:
        return row, nothing
    listings = [_listing(rerun, placed, f"{':'.join(pair)}:{ticker}", ticker, window) for ticker in (adr, home)]
    problems = [each for each in listings if isinstance(each, str)]
    if problems:
        return {**row, "note": "; ".join(problems)}, nothing
    a, h = (each for each in listings if not isinstance(each, str))
    ahead = (h.closes[h.at] - a.closes[a.at]) / np.timedelta64(1, "h")
    row |= {
        "first": "adr" if ahead > 0 else "home" if ahead < 0 else "same", "hours": abs(float(ahead)),
        "adr_session": pd.Timestamp(a.sessions[a.at]), "home_session": pd.Timestamp(h.sessions[h.at]),
        "adr_return": a.move(), "home_return": h.move(), "adr_car": a.car, "home_car": h.car,
    }  # fmt: skip
    rate, why = _rate(rerun, adr, home)
    returns = [name for name in (adr, home) if is_level(rerun.prices.bars[name])]
    if returns and not why:
        why = f"no ratio: the prices of {' and '.join(returns)} are returns"
    premium, closes, path = _path(a, h, rate, rerun.choices.event, pair)
    gap = _gap(a, h, premium, closes, path, rerun.choices.estimation)
    return {**row, **gap, **({"ratio": np.nan} if returns else {}), "note": why}, path


def _rate(rerun: Rerun, adr: str, home: str) -> tuple[Callable[[Dates], Floats], str]:
    """Return the log price of the ADR's currency in that of the home listing by date, and why it is not known."""
    unknown: Callable[[Dates], Floats] = lambda dates: np.full(len(dates), np.nan)  # noqa: E731
    codes = [rerun.prices.bars[ticker].currency for ticker in (adr, home)]
    for ticker, code in zip((adr, home), codes, strict=True):
        if code is None:
            return unknown, f"no premium: the currency of {ticker} is not known"
    (base, unit), (quote, other) = (MINOR.get(str(code), (str(code), 1.0)) for code in codes)
    scale = np.log(unit / other)
    if base == quote:
        return lambda dates: np.full(len(dates), scale), ""
    try:
        of_date = latest_rate(rerun.prices, base, quote, OLDEST_RATE)
    except InputError as error:
        return unknown, f"no premium: {error}"
    return lambda dates: np.log(of_date(dates)) + scale, ""


def _path(
    a: _Listing, h: _Listing, rate: Callable[[Dates], Floats], event: Window, pair: tuple[str, str, str]
) -> tuple[Floats, Dates, pd.DataFrame]:
    """Return the log premium, without the ratio, at every close of either listing; these; and the path around day 0."""
    closes = np.unique(np.concatenate([a.closes, h.closes]))
    closes = closes[closes >= max(a.closes[0], h.closes[0])]
    at = [np.searchsorted(each.closes, closes, side="right") - 1 for each in (a, h)]
    log_adr, log_home = (np.log(each.price[where]) for each, where in zip((a, h), at, strict=True))
    is_adr = a.closes[at[0]] == closes
    session = np.where(is_adr, a.sessions[at[0]], h.sessions[at[1]])
    log_rate = rate(session)
    premium = log_adr + log_rate - log_home
    first = int(np.searchsorted(closes, min(a.closes[a.at], h.closes[h.at])))
    reach = [each.closes[np.clip(each.at + day, 0, len(each.closes) - 1)] for each in (a, h) for day in event]
    inside = (closes >= min(reach)) & (closes <= max(reach))
    zero = max(first - 1, 0)
    path = pd.DataFrame(
        {
            "announcement": pair[0], "adr": pair[1], "home": pair[2], "step": np.arange(len(closes)) - zero,
            "market": np.where(is_adr, "adr", "home"), "session": session.astype("datetime64[s]"),
            "close": pd.DatetimeIndex(closes).tz_localize("UTC"), "adr_log": log_adr - log_adr[zero],
            "home_log": log_home - log_home[zero], "fx_log": log_rate - log_rate[zero], "premium": premium,
        }
    )[inside]  # fmt: skip
    return premium, closes, path


def _gap(
    a: _Listing, h: _Listing, premium: Floats, closes: Dates, path: pd.DataFrame, estimation: Window
) -> dict[str, object]:
    """Return the gaps after the first and the second close, and set the median premium before to zero in the path."""
    leader, other = (a, h) if a.closes[a.at] <= h.closes[h.at] else (h, a)
    start, stop = (max(leader.at + day, 0) for day in (estimation[0], estimation[1] + 1))
    before = premium[np.isin(closes, leader.closes[start:stop])]
    before = before[np.isfinite(before)]
    level = float(np.median(before)) if len(before) >= LEAST_RATIO else np.nan
    path["premium"] -= level
    one, two = (float(premium[np.searchsorted(closes, each.closes[each.at])]) - level for each in (leader, other))
    usual = float(np.std(before, ddof=1)) if len(before) >= LEAST_RATIO else np.nan
    step = path.loc[path["close"] == pd.Timestamp(other.closes[other.at], tz="UTC"), "fx_log"]
    return {
        "gap_first": one, "gap_both": two, "usual": usual,
        "closed": 1.0 - two / one if abs(one) > LARGE * usual else np.nan,
        "currency": float(step.iloc[0]), "ratio": float(np.exp(level)), "n_ratio": len(before),
    }  # fmt: skip
