"""The analyses of a result for decisions: what the events cost, whether they could be traded on, and one event."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd

from eventstudy.display.measure import Measure
from eventstudy.types import Rerun, Window, required

if TYPE_CHECKING:
    from eventstudy.analysis.money import Money
    from eventstudy.analysis.single import Single
    from eventstudy.analysis.trades import Trades
    from eventstudy.analysis.trades_rule import Entry, RuleOptions


class Decisions:
    """What can be computed from the frames of a result, and from its study with its data, for a decision."""

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
            ``<value>_currency`` where it has one. A column is taken to be of the close before the window; of a field
            the last value up to that close is used, up to 31 days old. Nothing later is read.
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

    def trades(
        self, entry: Entry = "next", hold: int = 5, cost_bps: float = 10.0, hedge: bool = True,
        **options: Unpack[RuleOptions],
    ) -> Trades:  # fmt: skip
        """Trade on the announcements as a script could have, without looking ahead.

        Each announcement is bought, or sold short, in its expected direction at the first price after it, and sold some
        sessions later. Entry, size and hedge use what was known then: the latest moment at which the event was public
        (its time, the bound ``not_after``, or the end of its date), prices before, and the estimation window.

        Parameters
        ----------
        entry : {"next", "open", "close"}
            The price of the entry: the first open or close later than the announcement, the first open, or the first
            close. News after the close of a session is traded at the next open, news during a session at its close, and
            news of which only the date is known at the open of the session after that date. Of intraday bars "next" is
            the open of the first bar that begins later.
        hold : int
            Sessions, or bars, that are held; left at the close of the last.
        cost_bps : float
            Cost of each purchase and each sale in basis points of its value, on the net change of a position.
        hedge : bool
            Whether beta times the value of the share is sold short of its benchmark.
        **options
            ``delay``: sessions, or bars, by which the entry is later. ``stop``: the loss of the share, as a decimal, at
            which a close ends the trade; it is left at the next price.

            ``size``: "equal" puts ``stake`` (0.05 of the capital) into each event; "inverse_sigma" puts in ``stake``
            times the mean standard deviation of the events entered so far over that of the event; "capped" is "equal"
            with at most ``cap`` (1.0) held of all shares. ``ticker_cap``: the most of one ticker, long or short; one
            stake by default, so that a second event in the same direction adds nothing while the first is held.

            ``borrow_bps``: cost of a year of a short position, in basis points (50). ``sign``: the direction, 1, -1 or
            0, a column of the events or a function of the row of an event; the sign of the study by default.
            ``currency``: that of the capital; without one each share earns the return in its own.

        Returns
        -------
        Trades
            ``frame``, one row for each event with the reason if it is not traded; ``returns``, ``equity``,
            ``drawdown`` and ``positions`` by day; ``summary()``, ``plot()``, ``placebo()``, the same rule on drawn
            dates, and ``walk_forward()``, rules chosen on the past only.

        Raises
        ------
        InputError
            If an option is not valid, or the study has no sign, no benchmark to hedge with, or uses later news.
        NotEnoughData
            If no event has a session and prices.

        Examples
        --------
        >>> from eventstudy import demo
        >>> trades = demo.run().result.trades(hold=3, sign="expected_sign")
        >>> trades.frame["status"].value_counts().to_dict()
        {'traded': 312, 'no_sign': 61, 'capped': 43, 'no_benchmark': 1}
        """
        from eventstudy.analysis.trades import trades
        from eventstudy.analysis.trades_rule import rule_of

        return trades(required(self.rerun), self, rule_of(entry, hold, cost_bps, hedge, options))

    def single(
        self, event_id: Hashable | None = None, window: Window | None = None, scale: float | None = None
    ) -> Single:
        """Return the sheet of one event, as for a court: what it moved, how sure that is, and the price without it.

        Parameters
        ----------
        event_id : optional
            A used event; the only one by default.
        window : (int, int), optional
            The window of the price line; the first by default.
        scale : float, optional
            The standard deviation of effects that the Bayes factor expects, as a decimal; 0.05 by default.

        Returns
        -------
        Single
            ``frame`` (by window: CAR, t, p-values, the effect that 80 % of such studies would find, and Bayes factors),
            ``prices`` (the price by day, with and without the event, and the difference per share), ``placebo``,
            ``answer()`` and ``plot(panel="price" or "placebo")``. Gelbach, Helland & Klick (2013, American Law and
            Economics Review 15:495); Brav & Heaton (2015, Washington University Law Review 93:583).

        Raises
        ------
        InputError
            If no event is named and there are several, or an argument is not valid.

        Examples
        --------
        >>> from eventstudy import demo
        >>> result = demo.run().result
        >>> sheet = result.single(result.ar.index[0])
        >>> float(sheet.prices["difference"].loc[-1])
        0.0
        """
        from eventstudy.analysis.single import single

        return single(required(self.rerun), self, event_id, window, scale)
