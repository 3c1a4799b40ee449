"""The measured sizes of the tests: how often each rejects at 5 % without an effect, in samples like a given one.

``data/sizes.json`` has the rates; ``benchmarks/sizes.py`` measures them, and describes every kind of sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from math import log
from typing import Literal, NamedTuple

from eventstudy.types import Survives

Variance = Literal["none", "own", "common", "all"]
BASE = "normal"  # the noise of the samples with which one is compared in which nothing else is seen


class Scenario(NamedTuple):
    """A kind of sample.

    ``n_clusters`` is the number of chains of events whose event windows overlap; ``variance`` says what the event
    multiplies: nothing, the variance of each firm's own noise, that of the part that firms share, or that of all.
    """

    name: str
    label: str
    kind: Survives
    n_events: int
    n_clusters: int
    noise: str
    variance: Variance


class Cell(NamedTuple):
    """The rate at which a test rejects over one window, with its 95 % interval, in the ``n`` samples where it has one.

    ``power`` has the rates by the size of a shock on day 0.
    """

    test: str
    scenario: Scenario
    window: tuple[int, int]
    rate: float
    lower: float
    upper: float
    n: int
    power: dict[float, float]

    @property
    def length(self) -> int:
        """Days of the window."""
        return self.window[1] - self.window[0] + 1


class Measured(NamedTuple):
    """The ``nearest`` measured sample, and the ``worst`` of those like it in which the event changes the variance.

    ``worst`` is the nearest cell itself if no other has a higher rate.
    """

    nearest: Cell
    worst: Cell


def lookup(
    test: str, kind: Survives, n_events: int, n_clusters: int, window_length: int, noise: str = BASE
) -> Measured | None:
    """Return the measured size of a test in the samples most like one.

    Cells are compared by the logarithm of the length of the window first, because it matters beyond any number of
    events, and then by those of the numbers of events and of clusters.

    Parameters
    ----------
    test : str
        The name of a test of the library with its default options.
    kind : {"independent", "same_day", "overlap"}
    n_events : int
    n_clusters : int
        Chains of events whose event windows overlap.
    window_length : int
        In days.
    noise : str
        The noise of the samples: normal, or what was seen in the user's.

    Returns
    -------
    Measured or None
        None if the test has not been measured in such samples, or has no value in them.

    Examples
    --------
    >>> found = lookup("bmp", "same_day", n_events=50, n_clusters=1, window_length=1)
    >>> found.nearest.scenario.name, found.nearest.rate > 0.3
    ('one_date', True)
    """

    def distance(cell: Cell) -> tuple[float, float]:
        scenario = cell.scenario
        apart = abs(log(scenario.n_events / n_events)) + abs(log(scenario.n_clusters / n_clusters))
        return abs(log(cell.length / window_length)), apart

    by_variance = _cells().get((test, kind, noise), {})
    if "none" not in by_variance or min(n_events, n_clusters, window_length) < 1:
        return None
    near = {variance: min(cells, key=distance) for variance, cells in by_variance.items()}
    alike = [cell for cell in near.values() if cell.length == near["none"].length]
    return Measured(near["none"], max(alike, key=lambda cell: cell.rate))


@cache
def _cells() -> dict[tuple[str, str, str], dict[Variance, list[Cell]]]:
    """Return the cells by test, kind and noise, and by what the event does to the variance."""
    by_test: dict[tuple[str, str, str], dict[Variance, list[Cell]]] = {}
    for cell in cells():
        kinds = by_test.setdefault((cell.test, cell.scenario.kind, cell.scenario.noise), {})
        kinds.setdefault(cell.scenario.variance, []).append(cell)
    return by_test


def cells() -> Iterator[Cell]:
    """Read every cell; a test has none in samples in most of which it has no value."""
    import json

    measured = json.loads((resources.files("eventstudy") / "data" / "sizes.json").read_text(encoding="utf-8"))
    scenarios = {
        name: Scenario(name, *(record[field] for field in Scenario._fields[1:]))
        for name, record in measured["scenarios"].items()
    }
    for cell in measured["cells"]:
        start, end = cell["window"]
        power = dict(zip(measured["shocks"], cell["power"] or (), strict=False))
        rate, lower, upper, n = (cell[field] for field in ("rate", "lower", "upper", "n"))
        yield Cell(cell["test"], scenarios[cell["scenario"]], (start, end), rate, lower, upper, n, power)
