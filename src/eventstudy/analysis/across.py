"""Run one study with several models, and collect the results by model and event."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import pandas as pd

from eventstudy import arguments
from eventstudy.analysis.specifications import Specifications, in_order
from eventstudy.errors import EventStudyError, EventStudyWarning, InputError, shown
from eventstudy.members import labelled_models
from eventstudy.run.direction import signs
from eventstudy.types import PEERS, Choices, Model, Rerun, ResultFrames, Window

INDEX_COLUMNS = ("benchmark", "sessions", "clock")
Models = Sequence[str | Model] | Mapping[str, str | Model]


def across(
    rerun: Rerun, result: ResultFrames, models: Models, windows: Sequence[Window] | None
) -> Specifications[ResultFrames]:
    """Run a study with each of several models; see ``Result.across``."""
    by_label, spans = labelled(models), windows_inside(windows, rerun.choices)
    results: dict[str, ResultFrames] = {}
    errors: dict[str, EventStudyError] = {}
    for label, model in by_label.items():
        try:
            results[label] = rerun.result(model=model, windows=spans)
        except EventStudyError as error:
            errors[label] = error
    if not results:
        raise next(iter(errors.values()))
    for label, reason in errors.items():
        warnings.warn(f"the model {label!r} could not be run: {reason}", EventStudyWarning, stacklevel=4)
    first = next(iter(results.values()))
    model_table = pd.DataFrame(
        {
            "family": [_family(model) for model in by_label.values()],
            "error": [str(errors.get(label, "")) for label in by_label],
        },
        index=pd.Index(by_label, name="model"),
    )
    sign = rerun.choices.sign
    cars = [
        _cars(label, results.get(label), first.events, spans, str(errors.get(label, "")), sign) for label in by_label
    ]
    tests = _concat_by_model({label: result.tests for label, result in results.items()})
    effects = _concat_by_model({label: result.effects for label, result in results.items()})
    return Specifications(model_table, in_order(pd.concat(cars)), tests, effects, results, dict(first.provenance))


def _concat_by_model(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Concatenate frames with their labels in a first column ``model``."""
    frame = pd.concat([frame.assign(model=label) for label, frame in frames.items()], ignore_index=True)
    return frame[["model", *(name for name in frame if name != "model")]]


def labelled(models: Models) -> dict[str, Model]:
    """Return models by label (:func:`eventstudy.members.labelled_models`).

    Raises
    ------
    InputError
        If there is no model, or one has the label ``event``.

    Examples
    --------
    >>> import eventstudy as es
    >>> list(labelled(["market", es.model("dimson", leads=0)]))
    ['market', 'dimson(leads=0)']
    """
    by_label = labelled_models(models)
    if not by_label:
        raise InputError("models is empty; give names or model objects, as in ('market', 'market_adjusted')")
    if "event" in by_label:
        raise InputError("a model is called 'event', which stands for the event itself; give it another label")
    return by_label


def _family(model: Model) -> str:
    """Return the kind of regressors of the normal return."""
    names = {column.name for column in model.columns}
    if PEERS.name in names:
        return "peers"
    if not names - {"clock"}:
        return "mean"
    return "index" if names <= set(INDEX_COLUMNS) else "factors"


def windows_inside(windows: Sequence[Window] | None, choices: Choices) -> list[Window]:
    """Return windows inside the event window of a study, those of the study by default."""
    if windows is None:
        return [(int(start), int(end)) for start, end in choices.windows]
    first, last = choices.event
    try:
        pairs = [arguments.window("windows", window, last - first + 1, arguments.LARGEST) for window in windows]
        valid = bool(pairs) and all(first <= start and end <= last for start, end in pairs)
    except (TypeError, InputError):
        valid = False
    if not valid:
        raise InputError(
            f"windows is {shown(windows)}; give pairs of whole numbers inside event {choices.event}, such as ((0, 0),)"
        )
    return list(dict.fromkeys(pairs))


def _cars(
    label: str, result: ResultFrames | None, first_events: pd.DataFrame, windows: Sequence[Window], error: str,
    sign: str | None,
) -> pd.DataFrame:  # fmt: skip
    """Return one row for each event and window; without a CAR, NaN and the reason."""
    frame = first_events if result is None else result.events
    events = frame[["ticker", "session", "status", "reason"]]
    if sign is not None:
        events = events.assign(sign=signs(frame, sign))
    if result is None:
        events = events.assign(status="not_run", reason=error)
    grid = events.reset_index(names="event_id").merge(pd.DataFrame(windows, columns=["start", "end"]), how="cross")
    if result is None:
        return grid.assign(model=label)
    columns = [name for name in ("car", "bhar", "se", "p", "p_sq", "p_conformal", "p_placebo") if name in result.cars]
    cars = grid.merge(result.cars[["event_id", "start", "end", *columns]], on=["event_id", "start", "end"], how="left")
    missing = (cars["status"] == "ok") & cars["car"].isna()
    cars.loc[missing, "reason"] = "too few days of the window are valid"
    return cars.assign(model=label)
