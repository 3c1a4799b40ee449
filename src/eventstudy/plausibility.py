"""Prices that cannot be, or hardly can: bars that contradict themselves, slips, splits not applied, stale ends.

The thresholds are measured on 450 shares of Hong Kong and New York, 2019-2022. Their true moves stay below them: -67 %
and +284 % in a day, a price that doubles and halves the next day, and the first price after a suspension of a year.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np

from eventstudy.errors import BadPrices
from eventstudy.types import PRICE_FIELDS, Bools, Dates, Floats

POSITIVE = (*PRICE_FIELDS, "adjusted")

Check = Literal["contradiction", "spike", "jump", "split", "currency", "stale", "repeated", "sentinel"]

OUTSIDE = 0.01  # a close in an auction that high and low leave out lies up to 0.6 % outside them
SENTINEL = 2.0  # factor by which a sentinel differs from both neighbours
SPIKE = 2.2  # factor of a move that is undone; the largest measured is 2.0
JUMP = 4.5  # factor of a move that is not undone; the largest measured is 3.8
TYPICAL = 4.0  # both logarithms are at least this multiple of the upper quartile of the series' own moves
ENOUGH = 20  # moves, for the quartile
UNDONE = 0.25  # share of a spike's move that may remain
ROWS = 5  # of a spike at most
CURRENCY = 100.0
NEAR = 1.2  # factor by which a move may differ from that of a unit or of a decimal slip
GAP = np.timedelta64(10, "D")  # between two prices; over a longer one, both factors are squared
NOISE = 4.0  # standard deviations to either side of the middle between a split that is applied and one that is not
STALE = 20  # repeats at the end; the most that are no suspension are 1
REPEATED = 30  # repeats elsewhere; the most that are no suspension are 21
BOUNDS = (("close", "high"), ("open", "high"), ("low", "close"), ("low", "open"), ("low", "high"))  # first <= second
ROW = ("close", "open", "high", "low", "volume")


class Finding(NamedTuple):
    """Something implausible in the prices of a ticker: the rows in doubt are those from ``date`` to ``last``.

    ``size`` is the share by which a value lies outside for a contradiction, the simple return on ``date`` for spike,
    jump, split and currency, the value of a sentinel, and the number of repeats for stale and repeated.
    """

    check: Check
    date: np.datetime64
    last: np.datetime64
    size: float
    what: str


@np.errstate(all="ignore")
def screen(dates: Dates, fields: Mapping[str, Floats]) -> tuple[Finding, ...]:
    """Find what is implausible in the bars of one ticker, in the order of the dates.

    A bar that contradicts itself is not compared with its neighbours. In intraday bars, where a price often stays and a
    row may recur, stale and repeated rows are not reported.

    Parameters
    ----------
    dates : datetime64 array (T,)
    fields : mapping from name to float array (T,)
        As in ``Bars``; ``split`` has the new shares for an old one, and 0, 1 or NaN on a date without a split.

    Examples
    --------
    >>> days = np.arange("2021-01-04", "2021-01-09", dtype="M8[D]")
    >>> findings = screen(days, {"close": np.array([10.0, 10.1, 1.01, 10.2, 10.1])})
    >>> findings[0].check, str(findings[0].date), findings[0].what
    ('spike', '2021-01-06', '1.01 between 10.1 and 10.2: a decimal slip?')
    """
    close, adjusted = fields["close"], fields.get("adjusted")
    findings = _contradictions(dates, fields)
    counts = (
        np.isin(dates, [finding.date for finding in findings], invert=True) if findings else np.ones(len(dates), bool)
    )
    findings += _wide_bars(dates, fields, counts)
    split = fields.get("split")
    level = close if adjusted is None else adjusted
    ordinary = _is_ordinary(level)
    if split is not None or not ordinary:
        findings += _moves(dates, level, counts, split)
    if not (ordinary if adjusted is None else _is_ordinary(close)):
        findings += _of_close(dates, fields, counts, {finding.date for finding in findings})
    if np.datetime_data(dates.dtype)[0] == "D":
        findings += _repeated_rows(dates, fields)
    return tuple(sorted(findings, key=lambda finding: finding.date))


def _is_ordinary(price: Floats) -> bool:
    """Return whether no price is missing, no move is large and few are zero: then there is nothing to look for."""
    ratio = price[1:] / price[:-1]
    return bool(
        len(ratio)
        and ratio.max() <= SENTINEL
        and ratio.min() >= 1.0 / SENTINEL
        and np.count_nonzero(ratio == 1.0) < STALE
    )


def _of_close(dates: Dates, fields: Mapping[str, Floats], counts: Bools, known: set[np.datetime64]) -> list[Finding]:
    """Return the slips of a close beside which there is an adjusted close, and long stretches of one close."""
    close, findings = fields["close"], []
    if "adjusted" in fields:
        slips = (f for f in _moves(dates, close, counts, None) if f.check in ("spike", "sentinel"))
        findings += [slip for slip in slips if slip.date not in known]
    if np.datetime_data(dates.dtype)[0] == "D":
        findings += (f for f in _constant_prices(dates, close, fields.get("volume")) if f.last not in known)
    return findings


def _contradictions(dates: Dates, fields: Mapping[str, Floats]) -> list[Finding]:
    """Return the bars whose close or open lies outside low and high, with the largest excess of each bar."""
    excess: dict[int, tuple[float, str]] = {}
    for lower, upper in BOUNDS:
        if lower in fields and upper in fields:
            small, large = fields[lower], fields[upper]
            over = small > (1.0 + OUTSIDE) * large
            for row in np.flatnonzero(over).tolist() if over.any() else ():
                size = float(small[row] / large[row] - 1.0)
                name, side, bound = (upper, "below", lower) if lower == "low" else (lower, "above", upper)
                value, limit = fields[name][row], fields[bound][row]
                text = f"the {name} {value:g} lies {side} the {bound} {limit:g}"
                excess[row] = max(excess.get(row, (0.0, "")), (size, text))
    return [
        Finding("contradiction", dates[row], dates[row], size, text) for row, (size, text) in sorted(excess.items())
    ]


def _wide_bars(dates: Dates, fields: Mapping[str, Floats], counts: Bools) -> list[Finding]:
    """Return the bars whose high or low is a multiple or a fraction of their close."""
    findings = []
    close = fields["close"]
    for name in ("high", "low"):
        if name in fields:
            values = fields[name]
            wide = (values > JUMP * close) if name == "high" else (close > JUMP * values)
            for row in np.flatnonzero(wide & counts) if wide.any() else ():
                text = f"the {name} {values[row]:g} beside the close {close[row]:g}"
                size = float(values[row] / close[row] - 1.0)
                findings.append(Finding("spike", dates[row], dates[row], size, text))
    return findings


def _moves(dates: Dates, level: Floats, counts: Bools, split: Floats | None) -> list[Finding]:
    """Return sentinels, splits not applied, spikes and jumps of a series of prices."""
    rows = np.flatnonzero(np.isfinite(level) & counts)
    price = level[rows]
    large = (price[1:] > SENTINEL * price[:-1]) | (price[:-1] > SENTINEL * price[1:])
    splits = np.empty(0, int) if split is None else np.flatnonzero((split > 0) & (split != 1.0) & np.isfinite(split))
    if not large.any() and not len(splits):
        return []
    sentinel = _sentinels(price, large)
    series = _Series(dates[rows[~sentinel]], price[~sentinel])
    return [
        *(
            Finding("sentinel", day, day, float(value), f"{value:g}, a code for a missing value?")
            for day, value in zip(dates[rows[sentinel]], price[sentinel], strict=True)
        ),
        *(series.splits(dates[splits], split[splits]) if split is not None else ()),
        *series.spikes(),
        *series.jumps(),
    ]


def _sentinels(price: Floats, large: Bools) -> Bools:
    """Return which prices, (n,), are nines throughout and differ largely, in one direction, from both neighbours."""
    suspect = np.zeros(len(price), dtype=bool)
    rows = np.unique([np.flatnonzero(large), np.flatnonzero(large) + 1])
    short = 10.0 ** np.ceil(np.log10(price[rows])) - price[rows]  # of the next power of ten
    nines = (price[rows] >= 99) & np.isclose(short, [[1.0], [0.1], [0.01]], rtol=1e-6, atol=0.0).any(axis=0)
    for row in rows[nines].tolist():
        if suspect[row]:
            continue
        first, last = row, row
        while first > 0 and price[first - 1] == price[row]:
            first -= 1
        while last < len(price) - 1 and price[last + 1] == price[row]:
            last += 1
        beside = [price[at] / price[row] for at in (first - 1, last + 1) if 0 <= at < len(price)]
        if beside and (max(beside) < 1.0 / SENTINEL or min(beside) > SENTINEL):
            suspect[first : last + 1] = True
    return suspect


class _Series:
    """A series of prices without gaps, its moves (logarithms) to each price but the first, and what explains them."""

    def __init__(self, dates: Dates, price: Floats) -> None:
        self.dates, self.price = dates, price
        self.moves: Floats = np.diff(np.log(price))
        self.explained = np.zeros(len(self.moves), dtype=bool)
        enough = len(self.moves) >= ENOUGH
        self.typical = TYPICAL * float(np.quantile(np.abs(self.moves), 0.75)) if enough else 0.0

    def _beyond(self, factor: float) -> Bools:
        """Return which moves exceed a factor, and are not usual in the series."""
        limit = max(np.log(factor), self.typical) * np.where(np.diff(self.dates) > GAP, 2.0, 1.0)
        return np.asarray((np.abs(self.moves) > limit) & ~self.explained)

    def _finding(self, check: Check, at: int, last: int, text: str) -> Finding:
        """Return a finding from the price after the move ``at`` to the price ``last``."""
        size = float(np.expm1(self.moves[at]))
        return Finding(check, self.dates[at + 1], self.dates[last], size, text)

    def splits(self, dates: Dates, factors: Floats) -> Iterator[Finding]:
        """Yield the splits after which the price moves as if they were not applied, or applied twice.

        A split that is small beside the noise of the series can be neither, and is passed over.
        """
        noise = NOISE * 1.4826 * float(np.median(np.abs(self.moves))) if len(self.moves) else 0.0
        for date, factor in zip(dates, factors, strict=True):
            at, split = int(np.searchsorted(self.dates, date)) - 1, float(np.log(factor))
            if not 0 <= at < len(self.moves) or abs(split) < 2.0 * noise:
                continue
            move = self.moves[at]
            for how, expected in (("is not applied", -split), ("is applied twice", split)):
                if abs(move - expected) < abs(split) / 2.0:
                    self.explained[at] = True
                    text = f"the split {factor:g} {how}: from {self.price[at]:g} to {self.price[at + 1]:g}"
                    yield self._finding("split", at, at + 1, text)

    def spikes(self) -> Iterator[Finding]:
        """Yield moves that are undone within ``ROWS`` rows, between which the price stays."""
        for at in np.flatnonzero(self._beyond(SPIKE)).tolist():
            path = np.cumsum(self.moves[at : at + ROWS + 1])
            remains, stays = np.abs(path) <= UNDONE * abs(path[0]), np.abs(path - path[0]) <= UNDONE * abs(path[0])
            back = int(remains.argmax())
            if self.explained[at] or not remains.any() or not stays[:back].all():
                continue
            self.explained[at : at + back + 1] = True
            rows = "" if back == 1 else f" on {back} rows"
            before, value, after = self.price[at], self.price[at + 1], self.price[at + back + 1]
            slip = ": a decimal slip?" if _near_power_of_ten(path[0]) else ""
            yield self._finding("spike", at, at + back, f"{value:g}{rows} between {before:g} and {after:g}{slip}")

    def jumps(self) -> Iterator[Finding]:
        """Yield the moves that few shares make, and that are neither undone nor a split."""
        for at in np.flatnonzero(self._beyond(JUMP)).tolist():
            move = f"from {self.price[at]:g} to {self.price[at + 1]:g}"
            if abs(abs(self.moves[at]) - np.log(CURRENCY)) < np.log(NEAR):
                text = f"{move}, a factor of about {CURRENCY:g}: another unit or currency, or a split not applied?"
                yield self._finding("currency", at, at + 1, text)
            else:
                yield self._finding("jump", at, at + 1, f"{move}, and not back")


def _near_power_of_ten(move: float) -> bool:
    powers = abs(move) / np.log(10.0)
    return bool(powers > 0.5 and abs(powers - round(powers)) < np.log(NEAR) / np.log(10.0))


def _constant_prices(dates: Dates, close: Floats, volume: Floats | None) -> Iterator[Finding]:
    """Yield long stretches of one close, unless shares were traded on most of their days."""
    rows = np.flatnonzero(np.isfinite(close))
    price = close[rows]
    for first, last in _stretches(price[1:] == price[:-1], STALE):
        ends = last == len(price) - 2
        if not ends and last - first + 1 < REPEATED:
            continue
        n_traded = None if volume is None else volume[rows[first + 1 : last + 2]]
        if n_traded is not None and (n_traded > 0).mean() > 0.5 and len(np.unique(n_traded)) > 1:
            continue
        start, end = dates[rows[first + 1]], dates[rows[last + 1]]
        text = f"the close {price[first]:g} of {dates[rows[first]]} repeats to {'the end, ' if ends else ''}{end}"
        yield Finding("stale" if ends else "repeated", start, end, float(last - first + 1), text)


def _repeated_rows(dates: Dates, fields: Mapping[str, Floats]) -> Iterator[Finding]:
    """Yield rows that repeat the whole row before, with a range of prices and a volume."""
    if any(name not in fields for name in ROW):
        return
    volume = fields["volume"]
    same = (volume[1:] == volume[:-1]) & (volume[1:] > 0)
    if not same.any():
        return
    for name in ROW[:-1]:
        same &= fields[name][1:] == fields[name][:-1]
    same &= fields["high"][1:] > fields["low"][1:]
    for first, last in _stretches(same, 1):
        text = f"the row of {dates[first]} repeats, with its volume {volume[first]:g}, to {dates[last + 1]}"
        yield Finding("repeated", dates[first + 1], dates[last + 1], float(last - first + 1), text)


def _stretches(mask: Bools, length: int) -> list[tuple[int, int]]:
    """Return the first and last index of each stretch of True that is at least as long as ``length``."""
    if np.count_nonzero(mask) < length:
        return []
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    first, stop = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(a), int(b) - 1) for a, b in zip(first, stop, strict=True) if b - a >= length]


def traded_rows(fields: Mapping[str, Floats]) -> Bools:
    """Return on which rows something traded; see :attr:`eventstudy.bars.Bars.traded`."""
    close = fields["close"]
    traded = np.zeros(len(close), dtype=bool)
    row = np.flatnonzero(np.isfinite(close))
    before = np.concatenate([row[:1], row[:-1]])  # of the first, itself
    has_volume = fields["volume"][row] > 0 if "volume" in fields else np.zeros(len(row), dtype=bool)
    repeats = before < row
    for name in ("open", "high", "low", "close", "volume"):
        if name in fields:
            now, then = fields[name][row], fields[name][before]
            repeats &= (now == then) | (np.isnan(now) & np.isnan(then))
    traded[row] = ((close[row] != close[before]) | has_volume) & ~repeats
    return traded


def check_dates(ticker: str, dates: Dates) -> None:
    """Raise BadPrices if dates repeat or decrease."""
    numbers = dates.view(np.int64)
    if (numbers[1:] > numbers[:-1]).all():
        return
    steps = np.diff(dates)
    zero = np.timedelta64(0, "s")
    if (steps == zero).any():
        repeated = dates[1:][steps == zero][0]
        raise BadPrices(f"{ticker} has two rows for {repeated}; keep one row per date")
    if (steps < zero).any():
        at = int(np.flatnonzero(steps < zero)[0])
        raise BadPrices(f"{ticker} is not sorted: {dates[at + 1]} follows {dates[at]}; sort its rows by date")


def check_values(ticker: str, name: str, dates: Dates, values: Floats) -> None:
    """Raise BadPrices if a price is not above zero, or a value is infinite."""
    price = name in POSITIVE
    if price and values.size and values.min() > 0 and values.max() < np.inf:  # no value is missing either
        return
    bad = np.isinf(values) | (price & (values <= 0))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        valid = (
            "a price must be finite and above zero; leave the cell empty if there was no trade"
            if price
            else "a value must be finite; leave the cell empty if it is missing"
        )
        raise BadPrices(
            f"{ticker} has the {name} {values[at]:g} on {dates[at]} ({int(bad.sum())} such in all); {valid}"
        )
