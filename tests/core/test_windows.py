"""A block is what slicing each event's windows by hand gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eventstudy.core.windows import blocks, unchanged
from eventstudy.types import Block, Column, Panel, Placed
from tests import make

COLUMNS = (Column("benchmark"), Column("oil", 2))


@pytest.mark.parametrize("size", [1, 7, 512])
@pytest.mark.parametrize("estimation", [(-70, -11), (-40, -6)])
def test_gathering_equals_slicing_by_hand(size: int, estimation: tuple[int, int]) -> None:
    its = replace(make.spec(), estimation=estimation)
    case = make.case(np.random.default_rng(1), COLUMNS, n=30, study_spec=its, missing=0.1)
    seen = []
    for block in blocks(case.panels, case.placed, its, len(case.sample.cluster_group), 1, size):
        assert 1 <= len(block.id) <= size
        assert block.n_est == its.n_est
        for row, event in enumerate(block.id):
            by_hand(case, block, row, int(event))
        seen += block.id.tolist()
    assert sorted(seen) == list(range(30))


def by_hand(case: make.Case, block: Block, row: int, event: int) -> None:
    its, placed = case.sample.spec, case.placed
    panel, asset, day = case.panels[placed.panel[event]], placed.asset[event], placed.day[event]
    first, last = its.estimation
    columns = [*range(day + first, day + last + 1), *range(day + its.event[0], day + its.event[1] + 1)]
    np.testing.assert_array_equal(block.r[row], panel.r[asset, columns])
    np.testing.assert_array_equal(block.ok[row], panel.ok[asset, columns])
    np.testing.assert_array_equal(block.x[row], panel.x[columns])
    assert block.cluster[row] == placed.cluster[event]
    assert block.group[row] == placed.group[event]


def test_a_model_without_regressors_has_a_block_without_columns() -> None:
    case = make.case(np.random.default_rng(1), (), n=5)
    (block,) = blocks(case.panels[:1], Placed(*(p[case.placed.panel == 0] for p in case.placed[:6])), make.spec(), 5, 1)
    assert block.x.shape == (*block.r.shape, 0)


def test_day_zero_is_replaced_and_nothing_else() -> None:
    rng = np.random.default_rng(2)
    its = make.spec()
    plain = make.case(rng, COLUMNS, n=12, study_spec=its, missing=0.1)
    panels = [
        replace(p, r0=p.r + 100.0, ok0=rng.random(p.ok.shape) < 0.5, x0=p.x + np.array([200.0, 300.0]))
        for p in plain.panels
    ]
    zero = its.n_est - its.event[0]
    assert its.offsets[zero] == 0
    others = np.arange(its.n_est + its.n_evt) != zero
    count = len(plain.sample.cluster_group)
    for before, after in zip(
        blocks(plain.panels, plain.placed, its, count, 1), blocks(panels, plain.placed, its, count, 1), strict=True
    ):
        np.testing.assert_array_equal(after.r[:, zero], before.r[:, zero] + 100.0)
        np.testing.assert_array_equal(after.x[:, zero], before.x[:, zero] + np.array([200.0, 300.0]))
        wanted = [panels[plain.placed.panel[e]].ok0[plain.placed.asset[e], plain.placed.day[e]] for e in after.id]
        np.testing.assert_array_equal(after.ok[:, zero], wanted)
        for name in ("r", "ok", "x"):
            np.testing.assert_array_equal(getattr(after, name)[:, others], getattr(before, name)[:, others])


def test_an_event_is_unchanged_where_every_number_of_its_windows_is() -> None:
    case = make.case(np.random.default_rng(3), n=30, missing=0.1)
    its, everyone = case.sample.spec, np.arange(30)
    sign = np.where(everyone % 3 == 0, -1.0, 1.0)
    before = case.placed._replace(sign=sign)
    after = before._replace(sign=np.where(everyone == 7, -sign, sign), weight=np.where(everyone == 11, 2.0, 1.0))
    panels = [replace(p, r=p.r.copy(), x=p.x.copy()) for p in case.panels]
    panels[0].r[4, case.placed.day[4] - 3] += 1e-9  # in the event window of event 4
    panels[1].x[case.placed.day[9] - 20] *= 2.0  # in many estimation windows of the second panel

    def numbers(of: list[Panel], placed: Placed, i: int) -> tuple[np.ndarray, ...]:
        panel, days = of[placed.panel[i]], placed.day[i] + its.offsets
        asset = placed.asset[i]
        return panel.r[asset, days], panel.ok[asset, days], panel.x[days], placed.weight[i], placed.sign[i]

    found = unchanged((case.panels, before), (panels, after), (everyone, everyone), its)
    for i in everyone:
        pair = zip(numbers(case.panels, before, i), numbers(panels, after, i), strict=True)
        assert found[i] == all(np.array_equal(left, right) for left, right in pair), i
    assert not found[[4, 7, 9, 11]].any()
    assert 5 < found.sum() < 27
    turned = unchanged((case.panels, before), (panels, after), (everyone[::-1], everyone[::-1]), its)
    np.testing.assert_array_equal(turned, found[::-1])
    assert not unchanged((case.panels, before), (panels, case.placed), (everyone, everyone), its).any()  # no signs now


def test_an_event_window_without_day_zero_is_left_alone() -> None:
    its = make.spec(event=(1, 5), windows=((1, 5),))
    plain = make.case(np.random.default_rng(3), n=6, study_spec=its, missing=0.0)
    panels = [replace(p, r0=p.r + 100.0, ok0=~p.ok, x0=p.x + 200.0) for p in plain.panels]
    for before, after in zip(
        blocks(plain.panels, plain.placed, its, 6, 1), blocks(panels, plain.placed, its, 6, 1), strict=True
    ):
        np.testing.assert_array_equal(after.r, before.r)
        np.testing.assert_array_equal(after.x, before.x)


def test_gathering_leaves_the_panel_as_it_is() -> None:
    case = make.case(np.random.default_rng(4), n=8)
    before = [p.r.copy() for p in case.panels]
    for block in blocks(make.read_only(case.panels), case.placed, make.spec(), 8, 1):
        with pytest.raises(ValueError, match="read-only"):
            block.r[:] = -1.0
        assert not any(np.shares_memory(block.r, panel.r) for panel in case.panels)
    for panel, r in zip(case.panels, before, strict=True):
        np.testing.assert_array_equal(panel.r, r)
