"""The sections of the HTML report that need more than a table: groups, other models, the checks, the methods."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

from eventstudy import _registry
from eventstudy.display import formats, names
from eventstudy.errors import EventStudyError, EventStudyWarning
from eventstudy.reports import _tables
from eventstudy.reports._tables import Table
from eventstudy.result import Result

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


def groups(result: Result) -> Table | None:
    """Return the mean effect and the primary test of each group and window; None in a study without groups."""
    measure = result.measure
    frame = formats.primary(result.tests)
    frame = frame[frame["group"] != "all"]
    if frame.empty:
        return None
    rows, breaks, previous = [], set(), None
    for row in frame.to_dict("records"):
        if previous not in (None, row["group"]):
            breaks.add(len(rows))
        previous = row["group"]
        interval = f"{measure.text(row['lower'])} to {measure.text(row['upper'])}"
        cells = (formats.plain(row["group"]), formats.window(row["start"], row["end"]), formats.count(row["n"]))
        cells += (measure.text(row["effect"]), formats.MISSING if formats.is_missing(row["lower"]) else interval)
        rows.append((*cells, names.of_test(row["test"]), formats.marked_p(row["p"], row["valid"])))
    marked = (~frame["valid"] & frame["p"].notna()).any()
    return Table(
        _tables.add_prices_note(f"The mean {measure.averaged_full} of each group", result),
        ("Group", "Window", "n", f"Mean {measure.averaged}", "95 % interval", "Primary test", "p"),
        rows,
        (False, False, True, True, True, False, True),
        (f"{formats.DOES_NOT_HOLD} does not hold for this group; its note in a .csv report says why",)
        if marked
        else (),
        frozenset(breaks),
    )


def robustness(result: Result) -> Table | str:
    """Return the mean effect under other models in each window, or the reason why it is not computed here.

    The test is the primary test of the window under the study's own model.
    """
    how = 'result.across(["market", "market_adjusted", "mean"]) compares the models of your choice'
    if result.rerun is None or formats.usable_events(result).empty:
        return f"The study was not run again with other models; {how}."
    if len(result.events) > MOST_EVENTS:
        return f"Studies of more than {MOST_EVENTS} events are not run again for a report; {how}."
    own = result.rerun.choices.model
    models = list(dict.fromkeys([own, *MODELS])) if isinstance(own, str) else {"the study's own": own, **_named(MODELS)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EventStudyWarning)  # models that cannot be run, which the table shows
            specifications = result.across(models)
    except EventStudyError as error:
        return f"The study could not be run with other models: {error}; {how}."
    measure = result.measure
    rows, breaks = [], set()
    for window in specifications.windows:
        breaks.add(len(rows))
        effects = specifications.effects
        counts = effects[(effects["start"] == window[0]) & (effects["end"] == window[1])].set_index("model")["n"]
        for label, row in specifications.summary(window).iterrows():
            lead = (formats.window(*window), names.of_model(label))
            if not row["n"]:
                rows.append((*lead, "0", *[formats.MISSING] * 4))
                continue
            interval = f"{measure.text(row['lower'])} to {measure.text(row['upper'])}"
            interval = formats.MISSING if formats.is_missing(row["lower"]) else interval
            same = formats.percent(row["same_sign"], 0).lstrip("+")
            p = formats.marked_p(row["p"], row["valid"])
            rows.append((*lead, formats.count(counts[label]), measure.text(row["effect"]), interval, p, same))
    errors = specifications.models["error"]
    notes = [f"{names.of_model(label)}: {formats.plain(error)}" for label, error in errors.items() if error]
    return Table(
        _tables.add_prices_note(f"The mean {measure.averaged_full} by model", result),
        ("Window", "Model", "n", f"Mean {measure.averaged}", "95 % interval", "p", "Same sign"),
        rows,
        (False, False, True, True, True, True, True),
        (
            "p: of the primary test; same sign: the share of events whose effect has the sign that it has under the"
            " first model",
            *notes,
        ),
        frozenset(breaks - {0}),
    )


def _named(names: tuple[str, ...]) -> dict[str, str]:
    return {name: name for name in names}


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
    """Return a text in which the tests of the library have their printed names."""
    known = _registry.names("inference", plugins=False)
    listed = re.compile(r"(?<=: |, )(" + "|".join(known) + r")(?=,|$)|^(" + "|".join(known) + r")(?=,)")
    return listed.sub(lambda found: names.of_test(found[0]), text)


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
    text += (
        f" each event are those of {place}, with at least {formats.setting(values.get('min_estimation'))} valid days."
    )
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
