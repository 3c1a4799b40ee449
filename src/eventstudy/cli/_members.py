"""Models and tests with what they need, what they assume, and where they come from."""

from __future__ import annotations

from eventstudy import _registry
from eventstudy.members import options_of
from eventstudy.reproduce.references import Reference, of_member
from eventstudy.types import Model, Test

REGRESSORS = {"benchmark": "benchmark", "peers": "peers", "clock": "bars of the day", "sessions": ""}


def needs(model: Model) -> str:
    """Return what a model needs beside the prices of the events: a benchmark, peers, or factors by name.

    Examples
    --------
    >>> needs(_registry.load("models", "ff3"))
    'factors: Mkt-RF, SMB, HML, RF'
    """
    names = dict.fromkeys(column.name for column in model.columns)
    known = [REGRESSORS[name] for name in names if REGRESSORS.get(name)]
    factors = [name for name in names if name not in REGRESSORS]
    return ", ".join([*known, *([f"factors: {', '.join(factors)}"] if factors else [])]) or "nothing"


def origin(folder: str, name: str) -> str:
    """Return the publication that a member's documentation names first, in short; of a plug-in, its distribution.

    Examples
    --------
    >>> origin("inference", "bmp"), origin("models", "dimson")
    ('Boehmer et al. 1991', 'Dimson 1979')
    """
    if name not in _registry.names(folder, plugins=False):
        return str(_registry.origin(folder, name))
    text = str(_registry.helper(folder, name).__doc__)
    entries = sorted(of_member(folder, name), key=lambda entry: text.find(entry.fields["year"]) % (len(text) + 1))
    return _short(entries[0]) if entries else "eventstudy"


def record(folder: str, name: str, member: Model | Test) -> dict[str, object]:
    """Return what is the same of models and tests, for JSON."""
    return {
        "name": name,
        "summary": _registry.summaries(folder)[name],
        "options": {option: default for option, (_, default) in options_of(member).items()},
        "references": [entry.text for entry in of_member(folder, name)],
        "distribution": str(_registry.origin(folder, name)),
    }


def _short(entry: Reference) -> str:
    families = [author.partition(",")[0] for author in entry.fields["author"].split(" and ")]
    authors = f"{families[0]} et al." if len(families) > 2 else " & ".join(families)
    return f"{authors} {entry.fields['year']}"
