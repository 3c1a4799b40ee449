"""Prices of several currencies in one: each price times the rate of its own date."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.types import Dates, Floats

PRICED = ("close", "open", "high", "low", "adjusted")
MINOR = {"GBp": ("GBP", 0.01), "GBX": ("GBP", 0.01), "ZAc": ("ZAR", 0.01), "ILA": ("ILS", 0.01)}
CODE = re.compile(r"[A-Z]{3}", re.ASCII)


class Converted(NamedTuple):
    """Prices in one currency; by ticker the dates with a price and no rate; and what was done."""

    prices: Prices
    lacking: dict[str, Dates]
    notes: tuple[str, ...]


def in_currency(prices: Prices, currency: str | None) -> Converted:
    """Express every price in one currency, by the FX series among the prices.

    A price is multiplied by the rate of the same date, as daily quotes are merged in the literature. Where the rate is
    missing the price is missing too, and nothing is filled. Volumes and series of the user stay as they are.

    Parameters
    ----------
    prices : Prices
        With series named as Yahoo's: ``USDHKD=X`` is the HKD that a USD costs, and ``HKD=X`` the same.
    currency : str or None
        As ``"USD"``; None leaves all as it is.

    Raises
    ------
    InputError
        When the currency is no code of three letters, that of a ticker is not known, or there is no rate.
    """
    if currency is None:
        return Converted(prices, {}, ())
    if not CODE.fullmatch(currency):
        raise InputError(f"currency is {currency!r}; give a code of three capital letters, as in 'USD'")
    made: dict[str, Bars] = {}
    lacking: dict[str, Dates] = {}
    notes = []
    for ticker, bars in prices.bars.items():
        if ticker.endswith("=X"):
            made[ticker] = bars
            continue
        own, unit = MINOR.get(str(bars.currency), (bars.currency, 1.0))
        if own is None:
            raise InputError(
                f"currency is {currency!r}, and that of {ticker} is not known; name it in the column currency of"
                " manifest.csv, or take prices from a source that says it"
            )
        rate = unit * np.ones(len(bars.dates)) if own == currency else unit * _rate(prices, own, currency)(bars.dates)
        missing = np.isnan(rate) & np.isfinite(bars.fields["close"])
        if missing.any():
            lacking[ticker] = bars.dates[missing]
            notes.append(f"{ticker}: no rate from {own} to {currency} on {int(missing.sum())} of its dates")
        fields = {name: values * rate if name in PRICED else values for name, values in bars.fields.items()}
        made[ticker] = replace(bars, fields=fields, currency=currency)
    return Converted(replace(prices, bars=made), lacking, tuple(notes))


def _rate(prices: Prices, own: str, currency: str) -> Callable[[Dates], Floats]:
    """Give the function from dates to the units of ``currency`` that a unit of ``own`` costs."""
    direct = _quoted(prices, own, currency)
    if direct is not None:
        return direct
    first, second = _quoted(prices, own, "USD"), _quoted(prices, "USD", currency)
    if first is not None and second is not None:
        to_dollar, from_dollar = first, second
        return lambda dates: to_dollar(dates) * from_dollar(dates)
    others = [f"{code}=X" for code in (own, currency) if code != "USD"]
    raise InputError(
        f"there is no rate from {own} to {currency} among the prices; add {own}{currency}=X, {currency}{own}=X, or"
        f" the rate{'s' * (len(others) > 1)} to the dollar, {' and '.join(others)}"
    )


def _quoted(prices: Prices, own: str, currency: str) -> Callable[[Dates], Floats] | None:
    """Find a series that has the rate, or its inverse."""
    up = [f"{own}{currency}=X"] + ([f"{currency}=X"] if own == "USD" else [])
    down = [f"{currency}{own}=X"] + ([f"{own}=X"] if currency == "USD" else [])
    for names, power in ((up, 1.0), (down, -1.0)):
        for name in names:
            if name in prices.bars:
                return _on_dates(prices.bars[name], power)
    return None


def _on_dates(bars: Bars, power: float) -> Callable[[Dates], Floats]:
    def rate(dates: Dates) -> Floats:
        if not len(bars.dates):
            return np.full(len(dates), np.nan)
        at = np.minimum(np.searchsorted(bars.dates, dates), len(bars.dates) - 1)
        there = bars.dates[at] == dates
        return np.where(there, bars.fields["close"][at] ** power, np.nan)

    return rate
