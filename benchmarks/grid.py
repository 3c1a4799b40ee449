"""The samples on which the size and power of every test are measured: by name, with what describes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import samples
from samples import Market, Variance
from tests import make
from tests.simulation.sizes import MARKET, Draw, apart, with_halts

from eventstudy.core import residuals
from eventstudy.core.clustering import clustering, components
from eventstudy.core.run import run
from eventstudy.run import news
from eventstudy.types import Survives

ESTIMATION, RHO = 120, 0.1
WINDOWS = ((0, 0), (-5, 5))
SPEC = make.spec(ESTIMATION, WINDOWS)
HALF = make.spec(ESTIMATION, WINDOWS, min_coverage=0.5)
LONG = make.spec(ESTIMATION, ((0, 59), (0, 119), (0, 249)), event=(0, 249))
DAY = make.spec(ESTIMATION, ((0, 0),), event=(0, 0))
UNEVEN = (30, 20, 12, 8, 6, 4, 3, 2)
NOISES = {
    "t4": (Market(noise=samples.student), "Student's t with 4 degrees of freedom"),
    "exponential": (Market(noise=samples.exponential), "exponential, with skewness 2"),
    "garch": (Market(noise=samples.garch), "GARCH(1,1) with 0.1 and 0.85"),
    "ar1": (Market(noise=samples.autoregressive), "with autocorrelation 0.1"),
    "thin": (
        Market(traded=0.6),
        "normal, but a firm trades on 60 % of the days only and its close stands on the others",
    ),
}


class Scenario(NamedTuple):
    """A kind of sample.

    ``section`` is its place on the page; ``noise`` is "normal" in the samples that others are compared with;
    ``power`` the replications with each shock; ``batch`` how many are run at once. ``single`` says that single events
    are measured too; ``placebo`` has the replications with the test of this name, each of which takes a hundred others.
    """

    draw: Draw
    label: str
    section: str
    noise: str = "normal"
    variance: Variance = "none"
    replications: int = 1000
    power: int = 300
    batch: int = 100
    single: bool = False
    placebo: int = 0


class Attributes(NamedTuple):
    """What a study knows of such a sample, and its windows.

    The dependence of its events, their number, that of chains and dates; pairs of dates with the same news, and events
    beside unlinked news; the mean skewness of the residuals with its standard error, and the share of zero returns.
    """

    kind: Survives
    n_events: int
    n_clusters: int
    n_dates: int
    n_linked: int
    n_unlinked: int
    skewness: float
    skewness_se: float
    zeros: float
    windows: tuple[tuple[int, int], ...]


def attributes(scenario: Scenario) -> Attributes:
    """Return the dependence of most replications of a first batch, and the medians of the other attributes."""
    panels, placed, sample = scenario.draw(np.random.default_rng(0), scenario.batch)
    spec, n_groups = sample.spec, sample.n_groups
    first, zero, last = sample.cluster_dates[:, [spec.n_est, spec.n_est - spec.event[0], -1]].T
    apart = (last.max() + 1) * sample.cluster_group  # replications do not meet
    chain = components(first + apart, last + apart, sample.links)
    shared = []
    for group in range(n_groups):
        cluster = placed.cluster[placed.group == group]
        n_clusters, n_linked = len(np.unique(chain[sample.cluster_group == group])), len(sample.links) // n_groups
        found = clustering(first[cluster], zero[cluster], last[cluster])
        shared.append(found._replace(n_linked=n_linked, n_clusters=n_clusters))
    kinds: list[Survives] = [each.kind for each in shared]
    fitted = run(panels, placed, MARKET, {}, sample, keep_events=False, extra={"residuals": residuals.chunk})
    skewness, se, zeros = np.median(residuals.finalize(fitted.extra["residuals"], n_groups), axis=0).round(2).tolist()
    return Attributes(
        max(set(kinds), key=kinds.count),
        len(placed.day) // n_groups,
        int(np.median([each.n_clusters for each in shared])),
        int(np.median([each.n_dates for each in shared])),
        shared[0].n_linked,
        news.unlinked(panels, placed, sample, np.flatnonzero(placed.group == 0)),
        skewness,
        se,
        zeros,
        tuple((int(start), int(end)) for start, end in spec.windows),
    )


def independent() -> dict[str, Scenario]:
    """Return samples in which no two windows share a day."""
    more = partial(Scenario, section="apart", replications=2000, power=500, batch=500)
    label = "{} events, no two windows share a day"
    found = {f"independent_{n}": more(apart(SPEC, n), label.format(n)) for n in (3, 5, 8, 12, 20)}
    found["independent"] = more(apart(SPEC, 50), label.format(50), single=True)
    found["independent_own"] = more(
        samples.within(apart(SPEC, 50), Market(variance="own", times=2.0)),
        "50 events apart, twice the variance in their windows",
        variance="own",
    )
    found["independent_8_own"] = more(
        samples.within(apart(SPEC, 8), Market(variance="own", times=2.0)),
        "8 events apart, twice the variance in their windows",
        variance="own",
    )
    return found


def on_dates() -> dict[str, Scenario]:
    """Return samples of events on few dates far apart, whose windows do not meet, with and without a common shock."""
    places = {
        "dates_3": ((12,) * 3, "3 dates of 12 events"),
        "dates_5": ((12,) * 5, "5 dates of 12 events"),
        "dates_uneven": (UNEVEN, f"8 dates of {', '.join(map(str, UNEVEN))} events"),
        "dates_12": ((5,) * 12, "12 dates of 5 events"),
        "dates_30": ((2,) * 30, "30 dates of 2 events"),
    }
    kinds: dict[Variance, str] = {
        "none": "",
        "common": ", the variance of their common part times 4 in event windows",
        "own": ", four times the variance in event windows, by noise that firms do not share",
    }
    found = {}
    for (name, (sizes, label)), (variance, words) in ((p, k) for p in places.items() for k in kinds.items()):
        if variance != "own" or name in ("dates_5", "dates_12"):
            draw = samples.dated(SPEC, samples.dates(sizes), Market(RHO, variance=variance))
            suffix = "" if variance == "none" else f"_{variance}"
            found[name + suffix] = Scenario(draw, label + words, "dates", variance=variance)
    return found


def one_date() -> dict[str, Scenario]:
    """Return samples in which all events are on one date."""
    cases: dict[str, tuple[int, Market, str]] = {
        "one_date_12": (12, Market(RHO), ""),
        "one_date": (60, Market(RHO), ""),
        "one_date_all": (60, Market(RHO, variance="all"), ", four times the variance of all noise in their windows"),
        "one_date_common": (60, Market(RHO, variance="common"), ", four times the variance of the common part"),
        "one_date_own": (
            60,
            Market(RHO, variance="own"),
            ", four times the variance, by noise that firms do not share",
        ),
        "one_date_industries": (60, Market(RHO, industry=0.2), ", two of one of 5 industries correlated by 0.3"),
        "one_date_industries_own": (
            60,
            Market(RHO, industry=0.2, variance="own"),
            ", the same with four times the variance, by noise that firms do not share",
        ),
    }
    found = {}
    for name, (n, market, words) in cases.items():
        draw = samples.dated(SPEC, samples.uniform(n, 1), market)
        noise = "industries" if market.industry else "normal"
        found[name] = Scenario(draw, f"{n} events on one date{words}", "one date", noise, market.variance)
    return found


def chains() -> dict[str, Scenario]:
    """Return samples whose windows overlap in part."""
    kinds: dict[str, tuple[samples.Places, Variance, str]] = {
        "days_5": (samples.uniform(60, 5), "none", "60 events on dates from 5 sessions in a row"),
        "days_20": (samples.uniform(60, 20), "none", "60 events on dates from 20 sessions in a row"),
        "days_60": (samples.uniform(60, 60), "none", "60 events on dates from 60 sessions in a row"),
        "days_120": (samples.uniform(60, 120), "none", "60 events on dates from 120 sessions in a row, one long chain"),
        "days_5_common": (
            samples.uniform(60, 5), "common",
            "60 events on dates from 5 sessions in a row, the variance of their common part times 4 in event windows",
        ),
        "days_20_common": (
            samples.uniform(60, 20), "common",
            "60 events on dates from 20 sessions in a row, the variance of their common part times 4 in event windows",
        ),
        "days_60_common": (
            samples.uniform(60, 60), "common",
            "60 events on dates from 60 sessions in a row, the variance of their common part times 4 in event windows",
        ),
        "bunches": (samples.bunches(60, 10), "none", "60 events in 10 bunches of 3 sessions in a row, far apart"),
        "bunches_common": (
            samples.bunches(60, 10), "common",
            "60 events in 10 bunches of 3 sessions in a row, the variance of their common part times 4",
        ),
    }  # fmt: skip
    return {
        name: Scenario(
            samples.dated(SPEC, places, Market(RHO, variance=variance)),
            label, "chains", variance=variance, replications=600, power=200,
        )
        for name, (places, variance, label) in kinds.items()
    }  # fmt: skip


def noises() -> dict[str, Scenario]:
    """Return samples of other noise, with returns missing, and with windows of the events' own."""
    found = {}
    for name, (market, words) in NOISES.items():
        found[f"independent_{name}"] = Scenario(
            samples.within(apart(SPEC, 50), market), f"50 events apart; noise {words}", "noise", name, single=True
        )
        found[f"dates_{name}"] = Scenario(
            samples.dated(SPEC, samples.dates((5,) * 12), replace(market, rho=RHO)),
            f"12 dates of 5 events; noise {words}", "noise", name, power=200,
        )  # fmt: skip
    for n in (3, 5, 8, 12, 20):
        found[f"independent_{n}_exponential"] = Scenario(
            samples.within(apart(SPEC, n), NOISES["exponential"][0]),
            f"{n} events apart; noise {NOISES['exponential'][1]}",
            "noise", "exponential", replications=2000, batch=200,
        )  # fmt: skip
    found["near_thin"] = Scenario(
        samples.dated(SPEC, samples.every(50, 12), NOISES["thin"][0]),
        f"50 events, each 12 sessions after the one before; noise {NOISES['thin'][1]}", "noise", "thin", batch=50,
    )  # fmt: skip
    lost = "30 % of the returns of event windows missing, min_coverage 0.5"
    dated = samples.dated(HALF, samples.dates((5,) * 12), Market(RHO))
    found["independent_missing"] = Scenario(
        with_halts(apart(HALF, 50), 0.3), f"50 events apart; {lost}", "noise", "missing"
    )
    found["dates_missing"] = Scenario(
        with_halts(dated, 0.3),
        f"12 dates of 5 events; {lost}",
        "noise",
        "missing",
        power=200,
    )
    own = samples.dated(SPEC, samples.uniform(60, 5), Market(RHO), own=(0, 0))
    found["own_windows"] = Scenario(
        own,
        "60 events on dates from 5 sessions in a row, each with an event window of its own of one day",
        "noise", "own windows", power=200,
    )  # fmt: skip
    return found


def with_signs() -> dict[str, Scenario]:
    """Return samples whose events have an expected sign."""
    words = "; a rise or a fall is expected of each, and effects are signed"
    shock = Market(RHO, variance="common")
    made = partial(Scenario, section="signed", noise="signed")
    return {
        "independent_signed": made(samples.signed(apart(SPEC, 50)), f"50 events, no two windows share a day{words}"),
        "dates_5_signed": made(
            samples.signed(samples.dated(SPEC, samples.dates((12,) * 5), shock)),
            f"5 dates of 12 events, the variance of their common part times 4 in event windows{words}",
            variance="common",
        ),
    }


def other() -> dict[str, Scenario]:
    """Return samples on two exchanges, and with long windows."""
    news = "10 news, each moving 6 firms on an exchange and 6 on another one session later, correlation 0.3"
    market = Market(0.3)
    long = partial(Scenario, replications=400, power=100, section="long")
    return {
        "two_exchanges_linked": Scenario(
            samples.two_markets(DAY, 10, 6, market, True),
            f"{news}; the study links them",
            "exchanges",
            "linked",
            power=200,
        ),
        "two_exchanges": Scenario(
            samples.two_markets(DAY, 10, 6, market, False), f"{news}; not linked", "exchanges", "unlinked", power=200
        ),
        "long_apart": long(apart(LONG, 50), "50 events, no two windows of 250 days share a day"),
        "long_dates": long(
            samples.dated(LONG, samples.uniform(50, 500), Market(RHO)), "50 events on dates from 500 sessions in a row"
        ),
        "long_one_date": long(samples.dated(LONG, samples.uniform(50, 1), Market(RHO)), "50 events on one date"),
    }


def hong_kong() -> dict[str, Scenario]:
    """Return samples of real closes on random dates: nothing happened that all events share."""
    made = partial(Scenario, section="real", noise="real", replications=800, power=200, batch=200)
    return {
        "hong_kong_12": made(samples.real(SPEC, 12, 900), "12 shares of Hong Kong on random dates", placebo=400),
        "hong_kong_50": made(samples.real(SPEC, 50, 900), "50 shares of Hong Kong on random dates"),
        "hong_kong_one_date": made(samples.real(SPEC, 30, 1), "30 shares of Hong Kong on one date", placebo=400),
        "hong_kong_5_dates": made(samples.real(SPEC, 50, 5), "50 shares of Hong Kong on 5 random dates"),
        "hong_kong_12_dates": made(samples.real(SPEC, 50, 12), "50 shares of Hong Kong on 12 random dates"),
        "hong_kong_alike_one_date": made(
            samples.real(SPEC, 30, 1, together=True),
            "30 shares of Hong Kong that move together, on one date",
        ),
        "hong_kong_alike_5_dates": made(
            samples.real(SPEC, 30, 5, together=True),
            "30 shares of Hong Kong that move together, on 5 random dates",
        ),
        "hong_kong_long": made(
            samples.real(LONG, 50, 20), "50 shares of Hong Kong on 20 random dates", replications=200, power=100
        ),
    }


KINDS: tuple[Callable[[], dict[str, Scenario]], ...] = (
    independent, on_dates, one_date, chains, noises, with_signs, other, hong_kong
)  # fmt: skip
SCENARIOS = {name: scenario for kind in KINDS for name, scenario in kind().items()}
