"""The choices of a study resolved: its model and tests by name, and all of them as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from eventstudy import _registry
from eventstudy.members import model, settings_of
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
    if isinstance(tests, Mapping):
        return dict(tests)
    if tests == "default":
        tests = (COMPOUNDED_TESTS if choices.compound else DEFAULT_TESTS)[dependence]
    elif tests == "all":
        tests = _registry.names("inference")
    elif isinstance(tests, str):
        tests = (tests,)
    return {
        _name_of(test, position): _registry.load("inference", test) if isinstance(test, str) else test
        for position, test in enumerate(tests, start=1)
    }


def settings(choices: Choices) -> dict[str, Any]:
    """Return the choices as plain values, for the record of a run."""
    values = {choice.name: getattr(choices, choice.name) for choice in fields(choices)}
    if not isinstance(choices.model, str):
        values["model"] = settings_of(choices.model)
    if not isinstance(choices.tests, str):
        values["tests"] = [test if isinstance(test, str) else "user" for test in choices.tests]
    return values


def _name_of(test: str | Test, position: int) -> str:
    """Name a test given as an object by its member's file, and one of the user's by its position."""
    if isinstance(test, str):
        return test
    home, _, name = test.chunk.__module__.rpartition(".")
    return name if home == "eventstudy.inference" else f"user_{position}"
