"""Simulated prices on the real sessions of each exchange: seeded, with known betas and planted reactions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError, TickerNotFound
from eventstudy.markets import INDICES, check_ticker, mic_of, sessions_between
from eventstudy.sources._shared import CURRENCIES, as_date, cut, gather, named, provenance, span
from eventstudy.types import Dates, Floats

ORIGIN = date(2000, 1, 3)  # every random stream begins here, so no return depends on the range asked for
ANCHOR = date(2021, 1, 4)  # where a path without planted returns stands at its drawn level
DRIFT, VOLATILITY, WORLD = 0.0003, 0.011, 0.4  # of a market's daily return; WORLD is the share of variance in common
TAILS = 5

Plan = Mapping[tuple[str, str], float]
Planted = dict[str, dict[np.datetime64, float]]


class Truth(NamedTuple):
    """What a ticker's returns are made of: ``alpha + beta * market + sigma * noise``, per day."""

    alpha: float
    beta: float
    sigma: float


@dataclass(frozen=True)
class Simulated:
    """Draw prices from a one-factor model with fat tails; nothing is read from disk or network."""

    def read(
        self,
        tickers: Sequence[str] | None,
        start: str | date | None,
        end: str | date | None,
        *,
        seed: int = 0,
        reactions: Plan | None = None,
        totals: Plan | None = None,
    ) -> Prices:
        """Draw the prices of the tickers from start to end.

        Each exchange has one market factor, part of which is common to the world; an index (``^HSI``) is that
        factor. A firm's daily return is alpha + beta * market + sigma * noise, the noise Student t with 5 degrees of
        freedom; ``provenance["truth"]`` has the three. A ticker's path depends on seed and ticker alone: not on the
        other tickers, nor on the range. Prices begin in 2000.

        Parameters
        ----------
        tickers : sequence of str
        start, end : ISO text, datetime.date or None
            Both included; end None is today.
        seed : int
        reactions : mapping from (ticker, ISO date) to float
            Abnormal returns, as decimals, added to the simple return of that session.
        totals : mapping from (ticker, ISO date) to float
            The simple close-to-close return of that session, whatever else is drawn. An index moves its whole
            exchange: firms follow with their betas, unless they have a total of their own.

        Raises
        ------
        InputError
            When an argument is not valid, or a planted return stands on a day that is no session of its exchange.
        TickerNotFound
            When no session lies in the range.

        Examples
        --------
        >>> fall = {("9988.HK", "2021-09-13"): -0.06}
        >>> bars = SOURCE.read(["9988.HK"], "2021-09-10", "2021-09-13", totals=fall).bars["9988.HK"]
        >>> round(float(bars.fields["close"][1] / bars.fields["close"][0] - 1), 12)
        -0.06
        """
        names, wanted = named(tickers, "simulated"), span(start, end)
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise InputError(f"seed is {seed!r}; a whole number is needed")
        added, fixed = _planted("reactions", reactions), _planted("totals", totals)
        last = wanted.end or datetime.now(UTC).date()

        def read_one(ticker: str) -> Bars:
            if last < ORIGIN:
                raise TickerNotFound(f"no price of {ticker} {wanted}; simulated prices begin on {ORIGIN}")
            return cut(_bars(ticker, seed, max(last, ANCHOR), added, fixed), wanted._replace(end=last))

        bars, problems = gather(names, read_one)
        truth = {ticker: _truth(seed, ticker)._asdict() for ticker in bars}
        more = {"note": "simulated prices", "seed": seed, "truth": truth}
        return Prices(bars, problems, provenance("simulated", wanted, bars, **more))


SOURCE = Simulated()


def _planted(what: str, plan: Plan | None) -> Planted:
    found: Planted = {}
    for key, value in (plan or {}).items():
        if not (isinstance(key, tuple) and len(key) == 2):
            raise InputError(f"{what} has the key {key!r}; a key is (ticker, ISO date), as in ('BABA', '2021-09-13')")
        day = as_date(f"the date of {what}", key[1])
        if day is None or not -1 < value < np.inf:
            raise InputError(
                f"{what} has {value!r} for {key!r}; a return is a decimal above -1, as in -0.06, on a date"
            )
        found.setdefault(check_ticker(key[0]), {})[np.datetime64(day)] = float(value)
    return found


def _stream(*what: object) -> np.random.Generator:
    digest = hashlib.sha256(json.dumps(what).encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest, "big"))))


def _noise(days: Dates, *what: object) -> Floats:
    """Student t noise of unit variance: one draw each calendar day since ORIGIN, of which the sessions are taken."""
    at = (days - np.datetime64(ORIGIN)).astype(np.int64)
    draws = _stream(*what).standard_t(TAILS, size=int(at[-1]) + 1) / np.sqrt(TAILS / (TAILS - 2))
    return np.asarray(np.clip(draws, -12, 12)[at])  # beyond 12 a price could fall below zero


def _truth(seed: int, ticker: str) -> Truth:
    if ticker.startswith("^"):
        return Truth(0.0, 1.0, 0.0)
    if mic_of(ticker) == "FX":
        return Truth(0.0, 0.0, 0.005)
    draw = _stream(seed, ticker, "truth")
    return Truth(1e-4 * draw.standard_normal(), draw.uniform(0.6, 1.6), draw.uniform(0.012, 0.028))


def _market(mic: str, days: Dates, seed: int, added: Planted, fixed: Planted) -> Floats:
    shared = np.sqrt(WORLD) * _noise(days, seed, "world") + np.sqrt(1 - WORLD) * _noise(days, seed, mic, "market")
    moves: Floats = DRIFT + VOLATILITY * shared
    _plant(moves, days, _of_indices(mic, added), mic, keep=1.0)
    _plant(moves, days, _of_indices(mic, fixed), mic, keep=0.0)
    return moves


def _of_indices(mic: str, planted: Planted) -> dict[np.datetime64, float]:
    found: dict[np.datetime64, float] = {}
    for index in sorted(ticker for ticker in planted if INDICES.get(ticker) == mic):
        for day, value in planted[index].items():
            if found.setdefault(day, value) != value:
                raise InputError(
                    f"{found[day]} and {value} are planted for indices of {mic} on {day}; they are one market factor:"
                    " plant one return"
                )
    return found


def _returns(ticker: str, mic: str, days: Dates, seed: int, added: Planted, fixed: Planted) -> Floats:
    truth, returns = _truth(seed, ticker), _market(mic, days, seed, added, fixed)
    if not ticker.startswith("^"):
        returns = truth.alpha + truth.beta * returns + truth.sigma * _noise(days, seed, ticker, "noise")
        _plant(returns, days, added.get(ticker, {}), mic, keep=1.0)
        _plant(returns, days, fixed.get(ticker, {}), mic, keep=0.0)
    return returns


def _plant(returns: Floats, days: Dates, plan: Mapping[np.datetime64, float], mic: str, keep: float) -> None:
    for day, value in plan.items():
        at = int(np.searchsorted(days, day))
        if at < len(days) and days[at] == day:
            returns[at] = keep * returns[at] + value
        elif at < len(days):
            raise InputError(f"a return of {value} is planted on {day}, which is no session of {mic} since {ORIGIN}")


def _bars(ticker: str, seed: int, last: date, added: Planted, fixed: Planted) -> Bars:
    mic = mic_of(ticker)
    days = sessions_between(mic, ORIGIN, last)
    plain = np.cumprod(1 + _returns(ticker, mic, days, seed, {}, {}))
    low, high = (5000, 30000) if ticker.startswith("^") else (1, 10) if mic == "FX" else (15, 250)
    level = np.exp(_stream(seed, ticker, "level").uniform(np.log(low), np.log(high)))
    first = level / plain[days <= np.datetime64(ANCHOR)][-1]
    returns = _returns(ticker, mic, days, seed, added, fixed)
    close = first * np.cumprod(1 + returns)
    before = np.concatenate([[first], close[:-1]])
    width = 0.5 * (_truth(seed, ticker).sigma or VOLATILITY)
    share = np.clip(0.5 + 0.25 * _noise(days, seed, ticker, "open"), 0, 1)  # of the day's move, done by the open
    opened = before + share * (close - before)
    high_ = np.maximum(opened, close) * np.exp(width * np.abs(_noise(days, seed, ticker, "high")))
    low_ = np.minimum(opened, close) * np.exp(-width * np.abs(_noise(days, seed, ticker, "low")))
    volume = np.rint(1e6 * np.exp(0.3 * _noise(days, seed, ticker, "volume")) * (1 + 20 * np.abs(returns)))
    fields = {"open": opened, "high": high_, "low": low_, "close": close, "adjusted": close, "volume": volume}
    return Bars(ticker, days, fields, mic, CURRENCIES.get(mic, (None,))[0])
