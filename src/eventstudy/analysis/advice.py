"""What a failing of the sample breaks, the tests that survive it, and what to do.

Which tests are named follows from what each declares of itself (``robust_to`` and ``fails_under`` of its ``TEST``).
"""

from __future__ import annotations

from typing import NamedTuple

from eventstudy import _registry
from eventstudy.types import Failing, Test


class Advice(NamedTuple):
    """What a failing breaks, the tests that survive it, and what to do.

    ``{fails}`` and ``{robust}`` stand for the tests that declare themselves so for the ``failing``.
    """

    breaks: str = ""
    survives: str = ""
    remedy: str = ""
    failing: Failing | None = None


ADVICE = {
    "contaminated estimation": Advice(
        "sigma holds the other reactions, so that what is scaled by it finds too little; alpha and beta may be off",
        "{robust}",
        "shorten or move the estimation window, or leave these events out",
        "contaminated_estimation",
    ),
    "confounding events": Advice(
        "an effect holds the reaction to both events, whatever the test",
        "none",
        "narrow the event window, or leave these events out and compare",
    ),
    "event-induced variance": Advice(
        "tests with the variance of the estimation window alone reject too often: {fails}",
        "{robust}",
        "take tests that estimate the variance across events",
        "event_variance",
    ),
    "normality": Advice(
        "p of single events, and of t and z tests of few events",
        "p_sq, {robust}",
        "for single events read p_sq; for few events take ranks or placebo dates",
        "non_normality",
    ),
    "autocorrelation": Advice(
        "tests over several days whose variance is summed from single days: {fails}, and p of single events",
        "p_sq, {robust}",
        "take short windows, or tests that estimate the variance of the effect itself across events",
        "autocorrelation",
    ),
    "thin trading": Advice(
        "beta is biased to zero, and residuals are a spike at zero with wide tails",
        "{robust}",
        'es.model("dimson", leads=1, lags=1), or leave these securities out',
        "thin_trading",
    ),
    "missing returns": Advice(
        "a window with too few valid days is missing, and its event counts for nothing in it",
        "all",
        'min_coverage allows for gaps; Study(gaps="span") puts a whole return on the next session with a price',
    ),
    "cross-zone benchmark": Advice(
        "part of the market's move falls on the next day: beta is too small, and day 0 holds the market's own news",
        "none",
        'es.model("dimson", leads=1, lags=1), or a benchmark of the security\'s own market',
    ),
    "treated benchmark": Advice(
        "the benchmark holds part of the reaction and takes it out again: effects are biased to zero",
        "none",
        "take a benchmark without these firms, or one of another market",
    ),
    "small sample": Advice(
        "tests that need many independent dates: z tests, and t tests where effects are not normal",
        "{robust}",
        "result.calibrate() measures the size of every test on your own data",
        "few_dates",
    ),
}


def advice() -> dict[str, Advice]:
    """Give the advice of each check, with the names of the library's tests that it speaks of."""
    tests = declared()

    def named(its: Advice) -> Advice:
        robust = ", ".join(name for name, test in tests.items() if its.failing in test.robust_to)
        fails = ", ".join(name for name, test in tests.items() if its.failing in test.fails_under)
        survives = its.survives.format(robust=robust)
        return its._replace(breaks=its.breaks.format(fails=fails), survives=survives)

    return {check: named(its) for check, its in ADVICE.items()}


def declared() -> dict[str, Test]:
    """Give the library's own tests, each with what it declares; the tests of plug-ins are not imported for it."""
    return {name: _registry.load("inference", name) for name in _registry.names("inference", plugins=False)}
