"""The sections of the HTML report that need more than a table: other models, the checks, the methods."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from eventstudy import _registry
from eventstudy.display import formats, names
from eventstudy.errors import EventStudyError, EventStudyWarning
from eventstudy.result import Result

if TYPE_CHECKING:
    from eventstudy.tables._table import Table

MODELS = ("market", "market_adjusted", "mean")  # compared with the study's own
MOST_EVENTS = 1000  # of a study that is run again with other models and checked, which is then a matter of seconds


class Check(NamedTuple):
    """A violated assumption: its name and size, what it breaks, the tests that remain valid, and what to do."""

    name: str
    value: str
    breaks: str
    survives: str
    remedy: str


class Diagnosis(NamedTuple):
    """The violated assumptions, and the other checks as pairs of name and value."""

    violated: list[Check]
    others: list[tuple[str, str]]


def robustness(result: Result) -> Table | str:
    """Return the table of the mean effect under other models, or the reason why it is not computed here."""
    how = 'result.table("models", of=["market", "mean"]) compares the models of your choice'
    if result.rerun is None or formats.usable_events(result).empty:
        return f"The study was not run again with other models; {how}."
    if len(result.events) > MOST_EVENTS:
        return f"Studies of more than {MOST_EVENTS} events are not run again for a report; {how}."
    own = result.rerun.choices.model
    first = {own: own} if isinstance(own, str) else {"own": own}
    models = {**first, **{name: name for name in MODELS}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EventStudyWarning)  # models that cannot be run, which the table names
            table: Table = result.table("models", of=models)
    except EventStudyError as error:
        return f"The study could not be run with other models: {error}; {how}."
    return table


def diagnosis(result: Result) -> Diagnosis | str:
    """Return what the checks of the assumptions found, or the reason why they were not made."""
    how = "result.diagnose() makes the checks"
    if result.rerun is None:
        return f"The assumptions were not checked, because the result was built without its study; {how}."
    if len(result.events) > MOST_EVENTS:
        return f"The assumptions of studies of more than {MOST_EVENTS} events are not checked in a report; {how}."
    rows = result.diagnose().to_dict("records")
    wrong = [row for row in rows if row["breaks"]]
    parts = ("check", "value", "breaks", "survives", "remedy")
    return Diagnosis(
        [Check(*(_printed(formats.plain(row[part])) for part in parts)) for row in wrong],
        [(formats.plain(row["check"]), formats.plain(row["value"])) for row in rows if not row["breaks"]],
    )


def _printed(text: str) -> str:
    """Return a text in which the tests and p-values of its lists have their printed names."""
    printed = {"p_sq": "p SQ", "p_conformal": "p conf."}
    printed |= {name: names.of_test(name) for name in _registry.names("inference", plugins=False)}
    known = "|".join(printed)
    return re.sub(rf"(?<=: |, )({known})(?=,|$)|^({known})(?=,|$)", lambda found: printed[found[0]], text)


def methods(result: Result) -> list[str]:
    """Return the paragraphs that describe the methods of the study, and only those that it used."""
    values, measure = result.provenance.get("settings") or {}, result.measure
    unit = formats.day_unit(result.events["session"])
    paragraphs = [_data(result, values, unit)]
    if values.get("model") is not None:
        paragraphs.append(_normal(result, values, unit))
    if measure.sign is not None:
        paragraphs.append(
            f"Averages and tests multiply each event by its expected sign in the column {formats.plain(measure.sign)};"
            " events without one are left out of them."
        )
    return [*paragraphs, *_tests_used(result)]


def _normal(result: Result, values: Mapping[str, Any], unit: str) -> str:
    """Return how the normal return of each event was estimated, and what was accumulated."""
    measure, model, benchmark = result.measure, values["model"], values.get("benchmark")
    if values.get("estimation_columns"):
        place = f"the window that its columns {' and '.join(map(formats.plain, values['estimation_columns']))} name"
    else:
        place = f"{unit}s {' to '.join(map(formats.count, values['estimation']))}"
    sum_of = "compounds it" if values.get("accumulate") == "compound" else "sums it"
    text = f"Normal {measure.series}s: {_model_name(model)}; {_summary('models', model)} Parameters and variance of"
    text += f" each event are those of {place}, with at least {formats.setting(values.get('min_estimation'))} valid"
    text += f" {unit}s."
    text += "" if benchmark is None else f" The benchmark is {formats.setting(benchmark)}."
    return f"{text} The {measure.daily} is what exceeds the normal {measure.series}; the {measure.full} {sum_of}."


def _data(result: Result, values: Mapping[str, Any], unit: str) -> str:
    prices = result.provenance.get("prices") or {}
    source = formats.plain(prices.get("source")) if isinstance(prices, dict) else formats.MISSING
    used = formats.usable_events(result)
    text = f"{len(used)} of {formats.plural(len(result.events), 'event')} were used, on prices of the source {source}"
    text += f" ({formats.prices_note(result)})" if formats.prices_note(result) else ""
    text += f". Each announcement was placed on the {unit} in which its news could first be traded."
    if values.get("currency"):
        text += f" Prices were converted to {formats.plain(values['currency'])}."
    if values.get("returns") == "log":
        text += " Returns are logarithmic."
    return text


def _model_name(model: object) -> str:
    """Return the printed name of a model, with its options."""
    if not isinstance(model, dict):
        return names.of_model(model)
    options = {name: value for name, value in model.items() if name != "name"}
    return names.of_model(model.get("name")) + (f" ({formats.setting(options)})" if options else "")


def _summary(folder: str, name: object) -> str:
    """Return the first line of a member's page, without its own name; empty for members of the user."""
    name = name.get("name") if isinstance(name, dict) else name
    line = _registry.summaries(folder, plugins=False).get(str(name).partition("(")[0], "")
    head, _, rest = line.partition(": ")
    return (rest or head).rstrip(".") + "." if line else ""


def _tests_used(result: Result) -> list[str]:
    labels = list(dict.fromkeys(result.tests["test"]))
    if not labels:
        return []
    described = [f"{names.of_test(name)}: {_summary('inference', name)}" for name in labels]
    return [
        "The tests of the mean, the primary test of each window being the first that holds for its sample: "
        + " ".join(described)
        + " The 95 % intervals of means allow for events that share days."
    ]
