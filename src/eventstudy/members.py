"""Models and tests by name, with options and labels, and lists of the available names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from numbers import Real
from types import NoneType, UnionType
from typing import Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from eventstudy import _registry, arguments
from eventstudy.core.checks import check_model, check_test
from eventstudy.errors import InputError, shown
from eventstudy.types import Model, ModelName, Test, TestName

Member = TypeVar("Member", Model, Test)
CONTENTS = tuple(field.name for field in fields(Test) if field.name not in ("make", "name"))


def model(name: ModelName | str, **options: object) -> Model:
    """Return a return model by name, with options.

    Parameters
    ----------
    name : str
        A member of ``models/``, or of a plug-in; see :func:`models`.
    **options
        The fields of the model's dataclass.

    Raises
    ------
    InputError
        If the name or an option is unknown, or the value of an option is not valid.

    Examples
    --------
    >>> model("dimson", leads=1, lags=2).coefficients
    ('alpha', 'beta_lag2', 'beta_lag1', 'beta', 'beta_lead1')
    """
    default = _registry.load("models", name)
    of, changes = f"the {name} model", _plain(options)
    arguments.check_options(of, changes, _default_options(default))
    if not changes:
        return cast("Model", default)
    configured: Model = _configured(of, partial(replace, default), changes, _hints(default.__class__))
    return configured


def test(name: TestName | str, **options: object) -> Test:
    """Return a test by name, with options.

    Parameters
    ----------
    name : str
        A member of ``inference/``, or of a plug-in; see :func:`tests`.
    **options
        The options on the page of the test.

    Raises
    ------
    InputError
        If the name or an option is unknown, or the value of an option is not valid.

    Examples
    --------
    >>> test("placebo", draws=499).draws
    499
    """
    default: Test = _registry.load("inference", name)
    defaults = _default_options(default)
    of, changes = f"the {name} test", _plain(options)
    arguments.check_options(of, changes, defaults)
    configured = default
    if default.make is not None and changes:
        configured = _configured(of, default.make, changes, _hints(default.make))
    return replace(configured, name=name, options={**defaults, **changes})


def models() -> dict[str, str]:
    """Return the names of the return models, with a summary line for each."""
    return _registry.summaries("models")


def tests() -> dict[str, str]:
    """Return the names of the tests, with a summary line for each."""
    return _registry.summaries("inference")


# pytest would collect functions with these names
test.__test__ = tests.__test__ = False  # type: ignore[attr-defined]


def settings_of(member: Model | Test) -> dict[str, object]:
    """Return the name and options of a model or test as plain values, as in a study file.

    A user-written model has the name of its class; a user-written test the name ``user``, and that of its ``finalize``.

    Examples
    --------
    >>> settings_of(test("wild_bootstrap", cluster="date"))
    {'name': 'wild_bootstrap', 'draws': 1999, 'cluster': 'date', 'seed': None}
    """
    return _settings_of_test(member) if isinstance(member, Test) else _settings_of_model(member)


def options_of(member: Model | Test) -> dict[str, tuple[object, object]]:
    """Return the type and the default of each option of a model or test.

    Examples
    --------
    >>> options_of(test("placebo"))
    {'draws': (<class 'int'>, 999)}
    """
    hints = _hints(member.make if isinstance(member, Test) else type(member))
    return {name: (hints.get(name), default) for name, default in _default_options(member).items()}


def label_of(member: Model | Test) -> str:
    """Return the name of a model or test with the options that differ from the defaults; ``user`` for a user's test.

    Examples
    --------
    >>> label_of(test("wild_bootstrap", cluster="date")), label_of(model("market"))
    ("wild_bootstrap(cluster='date')", 'market')
    """
    settings = settings_of(member)
    name = str(settings.pop("name"))
    folder = "inference" if isinstance(member, Test) else "models"
    plugin = name not in _registry.names(folder, plugins=False)
    defaults = _default_options(_registry.load(folder, name, plugin)) if name in _registry.names(folder) else {}
    changed = [f"{key}={value!r}" for key, value in settings.items() if key in defaults and value != defaults[key]]
    return name + (f"({', '.join(changed)})" if changed else "")


def labelled_models(models: str | Iterable[str | Model] | Mapping[str, str | Model]) -> dict[str, Model]:
    """Return models by label: the name, with the options that differ from the defaults.

    Raises
    ------
    InputError
        If a name is unknown, an object is not a model, or two have the same label.

    Examples
    --------
    >>> list(labelled_models(["market", model("dimson", leads=0)]))
    ['market', 'dimson(leads=0)']
    """
    return _labelled("model", models, model, lambda member, _: label_of(member), check_model)


def labelled_tests(tests: str | Iterable[str | Test] | Mapping[str, str | Test]) -> dict[str, Test]:
    """Return tests by label: the name, with the options that differ from the defaults if two have the same name.

    A user-written test is labelled by its position, such as ``user_2``.

    Raises
    ------
    InputError
        If a name is unknown, an object is not a test, or two have the same label.

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
    """Return the distribution and version of each model and test of a plug-in, by folder and name.

    Examples
    --------
    >>> plugins_of([model("market"), test("bmp")])
    {}
    """
    folders = ("models", "inference")
    if all(_registry.names(folder) == _registry.names(folder, plugins=False) for folder in folders):
        return {}
    plugins = {}
    for member in members:
        folder, name = "inference" if isinstance(member, Test) else "models", str(settings_of(member)["name"])
        if name in _registry.names(folder) and name not in _registry.names(folder, plugins=False):
            plugins[f"{folder}.{name}"] = str(_registry.origin(folder, name))
    return plugins


def _labelled(
    kind: str,
    members: str | Member | Iterable[str | Member] | Mapping[str, str | Member],
    make: Callable[[str], Member],
    label: Callable[[Member, int], str],
    check: Callable[[object, str], None],
) -> dict[str, Member]:
    """Return members by label; ``label`` returns that of a member without one, by its position."""
    if isinstance(members, str) or not isinstance(members, Iterable):
        members = (members,)
    pairs = members.items() if isinstance(members, Mapping) else [(None, member) for member in members]
    labelled: dict[str, Member] = {}
    for position, (user_label, entry) in enumerate(pairs, start=1):
        if user_label is not None and (not isinstance(user_label, str) or not user_label.strip()):
            raise InputError(f"the label {user_label!r} of a {kind} is not a text; give each {kind} a label")
        member = make(entry) if isinstance(entry, str) else entry
        check(member, user_label or f"user_{position}")
        name = user_label or label(member, position)
        if name in labelled:
            raise InputError(f"two {kind}s have the label {name!r}; give a mapping from labels to {kind}s")
        labelled[name] = member
    return labelled


def _settings_of_model(model: Model) -> dict[str, object]:
    """Return the name of the member that equals a model, else of a member of its class, with the options."""
    library = {name: _registry.load("models", name, plugins=False) for name in _registry.names("models", plugins=False)}
    members = {**_registry.present("models"), **library}
    of_class = [name for name, member in members.items() if type(member) is type(model)]
    equal = [name for name in of_class if members[name] == model]
    with_class_name = [name for name in of_class if name == type(model).__name__.lower()]
    name = [*equal, *with_class_name, *of_class, type(model).__name__][0]
    return {"name": name, **_default_options(model)}


def _settings_of_test(test: Test) -> dict[str, object]:
    name = _name_of(test)
    if name:
        return {"name": name, **test.options}
    finalize = _comparable(test.finalize)[0]
    qualified = getattr(finalize, "__qualname__", type(finalize).__name__)
    return {"name": "user", "finalize": f"{finalize.__module__}.{qualified}"}


def _name_of(member: Test) -> str:
    """Return the name of a test that is a member, or was returned by :func:`test`; "" if it was changed."""
    if member.name and member.name in _registry.names("inference"):
        default: Test = _registry.load("inference", member.name)
        unchanged = member.options == _default_options(default)
        original = replace(default, options=member.options) if unchanged else test(member.name, **member.options)
        return member.name if _contents(member) == _contents(original) else ""
    return next((name for name, entry in _registry.present("inference").items() if entry is member), "")


def _contents(member: Test) -> list[object]:
    """Return the fields of a test, so that two with equal contents are equal, whatever their names.

    ``make`` only returns other tests.
    """
    values = (getattr(member, name) for name in CONTENTS)
    return [_comparable(value) if callable(value) else value for value in values]


def _comparable(function: Callable[..., object]) -> tuple[object, ...]:
    """Return a tuple that is equal for equal functions, and for partials of one function with equal arguments."""
    return (function.func, function.args, function.keywords) if isinstance(function, partial) else (function,)


def _default_options(member: object) -> dict[str, object]:
    """Return the options of a member: the fields of a model, or the parameters of ``Test.make`` with their defaults."""
    if isinstance(member, Test):
        return {} if member.make is None else dict(_defaults(member.make))
    return {f.name: getattr(member, f.name) for f in fields(member)} if is_dataclass(member) else {}


@cache
def _defaults(function: Callable[..., object]) -> dict[str, object]:
    """Return the parameters of a function with their defaults, read once."""
    return {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}


@cache
def _hints(owner: Callable[..., object] | None) -> dict[str, object]:
    """Return the types of the options of a model's class or a test's ``make``, read once; none if not resolved."""
    try:
        return {} if owner is None else get_type_hints(owner)
    except (NameError, TypeError):
        return {}


def _plain(options: Mapping[str, object]) -> dict[str, object]:
    """Return options with lists as tuples, and numbers of NumPy as numbers."""
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in options.items()}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}


def _configured(
    of: str, make: Callable[..., Member], options: Mapping[str, object], hints: Mapping[str, object]
) -> Member:
    """Return a member with options, which it checks itself; what it lets pass must be of the type that it declares."""
    problem: Exception | None = None
    try:
        member = make(**options)
    except InputError:
        raise
    except Exception as error:  # of a member that takes its options to be of their types
        problem = error
    for name, value in options.items():
        _check_option(f"{name} of {of}", value, hints.get(name))
    if problem is not None:
        raise InputError(f"the options {shown(dict(options))} of {of} are not valid: {problem}") from problem
    return member


def _check_option(name: str, value: object, hint: object) -> None:
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if value is None and NoneType in kinds:
        return
    kind = next((kind for kind in kinds if kind is not NoneType), None)
    if kind is bool:
        arguments.flag(name, value)
    elif kind is int:
        arguments.whole(name, value, -arguments.LARGEST)
    elif kind is float and (isinstance(value, bool) or not isinstance(value, Real)):
        raise InputError(f"{name} is {shown(value)}; give a number")
    elif get_origin(kind) is Literal:
        arguments.choice(name, value, get_args(kind))
