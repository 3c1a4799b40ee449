"""Convert prices of several currencies to one: each price times the exchange rate of its date."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError, shown
from eventstudy.prepare.returns import is_level
from eventstudy.types import BarsView, Dates, Floats, PricesView

OLDEST_RATE = 7  # days for which a rate is used where a day, or a bar, has none of its own
PRICED = ("close", "open", "high", "low", "adjusted")
MINOR = {"GBp": ("GBP", 0.01), "GBX": ("GBP", 0.01), "ZAc": ("ZAR", 0.01), "ILA": ("ILS", 0.01)}
CODE = re.compile(r"[A-Z]{3}", re.ASCII)


class Conversion(NamedTuple):
    """Prices in one currency; by ticker, the dates with a price but no exchange rate; and notes."""

    prices: Prices
    without_rate: dict[str, Dates]
    notes: tuple[str, ...]


def convert_prices(prices: Prices, currency: str | None) -> Conversion:
    """Convert every price to one currency, by the FX series among the prices.

    A price is multiplied by the rate of the same date. Where the rate is missing, the price becomes missing too;
    nothing is filled. Volumes and series of the user stay unchanged.

    Parameters
    ----------
    prices : Prices
        Including FX series with Yahoo's names: ``USDHKD=X`` is the price of a USD in HKD, and so is ``HKD=X``.
    currency : str or None
        A code such as ``"USD"``; None leaves all prices unchanged.

    Raises
    ------
    InputError
        If the currency is not a code of three letters, that of a ticker is not known, or there is no rate.
    """
    if currency is None:
        return Conversion(prices, {}, ())
    if not CODE.fullmatch(currency):
        raise InputError(f"currency is {shown(currency)}; give a code of three capital letters, as in 'USD'")
    converted: dict[str, Bars] = {}
    without_rate: dict[str, Dates] = {}
    notes = []
    for ticker, bars in prices.bars.items():
        if ticker.endswith("=X"):
            converted[ticker] = bars
            continue
        currency_of_bars, unit = MINOR.get(str(bars.currency), (bars.currency, 1.0))
        if currency_of_bars is None:
            raise InputError(
                f"currency is {shown(currency)}, and that of {ticker} is not known; name it in the column currency of"
                " manifest.csv, or use a source that provides it"
            )
        if currency_of_bars == currency:
            rate = unit * np.ones(len(bars.dates))
        else:
            rate = unit * exchange_rate(prices, currency_of_bars, currency, quoted=False)(bars.dates)
        missing = np.isnan(rate) & np.isfinite(bars.fields["close"])
        if missing.any():
            without_rate[ticker] = bars.dates[missing]
            notes.append(
                f"{ticker}: no rate from {currency_of_bars} to {currency} on {int(missing.sum())} of its dates"
            )
        fields = {name: values * rate if name in PRICED else values for name, values in bars.fields.items()}
        if "return" in fields and currency_of_bars != currency:
            growth = rate[1:] / rate[:-1]
            fields["return"] = np.concatenate([[np.nan], (1.0 + fields["return"][1:]) * growth - 1.0])
        converted[ticker] = replace(bars, fields=fields, currency=currency)
    return Conversion(replace(prices, bars=converted), without_rate, tuple(notes))


def exchange_rate(prices: PricesView, base: str, currency: str, quoted: bool = True) -> Callable[[Dates], Floats]:
    """Return the function from dates to the price of a unit of ``base`` in ``currency``.

    Unless it is ``quoted``, a series of returns is a rate too, up to a constant.
    """
    direct = _find_series(prices, base, currency, quoted)
    if direct is not None:
        return direct
    first, second = (_find_series(prices, *codes, quoted) for codes in ((base, "USD"), ("USD", currency)))
    if first is not None and second is not None:
        to_dollar, from_dollar = first, second
        return lambda dates: to_dollar(dates) * from_dollar(dates)
    others = [f"{code}=X" for code in (base, currency) if code != "USD"]
    raise InputError(
        f"there is no rate from {base} to {currency} among the prices; add {base}{currency}=X, {currency}{base}=X, or"
        f" the rate{'s' * (len(others) > 1)} to the dollar, {' and '.join(others)}"
    )


def latest_rate(prices: PricesView, base: str, currency: str, days: int) -> Callable[[Dates], Floats]:
    """Return the function from dates, or starts of bars, to the last rate of the same or an earlier one.

    It is NaN if the last is more than ``days`` old. See :func:`exchange_rate`.
    """
    of_date = exchange_rate(prices, base, currency)
    every = np.unique(np.concatenate([bars.dates for ticker, bars in prices.bars.items() if ticker.endswith("=X")]))
    values = of_date(every)
    known, values = every[np.isfinite(values)], values[np.isfinite(values)]

    def rate(dates: Dates) -> Floats:
        if not len(known):
            return np.full(len(dates), np.nan)
        at = np.searchsorted(known, dates, side="right") - 1
        last = np.maximum(at, 0)
        return np.where((at >= 0) & (dates - known[last] <= np.timedelta64(days, "D")), values[last], np.nan)

    return rate


def _find_series(prices: PricesView, base: str, currency: str, quoted: bool) -> Callable[[Dates], Floats] | None:
    """Return the function of a series that holds the rate or its inverse; None if there is none."""
    direct = [f"{base}{currency}=X"] + ([f"{currency}=X"] if base == "USD" else [])
    inverse = [f"{currency}{base}=X"] + ([f"{base}=X"] if currency == "USD" else [])
    for names, power in ((direct, 1.0), (inverse, -1.0)):
        for name in names:
            if name in prices.bars:
                if quoted and is_level(prices.bars[name]):
                    raise InputError(
                        f"there is no rate from {base} to {currency} among the prices: those of {name} are returns;"
                        " give its prices"
                    )
                return _on_dates(prices.bars[name], power)
    return None


def _on_dates(bars: BarsView, power: float) -> Callable[[Dates], Floats]:
    """Return the function from dates to closes raised to ``power``, NaN where there is no close."""

    def rate(dates: Dates) -> Floats:
        if not len(bars.dates):
            return np.full(len(dates), np.nan)
        at = np.minimum(np.searchsorted(bars.dates, dates), len(bars.dates) - 1)
        has_rate = bars.dates[at] == dates
        return np.where(has_rate, bars.fields["close"][at] ** power, np.nan)

    return rate
