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
from eventstudy.display.measure import Measure, measure_of
from eventstudy.types import Model, Rerun, Window, required

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from statsmodels.regression.linear_model import RegressionResultsWrapper

    from eventstudy.analysis.calibration import Calibration
    from eventstudy.analysis.specifications import Specifications


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
        group, start, end, test, n, effect, statistic, df, p, note; the effect is the mean CAR, or the mean BHAR.
    reactions : DataFrame
        Index ``event_id``; ticker, session, and the raw (not abnormal) returns of that session from the previous close
        to its ``open``, ``high``, ``low`` and ``close``, as a news report quotes them; then the ``benchmark`` and its
        returns, as ``benchmark_open`` and so on.
    attrition : DataFrame
        reason, n: the events of the input by status; then, for each window in which used events have no CAR, their
        number, and the number of used events without a group.
    provenance : dict
        Versions, settings, fingerprints of the data, and notes: a record, not used in computations.
    effects : DataFrame
        start, end, n, effect (the mean CAR, or BHAR), se (cross-sectional, inflated for events that share days as in
        the band of ``daily``), df, lower, upper (95 % of t(n - 1)).
    measure : Measure
        What the study measures, CAR or BHAR or another, with its names and the format of its values.
    rerun : Rerun or None
        The study with its data, to run it again for analyses.
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

        Raises
        ------
        InputError
            If the event has no abnormal returns, or ``start`` is not in the event window.
        """
        from eventstudy.analysis.paths import path

        return path(self.rerun, self, event_id, start)

    def __repr__(self) -> str:
        measure = self.measure
        n_used = int((self.events["status"] == "ok").sum())
        lines = [f"Result({n_used} of {len(self.events)} events used)"]
        for (group, start, end), rows in self.tests.groupby(["group", "start", "end"], sort=False):
            verdicts = ", ".join(f"{t} p={p:.3f}" for t, p in zip(rows["test"], rows["p"], strict=True))
            lines.append(
                f"  {group} ({start}, {end}): mean {measure.short} {measure.text(rows['effect'].iloc[0])}; {verdicts}"
            )
        return "\n".join(lines).replace("−", "-")  # every terminal can show a hyphen

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
            "romano_wolf" ranks the statistics among their joint values on drawn dates, as in the placebo test, and does
            not use the null distributions of the tests.
        draws : int
            Number of samples for "romano_wolf", 99 or more.

        Returns
        -------
        DataFrame
            ``tests`` with ``p_adjusted``. A family is the windows of one group and one test; a NaN p is not part of it
            and stays NaN. Under "romano_wolf" tests that draw dates themselves are NaN, and the note says so.

        Raises
        ------
        InputError
            If the method or the number of draws is not valid.

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

        The band of ``daily`` is pointwise: the chance that it misses the CAAR on some day is far above 5 %. This one
        is the CAAR plus and minus its standard error times the ``level`` quantile of the maximum of abs(CAAR / se) over
        the days (of the mean BHAR, if the study compounds), on drawn dates (Romano & Wolf 2005, Econometrica 73:1237,
        in one step). If the histories are too short to avoid real events, the band is too wide rather than too narrow.

        Parameters
        ----------
        level : float
        draws : int
            Number of samples drawn from the histories of the securities, 99 or more.

        Returns
        -------
        DataFrame
            Index ``day``; caar, lower, upper; NaN without a standard error, or if fewer than 20 samples have one.

        Raises
        ------
        InputError
            If the level is not between 0 and 1, or the draws are too few for it.
        """
        from eventstudy.analysis.multiplicity import band

        return band(self.rerun, self, level, draws)

    def compare(self, column: str, window: Window | None = None) -> pd.DataFrame:
        """Compare the mean CARs, or BHARs, of groups of events in pairs.

        Parameters
        ----------
        column : str
            A column of ``events`` with 2 to 30 values.
        window : (int, int), optional
            A window of the study; the first by default.

        Returns
        -------
        DataFrame
            One row for each pair: first, second (values), n1, n2, difference (of the mean CARs, first minus second), t,
            df, p (Welch), p_rank (rank sum of Mann & Whitney), t_cluster, p_cluster (errors clustered by session,
            t(dates - 1)), n_dates, and a note with the reason for NaN. Used events only.

        Raises
        ------
        InputError
            If column or window is not valid.
        NotEnoughData
            If fewer than two values have an event with a CAR.

        Warns
        -----
        EventStudyWarning
            The number of events without a CAR, or without a value in the column.
        """
        from eventstudy.analysis.comparison import compare

        return compare(self, column, window)

    def regress(
        self, formula: str, window: Window | None = None, weights: str | None = None, cov: str = "HC1"
    ) -> RegressionResultsWrapper:
        """Explain the CARs, or BHARs, of the used events by columns of ``events``.

        Parameters
        ----------
        formula : str
            Such as ``"car ~ size + C(sector)"``, with the columns of ``events``, ``car`` and ``se``. ``car`` is the
            accumulated outcome; if the study compounds, ``bhar`` is another name of it. It may hold names, numbers,
            the operators ``+ - * / : **``, the functions log, log1p, log2, log10, sqrt, exp and abs, I(arithmetic),
            C(column) with a contrast, and Q("a column with blanks"); nothing else of it is evaluated.
        window : (int, int), optional
            A window of the study; the first by default.
        weights : {None, "precision"}
            "precision" weights each event by 1 / se^2; se is that of the sum, also if the study compounds.
        cov : {"HC1", "nonrobust", "cluster"}
            Covariance of the coefficients: heteroskedasticity-robust, classical, or clustered by session. p-values are
            from t.

        Returns
        -------
        statsmodels RegressionResults

        Raises
        ------
        InputError
            If the formula names a column that does not exist, or cannot be used, or an option is not valid.
        NotEnoughData
            If there are not more events than coefficients, or the CARs are all equal.

        Warns
        -----
        EventStudyWarning
            The number of events without a CAR, or without a value of a variable of the formula.
        """
        from eventstudy.analysis.comparison import regress

        return regress(self, formula, window, weights, cov)

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

        Raises
        ------
        InputError
            If a model, a label or a window is not valid, or none of the models can be run.

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

        Raises
        ------
        InputError
            If ``constituents`` is neither a mapping to tickers nor tickers.
        """
        from eventstudy.analysis.diagnosis import diagnose

        return diagnose(required(self.rerun), self, constituents)

    def to_latex(self) -> str:
        """Return the table of tests as LaTeX (booktabs)."""
        return str(_registry.load("reports", "latex").table(self))
