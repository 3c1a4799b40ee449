"""Valid days are those that a loop over the windows of each event counts, and that its block has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from eventstudy.core.estimation_days import valid_days
from eventstudy.core.windows import blocks
from eventstudy.types import Placed, Spec
from tests import make

WINDOWS = ((0, 0), (-1, 1), (-5, 5))


def sample(event: tuple[int, int], coverage: float, own: bool, masked: bool, price: bool) -> make.Case:
    rng = np.random.default_rng(11)
    windows = [w for w in WINDOWS if event[0] <= w[0] and w[1] <= event[1]] or [event]
    spec = replace(make.spec(min_coverage=coverage), event=event, windows=np.array(windows))
    case = make.case(rng, n=40, study_spec=spec, missing=0.35)
    panels, placed, n = list(case.panels), case.placed, 40
    if price:
        panels = [replace(p, r0=p.r, ok0=rng.random(p.ok.shape) < 0.5, x0=p.x) for p in panels]
    if own:
        first, end = rng.integers(spec.estimation[0], -40, n), rng.integers(-30, spec.estimation[1] + 1, n)
        begin = rng.integers(
            event[0], min(event[0] + 7, event[1] + 1), n
        )  # some after day 0, and some that end before it
        last = np.maximum(begin, rng.integers(event[1] - 6, event[1] + 1, n))
        placed = placed._replace(own_windows=np.column_stack([first, end, begin, last]))
    if masked:
        of = np.repeat(np.arange(0, n, 2), 2)
        start = np.where(np.arange(n) % 2 == 0, -70, -20) + rng.integers(0, 10, n)
        placed = placed._replace(masked_days=np.column_stack([of, start, start + rng.integers(0, 9, n)]))
    return case._replace(panels=panels, placed=placed)


def by_loop(case: make.Case) -> Iterator[tuple[int, bool]]:
    """Count the valid estimation days of each event, and say whether its day 0 can be measured."""
    spec, placed = case.sample.spec, case.placed
    for i in range(len(placed.day)):
        panel, asset, day = case.panels[placed.panel[i]], placed.asset[i], placed.day[i]
        own = (*spec.estimation, *spec.event) if placed.own_windows is None else tuple(placed.own_windows[i])
        masked = () if placed.masked_days is None else placed.masked_days[placed.masked_days[:, 0] == i, 1:]
        in_masked = {k for start, stop in masked for k in range(start, stop + 1)}
        count = sum(panel.ok[asset, day + k] for k in range(own[0], own[1] + 1) if k not in in_masked)
        there = {k: bool(panel.ok[asset, day + k]) for k in range(own[2], own[3] + 1)}
        some_day = any(there.values())
        at_zero = bool((panel.ok if panel.ok0 is None else panel.ok0)[asset, day])
        if 0 in there:
            there[0] = at_zero
        measured = True
        if spec.event[0] <= 0 <= spec.event[1] and not at_zero and 0 in there and some_day:
            measured = any(enough(there, window, spec) for window in spec.windows.tolist())
        yield int(count), measured


def enough(there: dict[int, bool], window: list[int], spec: Spec) -> bool:
    days = [k for k in range(window[0], window[1] + 1) if k in there]
    n = sum(there[k] for k in days)
    return n > 0 and n >= spec.min_coverage * len(days) - 1e-9


@pytest.mark.parametrize("price", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize(("event", "coverage"), [((-5, 5), 1.0), ((-5, 5), 0.5), ((0, 3), 0.6), ((1, 6), 1.0)])
def test_days_are_those_of_a_loop(
    event: tuple[int, int], coverage: float, own: bool, masked: bool, price: bool
) -> None:
    case = sample(event, coverage, own, masked, price)
    found = valid_days(case.panels, case.placed, case.sample.spec)
    count, measured = zip(*by_loop(case), strict=True)
    assert found.estimation.tolist() == list(count)
    assert found.measured.tolist() == list(measured)
    assert all(measured) or event != (1, 6)  # a study without day 0 has nothing to measure there
    assert not all(measured) or event == (1, 6) or own


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_estimation_days_are_those_of_the_block(own: bool, masked: bool) -> None:
    case = sample((-5, 5), 1.0, own, masked, False)
    found = valid_days(case.panels, case.placed, case.sample.spec).estimation
    for block in blocks(case.panels, case.placed, case.sample.spec, 40, 1):
        np.testing.assert_array_equal(block.n_valid, found[block.id])


def test_no_event_has_no_days() -> None:
    case = make.case(np.random.default_rng(1), n=3)
    none = Placed(*(part[:0] for part in case.placed[:6]))
    found = valid_days(case.panels, none, case.sample.spec)
    assert found.estimation.shape == found.measured.shape == (0,)
