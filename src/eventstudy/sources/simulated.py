"""Simulated prices on the real sessions of each exchange: seeded, with known betas and planted reactions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from eventstudy import arguments
from eventstudy.bars import Bars, Prices, read_tickers
from eventstudy.errors import InputError, TickerNotFound, shown
from eventstudy.markets import INDICES, check_ticker, mic_of, sessions_between
from eventstudy.sources._shared import (
    CURRENCIES,
    as_date,
    check_span,
    provenance,
    require_tickers,
    select_dates,
)  # fmt: skip
from eventstudy.types import Dates, Floats

ORIGIN = date(2000, 1, 3)  # every random stream begins here, so no return depends on the range that is read
ANCHOR = date(2021, 1, 4)  # on this day a path without planted returns has its randomly drawn price level
DRIFT, VOLATILITY, WORLD = 0.0003, 0.011, 0.4  # daily market return; WORLD: share of the variance common to all markets
DEGREES_OF_FREEDOM = 5

Plan = Mapping[tuple[str, str], float]
PlantedReturns = dict[str, dict[np.datetime64, float]]


class Parameters(NamedTuple):
    """The parameters of a ticker's daily return, ``alpha + beta * market + sigma * noise``."""

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

        Each exchange has one market factor, part of which is common to all exchanges; an index (``^HSI``) is that
        factor. A firm's daily return is alpha + beta * market + sigma * noise, where the noise is Student t with 5
        degrees of freedom, scaled to unit variance; ``provenance["truth"]`` has alpha, beta and sigma. A ticker's path
        depends on the seed and the ticker alone, not on the other tickers or the range. Prices begin in 2000.

        Parameters
        ----------
        tickers : sequence of str
        start, end : ISO text, datetime.date or None
            Both included; end None is today.
        seed : int
        reactions : mapping from (ticker, ISO date) to float
            Abnormal returns, as decimals, added to the simple return of that session.
        totals : mapping from (ticker, ISO date) to float
            The simple close-to-close return of that session, in place of the drawn one. A total of an index is the
            return of its market factor: firms move by their betas, unless they have totals too.

        Raises
        ------
        InputError
            When an argument is not valid, or the day of a planted return is not a session of its exchange.
        TickerNotFound
            When there is no session in the range.

        Examples
        --------
        >>> fall = {("9988.HK", "2021-09-13"): -0.06}
        >>> bars = SOURCE.read(["9988.HK"], "2021-09-10", "2021-09-13", totals=fall).bars["9988.HK"]
        >>> round(float(bars.fields["close"][1] / bars.fields["close"][0] - 1), 12)
        -0.06
        """
        names, span = require_tickers(tickers, "simulated"), check_span(start, end)
        seed = arguments.whole("seed", seed, -arguments.LARGEST)
        added, fixed = _check_plan("reactions", reactions), _check_plan("totals", totals)
        last = span.end or datetime.now(UTC).date()

        def read_one(ticker: str) -> Bars:
            if last < ORIGIN:
                raise TickerNotFound(f"no price of {ticker} {span}; simulated prices begin on {ORIGIN}")
            return select_dates(_bars(ticker, seed, max(last, ANCHOR), added, fixed), span._replace(end=last))

        bars, problems = read_tickers(names, read_one)
        truth = {ticker: _parameters(seed, ticker)._asdict() for ticker in bars}
        details = {"note": "simulated prices", "seed": seed, "truth": truth}
        return Prices(bars, problems, provenance("simulated", span, bars, **details))


SOURCE = Simulated()


def _check_plan(what: str, plan: Plan | None) -> PlantedReturns:
    """Return the planted returns by ticker and date; raise InputError for a bad key or value."""
    planted: PlantedReturns = {}
    if plan is not None and not isinstance(plan, Mapping):
        raise InputError(f"{what} is {shown(plan)}; give a mapping, as in {{('BABA', '2021-09-13'): -0.06}}")
    for key, value in (plan or {}).items():
        if not (isinstance(key, tuple) and len(key) == 2):
            raise InputError(
                f"{what} has the key {shown(key)}; a key is (ticker, ISO date), as in ('BABA', '2021-09-13')"
            )
        day = as_date(f"the date of {what}", key[1])
        if day is None or not arguments.is_number(value) or value <= -1:
            raise InputError(
                f"{what} has {shown(value)} for {shown(key)}; a return is a decimal above -1, as in -0.06, on a date"
            )
        planted.setdefault(check_ticker(key[0]), {})[np.datetime64(day)] = float(value)
    return planted


def _generator(*key: object) -> np.random.Generator:
    """Return a random generator whose stream depends on the key alone."""
    digest = hashlib.sha256(json.dumps(key).encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest, "big"))))


def _noise(days: Dates, *key: object) -> Floats:
    """Return Student t noise of unit variance on some days: one draw per calendar day since ORIGIN, then selected."""
    offset = (days - np.datetime64(ORIGIN)).astype(np.int64)
    return np.asarray(_draws(int(offset[-1]) + 1, *key)[offset])


@lru_cache(maxsize=512)  # at most 40 MB: the draws of a market are those of each of its securities
def _draws(size: int, *key: object) -> Floats:
    dof = DEGREES_OF_FREEDOM
    draws = _generator(*key).standard_t(dof, size=size) / np.sqrt(dof / (dof - 2))
    return np.asarray(np.clip(draws, -12, 12))  # a larger draw could make a price negative


def _parameters(seed: int, ticker: str) -> Parameters:
    if ticker.startswith("^"):
        return Parameters(0.0, 1.0, 0.0)
    if mic_of(ticker) == "FX":
        return Parameters(0.0, 0.0, 0.005)
    rng = _generator(seed, ticker, "truth")
    return Parameters(1e-4 * rng.standard_normal(), rng.uniform(0.6, 1.6), rng.uniform(0.012, 0.028))


def _market(mic: str, days: Dates, seed: int, added: PlantedReturns, fixed: PlantedReturns) -> Floats:
    """Return the daily returns of an exchange's market factor, with those planted for its indices."""
    factor = np.sqrt(WORLD) * _noise(days, seed, "world") + np.sqrt(1 - WORLD) * _noise(days, seed, mic, "market")
    returns: Floats = DRIFT + VOLATILITY * factor
    _plant(returns, days, _index_returns(mic, added), mic, keep=1.0)
    _plant(returns, days, _index_returns(mic, fixed), mic, keep=0.0)
    return returns


def _index_returns(mic: str, planted: PlantedReturns) -> dict[np.datetime64, float]:
    """Return what is planted for the indices of an exchange; raise InputError where two indices disagree."""
    returns: dict[np.datetime64, float] = {}
    for index in sorted(ticker for ticker in planted if INDICES.get(ticker) == mic):
        for day, value in planted[index].items():
            if returns.setdefault(day, value) != value:
                raise InputError(
                    f"{returns[day]} and {value} are planted for indices of {mic} on {day}; they are one market factor:"
                    " plant one return"
                )
    return returns


def _returns(ticker: str, mic: str, days: Dates, seed: int, added: PlantedReturns, fixed: PlantedReturns) -> Floats:
    parameters, returns = _parameters(seed, ticker), _market(mic, days, seed, added, fixed)
    if not ticker.startswith("^"):
        noise = _noise(days, seed, ticker, "noise")
        returns = parameters.alpha + parameters.beta * returns + parameters.sigma * noise
        _plant(returns, days, added.get(ticker, {}), mic, keep=1.0)
        _plant(returns, days, fixed.get(ticker, {}), mic, keep=0.0)
    return returns


def _plant(returns: Floats, days: Dates, plan: Mapping[np.datetime64, float], mic: str, keep: float) -> None:
    """Replace, in place, the return r of each planned day by ``keep * r + value``."""
    for day, value in plan.items():
        at = int(np.searchsorted(days, day))
        if at < len(days) and days[at] == day:
            returns[at] = keep * returns[at] + value
        elif at < len(days):
            raise InputError(
                f"a return of {value} is planted on {day}, which is not a session of {mic} since {ORIGIN}; plant it on"
                " a session"
            )


def _bars(ticker: str, seed: int, last: date, added: PlantedReturns, fixed: PlantedReturns) -> Bars:
    mic = mic_of(ticker)
    days = sessions_between(mic, ORIGIN, last)
    growth = np.cumprod(1 + _returns(ticker, mic, days, seed, {}, {}))
    lowest, highest = (5000, 30000) if ticker.startswith("^") else (1, 10) if mic == "FX" else (15, 250)
    level = np.exp(_generator(seed, ticker, "level").uniform(np.log(lowest), np.log(highest)))
    first = level / growth[days <= np.datetime64(ANCHOR)][-1]
    returns = _returns(ticker, mic, days, seed, added, fixed)
    close = first * np.cumprod(1 + returns)
    previous = np.concatenate([[first], close[:-1]])
    width = 0.5 * (_parameters(seed, ticker).sigma or VOLATILITY)
    share = np.clip(0.5 + 0.25 * _noise(days, seed, ticker, "open"), 0, 1)  # of the day's move that the open has made
    open_ = previous + share * (close - previous)
    high = np.maximum(open_, close) * np.exp(width * np.abs(_noise(days, seed, ticker, "high")))
    low = np.minimum(open_, close) * np.exp(-width * np.abs(_noise(days, seed, ticker, "low")))
    volume = np.rint(1e6 * np.exp(0.3 * _noise(days, seed, ticker, "volume")) * (1 + 20 * np.abs(returns)))
    fields = {"open": open_, "high": high, "low": low, "close": close, "adjusted": close, "volume": volume}
    return Bars(ticker, days, fields, mic, CURRENCIES.get(mic, (None,))[0])
