"""A quoted move held to the prices: which field, window and currency make it true, or what the move was.

News quotes a move without its base: since the previous close or the open, at the low or the close, in one currency or
another. Each of these is a candidate, and a quoted number is true of a candidate that rounds to it.
"""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis.headline_prices import bars_of, placed
from eventstudy.bars import Bars, Prices
from eventstudy.display import amounts, formats
from eventstudy.display.cards import Grid, Summary
from eventstudy.errors import InputError, shown
from eventstudy.prepare.calendar import NO_CLOSES
from eventstudy.prepare.currency import MINOR, exchange_rate
from eventstudy.prepare.returns import counted_level, is_level
from eventstudy.types import PRICE_FIELDS, Dates, Floats

Kind = Literal["percent", "points", "money"]
YEAR = np.timedelta64(52 * 7, "D")  # 52 weeks
FINEST = 1e-9  # share of the quoted unit that a binary number may be off its decimal one
ALSO = 3  # candidates that the answer names
SPLIT = 1.25  # change of the adjustment between two prices above which it is taken for a split, and not a dividend


class _Move(NamedTuple):
    """A candidate: its words, and the fields and rows of its first and last price; whether a benchmark is for it.

    ``dividends`` adds dividends between the prices to the move.
    """

    words: str
    first: tuple[str, int]
    last: tuple[str, int]
    relative: bool = False
    dividends: bool = False


@dataclass(frozen=True, repr=False, eq=False)
class Headline:
    """A quoted move and the moves of the prices that it may be.

    Attributes
    ----------
    frame : DataFrame
        One row for each candidate, the nearest first: what, first_on, last_on (dates of both prices), currency, move
        (a decimal, points or money, as quoted), difference (move less the quoted), matches (the move rounds to the
        quoted number) and cut_off (it does if digits are cut off, as in "fell more than 6 %").
    ticker : str
    session : Timestamp
        The first session that could react to the news.
    placement : str
        The rule that assigned it.
    quoted, lower, upper : float
        The quoted move, and the bounds between which numbers round to it.
    kind : str
    digits : int
        Its decimals, of per cent if it is a decimal return.
    low, high : float
        The lowest and the highest move of the session from the previous close, between which it passed.
    currency : str
        Of the prices of the ticker; empty if they do not say.
    """

    frame: pd.DataFrame
    ticker: str
    session: pd.Timestamp
    placement: str
    quoted: float
    lower: float
    upper: float
    kind: Kind
    digits: int
    low: float
    high: float
    currency: str

    def text(self, move: float, more: int = 0, currency: str | None = None) -> str:
        """Return a move in its unit, with the digits of the quoted number and some more."""
        digits = max(self.digits, 0) + more
        if self.kind == "percent":
            return formats.percent(move, digits)
        if self.kind == "money":
            return amounts.money(move, self.currency if currency is None else currency)
        return f"{formats.signed(move, digits)} points"

    def answer(self) -> str:
        """Return what makes the quoted move true, or what the move was instead."""
        frame = self.frame.dropna(subset="move")
        more = int(self.digits >= 0)
        # A quoted amount names no currency: the candidates do.
        number, *bounds = (
            self.text(self.quoted, 0, ""),
            self.text(self.lower, more, ""),
            self.text(self.upper, more, ""),
        )
        quoted = f"{number} ({' to '.join(bounds)})"
        known, later = (frame[mask] for mask in (frame["last_on"] <= self.session, frame["last_on"] > self.session))
        true, cut, after = known[known["matches"]], known[known["cut_off"]], later[later["matches"]]
        own = known[known["currency"] == self.currency]
        if len(true):
            text = f"{quoted} is true of {self._listed(true)}."
        else:
            text = f"no price up to that session makes {quoted} true; the nearest is {self._listed(own.iloc[:1])}."
            text += f" With digits cut off it is true of {self._listed(cut)}." if len(cut) else ""
            text += f" A session later it is true of {self._listed(after)}." if len(after) else ""
        if not len(true) and not np.isnan(self.low):
            passed = "passed" if self.low <= self.quoted <= self.high else "did not reach"
            text += f" During the session the price {passed} it: {self.text(self.low, 2)} to {self.text(self.high, 2)}."
        close = own.loc[own["what"] == CLOSE, "move"]
        told = CLOSE in [*true["what"].iloc[:ALSO], *own["what"].iloc[: int(not len(true))]]
        if len(close) and not told:
            text += f" At the close it was {self.text(close.iloc[0], 2)}."
        guess = f" The session is a guess ({self.placement})." if NO_CLOSES in self.placement else ""
        return f"{self.ticker}, {formats.date(self.session)}: {text}{guess}"

    def _listed(self, rows: pd.DataFrame) -> str:
        """Return the first moves in words; one in another currency only where that in the own one is not among them."""
        local = rows["currency"] == self.currency
        rows = rows[local | ~rows["what"].isin(rows.loc[local, "what"])]
        parts = [
            f"the move {what}{'' if code == self.currency else f' in {code}'} ({self.text(move, 2, code)})"
            for what, code, move in zip(rows["what"], rows["currency"], rows["move"], strict=True)
        ][:ALSO]
        return ", ".join(parts) + (f" and {len(rows) - ALSO} more" if len(rows) > ALSO else "")

    def __repr__(self) -> str:
        return formats.terminal("\n".join(textwrap.wrap(f"Headline: {self.answer()}", 100, subsequent_indent="  ")))

    def _repr_html_(self) -> str:
        rows = [
            (
                formats.plain(row["what"]), formats.date(row["first_on"]), formats.date(row["last_on"]),
                formats.plain(row["currency"]), self.text(row["move"], 2, row["currency"]),
                "true" if row["matches"] else "cut off" if row["cut_off"] else "",
            )
            for row in self.frame.dropna(subset="move").head(12).to_dict("records")
        ]  # fmt: skip
        heads = ("Move", "from", "to", "Currency", "Size", "")
        grid = Grid(heads, rows, (False, False, False, False, True, False))
        return Summary(f"{self.text(self.quoted)} held to the prices", tables=[grid], notes=[self.answer()]).as_html()


CLOSE = "from the previous close to the close"


def headline(
    ticker: str, when: object, move: float, *, prices: Prices, kind: Kind = "percent", digits: int | None = None,
    benchmark: str | None = None, value: str | float = "market_value",
) -> Headline:  # fmt: skip
    """Hold a quoted move to the prices: the field, window and currency that make it true, or what the move was.

    Parameters
    ----------
    ticker : str
    when : str, date or datetime
        When the news came, as in the column ``announced`` of events. The move is that of the first session whose close
        is later, and of those around it.
    move : float
        As quoted, with its sign: -0.06 for a fall of 6 %, -600 for one of 600 points, -30e9 for one of 30 bn, of any
        currency.
    prices : Prices
        Daily prices of the ticker. Moves are also computed in the other currencies of which they have rates, each price
        at the rate of its date. The high of 52 weeks is that of the 364 days before the session, of prices that begin
        no later.
    kind : {"percent", "points", "money"}
        A return of the price as a decimal, as news quotes it, and where a dividend was paid between the prices also
        with it; a difference of prices; or one of market value, with as many shares. Across a split that closes are not
        adjusted for there are no points.
    digits : int, optional
        Decimals of the quoted number, of per cent if it is one: with 0, 6 % stands for 5.5 % to 6.5 %. By default those
        of ``move``; of points and money the place of the last digit that is not 0, so that 600 is 550 to 650 (-1 makes
        it 595 to 605).
    benchmark : str, optional
        A ticker of the same exchange: moves less those of it are candidates too.
    value : str or float
        For money: the market value at the close before the session, or a field of the prices with it.

    Returns
    -------
    Headline
        ``frame`` of all candidates, the nearest first, and ``answer()`` in words.

    Raises
    ------
    InputError
        If an argument is not valid, or the prices have no such ticker or are not daily.
    NotEnoughData
        If the ticker has no price in the session or before.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2021-09-09", "2021-09-10", "2021-09-13"])
    >>> bars = pd.DataFrame({"close": [101.0, 100.0, 95.8], "low": [99.0, 99.0, 93.9]}, index=days)
    >>> prices = Prices.from_frame(bars.assign(ticker="A").rename_axis("date").reset_index())
    >>> headline("A", "2021-09-13", -0.06, prices=prices).frame[["what", "matches"]].values[0].tolist()
    ['from the previous close to the low', True]
    """
    arguments.instance("prices", prices, Prices, "es.read_prices(...) or es.fetch_prices(...)")
    if not arguments.is_number(move) or move == 0:
        raise InputError(f"move is {shown(move)}; give a number other than 0, as -0.06 for a fall of 6 %")
    arguments.choice("kind", kind, get_args(Kind))
    bars = bars_of("ticker", ticker, prices)
    if kind == "points" and is_level(bars):
        raise InputError(f"kind is 'points', and the prices of {ticker} are returns; give its prices, or a percent")
    index, session, rule = placed(bars, when)
    decimals = _digits(move, kind) if digits is None else arguments.whole("digits", digits, -15, 15)
    unit = 10.0 ** -(decimals + 2 * (kind == "percent"))
    sizes = [
        (step, code, _size(bars, index, step, kind, rate, value))
        for code, rate in _currencies(bars, prices, kind)
        for step in (*_steps(bars, index), *_with_dividends(bars, index, kind))
    ]
    if benchmark is not None and kind == "percent":
        sizes += _relative(bars, bars_of("benchmark", benchmark, prices), index)
    frame = _frame(sizes, bars.dates, float(move), unit)
    half, own = unit / 2.0, bars.currency or ""
    moves = {step.words: size for step, code, size in sizes if code == own}
    low, high = (moves[f"from the previous close to the {field}"] for field in ("low", "high"))
    bounds = float(move) - half, float(move) + half
    return Headline(frame, bars.ticker, session, rule, float(move), *bounds, kind, decimals, low, high, own)


def _digits(move: float, kind: Kind) -> int:
    """Return the decimals of a number as it was written; those of a per cent are 0 or more."""
    exponent = Decimal(repr(float(move))).normalize().as_tuple().exponent
    digits = -int(exponent)
    return max(digits - 2, 0) if kind == "percent" else digits


def _steps(bars: Bars, index: int) -> Iterator[_Move]:
    """Yield the candidates, the most usual first."""
    for field, relative in (("close", True), ("low", False), ("open", True), ("high", False)):
        yield _Move(f"from the previous close to the {field}", ("close", index - 1), (field, index), relative)
    for field in ("low", "close"):
        yield _Move(f"from the open to the {field}", ("open", index), (field, index))
    yield _Move("from the high to the low of the session", ("high", index), ("low", index))
    for field in ("open", "low", "high", "close"):
        words = f"from the close to the {field} of the next session"
        yield _Move(words, ("close", index), (field, index + 1), field == "close")
    for field in ("low", "close"):
        words = f"from the previous close to the {field} of the next session"
        yield _Move(words, ("close", index - 1), (field, index + 1), field == "close")
    yield _Move("of the session before, close to close", ("close", index - 2), ("close", index - 1), True)
    yield _Move("over five sessions to the close", ("close", index - 5), ("close", index))
    year = bars.dates.astype("datetime64[Y]")
    first = int(np.searchsorted(year, year[index]))
    yield _Move("from the last close of the year before", ("close", first - 1), ("close", index))
    begin = bars.dates[index] - YEAR
    first = int(np.searchsorted(bars.dates, begin))
    if bars.dates[0] <= begin and first < index and "high" in bars.fields:
        peak = first + int(np.argmax(np.nan_to_num(_level(bars, "high")[first:index], nan=-np.inf)))
        for field in ("low", "close"):
            yield _Move(f"from the high of 52 weeks to the {field}", ("high", peak), (field, index))


def _level(bars: Bars, field: str) -> Floats:
    return counted_level(bars, field, "keep") if field in bars.fields else np.full(len(bars.dates), np.nan)


def _price(bars: Bars, field: str) -> Floats:
    return bars.fields[field] if field in bars.fields else np.full(len(bars.dates), np.nan)


def _size(bars: Bars, index: int, step: _Move, kind: Kind, rate: Floats, value: str | float) -> float:
    """Return the size of a candidate in the unit of the kind; NaN where a price is missing."""
    ends = (step.first, step.last)
    if min(row for _, row in ends) < 0 or max(row for _, row in ends) >= len(bars.dates):
        return np.nan
    split = not 1.0 / SPLIT < _adjustment(bars, step) < SPLIT
    if kind == "points" and split:
        return np.nan
    level = _level if split or step.dividends else _price
    first, last = (level(bars, field)[row] * rate[row] for field, row in ends)
    if kind == "percent":
        return float(last / first - 1.0)
    shares = 1.0 if kind == "points" else _market_value(bars, index, value) / float(level(bars, "close")[index - 1])
    return float(last - first) * shares


def _adjustment(bars: Bars, step: _Move) -> float:
    """Return by how much prices are adjusted more at the last price of a candidate than at its first; 1 for nothing."""
    (_, first), (_, last) = step.first, step.last
    factor = _level(bars, "close") / bars.fields["close"]
    return float(factor[last] / factor[first])


def _with_dividends(bars: Bars, index: int, kind: Kind) -> Iterator[_Move]:
    """Yield the candidates of returns between whose prices a dividend was paid, with it: news quotes prices."""
    for step in _steps(bars, index) if kind == "percent" else ():
        rows = (step.first[1], step.last[1])
        if min(rows) >= 0 and max(rows) < len(bars.dates) and 1e-6 < abs(_adjustment(bars, step) - 1.0) < SPLIT - 1.0:
            yield step._replace(words=f"{step.words}, with dividends", dividends=True)


def _market_value(bars: Bars, index: int, value: str | float) -> float:
    """Return the market value at the close before the session."""
    if arguments.is_number(value) and value > 0:
        return float(value)
    if not isinstance(value, str) or value not in bars.fields:
        raise InputError(
            f"value is {shown(value)}; money needs the market value of {bars.ticker} at the close before: a number"
            " above 0, or a field of the prices (es.transform.attach)"
        )
    return float(bars.fields[value][index - 1])


def _currencies(bars: Bars, prices: Prices, kind: Kind) -> Iterator[tuple[str, Floats]]:
    """Yield the currency of the prices, and the others that have rates, with the rate on each date, (T,)."""
    yield bars.currency or "", np.ones(len(bars.dates))
    base, unit = MINOR.get(str(bars.currency), (bars.currency, 1.0))
    rated = [ticker.removesuffix("=X") for ticker in prices.bars if ticker.endswith("=X")]
    codes = [] if kind == "points" else [name[at : at + 3] for name in rated for at in range(0, len(name), 3)]
    for code in dict.fromkeys([*codes, *["USD"] * bool(codes)]):
        if base is None or code == base:
            continue
        with contextlib.suppress(InputError):  # a rate between two other currencies
            yield code, unit * exchange_rate(prices, base, code, quoted=kind != "percent")(bars.dates)


def _relative(bars: Bars, benchmark: Bars, index: int) -> list[tuple[_Move, str, float]]:
    """Return the moves less those of a benchmark, where both prices are of one time of day."""
    one = np.ones(len(bars.dates))
    at = np.searchsorted(benchmark.dates, bars.dates).clip(0, len(benchmark.dates) - 1)
    same = benchmark.dates[at] == bars.dates
    fields: dict[str, Floats] = {field: np.where(same, _level(benchmark, field)[at], np.nan) for field in PRICE_FIELDS}
    aligned: dict[str, Floats] = {
        field: values for field, values in fields.items() if np.isfinite(values).any() or field == "close"
    }
    other = Bars(benchmark.ticker, bars.dates, aligned, bars.mic, benchmark.currency)
    return [
        (
            step._replace(words=f"{step.words}, less {benchmark.ticker}"),
            bars.currency or "",
            _size(bars, index, step, "percent", one, 0.0) - _size(other, index, step, "percent", one, 0.0),
        )
        for step in _steps(bars, index)
        if step.relative
    ]


def _frame(sizes: list[tuple[_Move, str, float]], dates: Dates, quoted: float, unit: float) -> pd.DataFrame:
    """Return the candidates, the nearest first; those whose prices are missing last."""

    def on(row: int) -> np.datetime64:
        return dates[row] if 0 <= row < len(dates) else np.datetime64("NaT", "D")

    frame = pd.DataFrame(
        {
            "what": [step.words for step, _, _ in sizes],
            "first_on": pd.DatetimeIndex([on(step.first[1]) for step, _, _ in sizes]),
            "last_on": pd.DatetimeIndex([on(step.last[1]) for step, _, _ in sizes]),
            "currency": [code for _, code, _ in sizes],
            "move": [size for _, _, size in sizes],
        }
    )
    frame["difference"] = frame["move"] - quoted
    near = FINEST * unit
    beyond = frame["difference"] * np.sign(quoted)
    frame["matches"] = frame["difference"].abs() <= unit / 2.0 + near
    frame["cut_off"] = (beyond >= -near) & (beyond < unit - near)
    return frame.sort_values("difference", key=abs, kind="stable", ignore_index=True)
