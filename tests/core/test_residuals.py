"""The skewness of residuals and the share of zero returns, by group, against SciPy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eventstudy import _registry
from eventstudy.core import residuals
from eventstudy.core.run import run
from eventstudy.types import Panel
from tests import make

SPEC = make.spec(60, ((0, 0),), 30)
MARKET = _registry.load("models", "market")


@pytest.fixture
def panel() -> Panel:
    """Give skewed returns of six firms, some missing and some zero."""
    rng = np.random.default_rng(3)
    market = 0.01 * rng.standard_normal(100)
    r = market + 0.02 * (rng.standard_exponential((6, 100)) - 1)
    r[1, ::4] = 0.0
    ok = rng.random(r.shape) > 0.1
    ok[:, 80] = True
    return Panel(np.where(ok, r, 0.0), ok, market[:, None], np.arange(100), tuple("abcdef"), ("benchmark",))


def before(
    panel: Panel, events: list[int], group: list[int], sign: list[float] | None = None
) -> list[residuals.Residuals]:
    """Return the residuals of the groups of some firms on one day."""
    case = make.place([panel], SPEC, [(0, firm, 80) for firm in events], group)
    placed = case.placed if sign is None else case.placed._replace(sign=np.array(sign))
    outcome = run([panel], placed, MARKET, {}, case.sample, extra={"residuals": residuals.chunk})
    return residuals.finalize(outcome.extra["residuals"], case.sample.n_groups)


def expected(panel: Panel, firm: int) -> tuple[float, int, int]:
    """Compute the skewness of the residuals of a least-squares line, the zero and the valid days."""
    days = 80 + np.arange(SPEC.estimation[0], SPEC.estimation[1] + 1)
    ok = panel.ok[firm, days]
    x, r = panel.x[days[ok], 0], panel.r[firm, days[ok]]
    slope, intercept = np.polyfit(x, r, 1)
    return float(stats.skew(r - intercept - slope * x)), int((r == 0).sum()), int(ok.sum())


def test_means_of_groups_are_those_of_scipy(panel: Panel) -> None:
    for found, firms in zip(before(panel, [0, 1, 2, 3, 4, 5], [0, 0, 0, 0, 1, 1]), ([0, 1, 2, 3], [4, 5]), strict=True):
        skewness, zeros, days = np.array([expected(panel, firm) for firm in firms]).T
        assert found.skewness == pytest.approx(skewness.mean(), rel=1e-9)
        assert found.se == pytest.approx(skewness.std(ddof=1) / np.sqrt(len(firms)), rel=1e-9)
        assert found.zeros == zeros.sum() / days.sum()
    assert found.zeros == 0


def test_the_sign_of_an_event_is_that_of_its_skewness(panel: Panel) -> None:
    [plain] = before(panel, [0, 2, 3], [0, 0, 0])
    [turned] = before(panel, [0, 2, 3], [0, 0, 0], [-1.0, -1.0, -1.0])
    assert plain.skewness > 1
    assert turned.skewness == pytest.approx(-plain.skewness, rel=1e-12)
    [mixed] = before(panel, [0, 0], [0, 0], [1.0, -1.0])
    assert mixed.skewness == pytest.approx(0, abs=1e-12)


def test_one_event_has_no_standard_error_and_no_event_nothing(panel: Panel) -> None:
    [alone] = before(panel, [2], [0])
    assert alone.skewness == pytest.approx(expected(panel, 2)[0], rel=1e-9)
    assert np.isnan(alone.se)
    assert all(np.isnan(residuals.finalize({}, 2)[1]))
    there, empty = before(panel, [2, 3], [1, 0], [1.0, 0.0])[::-1]  # an event without a sign is left out
    assert there == alone
    assert all(np.isnan(empty))
