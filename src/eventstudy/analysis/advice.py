"""Advice for each failing of a sample: what it invalidates, the tests that remain valid, and what to do.

The tests are named by their declarations (``robust_to`` and ``fails_under`` of ``TEST``).
"""

from __future__ import annotations

from typing import NamedTuple

from eventstudy import _registry
from eventstudy.types import Failing, Test


class Advice(NamedTuple):
    """What a failing of the sample invalidates, the tests that remain valid, and what to do.

    ``{fails}`` and ``{robust}`` are replaced by the tests that declare the ``failing`` so.
    """

    breaks: str = ""
    survives: str = ""
    remedy: str = ""
    failing: Failing | None = None


ADVICE = {
    "contaminated estimation": Advice(
        "sigma includes reactions to other events: tests scaled by it reject too rarely; alpha and beta may be biased",
        "{robust}",
        "shorten or move the estimation window, or exclude these events",
        "contaminated_estimation",
    ),
    "confounding events": Advice(
        "effects include the reaction to both events, in every test",
        "none",
        "narrow the event window, or exclude these events and compare",
    ),
    "implausible prices": Advice(
        "effects, alpha, beta and sigma of these events, if the prices are wrong",
        "none",
        "compare the prices that prices.screen() lists with another source; correct them, or leave the cells empty",
    ),
    "event-induced variance": Advice(
        "tests with the variance of the estimation window alone reject too often: {fails}",
        "{robust}",
        "use tests that estimate the variance across events",
        "event_variance",
    ),
    "common shock": Advice(
        "tests that take the correlation before the event for that of the event days: {fails}",
        "{robust}",
        "use tests that compare clusters of events",
        "common_variance",
    ),
    "normality": Advice(
        "p of single events, and of t and z tests of few events",
        "p_sq, p_conformal, {robust}",
        "for single events use p_sq, over long windows p_conformal; for few events use rank tests or placebo dates",
        "non_normality",
    ),
    "skewed returns": Advice(
        "tests of a mean of so few events, over windows of few days, and rank tests whatever the number of events",
        "generalized_sign",
        "read the primary test, and no test with a mark; if windows share a day, so that signs are not independent,"
        " clustered holds in the measured samples; means of more events or days are less skewed",
    ),
    "autocorrelation": Advice(
        "tests over several days whose variance is summed from single days: {fails}, and p of single events",
        "p_conformal, {robust}",
        "use short windows, or tests that estimate the variance of the effect itself across events",
        "autocorrelation",
    ),
    "thin trading": Advice(
        "beta is biased towards zero, and residuals have a spike at zero with wide tails",
        "{robust}",
        'use es.model("dimson", leads=1, lags=1), or exclude these securities',
        "thin_trading",
    ),
    "missing returns": Advice(
        "an event has no CAR in a window with too few valid days, and is not counted there",
        "all",
        'min_coverage allows for gaps; Study(gaps="span") assigns the return over a gap, and that of the benchmark'
        " and factors over the same days, to the next priced session",
    ),
    "cross-zone benchmark": Advice(
        "part of the market's move falls on the next day: beta is too small, and day 0 includes the market's own news",
        "none",
        'use es.model("dimson", leads=1, lags=1), or a benchmark of the security\'s own market',
    ),
    "treated benchmark": Advice(
        "the benchmark includes part of the reaction and removes it: effects are biased towards zero",
        "none",
        "use a benchmark without these firms, or one of another market",
    ),
    "expected signs": Advice(
        "averages, in which reactions of both signs cancel out",
        "none",
        "name the column: Study(sign=...) multiplies every abnormal return by its sign in averages and tests",
    ),
    "unlinked news": Advice(
        "every test, if the two exchanges react to the same news: it counts them as independent",
        "none",
        "give rows that report the same news one cluster, or the listings of a firm one name in the column firm",
    ),
    "long window": Advice(
        "tests that add up the variances of single days, because all days share the error of the coefficients: {fails}",
        "{robust}",
        "use a longer estimation window, or tests that include this error",
        "long_window",
    ),
    "small sample": Advice(
        "tests that need many independent clusters of events: z tests, and t tests where effects are not normal",
        "{robust}",
        "result.calibrate() measures the size of every test on your own data",
        "few_dates",
    ),
    "agreement of tests": Advice(
        "the conclusion, which rests on one test",
        "none",
        "report the tests that hold together, and the interval of the mean",
    ),
}


def advice() -> dict[str, Advice]:
    """Return the advice of each check, with the names of the tests of the library."""
    tests = library_tests()

    def fill_in(entry: Advice) -> Advice:
        robust = ", ".join(name for name, test in tests.items() if entry.failing in test.robust_to)
        fails = ", ".join(name for name, test in tests.items() if entry.failing in test.fails_under)
        return entry._replace(breaks=entry.breaks.format(fails=fails), survives=entry.survives.format(robust=robust))

    return {check: fill_in(entry) for check, entry in ADVICE.items()}


def library_tests() -> dict[str, Test]:
    """Return the tests of the library by name, without those of plug-ins."""
    return {name: _registry.load("inference", name) for name in _registry.names("inference", plugins=False)}
