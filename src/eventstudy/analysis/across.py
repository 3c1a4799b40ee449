"""One study with each of several models: their labels, their runs, and what each leaves of every event."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from eventstudy.analysis.specifications import Specifications, Window, in_order
from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import mean_and_sd
from eventstudy.errors import EventStudyError, EventStudyWarning, InputError
from eventstudy.members import labelled_models
from eventstudy.result import Result
from eventstudy.types import PEERS, Abnormal, Ints, Model, Sample, Scores, Spec, State, Test, Verdict

OF_THE_MARKET = ("benchmark", "sessions", "clock")
Models = Sequence[str | Model] | Mapping[str, str | Model]
Run = Callable[[Model, Ints, Mapping[str, Test]], Result]


def across(run: Run, models: Models, windows: Sequence[Window] | None, spec: Spec) -> Specifications:
    """Run a study with each of several models; see ``Result.across``."""
    chosen, spans = labelled(models), _windows(windows, spec)
    results: dict[str, Result] = {}
    errors: dict[str, EventStudyError] = {}
    for label, its in chosen.items():
        try:
            results[label] = run(its, spans, {OWN: ERROR})
        except EventStudyError as raised:
            errors[label] = raised
    if not results:
        raise next(iter(errors.values()))
    for label, error in errors.items():
        warnings.warn(f"the model {label!r} could not be run: {error}", EventStudyWarning, stacklevel=4)
    given = next(iter(results.values()))
    about = pd.DataFrame(
        {
            "family": [_family(its) for its in chosen.values()],
            "error": [str(errors.get(label, "")) for label in chosen],
        },
        index=pd.Index(chosen, name="model"),
    )
    cars = [_cars(label, results.get(label), given.events, spans, str(errors.get(label, ""))) for label in chosen]
    tests = pd.concat([its.tests.assign(model=label) for label, its in results.items()], ignore_index=True)
    tests = tests[["model", *(name for name in tests if name != "model")]]
    own = tests["test"] == OWN
    results = {label: _without_own(result) for label, result in results.items()}
    story = dict(next(iter(results.values())).provenance)
    return Specifications(
        about, in_order(pd.concat(cars)), tests[~own].reset_index(drop=True), _effects(tests[own]), results, story
    )


def _without_own(result: Result) -> Result:
    named = [name for name in result.provenance["tests"] if name != OWN]
    tests = result.tests[result.tests["test"] != OWN].reset_index(drop=True)
    return replace(result, tests=tests, provenance={**result.provenance, "tests": named})


def _effects(own: pd.DataFrame) -> pd.DataFrame:
    """Give the means with their errors and 95 % intervals, from what ``ERROR`` left as a test."""
    made = own[own["group"] == "all"].reset_index(drop=True)
    reach = special.stdtrit(made["df"].where(made["df"] > 0), 0.975) * made["statistic"]
    made = made.assign(se=made["statistic"], lower=made["effect"] - reach, upper=made["effect"] + reach)
    return made[["model", "start", "end", "n", "effect", "se", "df", "lower", "upper"]]


def _standard_error(state: State, sample: Sample) -> Verdict:
    r"""Give the standard error of the mean CAR, which allows for events that share days, in the statistic's place.

    .. math:: se = \frac{sd(CAR)}{\sqrt N} \sqrt{\frac{1 + (N-1) r}{1 - r}}

    as the band around the CAAR has it, with r of :mod:`eventstudy.core.overlap` for the window; NaN for one event.
    """
    moments, r = sample.shared["moments"], sample.shared["overlap"]["windows"]
    n = moments["n"]
    _, sd = mean_and_sd(n, moments["car"], moments["car2"])
    inflation = divide(1.0 + (n - 1.0) * r, 1.0 - r)
    return verdict(sd * np.sqrt(np.where(inflation > 0, inflation, np.nan) / np.maximum(n, 1)), n, df=n - 1)


def _nothing_of_its_own(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    return {}


OWN = "standard error"
ERROR = Test(_nothing_of_its_own, _standard_error, shares=("moments", "overlap"), survives="overlap")


def labelled(models: Any) -> dict[str, Model]:
    """Give models by label (:func:`eventstudy.members.labelled_models`); there is one, and none is called ``event``.

    Examples
    --------
    >>> import eventstudy as es
    >>> list(labelled(["market", es.model("dimson", leads=0)]))
    ['market', 'dimson(leads=0)']
    """
    made = labelled_models(models)
    if not made:
        raise InputError("models is empty; give names or model objects, as in ('market', 'market_adjusted')")
    if "event" in made:
        raise InputError("a model is called 'event', which stands for the event itself; give it another label")
    return made


def _family(its: Model) -> str:
    """Say what the normal return is made from."""
    names = {column.name for column in its.columns}
    if PEERS.name in names:
        return "peers"
    if not names - {"clock"}:
        return "mean"
    return "index" if names <= set(OF_THE_MARKET) else "factors"


def _windows(given: Sequence[Window] | None, spec: Spec) -> Ints:
    if given is None:
        return spec.windows
    try:
        made = np.asarray(list(dict.fromkeys(tuple(window) for window in given)))
    except (TypeError, ValueError):  # no pairs at all, or not of one length
        made = np.empty(0)
    whole = made.ndim == 2 and made.shape[1:] == (2,) and made.dtype.kind in "iu"
    if not whole or (made[:, 0] > made[:, 1]).any() or made.min() < spec.event[0] or made.max() > spec.event[1]:
        raise InputError(f"windows is {given!r}; give pairs of whole numbers inside event {spec.event}, as ((0, 0),)")
    return made.astype(np.int64)


def _cars(label: str, result: Result | None, given: pd.DataFrame, windows: Ints, error: str) -> pd.DataFrame:
    """Give a row an event and window, with NaN and the reason where there is no CAR."""
    events = (given if result is None else result.events)[["ticker", "session", "status", "reason"]]
    if result is None:
        events = events.assign(status="not_run", reason=error)
    grid = events.reset_index(names="event_id").merge(pd.DataFrame(windows, columns=["start", "end"]), how="cross")
    if result is None:
        return grid.assign(model=label)
    kept = [name for name in ("car", "bhar", "se", "p", "p_sq", "p_placebo") if name in result.cars]
    made = grid.merge(result.cars[["event_id", "start", "end", *kept]], on=["event_id", "start", "end"], how="left")
    short = (made["status"] == "ok") & made["car"].isna()
    made.loc[short, "reason"] = "too few days of the window are valid"
    return made.assign(model=label)
