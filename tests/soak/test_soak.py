"""The soak finds a job that goes wrong and a process that grows, and its jobs run."""

from __future__ import annotations

from random import Random

import pytest

from tests.shared import shared_folder
from tests.soak.__main__ import Held, grown, work
from tests.soak.jobs import Jobs


def test_a_job_that_goes_wrong_is_named_with_its_seed_and_stops_no_other(capsys) -> None:
    def wrong(random: Random) -> None:
        assert random.random() < 0.0, "a wrong number"

    counts, history, faults = work({"right": lambda random: None, "wrong": wrong}, minutes=0.002, seed=3)
    assert min(counts["right"], counts["wrong"]) > 0
    assert len(faults) == counts["wrong"]
    assert all("a wrong number" in fault and fault.startswith("wrong, seed 3") for fault in faults)
    assert len(history) >= 2
    assert "jobs" in capsys.readouterr().out


def test_growth_is_named() -> None:
    before = Held(500.0, 60, 8)
    assert grown(before, Held(690.0, 67, 12)) == []
    assert grown(before, Held(801.0, 60, 8)) == ["mib grew from 500 to 801"]
    assert grown(before, Held(400.0, 70, 20)) == ["files grew from 60 to 70", "threads grew from 8 to 20"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what the library says of spoilt answers
def test_every_job_runs_and_finds_its_numbers_again(shared, monkeypatch) -> None:
    monkeypatch.setenv("EVENTSTUDY_SHARED", str(shared_folder()))
    with Jobs(seed=7) as jobs:
        for seed in range(2):
            for job in jobs.all().values():
                job(Random(seed))
        assert jobs.seen
