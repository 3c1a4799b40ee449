"""Which securities a model of peers is given for each event: those that are named, or all that nothing happened to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.core.draws import draw_samples
from eventstudy.core.ols import least_squares
from eventstudy.core.windows import blocks
from eventstudy.errors import InputError
from eventstudy.run.rerun import StudyRun
from eventstudy.run.sample import StudyData
from eventstudy.types import PEERS, Abnormal, Block, Column
from tests.prepare.plain import events, prices

WINDOWS: dict[str, Any] = {
    "estimation": (-60, -6), "event": (-5, 5), "windows": ((0, 0),), "min_estimation": 30, "tests": ["cross_section"],
}  # fmt: skip


@dataclass
class Recorder:
    """A model of the mean that keeps what it was given."""

    columns: tuple[Column, ...] = (PEERS,)
    coefficients: tuple[str, ...] = ("alpha",)
    seen: dict[int, np.ndarray] = field(default_factory=dict)

    def fit(self, block: Block) -> Abnormal:
        assert block.peers is not None
        self.seen |= {int(row): peers for row, peers in zip(block.id, block.peers, strict=True)}
        return least_squares(block, [1.0])


def found(given: es.Events, its: es.Prices, **choices: Any) -> tuple[dict[str, set[str]], es.Result]:
    """Run a study, and name the peers of each event by their returns of day 0."""
    model = Recorder()
    made = es.Study(**{**WINDOWS, "model": model, **choices}).run(given, its)
    close = pd.DataFrame({name: its.frame(name)["close"] for name in its.bars})
    moves = close.pct_change(fill_method=None)
    placed = [name for name in made.events.index if name in made.ar.index]
    zero, out = 55 + 5, {}
    for row, event in enumerate(placed):
        day = made.events.loc[event, "session"]
        got = model.seen[row][zero]
        own = moves.loc[day]
        out[event] = {str(own.index[np.argmin(np.abs(own - value))]) for value in got[np.isfinite(got)]}
        assert len(out[event]) == np.isfinite(got).sum()
    return out, made


NAMES = ("A", "B", "C", "D", "E")


def test_a_list_is_for_every_event_and_one_that_holds_the_firm_loses_that_event_alone() -> None:
    got, made = found(events([("A", 100), ("C", 150)]), prices(NAMES), peers=["C", "D"])
    assert got == {"E0": {"C", "D"}}
    assert made.events.loc["E1", ["status", "reason"]].tolist() == ["no_peers", "its peers hold the firm itself: C"]
    assert made.events.loc["E0", "status"] == "ok"


def test_a_mapping_and_a_column_name_the_peers_of_each_event() -> None:
    given = [("A", 100), ("B", 102), ("C", 150)]
    mapping, one = found(events(given), prices(NAMES), peers={"A": ["D", "E"], "B": ("D",), "C": ["nobody"]})
    column, two = found(events(given, near=["D; E", "D", "nobody"]), prices(NAMES), peers="near")
    assert mapping == column == {"E0": {"D", "E"}, "E1": {"D"}}
    for made in (one, two):
        assert made.events.loc["E2", "status"] == "no_peers"
        assert made.events.loc["E2", "reason"] == "there are no prices of its peers nobody"


@pytest.mark.parametrize("blank", ["", None, " ; "])
def test_an_event_without_named_peers_says_so(blank: str | None) -> None:
    got, made = found(events([("A", 100), ("B", 150)], near=["D", blank]), prices(NAMES), peers="near")
    assert got == {"E0": {"D"}}
    assert made.events.loc["E1", ["status", "reason"]].tolist() == ["no_peers", "no peers are named for it"]


def test_a_named_peer_may_be_unknown_where_another_is_known_and_may_be_the_benchmark() -> None:
    got, _ = found(events([("A", 100)], near=["D;nobody;M"]), prices((*NAMES, "M")), peers="near", benchmark="M")
    assert got == {"E0": {"D", "M"}}


@pytest.mark.parametrize(
    ("peers", "words"),
    [
        (["D", "nobody"], "peers names 'nobody', which has no prices; there are prices of A, B"),
        ("nowhere", "peers is 'nowhere', which is no column of the events"),
        ({"A": "DE"}, "peers of A is 'DE'; give tickers in a list"),
        ([1, 2], r"peers is \[1, 2\]; give tickers in a list"),
        ([], r"peers is \[\]; give tickers in a list"),
        (7, "peers is 7; give tickers in a list"),
    ],
)
def test_peers_that_are_none(peers: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        es.Study(**WINDOWS, model="peers", peers=peers).check(events([("A", 100)]), prices(NAMES))


def test_the_reaction_is_to_the_close_only() -> None:
    study = es.Study(**WINDOWS, model="peers", price="open")
    its = prices(NAMES)
    bars = {n: es.bars.Bars(n, b.dates, {**b.fields, "open": b.fields["close"]}) for n, b in its.bars.items()}
    with pytest.raises(InputError, match="price is 'open', and the model compares with closes of other securities"):
        study.check(events([("A", 100)]), es.Prices(bars))


@pytest.mark.thorough
def test_by_default_all_others_are_peers_but_indices_rates_and_benchmarks() -> None:
    its = prices((*NAMES, "^X", "HKD=X", "M", "N"))
    wanted = {"B", "C", "D", "E"}
    rows = [("A", 100)]
    assert found(events(rows), its, benchmark="M")[0] == {"E0": wanted | {"N"}}
    assert found(events(rows), its, benchmark={"A": "M", "B": "N"})[0] == {"E0": wanted}
    assert found(events(rows, index=["N"]), its, benchmark="index")[0] == {"E0": wanted | {"M"}}
    assert found(events(rows), its)[0] == {"E0": wanted | {"M", "N"}}


@pytest.mark.parametrize("apart", [0, 4, 10, 11, 30])
def test_a_security_whose_window_meets_the_events_is_no_peer(apart: int) -> None:
    got, _ = found(events([("A", 100), ("B", 100 + apart)]), prices(NAMES))
    others = {"C", "D", "E"}
    assert got == {"E0": others | ({"B"} if apart > 10 else set()), "E1": others | ({"A"} if apart > 10 else set())}


def test_an_event_that_is_lost_still_bars_its_security() -> None:
    its = prices(NAMES)
    close = its.bars["B"].fields["close"].copy()
    close[:80] = np.nan
    bars = {**its.bars, "B": es.bars.Bars("B", its.bars["B"].dates, {"close": close})}
    _, made = found(events([("A", 140), ("B", 101), ("C", 101)]), es.Prices(bars))
    assert made.events.loc["E1", "status"] == "too_few_estimation"
    assert made.events.loc["E0", "status"] == "ok"
    moves = Recorder()
    es.Study(**WINDOWS, model=moves).run(events([("A", 105), ("B", 101), ("C", 150)]), es.Prices(bars))
    assert len(moves.seen[0][60]) - np.isnan(moves.seen[0][60]).sum() == 3, "C, D and E, but not B"


def test_events_of_another_benchmark_bar_each_other_too() -> None:
    model = Recorder(columns=(Column("benchmark"), PEERS))
    its = prices((*NAMES, "^X", "^Y"))
    study = es.Study(**WINDOWS, model=model, benchmark={"A": "^X", "B": "^Y"})
    study.run(events([("A", 100), ("B", 103)]), its)
    for row in (0, 1):
        assert np.isfinite(model.seen[row][60]).sum() == 3


@pytest.mark.thorough
def test_the_other_listings_of_a_firm_are_no_peers_of_it_nor_of_those_it_meets() -> None:
    rows = [("A", 100), ("B", 150), ("C", 102)]
    got, _ = found(events(rows, firm=["one", "one", "two"]), prices(NAMES))
    assert got == {"E0": {"D", "E"}, "E1": {"C", "D", "E"}, "E2": {"D", "E"}}
    blank, _ = found(events(rows, firm=["one", None, ""]), prices(NAMES))
    assert blank == {"E0": {"B", "D", "E"}, "E1": {"A", "C", "D", "E"}, "E2": {"B", "D", "E"}}


def test_a_listing_of_the_firm_among_named_peers_loses_the_event() -> None:
    rows = [("A", 100), ("B", 150)]
    _, made = found(events(rows, firm=["one", "one"], near=["B;D", "E"]), prices(NAMES), peers="near")
    assert made.events.loc["E0", "reason"] == "its peers hold the firm itself: B"
    assert made.events.loc["E1", "status"] == "ok"


def test_by_default_peers_are_of_the_events_own_calendar() -> None:
    mics = {"A": "XHKG", "B": "XHKG", "C": "XNYS", "D": "XNYS", "E": "XHKG"}
    hk, us = (es.markets.sessions(m)[0] for m in ("XHKG", "XNYS"))
    both = pd.DatetimeIndex(np.intersect1d(hk, us)).as_unit("ns")
    dates = both[(both >= "2020-01-01") & (both < "2021-06-01")]
    its = prices(NAMES, mics, dates=dates)
    day = str(dates[200].date())
    given = es.Events.from_frame(pd.DataFrame({"ticker": ["A", "C"], "announced": [day, str(dates[270].date())]}))
    model = Recorder()
    es.Study(**{**WINDOWS, "model": model}).run(given, its)
    assert np.isfinite(model.seen[0][60]).sum() == 2, "B and E"
    assert np.isfinite(model.seen[1][60]).sum() == 1, "D"


def test_a_listing_abroad_is_barred_by_the_dates_of_the_news_at_home() -> None:
    mics = {"A": "XHKG", "B": "XHKG", "H": "XHKG", "U": "XNYS"}
    hk, us = (es.markets.sessions(m)[0] for m in ("XHKG", "XNYS"))
    both = pd.DatetimeIndex(np.intersect1d(hk, us)).as_unit("ns")
    dates = both[(both >= "2020-01-01") & (both < "2021-06-01")]
    its = prices(list(mics), mics, dates=dates)
    days = [str(dates[d].date()) for d in (200, 202, 120)]
    frame = pd.DataFrame({"ticker": ["A", "U", "H"], "announced": days, "firm": ["a", "two", "two"]})
    model = Recorder()
    es.Study(**{**WINDOWS, "model": model}).run(es.Events.from_frame(frame), its)
    assert np.isfinite(model.seen[0][60]).sum() == 1, "B; the firm of H has news abroad"


def test_drawn_dates_keep_the_firm_itself_barred() -> None:
    its = prices(NAMES)
    given = events([("A", 100), ("B", 103)])
    made = StudyRun(es.Study(**WINDOWS, model=Recorder()), StudyData(given, its)).sample(full_history=True)
    names = sorted(NAMES)
    (panel,) = made.panels
    assert panel.peers is not None
    seen = 0
    for one in draw_samples(made.panels, made.placed, made.sample, 30, 1):
        n_clusters = len(one.sample.cluster_group)
        for block in blocks(made.panels, one.placed, made.sample.spec, n_clusters, one.sample.n_groups):
            assert block.peers is not None
            for row, event in enumerate(block.id):
                own = names.index(["A", "B"][event % 2])
                assert np.isnan(block.peers[row, :, own]).all()
                others = [c for c in range(5) if names[c] in ("C", "D", "E")]
                day = one.placed.day[event] + made.sample.spec.offsets
                np.testing.assert_array_equal(block.peers[row][:, others], panel.peers[day][:, others])
                seen += 1
    assert seen == 60


@pytest.mark.thorough
def test_the_placebo_test_runs_on_peers() -> None:
    its = prices([f"S{i}" for i in range(12)])
    rows = [(f"S{i}", 100 + 3 * i) for i in range(4)]
    made = es.Study(**{**WINDOWS, "tests": ["placebo"]}, model="peers").run(events(rows), its)
    assert (made.events["status"] == "ok").all()
    assert made.tests["p"].between(0, 1).all()


def test_without_any_peer_the_status_is_no_peers() -> None:
    own = es.Study(**WINDOWS, model="peers").run(events([("A", 100), ("B", 102)]), prices(("A", "B", "^X")))
    assert own.events["status"].tolist() == ["no_peers", "no_peers"]
    assert own.cars.empty
    assert own.tests["n"].eq(0).all()
