"""One study with each of several models: their labels, their runs, and what each leaves of every event."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.analysis.specifications import Specifications, in_order
from eventstudy.errors import EventStudyError, EventStudyWarning, InputError
from eventstudy.members import labelled_models
from eventstudy.types import PEERS, Choices, Model, Rerun, ResultFrames, Window

OF_THE_MARKET = ("benchmark", "sessions", "clock")
Models = Sequence[str | Model] | Mapping[str, str | Model]


def across(
    rerun: Rerun, result: ResultFrames, models: Models, windows: Sequence[Window] | None
) -> Specifications[ResultFrames]:
    """Run a study with each of several models; see ``Result.across``."""
    chosen, spans = labelled(models), _windows(windows, rerun.choices)
    results: dict[str, ResultFrames] = {}
    errors: dict[str, EventStudyError] = {}
    for label, model in chosen.items():
        try:
            results[label] = rerun.result(model=model, windows=spans)
        except EventStudyError as raised:
            errors[label] = raised
    if not results:
        raise next(iter(errors.values()))
    for label, error in errors.items():
        warnings.warn(f"the model {label!r} could not be run: {error}", EventStudyWarning, stacklevel=4)
    first = next(iter(results.values()))
    about = pd.DataFrame(
        {
            "family": [_family(model) for model in chosen.values()],
            "error": [str(errors.get(label, "")) for label in chosen],
        },
        index=pd.Index(chosen, name="model"),
    )
    cars = [_cars(label, results.get(label), first.events, spans, str(errors.get(label, ""))) for label in chosen]
    tests = pd.concat([each.tests.assign(model=label) for label, each in results.items()], ignore_index=True)
    tests = tests[["model", *(name for name in tests if name != "model")]]
    effects = pd.concat([each.effects.assign(model=label) for label, each in results.items()], ignore_index=True)
    effects = effects[["model", *(name for name in effects if name != "model")]]
    return Specifications(about, in_order(pd.concat(cars)), tests, effects, results, dict(first.provenance))


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


def _windows(windows: Sequence[Window] | None, choices: Choices) -> list[Window]:
    if windows is None:
        return [(int(start), int(end)) for start, end in choices.windows]
    try:
        pairs = np.asarray(list(dict.fromkeys(tuple(window) for window in windows)))
    except (TypeError, ValueError):  # no pairs at all, or not of one length
        pairs = np.empty(0)
    first, last = choices.event
    whole = pairs.ndim == 2 and pairs.shape[1:] == (2,) and pairs.dtype.kind in "iu"
    if not whole or (pairs[:, 0] > pairs[:, 1]).any() or pairs.min() < first or pairs.max() > last:
        raise InputError(
            f"windows is {windows!r}; give pairs of whole numbers inside event {choices.event}, as ((0, 0),)"
        )
    return [(int(start), int(end)) for start, end in pairs]


def _cars(
    label: str, result: ResultFrames | None, given: pd.DataFrame, windows: Sequence[Window], error: str
) -> pd.DataFrame:
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
