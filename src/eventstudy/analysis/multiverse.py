"""Everything that a referee would vary: one study under all combinations of choices, and what they agree on.

A specification is a model, estimation window, benchmark, sample, window and test. They share events and days, so that
their number is no evidence. What the sample says of all of them together is found by random signs of clusters of
events (:mod:`eventstudy.core.sign_changes`): a p-value of each that is adjusted for the number of specifications
(Romano & Wolf 2005, Econometrica 73:1237), and one of their median (Simonsohn, Simmons & Nelson 2020, Nature Human
Behaviour 4:1208).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from eventstudy.analysis.counterfactuals import counterfactuals
from eventstudy.analysis.figures import drawn
from eventstudy.analysis.multiplicity import romano_wolf
from eventstudy.analysis.multiverse_choices import (
    Benchmark,
    Members,
    Models,
    Tests,
    Varied,
    benchmark_label,
    printed,
    varied,
    window_label,
)
from eventstudy.analysis.multiverse_runs import Runs, calendar_of, run_all
from eventstudy.core.sign_changes import FEWEST, Clusters, JointNull, joint_null
from eventstudy.display import formats
from eventstudy.display.cards import Grid, Summary
from eventstudy.display.measure import Measure
from eventstudy.display.shares import in_percent
from eventstudy.types import Rerun, ResultFrames, Window, required

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

LEVEL = 0.05
DRAWS = 1999  # random sign vectors
SHARES = ["n_run", "n_valid", "median", "low", "high", "agree", "significant", "opposite", "adjusted"]
CHOICES = ("model", "estimation", "benchmark", "sample", "window", "test")
COLUMNS = [
    "model", "estimation", "benchmark", "sample", "start", "end", "test", "n", "n_clusters", "effect", "se", "lower",
    "upper", "p", "valid", "p_adjusted", "own", "note", "error",
]  # fmt: skip
FEW = f"p not adjusted: too few clusters of events ({FEWEST} over all windows together), or one with nearly all"


@dataclass(frozen=True, repr=False, eq=False)
class Multiverse:
    """One study under all combinations of choices.

    Attributes
    ----------
    frame : DataFrame
        One row for each specification: model, estimation, benchmark, sample, start, end, test (the primary test of the
        specification if no tests were given), n (events), n_clusters (sets of events whose windows overlap in a chain,
        or that report the same news), effect (the mean CAR or BHAR, in the expected direction
        where there are signs), se, lower, upper, p, valid (whether the test holds for the sample), p_adjusted (of the
        mean effect, adjusted for all specifications; NaN with fewer than 6 clusters), own (the study itself), note, and
        error: why the specification has no numbers, else empty. p_adjusted is that of effect / se, whatever the test.
    own : Series
        start, end, test, n, effect, se, lower, upper, p, valid: the study's own result in its first window.
    p_median : float
        The p of the median effect under the hypothesis that no specification has an effect.
    notes : tuple of str
        What the runs warned of, and in how many of them.
    measure : Measure
    provenance : mapping
        Of the study.
    """

    kind: ClassVar[str] = "multiverse"
    frame: pd.DataFrame
    own: pd.Series[Any]
    p_median: float
    notes: tuple[str, ...]
    measure: Measure
    provenance: Mapping[str, Any]
    rerun: Rerun = field(repr=False)

    def summary(self) -> pd.Series[float]:
        """Return what the specifications agree on.

        Returns
        -------
        Series
            n (specifications), n_run (with an effect), n_valid (with a p of a test that holds), median, low, high (of
            the effects), agree (the share of n_run with the sign of the study's own effect), significant (the share of
            n_valid with p < 5 %), opposite (the share of n_valid with p < 5 % and the other sign), adjusted (the share
            with p_adjusted < 5 % of those that have one), own (the study's effect), p_median.
        """
        own = float(self.own["effect"])
        shares = _shares(self.frame, own)
        return pd.Series({"n": len(self.frame), **shares, "own": own, "p_median": self.p_median}, dtype=float)

    def by_choice(self) -> pd.DataFrame:
        """Return the same for each value of each choice that varies, over all specifications with this value.

        Returns
        -------
        DataFrame
            choice, value, n, n_run, n_valid, median, low, high, agree, significant, opposite, adjusted: as in
            :meth:`summary`.
        """
        own, rows = float(self.own["effect"]), []
        for choice, column in self._columns().items():
            values = list(dict.fromkeys(column[column != ""]))
            for value in values if len(values) > 1 else ():
                part = self.frame[(column == value).to_numpy()]
                rows.append({"choice": choice, "value": value, "n": len(part), **_shares(part, own)})
        return pd.DataFrame(rows, columns=["choice", "value", "n", *SHARES])

    def counterfactuals(self, windows: Sequence[Window] | None = None) -> pd.DataFrame:
        """Compare what three models say would have happened without the events: an index, twins, or common factors.

        Parameters
        ----------
        windows : sequence of (int, int), optional
            Those of the multiverse by default.

        Returns
        -------
        DataFrame
            first, second (``market``, ``synthetic_control`` or ``pca``, the model of interactive effects), start, end,
            n (events that both can estimate), n_clusters, effect_first, effect_second (their mean effects), difference
            (second less first), se, df, p, p_holm (over all rows), verdict.
        """
        pairs = dict.fromkeys(zip(self.frame["start"].tolist(), self.frame["end"].tolist(), strict=True))
        return counterfactuals(self.rerun, self.measure, list(pairs) if windows is None else windows)

    def answer(self) -> str:
        """Return what the specifications agree on, and the choice on which the effect depends most."""
        found = self.summary()
        n, n_run = int(found["n"]), int(found["n_run"])
        if not n_run:
            return f"None of {formats.plural(n, 'specification')} could be estimated: {self.frame['error'].iloc[0]}."
        own = self.own
        of_study = f"{self.measure.text(own['effect'])}, {formats.tested(own.to_dict())}"
        run = "" if n == n_run else f", of which {n_run} could be estimated"
        names = ("agree", "significant", "opposite", "adjusted")
        agree, significant, opposite, adjusted = (in_percent(found[name]) for name in names)
        text = (
            f"Of {formats.plural(n, 'specification')}{run}, {agree} have the sign of the study's own effect of"
            f" {of_study}; {significant} of those whose test holds are significant at 5 %, {opposite} with the other"
            f" sign, and {adjusted} after Romano & Wolf over all. The median is {self.measure.text(found['median'])}"
            f" (joint p {formats.p_value(self.p_median)}), the range {self.measure.text(found['low'])} to"
            f" {self.measure.text(found['high'])}."
        )
        return f"{text} {self._depends()}".rstrip()

    def plot(self, **options: Any) -> Axes | NDArray[np.object_]:
        """Draw the specification curve: the effects by size, and below them the choices of each.

        Parameters
        ----------
        **options
            ``level`` of the intervals, ``title``, ``figsize``, and ``ax`` for the curve alone.

        Returns
        -------
        array of two Axes, or Axes
        """
        axes: Axes | NDArray[np.object_] = drawn(self, "_multiverse", "the figure of a multiverse", options)
        return axes

    def _columns(self) -> dict[str, pd.Series[str]]:
        """Return the value of each choice by specification; the test of a failed run may be empty."""
        windows = [window_label(pair) for pair in zip(self.frame["start"], self.frame["end"], strict=True)]
        frame = self.frame.assign(window=windows)
        return {name: frame[name] for name in CHOICES}

    def _depends(self) -> str:
        """Say which choice moves the median most."""
        table = self.by_choice().dropna(subset="median")
        ends = table.groupby("choice", sort=False)["median"].agg(["min", "max"])
        spread = ends["max"] - ends["min"]
        if not (spread > 0).any():
            return ""
        choice = str(spread.idxmax())
        own = table[table["choice"] == choice].sort_values("median", kind="stable")
        medians = [
            f"{self.measure.text(median)} under {printed(choice, value)}"
            for value, median in zip(own["value"], own["median"], strict=True)
        ]
        return f"It depends most on the {choice}: the median is {medians[0]} and {medians[-1]}."

    def __repr__(self) -> str:
        lines = textwrap.wrap(f"Multiverse: {self.answer()}", 100, subsequent_indent="  ")
        return formats.terminal("\n".join(lines))

    def _repr_html_(self) -> str:
        rows = []
        for row in self.by_choice().to_dict("records"):
            effects = (self.measure.text(row[name]) for name in ("median", "low", "high"))
            shares = (in_percent(row[name]) for name in ("agree", "significant", "adjusted"))
            rows.append(
                (row["choice"], printed(row["choice"], row["value"]), formats.count(row["n_run"]), *effects, *shares)
            )
        heads = ("Choice", "Value", "N", "Median", "Lowest", "Highest", "Same sign", "p < 5 %", "Adjusted")
        note = formats.prices_note(self)
        title = f"Multiverse of {formats.plural(len(self.frame), 'specification')}" + (f", {note}" if note else "")
        grid = Grid(heads, rows, (False, False, *[True] * 7))
        return Summary(title, tables=[grid], notes=[self.answer(), *self.notes]).as_html()


def multiverse(
    rerun: Rerun | None,
    result: ResultFrames,
    models: Models | None = None,
    windows: Sequence[Window] | None = None,
    estimations: Sequence[Window] | None = None,
    benchmarks: Sequence[Benchmark] | None = None,
    samples: Mapping[str, Members] | None = None,
    tests: Tests | None = None,
) -> Multiverse:
    """Run a study under all combinations of choices; see ``Result.multiverse``."""
    rerun = required(rerun)
    choices = varied(rerun, models, windows, estimations, benchmarks, samples, tests)
    runs = run_all(rerun, choices)
    if not runs.days:
        raise runs.errors[0]
    frame = pd.DataFrame(runs.rows)
    own = formats.primary(result.tests[result.tests["group"] == "all"]).iloc[0]
    frame["own"] = _own(frame, rerun, choices, own)
    joint, n_clusters = _jointly(runs, list(choices.windows), len(rerun.events), rerun.choices.seed)
    p_adjusted = romano_wolf(joint.z, joint.drawn_z)
    by_cell = {(*cell.key, *cell.window): s for s, cell in enumerate(runs.cells)}
    names = ["model", "estimation", "benchmark", "sample", "start", "end"]
    at = np.array([by_cell.get(key, -1) for key in frame[names].itertuples(index=False, name=None)])
    frame["n_clusters"] = np.where(at < 0, 0, np.append(n_clusters, 0)[at])
    frame["p_adjusted"] = np.where(at < 0, np.nan, np.append(p_adjusted, np.nan)[at])
    few = (at >= 0) & ~np.append(joint.enough, True)[at]
    frame["note"] = [
        "; ".join(filter(None, (note, FEW if is_few else ""))) for note, is_few in zip(frame["note"], few, strict=True)
    ]
    return Multiverse(
        frame[COLUMNS].astype({"n": np.int64, "n_clusters": np.int64, "valid": bool}),
        own[["start", "end", "test", "n", "effect", "se", "lower", "upper", "p", "valid"]],
        _p_of_median(joint),
        tuple(f"{formats.plural(n, 'run')}: {text}" for text, n in runs.warned.items()),
        result.measure,
        result.provenance,
        rerun,
    )


def _own(frame: pd.DataFrame, rerun: Rerun, choices: Varied, own: pd.Series[Any]) -> pd.Series[bool]:
    """Return which specification is the study's own: its model, benchmark, windows and first test, and all events."""
    models = [label for label, model in choices.models.items() if model == rerun.return_model]
    everybody = [label for label, mask in choices.samples.items() if mask is None]
    same: pd.Series[bool] = frame["model"].isin(models) & frame["sample"].isin(everybody)
    same &= frame["test"] == own["test"]
    same &= (frame["start"] == own["start"]) & (frame["end"] == own["end"])
    same &= frame["estimation"] == window_label(rerun.choices.estimation)
    return same & (frame["benchmark"] == benchmark_label(rerun.choices.benchmark))


def _jointly(runs: Runs, windows: Sequence[Window], n_events: int, seed: int) -> tuple[JointNull, list[int]]:
    """Return the joint null distribution of all cells, and their numbers of clusters.

    Clusters are those of the window of a cell; blocks, which get one sign, those of all windows together.
    """
    calendar = calendar_of(runs.days, n_events)
    used = np.flatnonzero((calendar.first <= calendar.last).all(axis=1))
    block = np.full(n_events, -1, dtype=np.int64)
    block[used] = calendar.clusters(used, range(len(windows)))
    cells = []
    for cell in runs.cells:
        cluster = calendar.clusters(cell.rows, [windows.index(cell.window)])
        _, at, cluster = np.unique(cluster, return_index=True, return_inverse=True)
        total, n = (np.bincount(cluster, values).astype(np.float64) for values in (cell.effect, np.ones(len(cluster))))
        cells.append(Clusters(total, n, block[cell.rows[at]]))
    n_blocks = int(block.max(initial=-1)) + 1
    return joint_null(cells, n_blocks, DRAWS, seed), [len(cell.total) for cell in cells]


def _p_of_median(joint: JointNull) -> float:
    """Return the share of sign vectors under which the median effect is as large as the observed one."""
    if not joint.enough.any():
        return np.nan
    observed = abs(np.median(joint.mean[joint.enough]))
    drawn = np.abs(np.median(joint.drawn_mean[:, joint.enough], axis=1))
    return float((1 + (drawn >= observed * (1 - 1e-12)).sum()) / (1 + len(drawn)))


def _shares(frame: pd.DataFrame, own: float) -> dict[str, float]:
    """Return counts, median, range and shares over specifications; NaN where there is nothing to count."""
    effect = frame["effect"].dropna()
    tested = frame[frame["valid"] & frame["p"].notna()]
    adjusted = frame["p_adjusted"].dropna()
    same = np.sign(effect) == np.sign(own) if np.isfinite(own) else pd.Series(dtype=bool)
    significant = tested["p"] < LEVEL
    opposite = significant & (np.sign(tested["effect"]) == -np.sign(own)) if np.isfinite(own) else pd.Series(dtype=bool)
    shares = (_mean(values) for values in (same, significant, opposite, adjusted < LEVEL))
    values = (len(effect), len(tested), effect.median(), effect.min(), effect.max(), *shares)
    return dict(zip(SHARES, values, strict=True))


def _mean(values: pd.Series[bool]) -> float:
    return float(values.mean()) if len(values) else np.nan
