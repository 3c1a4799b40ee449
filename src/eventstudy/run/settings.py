"""Resolve the choices of a study to a model and tests, and convert them to plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from eventstudy import _registry
from eventstudy.core.cr2 import FEWEST
from eventstudy.display import formats
from eventstudy.display.cards import WIDTH, Summary
from eventstudy.members import label_of, labelled_tests, model, plugins_of, settings_of, test
from eventstudy.types import Choices, Model, Survives, Test

# In each list the primary test comes first: the first that holds in a window. The others are checks.
DEFAULT_TESTS: Mapping[Survives, tuple[str, ...]] = {
    "independent": ("bmp", "cross_section", "grank_t", "generalized_sign"),
    "same_day": ("kolari_pynnonen", "grank_t"),
    "overlap": ("clustered", "ibragimov_muller", "two_way", "wild_bootstrap", "kolari_pynnonen"),
}
# Compounded returns are skewed, so that rank tests, which test a median, reject too often.
COMPOUNDED_TESTS: Mapping[Survives, tuple[str, ...]] = {
    "independent": ("cross_section", "skewness_adjusted"),
    "same_day": ("kolari_pynnonen",),
    "overlap": ("two_way", "ibragimov_muller", "wild_bootstrap", "kolari_pynnonen"),  # nearly always one chain
}

SHOWN = ("model", "benchmark", "estimation", "event", "windows", "tests")  # of any study; other choices if changed

# On one date the same test with variance of each event's own: the truth of the event day lies between the two.
BRACKET = {"variance": "additive"}


def as_model(choice: str | Model) -> Model:
    """Return the model of a name, or the model itself."""
    return model(choice) if isinstance(choice, str) else choice


def tests_for(choices: Choices, dependence: Survives, n_clusters: int, unlinked: bool) -> dict[str, Test]:
    """Return the tests of a study by name; default tests hold under the ``dependence`` of the events.

    With enough clusters of events, the default tests need no blocks of dates, unless news of two exchanges near in time
    is ``unlinked``: clusters may then be the same news, which blocks of dates keep together.
    """
    tests = choices.tests
    if unlinked:
        dependence = "overlap"
    if isinstance(tests, str) and tests == "default":
        tests = (COMPOUNDED_TESTS if choices.compound else DEFAULT_TESTS)[dependence]
        if n_clusters >= FEWEST and not unlinked:
            tests = [name for name in tests if name != "ibragimov_muller"]
        if dependence == "same_day":
            tests = [tests[0], test("kolari_pynnonen", **BRACKET), *tests[1:]]
    elif isinstance(tests, str) and tests == "all":
        tests = _registry.names("inference", plugins=False)  # the same tests whatever plug-ins are installed
    return labelled_tests(tests)


def shown_choices(choices: Choices) -> dict[str, object]:
    """Return the main choices of a study, and those that differ from their defaults."""
    values = {choice.name: getattr(choices, choice.name) for choice in fields(choices)}
    defaults = {choice.name: choice.default for choice in fields(choices)}
    return {name: value for name, value in values.items() if name in SHOWN or value != defaults[name]}


def study_text(choices: Choices) -> str:
    """Return the call that creates the study, in lines of at most 100 columns."""
    arguments = [f"{name}={value!r}" for name, value in shown_choices(choices).items()]
    line = f"Study({', '.join(arguments)})"
    if formats.columns_of(line) <= WIDTH:
        return line
    parts = (part for argument in arguments for part in formats.wrap(f"{argument},", WIDTH - 4, "    "))
    return "\n".join(["Study(", *(f"    {part}" for part in parts), ")"])


def study_card(choices: Choices) -> Summary:
    """Return the choices of a study, to be shown in a notebook."""
    values = {**settings(choices), "model": label_of(as_model(choices.model))}
    if not isinstance(choices.tests, str):
        values["tests"] = list(labelled_tests(choices.tests))
    facts = [(name.replace("_", " "), formats.setting(values[name])) for name in shown_choices(choices)]
    return Summary("Study", facts)


def _members_of(choices: Choices) -> Iterator[Model | Test]:
    yield as_model(choices.model)
    yield from tests_for(choices, "independent", 0, False).values()


def settings(choices: Choices) -> dict[str, object]:
    """Return the choices as plain values, for the provenance of a result, and the distributions of plug-ins."""
    values: dict[str, object] = {choice.name: getattr(choices, choice.name) for choice in fields(choices)}
    if not isinstance(choices.model, str):
        values["model"] = settings_of(choices.model)
    if not isinstance(choices.tests, str):
        values["tests"] = {label: settings_of(test) for label, test in labelled_tests(choices.tests).items()}
    plugins = plugins_of(_members_of(choices))
    return {**values, "plugins": plugins} if plugins else values
