"""Return models and tests by name, with their options, and lists of what there is."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from eventstudy import _registry
from eventstudy.errors import one_of
from eventstudy.types import Model, Test


def model(name: str, **options: Any) -> Model:
    """Give a return model by name, with its options.

    Parameters
    ----------
    name : str
        A member of ``models/``; see :func:`models`.
    **options
        The fields of the model's dataclass.

    Raises
    ------
    InputError
        When the name or an option is not known, or an option's value is not valid.

    Examples
    --------
    >>> model("dimson", leads=1, lags=2).coefficients
    ('alpha', 'beta_lag2', 'beta_lag1', 'beta', 'beta_lead1')
    """
    default = _registry.load("models", name)
    valid = [f.name for f in fields(default)]
    _check_options(f"the {name} model", options, valid)
    made: Model = replace(default, **{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})
    return made


def settings_of(model: Model) -> dict[str, Any]:
    """Give a return model's name and options as plain values; one of the user's has the name of its class."""
    options: dict[str, Any] = {f.name: getattr(model, f.name) for f in fields(model)} if is_dataclass(model) else {}
    members = {name: _registry.load("models", name) for name in _registry.names("models")}
    alike = [name for name, member in members.items() if type(member) is type(model)]
    same = [name for name in alike if members[name] == model]
    named = [name for name in alike if name == type(model).__name__.lower()]
    return {"name": [*same, *named, *alike, type(model).__name__][0], **options}


def test(name: str, **options: Any) -> Test:
    """Give a test by name, with its options.

    Parameters
    ----------
    name : str
        A member of ``inference/``; see :func:`tests`.
    **options
        What the page of the test names.

    Raises
    ------
    InputError
        When the name or an option is not known, or an option's value is not valid.

    Examples
    --------
    >>> test("placebo", draws=499).draws
    499
    """
    default: Test = _registry.load("inference", name)
    valid = list(inspect.signature(default.make).parameters) if default.make else []
    _check_options(f"the {name} test", options, valid)
    return default.make(**options) if default.make and options else default


def models() -> dict[str, str]:
    """Give the return models by name, with one line each."""
    return _registry.summaries("models")


def tests() -> dict[str, str]:
    """Give the tests by name, with one line each."""
    return _registry.summaries("inference")


# pytest takes functions of these names for its own
test.__test__ = tests.__test__ = False  # type: ignore[attr-defined]


def _check_options(of: str, options: Mapping[str, Any], valid: Sequence[str]) -> None:
    unknown = [option for option in options if option not in valid]
    if unknown:
        raise one_of(f"an option of {of}", unknown[0], valid or ["none: it has no options"])
