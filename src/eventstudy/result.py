"""The result of a study: its frames, and what can be made of them."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy import _registry
from eventstudy.display.measure import Measure, measure_of
from eventstudy.errors import one_of
from eventstudy.types import Model, Rerun, Window, required

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from statsmodels.regression.linear_model import RegressionResultsWrapper

    from eventstudy.analysis.calibration import Calibration
    from eventstudy.analysis.specifications import Specifications


@dataclass(frozen=True, repr=False)
class Result:
    """What a study found, event by event and over the sample, and what it dropped.

    Attributes
    ----------
    events : DataFrame
        Index ``event_id``; ticker, announced, session, placement (why that session), status, reason, n_estimation,
        n_contaminated (where the study counts them), alpha, one column a coefficient, sigma, r2, then the columns that
        the events came with.
    ar : DataFrame
        Index ``event_id``, columns relative days; abnormal returns as decimals, or abnormal values of another outcome,
        NaN where missing. The events that were estimated, and the duplicates, with what they repeat.
    cars : DataFrame
        event_id, start, end, car, se, t, df, p, p_sq, n_days; one row an event of ``ar`` and window. car is the sum of
        ``ar``, whatever the outcome; t = CAR / se with the forecast error, t(M - k); p_sq is the SQ test's, without
        normality. Behind car stands bhar where the study compounds (se, t and the p-values are still of car); behind
        p_sq p_placebo where the model has placebos: the rank of the CAR among theirs.
    daily : DataFrame
        Index ``day``; n, aar, caar, se, lower, upper: the band is 95 % around the CAAR, which is the mean BHAR since
        the first day where the study compounds.
    tests : DataFrame
        group, start, end, test, n, effect, statistic, df, p, note; the effect is the mean CAR, or the mean BHAR.
    reactions : DataFrame
        Index ``event_id``; ticker, session, and the plain (not abnormal) returns of that session from the previous
        close to its ``open``, ``high``, ``low`` and ``close``, which is what a news report quotes; then the
        ``benchmark`` and its own, as ``benchmark_open`` and so on.
    attrition : DataFrame
        reason, n: every event that was given is counted once by its status; then, for each window in which the CAR
        of a used event is missing, how many those are.
    provenance : dict
        Versions, settings, fingerprints of the data, and what was noticed on the way: a record, from which nothing is
        computed.
    effects : DataFrame
        start, end, n, effect (the mean CAR, or BHAR), se (across events, inflated for events that share days as the
        band of ``daily``), df, lower, upper (95 % of t(n - 1)).
    measure : Measure
        What was measured, CAR or BHAR or another, with its names and how its values are written.
    rerun : Rerun or None
        The study with its data, from which analyses are run again.
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
    rerun: Rerun | None = field(default=None, compare=False)

    def __getstate__(self) -> dict[str, object]:
        """Leave the executor behind when pickled or copied."""
        return {**self.__dict__, "rerun": copy.copy(self.rerun)}

    def paths(self) -> pd.DataFrame:
        """Give each used event's CAR or BHAR from the first day of the event window to every day of it.

        Returns
        -------
        DataFrame
            As ``ar``, without the duplicates. A missing day adds nothing to the days after it.
        """
        from eventstudy.analysis.paths import paths

        return paths(self.rerun, self)

    def path(self, event_id: Hashable, start: int | None = None) -> pd.DataFrame:
        """Give one event's CAR or BHAR from a day of the event window to every later one, with its 95 % band.

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
            forecast error of the sum), lower, upper. A missing day adds nothing to the days after it. A result without
            its study has no times and no band.

        Raises
        ------
        InputError
            When the event has no abnormal returns, or ``start`` is not in the event window.
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
        """Draw a figure of ``plots/`` and return its axes (for "events" an array of them); nothing is shown."""
        axes: Axes | NDArray[np.object_] = _registry.load("plots", kind)(self, **options)
        return axes

    def report(self, path: str | Path) -> Path:
        """Write a report; the suffix of ``path`` names the format (``.txt .csv .html .tex .parquet``)."""
        target = Path(path)
        names = {"txt": "text", "tex": "latex", "htm": "html"}
        suffix = target.suffix.lstrip(".").lower()
        name = names.get(suffix, suffix)
        if name not in _registry.names("reports"):
            raise one_of("the suffix of the report", target.suffix, [".txt", ".csv", ".html", ".tex", ".parquet"])
        _registry.load("reports", name).render(self, target)
        return target

    def calibrate(
        self, draws: int = 1000, shocks: Sequence[float] = (0.0,), level: float = 0.05, seed: int | None = None
    ) -> Calibration:
        """Measure how often each test of this study rejects on dates drawn anew, with and without a shock.

        Parameters
        ----------
        draws : int
            Samples drawn for each shock, from the securities' own histories; overlapping dates stay together.
        shocks : sequence of float
            Added to day 0 of every event, as decimal returns, or in the units of another outcome (for "volatility" to
            the return, for "volume" to its logarithm): 0 gives the size, others the power.
        level : float
            Nominal level of the tests.
        seed : int, optional
            That of the study by default.

        Returns
        -------
        Calibration
            ``frame`` (shock, start, end, test, n_draws, rejection, lower, upper, and the 95 % binomial interval), and
            ``plot()`` for the power curve. Brown & Warner (1980, Journal of Financial Economics 8:205).
        """
        from eventstudy.analysis.calibration import calibrate

        return calibrate(required(self.rerun), self, draws, shocks, level, seed)

    def adjust(self, method: str = "holm", draws: int = 999) -> pd.DataFrame:
        """Adjust the p-values of the tests for there being several windows.

        Parameters
        ----------
        method : {"holm", "bh", "by", "romano_wolf"}
            Holm (1979) and Romano & Wolf (2005, Econometrica 73:1237) keep the chance of any false rejection in the
            family, Benjamini & Hochberg (1995) and Benjamini & Yekutieli (2001, for any dependence) the share of false
            ones. "romano_wolf" ranks the statistics among their joint draws on dates drawn anew, as the placebo test
            draws them, and does not rest on the null distributions of the tests.
        draws : int
            Samples drawn for "romano_wolf", 99 or more.

        Returns
        -------
        DataFrame
            ``tests`` with ``p_adjusted``. A family is the windows of one group and one test; a NaN p does not count in
            it and stays NaN. Under "romano_wolf" tests that draw dates themselves are NaN, and the note says so.

        Raises
        ------
        InputError
            When the method or the number of draws is not valid.

        Examples
        --------
        >>> from eventstudy import demo
        >>> demo.run().result.adjust("holm").columns[-1]
        'p_adjusted'
        """
        from eventstudy.analysis.multiplicity import adjust

        return adjust(self.rerun, self, method, draws)

    def band(self, level: float = 0.95, draws: int = 999) -> pd.DataFrame:
        """Give a band around the CAAR that holds for all days of the event window together.

        The band of ``daily`` holds day by day: somewhere in the window it fails far more often than once in twenty.
        This one is the CAAR plus and minus its standard error times the ``level`` quantile of the largest size of
        CAAR / se over the days (of the mean BHAR, where the study compounds), on dates drawn anew (Romano & Wolf 2005,
        Econometrica 73:1237, in one step). Where the histories are too short to avoid real events, the band is too
        wide rather than too narrow.

        Parameters
        ----------
        level : float
        draws : int
            Samples drawn from the securities' own histories, 99 or more.

        Returns
        -------
        DataFrame
            Index ``day``; caar, lower, upper; NaN where there is no standard error or fewer than 20 samples have one.

        Raises
        ------
        InputError
            When the level is no share, or the draws are too few for it.
        """
        from eventstudy.analysis.multiplicity import band

        return band(self.rerun, self, level, draws)

    def compare(self, column: str, window: Window | None = None) -> pd.DataFrame:
        """Compare the mean CARs, or BHARs, of the kinds of events, pair by pair.

        Parameters
        ----------
        column : str
            A column of ``events`` with 2 to 30 values.
        window : (int, int), optional
            A window of the study; the first by default.

        Returns
        -------
        DataFrame
            One row a pair: first, second (values), n1, n2, difference (of the mean CARs, first less second), t, df, p
            (Welch), p_rank (rank sum of Mann & Whitney, scipy), t_cluster, p_cluster (errors clustered by session,
            t(dates - 1)), n_dates, and a note that says why something is NaN. Used events alone.

        Raises
        ------
        InputError
            When column or window is not valid.
        NotEnoughData
            When fewer than two values have an event with a CAR.

        Warns
        -----
        EventStudyWarning
            How many events have no CAR, or nothing in the column.
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
            As ``"car ~ size + C(sector)"``, over the columns of ``events`` with ``car`` and ``se``. ``car`` is what the
            study accumulates of its outcome; where it compounds, ``bhar`` is another name of it.
        window : (int, int), optional
            A window of the study; the first by default.
        weights : {None, "precision"}
            "precision" weighs each event by 1 / se^2; se is that of the sum, also where the study compounds.
        cov : {"HC1", "nonrobust", "cluster"}
            Of the errors: robust to heteroskedasticity, plain, or clustered by session. p-values are from t.

        Returns
        -------
        statsmodels RegressionResults

        Raises
        ------
        InputError
            When the formula names no column, or cannot be used, or an option is not valid.
        NotEnoughData
            When there are no more events than coefficients, or nothing varies.

        Warns
        -----
        EventStudyWarning
            When events have no CAR, or lack a value that the formula names: how many.
        """
        from eventstudy.analysis.comparison import regress

        return regress(self, formula, window, weights, cov)

    def across(
        self, models: Sequence[str | Model] | Mapping[str, str | Model], windows: Sequence[Window] | None = None
    ) -> Specifications[Result]:
        """Run the same study with several models, to see how far what it finds depends on the model.

        Parameters
        ----------
        models : sequence, or mapping from label to model
            Names or model objects; the mapping names two of one kind apart.
        windows : sequence of (int, int), optional
            Other windows, inside the event window of the study.

        Returns
        -------
        Specifications
            ``events`` (each beside what every model makes of it), ``cars``, ``tests``, ``summary()``, ``dependence()``
            and ``plot()``. A model that cannot estimate an event says so in its status, and one that cannot be run at
            all (a library, a regressor or the benchmark is missing) stays with n = 0 and its error.

        Raises
        ------
        InputError
            When a model, a label or a window is not valid, or none of the models can be run.

        Warns
        -----
        EventStudyWarning
            Which models could not be run, and why.

        Examples
        --------
        >>> from eventstudy import demo
        >>> found = demo.run().result.across(["market", "market_adjusted", "mean"], windows=[(0, 0)])
        >>> found.summary()["n"].tolist()
        [228, 228, 228]
        """
        from eventstudy.analysis.across import across

        return cast("Specifications[Result]", across(required(self.rerun), self, models, windows))

    def diagnose(self, constituents: Mapping[str, Sequence[str]] | Sequence[str] | None = None) -> pd.DataFrame:
        """Check what in this sample breaks the assumptions of its tests.

        Parameters
        ----------
        constituents : mapping from benchmark to tickers, or tickers, optional
            What the benchmarks hold, to see whether treated firms are among it.

        Returns
        -------
        DataFrame
            check, figure (a number; NaN where it cannot be had), value (the figure in words, or why there is none),
            and where something is wrong, else empty: breaks, survives (tests that hold all the same), remedy.
            ``print(eventstudy.analysis.diagnosis.text(frame))`` shows it as text.

        Raises
        ------
        InputError
            When ``constituents`` are neither of the two.
        """
        from eventstudy.analysis.diagnosis import diagnose

        return diagnose(required(self.rerun), self, constituents)

    def to_latex(self) -> str:
        """Give the table of tests as LaTeX (booktabs)."""
        return str(_registry.load("reports", "latex").table(self))
