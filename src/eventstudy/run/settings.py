"""The choices of a study resolved: its model and tests by name, and all of them as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from eventstudy import _registry
from eventstudy.members import labelled_tests, model, plugins_of, settings_of
from eventstudy.types import Choices, Model, Survives, Test

DEFAULT_TESTS: Mapping[Survives, tuple[str, ...]] = {
    "independent": ("cross_section", "bmp", "grank_t", "generalized_sign"),
    "same_day": ("kolari_pynnonen", "grank_t"),
    "overlap": ("kolari_pynnonen", "wild_bootstrap"),
}
# Compounded returns are skewed, so that ranks, which judge a median, reject without an effect.
COMPOUNDED_TESTS: Mapping[Survives, tuple[str, ...]] = {
    "independent": ("cross_section", "skewness_adjusted"),
    "same_day": ("kolari_pynnonen",),
    "overlap": ("kolari_pynnonen", "wild_bootstrap"),
}


def as_model(named: str | Model) -> Model:
    """Return the model itself, where it may be only its name."""
    return model(named) if isinstance(named, str) else named


def tests_for(choices: Choices, dependence: Survives) -> dict[str, Test]:
    """Return the tests of a study by name; the default ones hold under ``dependence`` of the events."""
    tests = choices.tests
    if isinstance(tests, str) and tests == "default":
        tests = (COMPOUNDED_TESTS if choices.compound else DEFAULT_TESTS)[dependence]
    elif isinstance(tests, str) and tests == "all":
        tests = _registry.names("inference", plugins=False)  # whatever else is installed, "all" means the same
    return labelled_tests(tests)


def settings(choices: Choices) -> dict[str, Any]:
    """Return the choices as plain values, for the record of a run; members of plug-ins with their distribution."""
    values = {choice.name: getattr(choices, choice.name) for choice in fields(choices)}
    if not isinstance(choices.model, str):
        values["model"] = settings_of(choices.model)
    if not isinstance(choices.tests, str):
        values["tests"] = {label: settings_of(test) for label, test in labelled_tests(choices.tests).items()}
    plugins = plugins_of([as_model(choices.model), *tests_for(choices, "independent").values()])
    return {**values, "plugins": plugins} if plugins else values
