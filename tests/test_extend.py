"""A result extended by events and prices is the result of the whole study run anew, and only what is new is fitted."""

from __future__ import annotations

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.core import parts, windows
from eventstudy.models.market import Market
from eventstudy.prepare import align
from eventstudy.run import checkpoint, extend
from eventstudy.types import Abnormal, Block, Panel, Summed
from tests.properties import QUICK

FRAMES = ("events", "ar", "cars", "daily", "tests", "reactions", "attrition", "effects", "by_group")
STUDY: dict[str, Any] = {
    "benchmark": "M", "estimation": (-40, -5), "event": (-4, 4), "windows": [(0, 0), (-1, 1)], "min_estimation": 20,
}  # fmt: skip
# All tests of one pass and of two, but those that draw dates or signs.
ALL = tuple(name for name in es.tests() if name not in ("placebo", "wild_bootstrap"))
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"tests": ALL},
    {"sign": "direction", "group": "sector"},
    {"group": "sector", "weight": "weight", "tests": ("calendar_time", "two_way", "wilcoxon")},
    {"estimation_columns": ("first", "last"), "min_coverage": 0.5},
    {"contaminated": "mask", "suspended": "next_trade"},
    {"contaminated": "drop", "confounding": (-2, 2)},
    {"accumulate": "compound"},
    {"outcome": "volatility", "model": "mean"},
    {"model": "synthetic_control"},
)


@dataclass(frozen=True)
class Counting(Market):
    """The market model, which counts the events that it fits."""

    fitted = [0]  # noqa: RUF012

    def fit(self, block: Block) -> Abnormal:
        self.fitted[0] += len(block.id)
        return super().fit(block)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "blocks", partial(windows.blocks, size=5))


@cache
def closes() -> pd.DataFrame:
    """Draw closes of seven securities and a benchmark, some of which are missing."""
    rng = np.random.default_rng(3)
    market = 0.01 * rng.standard_normal(140)
    moves = market[:, None] * rng.uniform(0.5, 1.5, 7) + 0.02 * rng.standard_t(5, (140, 7))
    levels = pd.DataFrame(
        100.0 * np.exp(np.cumsum(np.column_stack([moves, market]), axis=0)),
        index=pd.bdate_range("2020-01-01", periods=140), columns=[*(f"S{k}" for k in range(7)), "M"],
    )  # fmt: skip
    for _ in range(8):
        levels.iloc[rng.integers(140), rng.integers(7)] = np.nan
    return levels


def drawn(seed: int, n: int, where: str, prefix: str) -> pd.DataFrame:
    """Draw events: all on one date, on dates whose windows share no day, or anywhere, some of them more than once."""
    rng = np.random.default_rng(seed)
    dates = {"same": np.full(n, 70), "apart": rng.choice(np.arange(60, 130, 14), n), "any": rng.integers(50, 139, n)}
    day = dates[where]
    columns = {
        "ticker": rng.choice(closes().columns[:-1].to_numpy(), n),
        "announced": closes().index[day].astype(str),
        "direction": rng.choice([-1, 1, 1, 0], n),
        "sector": rng.choice(np.array(["b", "a", "c", None], dtype=object), n, p=[0.4, 0.3, 0.2, 0.1]),
        "weight": rng.uniform(0.5, 2.0, n),
        "first": rng.integers(-40, -30, n),
        "last": np.full(n, -5),
        "priority": rng.integers(0, 3, n),
        "cluster": np.where(rng.random(n) < 0.3, np.char.add("news", day.astype(str)), ""),
    }
    return pd.DataFrame({"event_id": [f"{prefix}{k}" for k in range(n)], **columns})


def events(*frames: pd.DataFrame) -> es.Events:
    return es.Events.from_frame(pd.concat(frames, ignore_index=True))


def same(found: es.Result, wanted: es.Result) -> None:
    """Compare all frames and the provenance, with its notes and its clustering."""
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(wanted, name), rtol=1e-12, atol=1e-12)
    assert {**found.provenance, "extended": 0} == {**wanted.provenance, "extended": 0}


def extends(seed: int, n: int, n_new: int, where: tuple[str, str], options: dict[str, Any], known: int) -> None:
    """Extend a study whose prices end after ``known`` sessions, in two steps, and compare it with the whole study."""
    before, new = drawn(seed, n, where[0], "A"), drawn(seed + 1, n_new, where[1], "B")
    study = es.Study(**STUDY, **options)
    prices = es.Prices.from_frame(closes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.EventStudyWarning)
        first = study.run(events(before), es.Prices.from_frame(closes().iloc[:known]))
        half = first.extend(events(new.iloc[: n_new // 2]), prices)
        found = half.extend(events(new.iloc[n_new // 2 :]))
        wanted = study.run(events(before, new), prices)
        same(found, wanted)
        if not options:
            pd.testing.assert_frame_equal(found.diagnose(), wanted.diagnose(), rtol=1e-10)
    record = found.provenance["extended"]
    assert bool(record["why"]) >= (record["n_computed"] > record["n_new"])
    assert record["events"] == half.provenance["events"]
    assert record["n_reused"] + record["n_computed"] == len(found.rerun.sample().placed.day)


DRAWN = {
    "seed": st.integers(0, 999), "n": st.integers(6, 30), "n_new": st.integers(2, 7),
    "where": st.sampled_from([("same", "same"), ("apart", "apart"), ("any", "any"), ("same", "any"), ("apart", "any")]),
    "options": st.sampled_from(OPTIONS), "known": st.integers(115, 140),
}  # fmt: skip


@given(**DRAWN)
@settings(QUICK, max_examples=2)
def test_an_extended_study_is_the_whole_study(seed, n, n_new, where, options, known):
    extends(seed, n, n_new, where, options, known)


@pytest.mark.slow
@given(**DRAWN)
@settings(QUICK, max_examples=300)
def test_any_extended_study_is_the_whole_study(seed, n, n_new, where, options, known):
    extends(seed, n, n_new, where, options, known)


@cache
def counted() -> tuple[es.Study, es.Result]:
    """Return a study that counts its fits, and its result."""
    study = es.Study(**STUDY, model=Counting(), tests=("clustered", "two_way", "kolari_pynnonen"))
    return study, study.run(events(drawn(1, 40, "any", "A")), es.Prices.from_frame(closes()))


def fits(function: Any) -> tuple[int, es.Result]:
    """Return how many events a run fits, and its result."""
    before = Counting.fitted[0]
    result = function()
    return Counting.fitted[0] - before, result


def test_only_new_events_are_fitted():
    study, result = counted()
    new = drawn(2, 3, "any", "B")
    n, found = fits(lambda: result.extend(events(new)))
    placed = len(result.rerun.sample().placed.day)
    n_new = len(found.rerun.sample().placed.day) - placed
    assert 0 < n_new == n <= 3
    assert found.provenance["extended"] == {
        "events": result.provenance["events"], "n_new": n, "n_changed": 0, "n_dropped": 0, "n_reused": placed,
        "n_computed": n, "changed": [], "why": [],
    }  # fmt: skip
    again, longer = fits(lambda: pickle.loads(pickle.dumps(found)).extend(events(drawn(3, 1, "apart", "C"))))
    assert again == 1
    same(longer, study.run(events(drawn(1, 40, "any", "A"), new, drawn(3, 1, "apart", "C")), result.rerun.prices))


@pytest.mark.parametrize("options", [{}, {"accumulate": "compound"}, {"sign": "direction", "group": "sector"}])
def test_what_a_user_writes_into_the_frames_of_a_result_is_in_no_later_one(options: dict[str, Any]) -> None:
    tickers = closes().columns[:6]  # no event twice, so that frames are made without a copy
    before, new = drawn(1, 6, "apart", "A").assign(ticker=tickers), drawn(2, 3, "any", "B")
    study, prices = es.Study(**STUDY, **options), es.Prices.from_frame(closes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.EventStudyWarning)
        first = study.run(events(before), prices)
        for name in FRAMES:
            frame = getattr(first, name)
            for column in frame.select_dtypes("number"):
                frame.loc[:, column] = frame[column] * 0 + 7
        same(first.extend(events(new)), study.run(events(before, new), prices))


def test_an_old_price_that_changed_is_seen_and_its_events_are_computed_anew():
    study, result = counted()
    event = result.events[result.events["status"] == "ok"].iloc[0]
    corrected = closes().copy()
    corrected.loc[event["session"] - pd.Timedelta(days=20), event["ticker"]] *= 1.001
    prices = es.Prices.from_frame(corrected)
    n, found = fits(lambda: result.extend(prices=prices))
    same(found, study.run(events(drawn(1, 40, "any", "A")), prices))
    record = found.provenance["extended"]
    moved = found.cars["car"].to_numpy() != result.cars["car"].to_numpy()
    changed = set(found.cars["event_id"][moved])
    assert event.name in record["changed"]
    assert changed <= set(found.events.index[found.events["ticker"] == event["ticker"]])
    assert 1 <= record["n_changed"] < n == record["n_computed"] < len(found.ar)
    assert record["why"][0].endswith(f"{record['n_changed']} event{'s' * (record['n_changed'] > 1)} changed")
    again, _ = fits(lambda: found.extend(prices=result.rerun.prices))
    assert again < n  # those that were beside it in a block are apart from it now


def test_states_that_other_code_has_computed_are_not_reused(monkeypatch: pytest.MonkeyPatch):
    _, result = counted()
    stored = pickle.dumps(result)
    monkeypatch.setattr(checkpoint, "code_digest", lambda: "of another version")
    longer = pickle.loads(stored).extend(events(drawn(2, 1, "apart", "B")))
    assert longer.provenance["extended"]["n_reused"] == 0
    assert longer.provenance["extended"]["why"] == [extend.NOT_KEPT]


def own_state(scores: Any, abnormal: Abnormal, prior: Any) -> dict[str, np.ndarray]:
    """Count events by cluster in a table that does not say what its rows are."""
    return {"n": np.bincount(abnormal.block.cluster, minlength=abnormal.block.n_clusters).astype(np.float64)}


def test_what_cannot_be_reused_is_computed_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old, new = drawn(5, 12, "any", "A"), events(drawn(6, 2, "any", "B"))
    prices = es.Prices.from_frame(closes())
    own = replace(es.test("two_way"), chunk=own_state, finalize=es.test("bmp").finalize, shares=("moments",))

    def why(result: es.Result) -> list[str]:
        longer = result.extend(new)
        assert longer.provenance["extended"]["n_reused"] == 0
        reasons: list[str] = longer.provenance["extended"]["why"]
        return reasons

    (reason,) = why(es.Study(**STUDY, tests=(own,)).run(events(old), prices))
    assert reason.startswith("a test does not say")
    result = es.Study(**STUDY, tests=("bmp",)).run(events(old), prices)
    monkeypatch.setattr(parts, "KEPT_BYTES", 1)
    assert why(es.Study(**STUDY, tests=("bmp",)).run(events(old), prices)) == [extend.NOT_KEPT]
    assert why(result.across(["mean"]).results["mean"]) == [extend.NOT_KEPT]


@pytest.mark.parametrize("n_kept", [0, 1, 3, 4])
def test_states_of_blocks_are_kept_as_long_as_all_of_them_fit(n_kept: int, monkeypatch: pytest.MonkeyPatch):
    """Those of a run too large to be kept were held until its end, and took as much memory as half of its frames."""
    blocks = [Summed(np.arange(2), {"a": {"x": np.zeros((2, 3))}}, {"b": {"y": np.zeros(1)}}, {}) for _ in range(4)]
    size = 7 * 8
    monkeypatch.setattr(parts, "KEPT_BYTES", n_kept * size)
    kept = parts.KeptBlocks()
    for at, block in enumerate(blocks):
        assert parts.n_bytes(block) == size
        kept.add([block])
        fits = at + 1 <= n_kept
        assert len(kept.all()) == (at + 1 if fits else 0)


def test_blocks_of_a_part_that_kept_none_leave_no_part_kept(monkeypatch: pytest.MonkeyPatch):
    block = Summed(np.arange(2), {"a": {"x": np.zeros(1)}}, {}, {})
    kept = parts.KeptBlocks()
    kept.add([block])
    kept.add([])
    kept.add([block])
    assert kept.all() == ()


def test_an_executor_and_a_checkpoint_extend_too(tmp_path: Path):
    old, new = drawn(5, 12, "any", "A"), drawn(6, 2, "any", "B")
    prices, study = es.Prices.from_frame(closes()), es.Study(**STUDY, tests=("bmp", "grank_t"))
    with ThreadPoolExecutor(2) as executor:
        result = study.run(events(old), prices, executor=executor, checkpoint=tmp_path)
        found = result.extend(events(new))
    assert found.provenance["extended"]["n_reused"] > 0
    assert "grank_t" in found.provenance["extended"]["why"][0]
    wanted = study.run(events(old, new), prices)
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(wanted, name), rtol=1e-12, atol=1e-12)


def test_a_study_that_reads_a_store_part_by_part_extends_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old, new = drawn(5, 20, "any", "A"), drawn(6, 4, "any", "B")
    corrected = closes().copy()
    corrected.loc[corrected.index[60:], "S2"] *= 1.01
    study = es.Study(**STUDY, tests=("bmp", "clustered", "corrado"))
    whole, other = (study.run(events(old, new), es.Prices.from_frame(frame)) for frame in (closes(), corrected))
    monkeypatch.setattr(align, "CELLS", 0)
    monkeypatch.setattr(parts, "CELLS", 300)
    stores = tmp_path / "one", tmp_path / "other"
    for frame, folder in zip((closes(), corrected), stores, strict=True):
        es.write_prices(es.Prices.from_frame(frame), folder, partition=3)
    first = study.run(events(old), es.read_prices(stores[0]))
    assert not any(isinstance(panel, Panel) for panel in first.rerun.sample().panels)
    found = first.extend(events(new))
    record = found.provenance["extended"]
    assert record["n_reused"] == len(first.rerun.sample().placed.day)
    assert record["n_changed"] == 0
    renewed = found.extend(prices=es.read_prices(stores[1]))
    assert set(renewed.provenance["extended"]["changed"]) <= set(whole.events.index[whole.events["ticker"] == "S2"])
    assert renewed.provenance["extended"]["n_changed"] > 0
    for left, right in ((found, whole), (renewed, other)):
        for name in FRAMES:
            pd.testing.assert_frame_equal(getattr(left, name), getattr(right, name), rtol=1e-12, atol=1e-12)


def test_what_is_not_new_is_refused(tmp_path: Path):
    _, result = counted()
    with pytest.raises(es.InputError, match=r"has 2 events of these ids already: A0, A1; give the new events alone"):
        result.extend(events(drawn(1, 2, "any", "A")))
    with pytest.raises(es.InputError, match="nothing is given"):
        result.extend()
    with pytest.raises(es.InputError, match="prices"):
        result.extend(prices=closes())
    with pytest.raises(es.InputError, match="no study"):
        es.read_result(result.save(tmp_path / "result")).extend(events(drawn(1, 2, "any", "B")))
