"""Analyses of a result beyond its own sample: other dates and choices, peers, listings, whole markets, every date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.decisions import Decisions
from eventstudy.types import Model, ModelName, Test, TestName, Window, required

if TYPE_CHECKING:
    from eventstudy.analysis.dates import Dates
    from eventstudy.analysis.market_wide import MarketWide
    from eventstudy.analysis.multiverse import Multiverse
    from eventstudy.analysis.multiverse_choices import Benchmark, Members
    from eventstudy.analysis.pairs import Pairs
    from eventstudy.analysis.sequential import Sequential
    from eventstudy.analysis.spillover import Spillover


class FurtherAnalyses(Decisions):
    """The analyses of a result that look beyond its own sample."""

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

    def multiverse(
        self,
        models: Sequence[ModelName | str | Model] | Mapping[str, ModelName | str | Model] | None = None,
        windows: Sequence[Window] | None = None,
        estimations: Sequence[Window] | None = None,
        benchmarks: Sequence[Benchmark] | None = None,
        samples: Mapping[str, Members] | None = None,
        tests: Sequence[TestName | str | Test] | Mapping[str, TestName | str | Test] | None = None,
    ) -> Multiverse:
        """Run the study under all combinations of choices, to see what depends on none of them.

        One fit serves all windows, tests and samples. The specifications share events and days: their joint p-values
        keep that dependence, by random signs of clusters of events (``eventstudy.core.sign_changes``).

        Parameters
        ----------
        models : sequence, or mapping from label to model, optional
            As in :meth:`Result.across`. Each argument that is None keeps what the study has.
        windows : sequence of (int, int), optional
            Inside the event window of the study.
        estimations : sequence of (int, int), optional
            Estimation windows.
        benchmarks : sequence, optional
            Each what ``Study(benchmark=...)`` takes.
        samples : mapping from label to events, optional
            A query of the columns of the events ("sector == 'Games'"), a mask, a function of the frame of the events
            that returns a mask, or None for all events. A query holds names, values, comparisons and arithmetic, and a
            few methods of a column, such as ``str.endswith`` and ``isin``. A sample is a group of the study: events
            keep their estimates, and firms with an event outside of it are no peers of those inside.
        tests : sequence, or mapping from label to test, optional
            By default each specification has its primary test.

        Returns
        -------
        Multiverse
            ``frame`` (one row for each specification, with p and p_adjusted), ``summary()``, ``by_choice()``,
            ``counterfactuals()``, ``answer()`` and ``plot()``. One that cannot be run is a row with its error.

        Raises
        ------
        InputError
            If a choice is not valid.
        EventStudyError
            If no specification can be run: the error of the first.

        Examples
        --------
        >>> from eventstudy import demo
        >>> samples = {"all": None, "New York": "~ticker.str.endswith('.HK')"}
        >>> found = demo.run().result.multiverse(["market", "mean"], windows=[(0, 0), (-1, 1)], samples=samples)
        >>> int(found.summary()["n"]), found.frame["effect"].round(3).tolist()
        (8, [0.031, 0.035, 0.029, 0.035, 0.031, 0.033, 0.029, 0.032])
        """
        from eventstudy.analysis.multiverse import multiverse

        return multiverse(self.rerun, self, models, windows, estimations, benchmarks, samples, tests)

    def spillover(
        self,
        peers: str | Sequence[str] | Mapping[str, str | Sequence[str]] = "nearest",
        window: Window | None = None,
        k: int = 5,
    ) -> Spillover:
        """Compare the treated securities with untreated peers around the same announcements.

        An announcement is the events of one ``cluster``. Its peers have the study's model and windows, on the sessions
        of their own exchanges. Each announcement counts once, by the mean of its treated, that of its peers, and their
        difference, so that what both have in common does not count as an effect.

        Parameters
        ----------
        peers : str, sequence or mapping
            "nearest": the ``k`` securities whose abnormal returns correlated most with those of the treated in the
            estimation window. The name of an events column, such as an industry: other tickers with events of the same
            value. Tickers; or a mapping from a treated ticker, or from the values of an events column, to tickers.
        window : (int, int), optional
            A window of the study; all of them by default.
        k : int
            The number of peers of an announcement under "nearest".

        Returns
        -------
        Spillover
            ``frame`` (each security of each announcement), ``tests`` (treated, peers, difference), ``paths``,
            ``attrition``, ``result`` (the study of both), ``answer()`` and ``plot("network" | "paths")``. No peer is a
            security that the announcement treats, another listing of its firm, a benchmark, or one with an event of its
            own in the event window; ``attrition`` counts them.

        Raises
        ------
        InputError
            If the peers cannot be read, or the model itself compares with peers.
        NotEnoughData
            If no announcement has a peer.
        """
        from eventstudy.analysis.spillover import spillover

        return spillover(self.rerun, self, peers, window, k)

    def pairs(self, pairs: Mapping[str, str] | None = None, window: Window | None = None) -> Pairs:
        """Follow announcements on two listings of one firm, such as an ADR and its home listing.

        Each listing has the session in which it could first react, on its own exchange. The log premium of the ADR over
        the home listing, at every close of either, shows how large the gap was after the first of the two closes, and
        how much of it was left after the second.

        Parameters
        ----------
        pairs : mapping from ticker to ticker, optional
            ADR to home listing, as ``{"BABA": "9988.HK"}``; a listing that is not among the events is placed as the
            other. By default the tickers of one ``firm`` in an announcement, the American one being the ADR.
        window : (int, int), optional
            A window of the study, for the CARs; the first by default.

        Returns
        -------
        Pairs
            ``frame`` (one row for each announcement and pair), ``path`` (each close of either), ``answer()`` and
            ``plot()``. Shares per ADR are estimated from prices before. Without an exchange rate there is no premium.

        Raises
        ------
        InputError
            If the pairs cannot be read, or have no prices.
        NotEnoughData
            If no announcement has two listings.
        """
        from eventstudy.analysis.pairs import pairs as followed

        return followed(self.rerun, self, pairs, window)

    def follow(self, announcement: str, tickers: Sequence[str] = ()) -> pd.DataFrame:
        """Follow one announcement through the time zones, session by session in the order in which they closed.

        Parameters
        ----------
        announcement : str
            A ``cluster`` of the events.
        tickers : sequence of str
            Further tickers of the prices, such as a listing in Europe, beside those of the announcement.

        Returns
        -------
        DataFrame
            step (1 is the close of the first session that could react), ticker, exchange (MIC), session, day (relative
            to the ticker's own session of the announcement), close (UTC), return (from close to close, as the
            study computes it, a decimal), ar, and car from day 0, NaN before.

        Raises
        ------
        InputError
            If there is no such announcement or ticker, or closing times are not known.

        Warns
        -----
        EventStudyWarning
            The tickers that cannot be followed, with their status.
        """
        from eventstudy.analysis.follow import follow

        return follow(self.rerun, announcement, tickers)

    def market_wide(self, exposure: str | Sequence[str] | None = None) -> MarketWide:
        r"""Estimate the effect of news that treats a whole market, where no firm is left to compare with.

        .. math:: r_{it} = a_i + b_i x_t + \sum_k g_{ik} D_{kt} + e_{it}, \quad g_{ik} = c_0 + c_1 z_i

        All firms stand in one regression in calendar time with a dummy for each event day. The mean of g, and its slope
        on the exposure z, are the effects on portfolios: their variance is that of the same portfolios on the days
        without events, so that the correlation of the firms is in it, t(T - k).

        Parameters
        ----------
        exposure : str or sequence of str, optional
            Columns of ``events`` with numbers, such as a tariff share or a dummy.

        Returns
        -------
        MarketWide
            ``frame`` (by window, date and term: estimate, se, t, df, p, interval, and p_conformal, the rank among days
            before the events, which assumes no distribution and is read first), ``joint`` (the test that no firm has
            an effect), ``notes``, ``answer()`` and ``plot()``. Schipper & Thompson (1983, Journal of Accounting
            Research 21:184); Binder (1985, Journal of Accounting Research 23:370); Sefcik & Thompson (1986, Journal of
            Accounting Research 24:316).

        Raises
        ------
        InputError
            If the model is neither "mean" nor "market", the events are of several markets, or an exposure is not a
            number.
        NotEnoughData
            If the days without events are too few, or the exposures do not differ.
        """
        from eventstudy.analysis.market_wide import market_wide

        return market_wide(required(self.rerun), self, exposure)

    def sequential(self, window: Window | None = None, level: float = 0.95, plan: int = 30) -> Sequential:
        """Test the mean standardised effect after each date, with a p-value that holds however often one looks.

        Parameters
        ----------
        window : (int, int), optional
            A window of the study; the first by default.
        level : float
            Of the confidence sequence.
        plan : int
            The number of clusters for which the test is tightest, chosen before looking.

        Returns
        -------
        Sequential
            ``frame`` (by date: events and clusters so far, mean SCAR, e-value, p_always, confidence sequence),
            ``answer()`` and ``plot()``; the method is that of :mod:`eventstudy.core.sequential`. Clusters are events
            whose windows share days, and are assumed to be symmetric about their mean.

        Examples
        --------
        >>> from eventstudy import demo
        >>> looks = demo.run().result.sequential().frame
        >>> bool(looks["p_always"].is_monotonic_decreasing)
        True
        """
        from eventstudy.analysis.sequential import sequential

        return sequential(self.rerun, self, window, level, plan)
