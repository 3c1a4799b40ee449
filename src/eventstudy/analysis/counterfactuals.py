r"""Three accounts of what would have happened without the events, compared event by event.

``market`` takes an index for the counterfactual, ``synthetic_control`` a weighted sum of similar securities, and
``pca`` common factors with loadings of each security, which are interactive effects (Bai 2009, Econometrica 77:1229; Xu
2017, Political Analysis 25:57). With d_i the difference of the effects of event i under two of them, the mean of d over
the events that both can estimate is tested by clusters of events (:mod:`eventstudy.core.cr2`): the noise that is common
to both falls out of the difference.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.analysis.across import windows_inside
from eventstudy.analysis.multiplicity import adjust_p_values
from eventstudy.analysis.multiverse_runs import calendar_of, days_of, effects_of
from eventstudy.core.cr2 import FEWEST, clustered_mean
from eventstudy.core.nulls import p_t
from eventstudy.display import formats
from eventstudy.display.measure import Measure
from eventstudy.errors import EventStudyError, EventStudyWarning
from eventstudy.types import Floats, Rerun, ResultFrames, Window, required

MODELS = ("market", "synthetic_control", "pca")
LEVEL = 0.05


def counterfactuals(rerun: Rerun, measure: Measure, windows: Sequence[Window]) -> pd.DataFrame:
    """Compare the mean effects under three models; see ``Multiverse.counterfactuals``."""
    spans = windows_inside(windows, rerun.choices)
    results, errors = _run(rerun, spans)
    rows: list[dict[str, Any]] = []
    for pair, window in itertools.product(itertools.combinations(MODELS, 2), spans):
        row = {"first": pair[0], "second": pair[1], "start": window[0], "end": window[1]}
        failed = [f"{name} could not be run: {errors[name]}" for name in pair if name in errors]
        if failed:
            rows.append({**row, "n": 0, "verdict": failed[0]})
        else:
            rows.append({**row, **_compare([results[name] for name in pair], window)})
    names = ["first", "second", "start", "end", "n", "n_clusters", "effect_first", "effect_second", "difference", "se",
             "df", "p"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=[*names, "verdict"]).fillna({"n_clusters": 0}).astype({"n_clusters": np.int64})
    frame.insert(len(names), "p_holm", _holm(frame["p"].to_numpy(dtype=np.float64)))
    return frame.assign(verdict=[_verdict(row, measure) for row in frame.to_dict("records")])


def _run(rerun: Rerun, windows: Sequence[Window]) -> tuple[dict[str, ResultFrames], dict[str, str]]:
    """Return the result of each model, or why it could not be run; warnings are those of the study itself."""
    results: dict[str, ResultFrames] = {}
    errors: dict[str, str] = {}
    for name in MODELS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", EventStudyWarning)
                results[name] = rerun.result(model=name, windows=windows)
        except EventStudyError as error:
            errors[name] = str(error)
    return results, errors


def _compare(results: Sequence[ResultFrames], window: Window) -> dict[str, Any]:
    """Return the mean effects of the events that both models can estimate, and their difference with its error."""
    first, second = (effects_of(result, window) for result in results)
    rows = np.flatnonzero(np.isfinite(first) & np.isfinite(second))
    if not len(rows):
        return {"n": 0, "verdict": "no event can be estimated under both"}
    days = [days_of(required(result.rerun).sample(), [window]) for result in results]
    cluster = calendar_of(days, len(first)).clusters(rows, [0])
    difference = second[rows] - first[rows]
    total, count = (np.bincount(cluster, values).astype(np.float64) for values in (difference, np.ones(len(rows))))
    found = clustered_mean(total, count, np.zeros(len(total), dtype=np.int64), 1)
    p = float(p_t(found.mean / found.se, found.df)[0]) if found.holds[0] else np.nan
    return {
        "n": len(rows), "n_clusters": int(found.n_clusters[0]), "effect_first": first[rows].mean(),
        "effect_second": second[rows].mean(), "difference": found.mean[0], "se": found.se[0], "df": found.df[0], "p": p,
    }  # fmt: skip


def _holm(p: Floats) -> Floats:
    """Adjust the p-values that there are for their number."""
    adjusted, defined = np.full(len(p), np.nan), np.isfinite(p)
    adjusted[defined] = adjust_p_values(p[defined], "holm")
    return adjusted


def _verdict(row: Mapping[Hashable, Any], measure: Measure) -> str:
    """Say whether two models part, or why this is not known."""
    if row["verdict"] == row["verdict"]:
        return str(row["verdict"])  # why there is nothing to compare
    if np.isnan(row["p"]):
        return f"fewer than {FEWEST} clusters of events, or one with nearly all of them: cannot be told"
    less = f"second less first is {measure.text(row['difference'])} (p {formats.p_value(row['p_holm'])} by Holm)"
    return f"they part: {less}" if row["p_holm"] < LEVEL else f"cannot be told apart: {less}"
