"""The result of a study: its frames, and what can be made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy import _registry
from eventstudy.analysis import comparison, multiplicity
from eventstudy.display.measure import Measure, measure_of
from eventstudy.errors import InputError, one_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
        Versions, settings, fingerprints of the data, and what was noticed on the way.
    """

    events: pd.DataFrame
    ar: pd.DataFrame
    cars: pd.DataFrame
    daily: pd.DataFrame
    tests: pd.DataFrame
    reactions: pd.DataFrame
    attrition: pd.DataFrame
    provenance: dict[str, Any]
    engine: Any = field(default=None, compare=False)

    @property
    def measure(self) -> Measure:
        """What was measured, CAR or BHAR or another, with its names and how its values are written."""
        settings = self.provenance.get("settings") or {}
        return measure_of(settings, float(self.cars["car"].abs().median()))

    def paths(self) -> pd.DataFrame:
        """Give each used event's CAR or BHAR from the first day of the event window to every day of it.

        Returns
        -------
        DataFrame
            As ``ar``, without the duplicates. A missing day adds nothing to the days after it.
        """
        used = self.events.index[self.events["status"] == "ok"]
        if self.measure.column == "car":
            return self.ar.loc[used].cumsum(axis=1)
        found: pd.DataFrame = self._again().paths()
        return found.where(self.ar.loc[used].notna())

    def path(self, event_id: Any, start: int | None = None) -> pd.DataFrame:
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
        if event_id not in self.ar.index:
            raise InputError(
                f"event {event_id!r} has no abnormal returns in this study; result.ar.index has those that do"
            )
        first = int(self.ar.columns[0]) if start is None else start
        if first not in self.ar.columns:
            raise InputError(f"start is {start!r}; it is a day of the event window, {list(self.ar.columns[[0, -1]])}")
        if self.engine is not None:
            found: pd.DataFrame = self.engine.path(event_id, first)
            return found
        ar = self.ar.loc[event_id].loc[first:]
        nothing = dict.fromkeys(("se", "lower", "upper"), np.nan)
        return pd.DataFrame({"time": pd.NaT, "ar": ar, self.measure.column: ar.cumsum().ffill(), **nothing})

    def __repr__(self) -> str:
        measure = self.measure
        used, given = int((self.events["status"] == "ok").sum()), len(self.events)
        lines = [f"Result({used} of {given} events used)"]
        for (group, start, end), rows in self.tests.groupby(["group", "start", "end"], sort=False):
            judged = ", ".join(f"{t} p={p:.3f}" for t, p in zip(rows["test"], rows["p"], strict=True))
            lines.append(
                f"  {group} ({start}, {end}): mean {measure.short} {measure.text(rows['effect'].iloc[0])}; {judged}"
            )
        return "\n".join(lines).replace("−", "-")  # every terminal can show a hyphen

    def plot(self, kind: str = "caar", **options: Any) -> Axes | Any:
        """Draw one of the figures of ``plots/`` and give its axes; nothing is shown."""
        return _registry.load("plots", kind)(self, **options)

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

    def calibrate(self, draws: int = 1000, shocks: Sequence[float] = (0.0,), level: float = 0.05, seed: int = 0) -> Any:
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
        seed : int

        Returns
        -------
        Calibration
            ``frame`` (shock, start, end, test, n_draws, rejection, lower, upper, and the 95 % binomial interval), and
            ``plot()`` for the power curve. Brown & Warner (1980, Journal of Financial Economics 8:205).
        """
        return self._again().calibrate(draws, shocks, level, seed)

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
        drawn = self._again().null(draws) if method == "romano_wolf" else {}
        return multiplicity.adjusted(self.tests, method, drawn)

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
        multiplicity.check_band(level, draws)
        drawn = self._again().null(draws)["all"].get("cumulative", np.empty((0, len(self.daily))))
        return multiplicity.band(self.daily, drawn, level)

    def compare(self, column: str, window: tuple[int, int] | None = None) -> pd.DataFrame:
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
        return comparison.compare(self.events, self.cars, column, window, self.measure.short)

    def regress(
        self, formula: str, window: tuple[int, int] | None = None, weights: str | None = None, cov: str = "HC1"
    ) -> Any:
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
        return comparison.regress(self.events, self.cars, formula, window, weights, cov, self.measure.short)

    def across(
        self, models: Sequence[Any] | Mapping[str, Any], windows: Sequence[tuple[int, int]] | None = None
    ) -> Any:
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
        return self._again().across(models, windows)

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
        found: pd.DataFrame = self._again().diagnose(constituents)
        return found

    def _again(self) -> Any:
        if self.engine is None:
            raise InputError("this result has no study with its data to run again; Study.run makes one that has")
        return self.engine

    def to_latex(self) -> str:
        """Give the table of tests as LaTeX (booktabs)."""
        return str(_registry.load("reports", "latex").table(self))
