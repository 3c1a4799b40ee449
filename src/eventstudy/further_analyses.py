"""Analyses of a result beyond its own sample: other dates and choices, money, trades, peers, listings, one event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from eventstudy.display.measure import Measure
from eventstudy.types import Rerun, Window, required

if TYPE_CHECKING:
    from eventstudy.analysis.dates import Dates
    from eventstudy.analysis.money import Money


class FurtherAnalyses:
    """What can be computed from the frames of a result, and from its study with its data."""

    events: pd.DataFrame
    ar: pd.DataFrame
    cars: pd.DataFrame
    daily: pd.DataFrame
    tests: pd.DataFrame
    effects: pd.DataFrame
    reactions: pd.DataFrame
    attrition: pd.DataFrame
    provenance: dict[str, Any]
    measure: Measure
    rerun: Rerun | None

    def dates(self, window: Window | None = None, before: Window = (-5, -1)) -> Dates:
        """Run the study with every event on each session that the time of its announcement allows.

        Bounds (``not_before``, ``not_after``) allow the sessions between them, a date alone its own session and the
        next one (news after the close); a time, a phase, or a date on which the exchange was closed allow one.

        Parameters
        ----------
        window : (int, int), optional
            A window of the study; the first by default.
        before : (int, int)
            Days before the first possible session: a window for rumours and leaks.

        Returns
        -------
        Dates
            ``frame``, by event and possible session; ``events``, the range of the CAR and of p of each event, and the
            close at which its significance changes; ``sample``, the mean of all events with all on their first, their
            last, their lowest and their highest possible session; ``answer()`` and ``plot()``.

        Raises
        ------
        InputError
            If a window is not valid, or the study has intraday bars.

        Examples
        --------
        >>> from eventstudy import demo
        >>> dates = demo.run().result.dates()
        >>> len(dates.events), dates.sample["placement"].tolist()
        (18, ['as placed', 'earliest', 'latest', 'lowest', 'highest'])
        """
        from eventstudy.analysis.dates import dates

        return dates(required(self.rerun), self, window, before)

    def money(
        self, value: str = "market_value", window: Window | None = None, currency: str | None = None,
        shares: str | None = None, group: str | None = None,
    ) -> Money:  # fmt: skip
        """Return what the events cost in money: each CAR, or BHAR, times the value of its firm before the window.

        Parameters
        ----------
        value : str
            A column of the events, or else a field of the prices (``es.transform.attach``), with the market value of
            the firm, in the currency of the ticker's prices (pounds, not pence), or in that of the events column
            ``<value>_currency``. A column is taken to be of the close before the window; of a field the last value up
            to that close is used, up to 31 days old. Nothing later is read.
        window : (int, int), optional
            A window of the study; the first by default.
        currency : str, optional
            A code as "USD", to which values are converted by the rates among the prices on the date of each value; by
            default that of the study, or the one that all values have.
        shares : str, optional
            A column or field with the number of shares, instead of ``value``: the firm is worth this many unadjusted
            closes. If the source adjusts its closes for splits, the number must be adjusted too.
        group : str, optional
            A column of the events for ``by_group``; that of the study by default.

        Returns
        -------
        Money
            ``frame``, ``by_group``, ``total``, ``comparison``, ``reactions``, ``answer()``, ``plot()``. A loss is
            negative, whatever the expected sign. An event without a value is listed with a reason. A firm with two
            listings (events column ``firm``) counts once in the same news. The interval of ``total`` covers the sum of
            the effects of these events; ``comparison`` also has means and sums as of events like these.

        Raises
        ------
        InputError
            If there is no such column or field, the values are in several currencies and none is named, there is no
            rate, or the study is not of simple returns.

        Examples
        --------
        >>> from eventstudy import demo
        >>> rerun = demo.run().result.rerun
        >>> value = {"market_value": 5e9, "market_value_currency": "USD"}
        >>> money = rerun.result(events=rerun.events.assign(**value)).money(group="sector")
        >>> int(money.total["n"]), money.text(money.total["value"])
        (393, '+1.97 tn USD')
        """
        from eventstudy.analysis.money import money

        return money(self.rerun, self, value, window, currency, shares, group)
