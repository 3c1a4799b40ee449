"""The jobs of the soak: each checks what it did, and raises AssertionError where that is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.plots._save import save_figure
from eventstudy.sources import _write
from tests.cluster import dask
from tests.scaling import Slow, material, study_of
from tests.shared import ROOT, shared_folder
from tests.sources.postgres import Server, running

STUDIES = 40  # different ones, each run many times
MODELS = ("market", "mean", "market_adjusted", "scholes_williams", "dimson", "rolling", "robust", "ewma")
TESTS = ("default", ("bmp", "corrado", "grank_t"), ("clustered", "sign"), ("wild_bootstrap",), ("patell", "wilcoxon"))
SUFFIXES = (".html", ".tex", ".csv", ".parquet", ".xlsx", ".docx", ".md", ".txt")
FIGURES = ("caar", "aar", "events", "forest", "heatmap", "distribution", "timeline", "diagnostics")
FIRMS, UNUSABLE, EVENTS = 10_000, 0.3, 100_000
SECURITIES = 200  # so many that no two of the events are one security's on one day
PARALLEL = ("bmp", "corrado", "clustered")
DAYS = pd.bdate_range("2019-01-01", periods=700)
Job = Callable[[Random], object]


def digest(result: es.Result) -> str:
    """Return a hash of the numbers of a result."""
    frames = (result.tests, result.events, result.cars, result.attrition)
    return hashlib.sha256("".join(frame.to_csv() for frame in frames).encode()).hexdigest()


def adds_up(result: es.Result, n: int) -> None:
    """Check that every event is counted once, and that each missing statistic has its reason."""
    assert len(result.events) == n
    assert result.attrition["n"].sum() == n
    missing = result.tests["statistic"].isna()
    assert (result.tests.loc[missing, "note"] != "").all()


class Jobs:
    """The jobs by name, with the servers and folders that they need while the context is open."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.seen: dict[str, str] = {}
        self.refused = Counter[str]()
        self.kills = Counter[str]()
        self.stack = ExitStack()

    def __enter__(self) -> Jobs:
        """Make the folder of the jobs, and start what serves them."""
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.server: Server = self.stack.enter_context(running())
        self.stack.enter_context(self.fake_yahoo())
        self.client: Any = self.stack.enter_context(dask())
        return self

    def __exit__(self, *error: object) -> None:
        """Stop the servers, and delete the folder."""
        self.stack.close()

    def all(self) -> dict[str, Job]:
        """Return the jobs by what they do."""
        return {
            "studies": self.study,
            "reports": self.report,
            "figures": self.figure,
            "fetches over TLS, every third answer spoilt": self.fetch,
            "studies from PostgreSQL, restarted under them": self.database,
            "studies on Dask, workers killed": self.cluster,
            "two studies at once in threads": self.threads,
            f"studies of {EVENTS:,} events, {UNUSABLE:.0%} of them unusable": self.unusable,
            f"studies from a folder of {FIRMS:,} tickers": self.many_tickers,
        }

    def again(self, key: str, result: es.Result) -> None:
        """Check that the same study has the numbers that it had first."""
        assert self.seen.setdefault(key, digest(result)) == digest(result), key

    @cached_property
    def small(self) -> tuple[es.Events, es.Prices]:
        """A sample of 300 events."""
        events, prices = material(n_tickers=SECURITIES)
        return es.Events.from_frame(events.frame.reset_index()[["event_id", "ticker", "announced"]].iloc[:300]), prices

    def run(self, number: int) -> es.Result:
        """Run one of the different studies."""
        draw = Random(f"{self.seed}-{number}")
        half = draw.randrange(1, 6)
        study = es.Study(
            benchmark="M", estimation=(-130, -11), event=(-half, half), min_estimation=60,
            model=draw.choice(MODELS), tests=draw.choice(TESTS), windows=((0, 0), (-half, half)),
            min_coverage=draw.choice((0.5, 1.0)), accumulate=draw.choice(("sum", "sum", "compound")),
        )  # fmt: skip
        return study.run(*self.small)

    def study(self, random: Random) -> None:
        """Run one of the studies again."""
        number = random.randrange(STUDIES)
        result = self.run(number)
        adds_up(result, 300)
        self.again(f"study {number}", result)

    def report(self, random: Random) -> None:
        """Write a report over the one before."""
        number = random.randrange(STUDIES)
        path = self.folder / f"report{random.choice(SUFFIXES)}"
        self.run(number).report(path)
        assert path.stat().st_size > 0

    def figure(self, random: Random) -> None:
        """Draw a figure and write it."""
        path = self.folder / "figure.png"
        save_figure(self.run(random.randrange(STUDIES)).plot(random.choice(FIGURES)), path)
        assert path.stat().st_size > 1_000

    def threads(self, random: Random) -> None:
        """Run two studies at once, which have the numbers that each has alone."""
        numbers = random.sample(range(STUDIES), 2)
        with ThreadPoolExecutor(2) as pool:
            for number, result in zip(numbers, pool.map(self.run, numbers), strict=True):
                self.again(f"study {number}", result)

    @contextmanager
    def fake_yahoo(self) -> Iterator[None]:
        """Run the fake in another process, and let this one take it for Yahoo."""
        command = [sys.executable, "-m", "tests.soak.server", str(shared_folder()), str(self.folder), str(self.seed)]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout
            assert process.stdin
            given = json.loads(process.stdout.readline())
            os.environ.update({name: given[name] for name in given if given[name] != os.environ.get(name)})
            yield
            process.stdin.close()

    def fetch(self, random: Random) -> None:
        """Fetch three tickers; each has prices or a reason, or all are refused in the library's words."""
        tickers = ["BABA", "0700.HK", "^HSI"]
        year = random.randrange(2016, 2024)
        try:
            prices = es.fetch_prices(tickers, f"{year}-01-01", f"{year}-12-31", source="yahoo", wait=0.01, attempts=2)
        except es.EventStudyError as error:
            self.refused[type(error).__name__] += 1
            return
        assert set(prices.tickers) | set(prices.problems) == set(tickers)
        self.refused["tickers with a reason"] += len(prices.problems)

    @cached_property
    def table(self) -> str:
        """The uri of a database with the prices of the sample."""
        import pyarrow as pa

        _, prices = self.small
        frames = [prices.frame(t)["close"].reset_index().assign(ticker=t) for t in prices.tickers]
        self.server.load(pa.Table.from_pandas(pd.concat(frames), preserve_index=False))
        return self.server.uri()

    def database(self, random: Random) -> None:
        """Run a study from the database, which every other time is stopped and started again in the meantime."""
        uri, restart = self.table, random.random() < 0.5
        timer = threading.Timer(random.random() * 0.2, self.restart) if restart else None
        if timer:
            timer.start()
        try:
            prices = es.fetch_prices(None, None, None, source="sql", uri=uri)
            result = study_of(PARALLEL, prices=prices)()
        except es.EventStudyError as error:
            if not restart:
                raise
            self.refused[type(error).__name__] += 1
        else:
            self.again("from PostgreSQL", result)
        if timer:
            timer.join()

    def restart(self) -> None:
        """Stop the server and start it."""
        self.server.stop()
        self.server.start()
        self.kills["restarts of PostgreSQL"] += 1

    def cluster(self, random: Random) -> None:
        """Run a study on the cluster, whose worker is killed every other time while it works."""
        self.client.wait_for_workers(2)
        if random.random() < 0.5:
            address, victim = random.choice(list(self.client.run(os.getpid).items()))
            timer = threading.Timer(random.random(), lambda: self.kill(address, victim))
            timer.start()
        self.again("on the cluster", study_of(PARALLEL, model=Slow())(executor=self.client))

    def kill(self, address: str, victim: int) -> None:
        """Kill a worker process."""
        os.kill(victim, signal.SIGKILL)
        self.kills["workers killed"] += 1

    @cached_property
    def of_many(self) -> tuple[es.Events, dict[str, int]]:
        """Many events, and how many of them are unusable for which reason."""
        draw = np.random.default_rng(self.seed)
        kinds = draw.choice(["ok", "no ticker", "too early", "too late"], EVENTS, p=[1.0 - UNUSABLE, 0.1, 0.1, 0.1])
        frame = pd.DataFrame({"event_id": np.arange(EVENTS).astype(str), "ticker": "", "announced": "2030-01-02"})
        kinds_of = {"ok": ("S", 200, 690), "no ticker": ("GONE", 200, 690), "too early": ("S", 0, 60)}
        for kind in set(kinds.tolist()):
            name, first, last = kinds_of.get(kind, ("S", 0, 490))
            of_kind = np.flatnonzero(kinds == kind)
            firm, day = np.divmod(draw.choice(SECURITIES * (last - first), len(of_kind), replace=False), last - first)
            frame.loc[of_kind, "ticker"] = [f"{name}{k}" for k in firm]
            if kind != "too late":
                frame.loc[of_kind, "announced"] = DAYS[first + day].strftime("%Y-%m-%d").to_numpy()
        return es.Events.from_frame(frame), dict(Counter(kinds.tolist()))

    def unusable(self, random: Random) -> None:
        """Run the study of many events; the attrition has exactly those that are unusable."""
        events, wanted = self.of_many
        study = es.Study(benchmark="M", estimation=(-130, -11), event=(-5, 5), min_estimation=60, tests=PARALLEL)
        result = study.run(events, self.small[1])
        adds_up(result, EVENTS)
        counts = result.attrition.groupby("reason")["n"].sum().to_dict()
        assert counts["ok"] == wanted["ok"], counts
        assert sum(counts.values()) - counts["ok"] == EVENTS - wanted["ok"]
        self.again("of many events", result)

    @cached_property
    def firms(self) -> Path:
        """A folder of many tickers."""
        _, prices = self.small
        closes = np.column_stack([prices.frame(t)["close"].to_numpy() for t in prices.tickers])
        names = [f"F{k:05d}" for k in range(FIRMS)]
        index = prices.frame("M").index
        frame = pd.DataFrame(closes[:, np.arange(FIRMS) % closes.shape[1]], index, names).assign(
            M=prices.frame("M")["close"]
        )
        _write.write(es.Prices.from_frame(frame), self.folder / "firms")
        return self.folder / "firms"

    def many_tickers(self, random: Random) -> None:
        """Read the folder, and run a study of events spread over all of its tickers."""
        prices = es.read_prices(self.firms)
        assert len(prices.tickers) == FIRMS + 1
        draw = np.random.default_rng(random.randrange(2**32))
        events = pd.DataFrame({
            "ticker": [f"F{k:05d}" for k in draw.integers(0, FIRMS, 2_000)],
            "announced": DAYS[draw.integers(200, 690, 2_000)].strftime("%Y-%m-%d"),
        })  # fmt: skip
        study = es.Study(benchmark="M", estimation=(-130, -11), event=(-5, 5), min_estimation=60, tests=PARALLEL)
        adds_up(study.run(es.Events.from_frame(events), prices), 2_000)
