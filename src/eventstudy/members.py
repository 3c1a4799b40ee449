"""Return models and tests by name, with their options, and lists of what there is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any, TypeVar

from eventstudy import _registry
from eventstudy.core.checks import check_model, check_test
from eventstudy.errors import InputError, one_of
from eventstudy.types import Model, Test

Member = TypeVar("Member", Model, Test)


def model(name: str, **options: Any) -> Model:
    """Give a return model by name, with its options.

    Parameters
    ----------
    name : str
        A member of ``models/``, or of a plug-in; see :func:`models`.
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
    _check_options(f"the {name} model", options, list(_usual(default)))
    changed = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    made: Model = replace(default, **changed) if changed else default
    return made


def test(name: str, **options: Any) -> Test:
    """Give a test by name, with its options.

    Parameters
    ----------
    name : str
        A member of ``inference/``, or of a plug-in; see :func:`tests`.
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
    usual = _usual(default)
    _check_options(f"the {name} test", options, list(usual))
    made = default.make(**options) if default.make and options else default
    return replace(made, name=name, options={**usual, **options})


def models() -> dict[str, str]:
    """Give the return models by name, with one line each."""
    return _registry.summaries("models")


def tests() -> dict[str, str]:
    """Give the tests by name, with one line each."""
    return _registry.summaries("inference")


# pytest takes functions of these names for its own
test.__test__ = tests.__test__ = False  # type: ignore[attr-defined]


def settings_of(member: Model | Test) -> dict[str, Any]:
    """Give the name and options of a model or test as plain values, as a study file has them.

    A model of the user's has the name of its class. A test of theirs is called ``user``, and its ``finalize`` is named.

    Examples
    --------
    >>> settings_of(test("wild_bootstrap", cluster="date"))
    {'name': 'wild_bootstrap', 'draws': 1999, 'cluster': 'date', 'seed': None}
    """
    return _settings_of_test(member) if isinstance(member, Test) else _settings_of_model(member)


def label_of(member: Model | Test) -> str:
    """Name a model or test, with the options that its member has otherwise; ``user`` is a test of the user's.

    Examples
    --------
    >>> label_of(test("wild_bootstrap", cluster="date")), label_of(model("market"))
    ("wild_bootstrap(cluster='date')", 'market')
    """
    settings = settings_of(member)
    name = str(settings.pop("name"))
    folder = "inference" if isinstance(member, Test) else "models"
    plugin = name not in _registry.names(folder, plugins=False)
    usual = _usual(_registry.load(folder, name, plugin)) if name in _registry.names(folder) else {}
    said = [f"{option}={value!r}" for option, value in settings.items() if option in usual and value != usual[option]]
    return name + (f"({', '.join(said)})" if said else "")


def labelled_models(given: str | Iterable[str | Model] | Mapping[str, str | Model]) -> dict[str, Model]:
    """Give models by label: a name, with the options that are not the default.

    Raises
    ------
    InputError
        When a name is unknown, an object is no model, or two have one label.

    Examples
    --------
    >>> list(labelled_models(["market", model("dimson", leads=0)]))
    ['market', 'dimson(leads=0)']
    """
    return _labelled("model", given, model, lambda its, _: label_of(its), check_model)


def labelled_tests(tests: str | Iterable[str | Test] | Mapping[str, str | Test]) -> dict[str, Test]:
    """Return tests by label: their names, with the options that are not the default where two have one name.

    A test of the user's own is called by its position, as ``user_2``.

    Raises
    ------
    InputError
        When a name is unknown, an object is no test, or two have one label.

    Examples
    --------
    >>> list(labelled_tests(["bmp", test("placebo", draws=499)]))
    ['bmp', 'placebo']
    >>> list(labelled_tests([test("wild_bootstrap"), test("wild_bootstrap", cluster="date")]))
    ['wild_bootstrap', "wild_bootstrap(cluster='date')"]
    """
    labelled = _labelled("test", tests, test, _label_of_test, check_test)
    if isinstance(tests, Mapping):
        return labelled
    names = [_name_of(member) for member in labelled.values()]
    return {
        (name if names.count(name) == 1 and name else label): member
        for name, (label, member) in zip(names, labelled.items(), strict=True)
    }


def _label_of_test(member: Test, position: int) -> str:
    return label_of(member) if _name_of(member) else f"user_{position}"


def plugins_of(members: Iterable[Model | Test]) -> dict[str, str]:
    """Give the distribution and version of each model and test that is from a plug-in, by folder and name.

    Examples
    --------
    >>> plugins_of([model("market"), test("bmp")])
    {}
    """
    folders = ("models", "inference")
    if all(_registry.names(folder) == _registry.names(folder, plugins=False) for folder in folders):
        return {}
    found = {}
    for member in members:
        folder, name = "inference" if isinstance(member, Test) else "models", str(settings_of(member)["name"])
        if name in _registry.names(folder) and name not in _registry.names(folder, plugins=False):
            found[f"{folder}.{name}"] = str(_registry.origin(folder, name))
    return found


def _labelled(
    kind: str,
    given: str | Member | Iterable[str | Member] | Mapping[str, str | Member],
    make: Callable[[str], Member],
    label: Callable[[Member, int], str],
    check: Callable[[object, str], None],
) -> dict[str, Member]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        given = (given,)
    pairs = given.items() if isinstance(given, Mapping) else [(None, one) for one in given]
    labelled: dict[str, Member] = {}
    for position, (own, one) in enumerate(pairs, start=1):
        if own is not None and (not isinstance(own, str) or not own.strip()):
            raise InputError(f"the label {own!r} of a {kind} is no text; give each a name of its own")
        its = make(one) if isinstance(one, str) else one
        check(its, own or f"user_{position}")
        name = own or label(its, position)
        if name in labelled:
            raise InputError(f"two {kind}s are called {name!r}; give a mapping from labels to {kind}s")
        labelled[name] = its
    return labelled


def _settings_of_model(model: Model) -> dict[str, Any]:
    """Give the name of the member that a model equals, else of one of its class, with its options."""
    own = {name: _registry.load("models", name, plugins=False) for name in _registry.names("models", plugins=False)}
    members = {**_registry.present("models"), **own}
    alike = [name for name, member in members.items() if type(member) is type(model)]
    same = [name for name in alike if members[name] == model]
    named = [name for name in alike if name == type(model).__name__.lower()]
    return {"name": [*same, *named, *alike, type(model).__name__][0], **_usual(model)}


def _settings_of_test(its: Test) -> dict[str, Any]:
    name = _name_of(its)
    if name:
        return {"name": name, **its.options}
    made = _plain(its.finalize)[0]
    return {"name": "user", "finalize": f"{made.__module__}.{getattr(made, '__qualname__', type(made).__name__)}"}


def _name_of(its: Test) -> str:
    """Give the member that a test is, as its file has it or as :func:`test` made it; empty where it was changed."""
    if its.name and its.name in _registry.names("inference"):
        made = test(its.name, **its.options)
        same = (_plain(its.chunk), _plain(its.finalize)) == (_plain(made.chunk), _plain(made.finalize))
        return its.name if same else ""
    return next((name for name, member in _registry.present("inference").items() if member is its), "")


def _plain(function: Callable[..., Any]) -> tuple[Any, ...]:
    """Give what can be compared of a function: two partials of one function with the same arguments are equal."""
    return (function.func, function.args, function.keywords) if isinstance(function, partial) else (function,)


def _usual(member: Any) -> dict[str, Any]:
    """Give the options of a member with their values: the fields of a model, what a test is made with by default."""
    if isinstance(member, Test):
        parameters = {} if member.make is None else inspect.signature(member.make).parameters
        return {name: its.default for name, its in parameters.items()}
    return {f.name: getattr(member, f.name) for f in fields(member)} if is_dataclass(member) else {}


def _check_options(of: str, options: Mapping[str, Any], valid: Sequence[str]) -> None:
    unknown = [option for option in options if option not in valid]
    if unknown:
        raise one_of(f"an option of {of}", unknown[0], valid or ["none: it has no options"])
