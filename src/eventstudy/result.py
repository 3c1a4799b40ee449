"""The result of a study: its data frames and the analyses based on them."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy import _registry, arguments
from eventstudy.display import formats
from eventstudy.display.measure import Measure, measure_of
from eventstudy.types import Model, Rerun, Window, required

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from statsmodels.regression.linear_model import RegressionResultsWrapper

    from eventstudy.analysis.calibration import Calibration
    from eventstudy.analysis.specifications import Specifications


NO_GROUP = pd.DataFrame(columns=["group", "day", "n", "aar", "caar", "se", "lower", "upper"]).astype(
    {"day": np.int64, "n": np.int64, **dict.fromkeys(("aar", "caar", "se", "lower", "upper"), np.float64)}
)


@dataclass(frozen=True, repr=False, eq=False)
class Result:
    """The results of a study by event and over the sample, and the excluded events.

    Attributes
    ----------
    events : DataFrame
        Index ``event_id``; ticker, announced, session, placement (the rule that assigned the session), status, reason,
        n_estimation, n_contaminated (if the study counts them), implausible_prices (what Prices.screen finds in its
        windows, if anything), alpha, one column for each coefficient, sigma, r2, then the other columns of the input.
    ar : DataFrame
        Index ``event_id``, columns relative days; abnormal returns as decimals, or abnormal values of another outcome,
        NaN where missing. The rows are the estimated events, and duplicates with the values of the event that they
        duplicate.
    cars : DataFrame
        event_id, start, end, car, se, t, df, p, p_sq, p_conformal, n_days; one row for each event of ``ar`` and window.
        car is the sum of ``ar``, whatever the outcome; t = CAR / se with the forecast error, t(M - k). p_sq and
        p_conformal do not assume normality: the first, of the SQ test, is for windows of up to three days, the second
        for longer ones, and NaN if the model is not least squares. If the study compounds, bhar follows car (se, t and
        the p-values are still those of car). If the model has placebos, p_placebo follows p_conformal: the rank of the
        CAR among theirs.
    daily : DataFrame
        Index ``day``; n, aar, caar, se, lower, upper: the 95 % band around the CAAR, which is the mean BHAR since the
        first day if the study compounds.
    tests : DataFrame
        group, start, end, test, n, effect (the mean CAR, or BHAR), se, lower, upper (its 95 % interval, which allows
        for events that share days), median, positive (the share of positive effects), statistic, df, p, valid (whether
        the test holds for the sample), note. In each window the first row is the primary test: the first one that
        holds, in the order of the study's tests.
    reactions : DataFrame
        Index ``event_id``; ticker, session, and the raw (not abnormal) returns of that session from the previous close
        to its ``open``, ``high``, ``low`` and ``close``, as a news report quotes them; then the ``benchmark`` and its
        returns, as ``benchmark_open`` and so on.
    attrition : DataFrame
        reason, n: the events of the input by status; then, for each window in which used events have no CAR, their
        number, and the number of used events without a group or, in a study with signs, without a sign.
    provenance : dict
        Versions, settings, fingerprints of the data, and notes: a record, not used in computations.
    effects : DataFrame
        start, end, n, effect (the mean CAR, or BHAR), se, df, lower, upper: those of ``tests``.
    measure : Measure
        What the study measures, CAR or BHAR or another, with its names and the format of its values; ``measure.sign``
        is the column of expected signs by which ``daily``, ``tests``, ``effects`` and ``by_group`` are multiplied.
    rerun : Rerun or None
        The study with its data, to run it again for analyses.
    by_group : DataFrame
        group, day, n, aar, caar, se, lower, upper: ``daily`` of each group; empty in a study without groups.
    """

    events: pd.DataFrame
    ar: pd.DataFrame
    cars: pd.DataFrame
    daily: pd.DataFrame
    tests: pd.DataFrame
    reactions: pd.DataFrame
    attrition: pd.DataFrame
    provenance: dict[str, Any]
    effects: pd.DataFrame = field(default_factory=pd.DataFrame)
    measure: Measure = field(default_factory=measure_of)
    rerun: Rerun | None = None
    by_group: pd.DataFrame = field(default_factory=NO_GROUP.copy)

    def __getstate__(self) -> dict[str, object]:
        """Exclude the executor from pickles and copies."""
        return {**self.__dict__, "rerun": copy.copy(self.rerun)}

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

    def __repr__(self) -> str:
        measure = self.measure
        n_used = int((self.events["status"] == "ok").sum())
        lines = [f"Result({n_used} of {len(self.events)} events used)"]
        for row in formats.primary(self.tests).to_dict("records"):
            window = f"{row['group']} ({row['start']}, {row['end']})"
            effect = measure.with_interval(row["effect"], row["lower"], row["upper"])
            lines.append(f"  {window}: mean {measure.averaged} {effect}, {formats.tested(row)}")
        text = "\n".join(lines)
        return text.replace("−", "-").replace(formats.DOES_NOT_HOLD, "!")  # every terminal can show these

    @overload
    def plot(self, kind: Literal["events"], **options: Any) -> NDArray[np.object_]: ...

    @overload
    def plot(self, kind: str = "caar", **options: Any) -> Axes: ...

    def plot(self, kind: str = "caar", **options: Any) -> Axes | NDArray[np.object_]:
        """Draw a figure of ``plots/`` and return its axes (for "events" an array of them), without showing it."""
        draw = _registry.load("plots", kind)
        arguments.check_figure_options(f"the figure {kind!r}", options, draw)
        axes: Axes | NDArray[np.object_] = draw(self, **options)
        return axes

    def report(self, path: str | Path) -> Path:
        """Write a report; the suffix of ``path`` sets the format (``.txt .csv .html .tex .parquet``).

        The report is written aside and then moved into place, whole or not at all. It replaces an earlier report of the
        same kind, and no other file.

        Raises
        ------
        InputError
            If the suffix or the path is not valid, or a name is taken by a file that no report wrote; with ``.csv`` and
            ``.parquet`` also the names of the files beside.
        OutputError
            If the report cannot be written, for instance because the disk is full.
        """
        written: Path = _registry.helper("reports", "_write").write(self, path)
        return written

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
        """Return the mean path with the overlap of each security's events taken out (:mod:`eventstudy.analysis.joint`).

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

    def across(
        self, models: Sequence[str | Model] | Mapping[str, str | Model], windows: Sequence[Window] | None = None
    ) -> Specifications[Result]:
        """Run the same study with several models, to see how far its results depend on the model.

        Parameters
        ----------
        models : sequence, or mapping from label to model
            Names or model objects; a mapping labels models with the same name.
        windows : sequence of (int, int), optional
            Other windows, inside the event window of the study.

        Returns
        -------
        Specifications
            ``events`` (the results by event and model), ``cars``, ``tests``, ``summary()``, ``dependence()`` and
            ``plot()``. If a model cannot estimate an event, its status says why; a model that cannot be run (a library,
            a regressor or the benchmark is missing) is listed with n = 0 and its error.

        Warns
        -----
        EventStudyWarning
            The models that could not be run, and the reason.

        Examples
        --------
        >>> from eventstudy import demo
        >>> specifications = demo.run().result.across(["market", "market_adjusted", "dimson"], windows=[(0, 0)])
        >>> specifications.summary()["n"].tolist()
        [393, 393, 393]
        """
        from eventstudy.analysis.across import across

        return cast("Specifications[Result]", across(required(self.rerun), self, models, windows))

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

    def to_latex(self) -> str:
        """Return the table of tests as LaTeX (booktabs)."""
        return str(_registry.load("reports", "latex").table(self))
