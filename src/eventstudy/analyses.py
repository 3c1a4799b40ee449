"""The analyses of a result: methods that load the module of :mod:`eventstudy.analysis` that computes them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from eventstudy.display.measure import Measure
from eventstudy.types import Rerun, Window, required

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResultsWrapper

    from eventstudy.analysis.calibration import Calibration
    from eventstudy.analysis.pairs import Pairs
    from eventstudy.analysis.spillover import Spillover
    from eventstudy.display.cards import Summary


class Analyses:
    """What can be computed from the frames of a result, and from its study with its data."""

    events: pd.DataFrame
    ar: pd.DataFrame
    cars: pd.DataFrame
    daily: pd.DataFrame
    tests: pd.DataFrame
    effects: pd.DataFrame
    attrition: pd.DataFrame
    provenance: dict[str, Any]
    measure: Measure
    rerun: Rerun | None

    def summary(self) -> Summary:
        """Return the result in one view, to be printed or shown in a notebook.

        Returns
        -------
        Summary
            What was studied, used and left out; for each window the mean effect with stars, its standard error, the
            statistic and p of the primary test, the 95 % interval and the number of events; the p of all tests; and
            notes on the dependence of the events, the tests that do not hold, and the data. ``print`` shows at most 100
            columns; ``as_text()`` and ``as_html()`` return text.

        Examples
        --------
        >>> from eventstudy import demo
        >>> print(demo.run().result.summary().as_text().splitlines()[0].strip())
        Event study: mean signed cumulative abnormal return (CAR), simulated prices
        """
        from eventstudy.analysis.summary import summary

        return summary(self)

    def paths(self) -> pd.DataFrame:
        """Return the CAR or BHAR of each used event from the first day of the event window to each day.

        Returns
        -------
        DataFrame
            As ``ar``, without duplicates. A missing day adds nothing to later days.
        """
        from eventstudy.analysis.paths import paths

        return paths(self.rerun, self)

    def path(self, event_id: Hashable, start: int | None = None) -> pd.DataFrame:
        """Return the CAR or BHAR of one event from a day of the event window to each later day, with its 95 % band.

        Parameters
        ----------
        event_id
            A used event, or a duplicate.
        start : int, optional
            The relative day from which abnormal returns are accumulated; the first of the event window by default.

        Returns
        -------
        DataFrame
            Index ``day``; time (the session, or the start of the bar at its exchange), ar, car (or bhar), se (with the
            forecast error of the sum), lower, upper. A missing day adds nothing to later days. A result without its
            study has no times and no band.
        """
        from eventstudy.analysis.paths import path

        return path(self.rerun, self, event_id, start)

    def calibrate(
        self, draws: int = 1000, shocks: Sequence[float] = (0.0,), level: float = 0.05, seed: int | None = None
    ) -> Calibration:
        """Estimate how often each test of the study rejects on drawn dates, with and without a shock.

        Parameters
        ----------
        draws : int
            Samples for each shock, drawn from the histories of the securities; overlapping dates move together.
        shocks : sequence of float
            Values added to day 0 of every event, as decimal returns, or in the units of another outcome (for
            "volatility" to the return, for "volume" to its logarithm): 0 estimates the size, others the power.
        level : float
            Nominal level of the tests.
        seed : int, optional
            The seed of the study by default.

        Returns
        -------
        Calibration
            ``frame`` (shock, start, end, test, n_draws, rejection, lower, upper, and the 95 % binomial interval), and
            ``plot()`` for the power curve. Brown & Warner (1980, Journal of Financial Economics 8:205).
        """
        from eventstudy.analysis.calibration import calibrate

        return calibrate(required(self.rerun), self, draws, shocks, level, seed)

    def adjust(self, method: str = "holm", draws: int = 999) -> pd.DataFrame:
        """Adjust the p-values of the tests for multiple windows.

        Parameters
        ----------
        method : {"holm", "bh", "by", "romano_wolf"}
            Holm (1979) and Romano & Wolf (2005, Econometrica 73:1237) control the familywise error rate, Benjamini &
            Hochberg (1995) and Benjamini & Yekutieli (2001, under any dependence) the false discovery rate.
            "romano_wolf" ranks the statistics among their joint values on drawn dates, as in the placebo test.
        draws : int
            Number of samples for "romano_wolf", 99 or more.

        Returns
        -------
        DataFrame
            ``tests`` with ``p_adjusted``. A family is the windows of one group and one test; a NaN p is not part of it
            and stays NaN. Under "romano_wolf" tests that draw dates themselves are NaN, and the note says so.

        Examples
        --------
        >>> from eventstudy import demo
        >>> demo.run().result.adjust("holm").columns[-1]
        'p_adjusted'
        """
        from eventstudy.analysis.multiplicity import adjust

        return adjust(self.rerun, self, method, draws)

    def band(self, level: float = 0.95, draws: int = 999) -> pd.DataFrame:
        """Return a simultaneous band around the CAAR over all days of the event window.

        The band of ``daily`` is pointwise. This one is the CAAR, or mean BHAR, plus and minus its standard error times
        the ``level`` quantile of the maximum of abs(CAAR / se) over the days on drawn dates (Romano & Wolf 2005,
        Econometrica 73:1237). If the histories are too short to avoid real events, it is too wide.

        Parameters
        ----------
        level : float
        draws : int
            Number of samples drawn from the histories of the securities, 99 or more.

        Returns
        -------
        DataFrame
            Index ``day``; caar, lower, upper; NaN without a standard error, or if fewer than 20 samples have one.
        """
        from eventstudy.analysis.multiplicity import band

        return band(self.rerun, self, level, draws)

    def joint(self) -> pd.DataFrame:
        """Return the mean path with the overlap of each security's events taken out (``eventstudy.analysis.joint``).

        The reaction to one event is on a day of the other events of its ticker nearby, and moves the averages of
        ``daily`` where there is no effect. Where no windows of a ticker overlap, both paths are the same.

        Returns
        -------
        DataFrame
            Index ``day``; n, aar, caar (its sum), se, lower, upper (95 % around the caar; NaN with fewer than three
            clusters), and theta (aar in standard deviations of the events).

        Raises
        ------
        NotEnoughData
            If the events of each security follow one another so closely that their days cannot be told apart.

        Examples
        --------
        >>> from eventstudy import demo
        >>> demo.run().result.joint()["caar"].loc[[-1, 10]].round(3).tolist()
        [-0.003, 0.029]
        """
        from eventstudy.analysis.joint import joint

        return joint(self.rerun, self)

    def compare(self, column: str, window: Window | None = None, cov: str = "auto", draws: int = 999) -> pd.DataFrame:
        """Compare the mean CARs, or BHARs, of groups of events in pairs.

        Parameters
        ----------
        column : str
            A column of ``events`` with 2 to 30 values.
        window : (int, int), optional
            A window of the study; the first by default.
        cov, draws
            How the difference is tested: as the coefficient of a dummy in :meth:`regress`.

        Returns
        -------
        DataFrame
            One row for each pair: first, second (values), n1, n2, difference (of mean CARs; "history" on several dates
            takes it within dates), t, df, p; t_welch, p_welch and p_rank (Mann & Whitney), which assume independent
            events; n_dates, and a note: how p was computed, what does not hold, the reason for NaN. Used events only.

        Raises
        ------
        InputError
            If column, window or cov is not valid.
        NotEnoughData
            If fewer than two values have an event with a CAR.

        Warns
        -----
        EventStudyWarning
            The number of events without a CAR, or without a value in the column.
        """
        from eventstudy.analysis.comparison import compare

        return compare(self.rerun, self, column, window, cov, draws)

    def regress(
        self, formula: str, window: Window | None = None, weights: str | None = None, cov: str = "auto",
        draws: int = 999,
    ) -> RegressionResultsWrapper:  # fmt: skip
        """Explain the CARs, or BHARs, of the used events by columns of ``events``.

        Parameters
        ----------
        formula : str
            Such as ``"car ~ size + C(sector)"``, with the columns of ``events``, ``car`` (also ``bhar`` if the study
            compounds) and ``se``. It may hold names, numbers, the operators ``+ - * / : **``, the functions log, log1p,
            log2, log10, sqrt, exp and abs, I(arithmetic), C(column) with a contrast, and Q("a column with blanks").
            Outside I(...) and functions, operators put terms together and compute nothing: ``size**2`` is an error that
            says to write ``I(size**2)``.
        window : (int, int), optional
            A window of the study; the first by default.
        weights : {None, "precision", "gls"}
            "precision" weights each event by 1 / se^2, also if the study compounds. "gls" is generalised least squares:
            events of one date have the correlations of the principal components of their residuals before the event.
        cov : {"auto", "history", "cr2", "placebo", "cluster", "HC1", "nonrobust"}
            The standard errors. "history" compares with the same regression on each day (or run of days) before the
            event, with effects of dates; "cr2" clusters by date, with the df of Bell & McCaffrey; "auto" is "cr2" from
            10 dates on, else "history". "placebo" ranks among ``draws`` samples on drawn dates. "cluster" (CR1) rejects
            too often with few dates; "HC1" and "nonrobust" do if events share dates: on 15 to 35 % of real days.
        draws : int
            Number of samples, for "placebo".

        Returns
        -------
        statsmodels RegressionResults
            Also with ``df`` of each coefficient, and ``note``: what was done. Joint tests use the smallest df.

        Raises
        ------
        InputError
            If the formula cannot be used, or an option is not valid.
        NotEnoughData
            If there are too few events, dates, or days before the event, or the CARs are all equal.

        Warns
        -----
        EventStudyWarning
            The number of events without a CAR, without a value of a variable of the formula, or for which a term is
            not a finite number, as the log of 0.
        """
        from eventstudy.analysis.comparison import regress

        return regress(self.rerun, self, formula, window, weights, cov, draws)

    def diagnose(self, constituents: Mapping[str, Sequence[str]] | Sequence[str] | None = None) -> pd.DataFrame:
        """Check the sample for violations of the assumptions of its tests.

        Parameters
        ----------
        constituents : mapping from benchmark to tickers, or tickers, optional
            The constituents of the benchmarks, to check whether treated firms are among them.

        Returns
        -------
        DataFrame
            check, figure (a number; NaN if it cannot be computed), value (the figure in words, or the reason for NaN),
            and, if an assumption is violated, else empty: breaks (what becomes invalid), survives (tests that remain
            valid), remedy. ``print(eventstudy.analysis.diagnosis.text(frame))`` shows it as text.
        """
        from eventstudy.analysis.diagnosis import diagnose

        return diagnose(required(self.rerun), self, constituents)

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
            to the ticker's own session of the announcement), close (UTC), return (of the closes, as a decimal), ar, and
            car from day 0, NaN before.

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
