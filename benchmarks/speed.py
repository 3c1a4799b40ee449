"""Print how fast studies run, compared with loops over events and with the time to read the windows from memory.

    python benchmarks/speed.py [--quick] [--save]

Every measurement runs in a separate process, with one thread. ``--quick`` leaves out the million events; ``--save``
adds the run to history.json.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

HISTORY = Path(__file__).with_name("history.json")
ASSETS, DAYS, EST = 2_000, 2_520, (-260, -11)
WINDOWS = [[0, 0], [-1, 1], [-5, 5], [0, 5], [-10, 10]]
FIVE = ("cross_section", "brown_warner", "patell", "bmp", "kolari_pynnonen")
RANKS = ("corrado", "grank_t", "generalized_sign")
# All tests except placebo, which draws dates, and mvrm and wild_bootstrap, which have no value for events on all dates.
ONE_PASS = (
    *FIVE, "j1", "j2", "skewness_adjusted", "adjusted_patell", "sign", "generalized_sign", "corrado", "wilcoxon",
    "calendar_time",
)  # fmt: skip
TWO_PASS = ("grank_t", "grank_z", "sign_gsar", "corrado_zivney")
KINDS: dict[str, tuple[str, ...]] = {
    "five parametric tests": FIVE,
    "five, and ranks and signs": (*FIVE, *RANKS),
    "one-pass battery (14 tests)": ONE_PASS,
    "two-pass battery (18 tests)": (*ONE_PASS, *TWO_PASS),
}


def draw(n: int, est: int = 250, factors: int = 1, windows: int = 5) -> tuple[Any, Any, Any]:
    """Draw returns of 2,000 securities over ten years, and n events of them on random dates."""
    from eventstudy.types import Panel, Placed, Sample, Spec

    rng = np.random.default_rng(0)
    chosen = [WINDOWS[k % 5] for k in range(windows)]
    spec = Spec((-10 - est, -11), (-10, 10), np.array(chosen), min(est, 120))
    x = 0.01 * rng.standard_normal((DAYS, factors))
    r = rng.uniform(0.5, 1.5, (ASSETS, factors)) @ x.T + 0.02 * rng.standard_normal((ASSETS, DAYS))
    names = tuple(f"f{k}" for k in range(factors))
    panel = Panel(r, np.ones(r.shape, dtype=bool), x, np.arange(DAYS), tuple(map(str, range(ASSETS))), names)
    asset, day = rng.integers(0, ASSETS, n), rng.integers(10 + est, DAYS - 10, n)
    dates, cluster = np.unique(day, return_inverse=True)
    zero = np.zeros(n, dtype=np.int64)
    sample = Sample(spec, 1, np.zeros(len(dates), dtype=np.int64), dates[:, None] + spec.offsets)
    return panel, Placed(zero, asset, day, cluster, zero, np.ones(n)), sample


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def timed(function: Callable[[], object], n: int, repeats: int = 3) -> dict[str, float]:
    """Return the fastest of some runs in microseconds per event, and the peak memory of the process."""
    best = min(_seconds(function) for _ in range(repeats))
    return {"us": 1e6 * best / n, "peak": megabytes()}


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def study(
    n: int, tests: tuple[str, ...], keep_events: bool = False, executor: str = "", **shape: int
) -> dict[str, float]:
    """Time the model and the tests, with ``keep_events`` also single events, in this process or on two workers."""
    from concurrent import futures

    from eventstudy import _registry
    from eventstudy.core.run import Execution, run
    from eventstudy.run.scale import workers

    panel, placed, sample = draw(n, **shape)
    chosen = {name: _registry.load("inference", name) for name in tests}
    model = _registry.load("models", "market")
    if shape.get("factors", 1) > 1:
        model = _registry.load("models", "factors").__class__(panel.factors)

    pool = getattr(futures, executor)(2) if executor else None
    if pool:
        list(pool.map(abs, range(8)))  # start the workers, which begin with their first task

    def once() -> None:
        execution = Execution(map_tasks=workers(pool, None).map_tasks())
        outcome = run([panel], placed, model, chosen, sample, execution, keep_events=keep_events)
        assert all(np.isfinite(verdict.p).all() for verdict in outcome.verdicts.values())

    return timed(once, n, 2 if n >= 500_000 else 3)


def fit(n: int) -> dict[str, float]:
    """Time extracting the windows and fitting the model, and nothing else."""
    from eventstudy import _registry
    from eventstudy.core.windows import blocks

    panel, placed, sample = draw(n)
    model = _registry.load("models", "market")

    def once() -> None:
        for block in blocks([panel], placed, sample.spec, len(sample.cluster_group), 1):
            model.fit(block)

    return timed(once, n, 2 if n >= 500_000 else 3)


def by_hand(n: int, how: str) -> dict[str, float]:
    """Time a loop over events: fit the market model, forecast, and sum the abnormal returns of five windows.

    "statsmodels" and "lstsq" use slices of arrays; "pandas" uses frames by date, as most notebooks do.
    """
    import pandas as pd
    import statsmodels.api as sm

    panel, placed, sample = draw(n)
    if how == "pandas":
        dates = pd.bdate_range("2010-01-01", periods=DAYS)
        returns, market = pd.DataFrame(panel.r.T, index=dates), pd.Series(panel.x[:, 0], index=dates, name="market")
        events = list(zip(placed.asset.tolist(), placed.day.tolist(), strict=True))
        return timed(lambda: [_notebook(returns[a], market, d) for a, d in events], n)
    offsets, n_est = sample.spec.offsets, sample.spec.n_est
    weights = sample.spec.weights

    def once() -> None:
        for asset, day in zip(placed.asset, placed.day, strict=True):
            r, x = panel.r[asset, day + offsets], panel.x[day + offsets, 0]
            design = np.column_stack([np.ones(len(x)), x])
            if how == "statsmodels":
                fit_of_event = sm.OLS(r[:n_est], design[:n_est]).fit()
                b, sigma = fit_of_event.params, np.sqrt(fit_of_event.mse_resid)
                inverse = fit_of_event.normalized_cov_params
            else:
                b, squares, *_ = np.linalg.lstsq(design[:n_est], r[:n_est], rcond=None)
                sigma = np.sqrt(squares[0] / (n_est - 2))
                inverse = np.linalg.inv(design[:n_est].T @ design[:n_est])
            car = weights @ (r[n_est:] - design[n_est:] @ b)
            sums = weights @ design[n_est:]
            car / (sigma * np.sqrt(weights.sum(axis=1) + np.einsum("vp,pq,vq->v", sums, inverse, sums)))

    return timed(once, n)


def _notebook(returns: Any, market: Any, day: int) -> list[float]:
    """Compute the statistics of one event as a notebook does."""
    import statsmodels.api as sm

    both = [series.iloc[day - 260 : day - 10] for series in (returns, market)]
    fit_of_event = sm.OLS(both[0], sm.add_constant(both[1])).fit()
    after = slice(day - 10, day + 11)
    abnormal = returns.iloc[after] - fit_of_event.predict(sm.add_constant(market.iloc[after]))
    return [abnormal.iloc[10 + a : 11 + b].sum() / np.sqrt(fit_of_event.mse_resid * (b - a + 1)) for a, b in WINDOWS]


def floor(n: int, how: str) -> dict[str, float]:
    """Time a lower bound: reading every window once, or reading and sorting it once."""
    from numpy.lib.stride_tricks import sliding_window_view

    panel, placed, _ = draw(n)
    view = sliding_window_view(panel.r, 271, axis=1)

    def once() -> None:
        for start in range(0, n, 1024):
            chunk = slice(start, start + 1024)
            rows = view[placed.asset[chunk], placed.day[chunk] - 260]
            if how == "argsort":
                np.argsort(rows, axis=1)

    return timed(once, n)


def study_data(n: int) -> tuple[Any, Any]:
    """Make a frame of n time-stamped events, and the prices of their securities and a benchmark."""
    import pandas as pd

    import eventstudy as es

    rng = np.random.default_rng(0)
    dates = es.markets.sessions_between("XNYS", "2010-01-04", "2019-12-31")
    close = 100 * np.cumprod(1 + 0.02 * rng.standard_normal((len(dates), ASSETS + 1)), axis=0)
    names = [f"S{k}" for k in range(ASSETS)]
    prices = es.Prices.from_frame(pd.DataFrame(close, index=pd.DatetimeIndex(dates), columns=[*names, "M"]), "XNYS")
    cell = rng.choice(ASSETS * (len(dates) - 285), n, replace=False)  # no two events of one security on one day
    frame = pd.DataFrame({"ticker": np.array(names, dtype=object)[cell % ASSETS]})
    noon = pd.DatetimeIndex(dates[270 + cell // ASSETS]).tz_localize("America/New_York") + pd.Timedelta(hours=12)
    frame["announced"] = noon
    return frame, prices


def path(n: int) -> dict[str, float]:
    """Time ``Study.run``, and ``Result.path`` of one event as a share of it."""
    import eventstudy as es

    frame, prices = study_data(n)
    events = es.Events.from_frame(frame)
    study = es.Study(benchmark="M", windows=tuple((a, b) for a, b in WINDOWS), tests=FIVE)
    results: list[es.Result] = []
    total = _seconds(lambda: results.append(study.run(events, prices)))
    alone = _seconds(lambda: results[0].path(results[0].ar.index[n // 2]))
    return {"us": 1e6 * total / n, "path": alone / total, "peak": megabytes()}


def grow(n: int, model: str) -> dict[str, float]:
    """Time ``Study.run``, and ``Result.extend`` by one event as a share of it."""
    import eventstudy as es

    frame, prices = study_data(n + 1)
    frame.insert(0, "event_id", [f"E{row}" for row in range(n + 1)])
    study = es.Study(benchmark="M", windows=tuple((a, b) for a, b in WINDOWS), model=model)
    results: list[es.Result] = []
    total = _seconds(lambda: results.append(study.run(es.Events.from_frame(frame[:n]), prices)))
    new = es.Events.from_frame(frame[n:])
    longer = _seconds(lambda: results.append(results[0].extend(new)))
    assert results[1].provenance["extended"]["n_computed"] == 1
    return {"us": 1e6 * total / n, "grow": longer / total, "peak": megabytes()}


def edges(n: int) -> dict[str, float]:
    """Time ``Study.run`` on time-stamped events and prices, and the time of its steps.

    ``first`` is the first run of the process, which imports what it uses; the others are of the fastest run.
    """
    import eventstudy as es
    from eventstudy.run import rerun, sample, tables

    frame, prices = study_data(n)
    steps: dict[str, float] = {}
    for module, name in ((sample, "prepare"), (rerun, "run"), (tables, "assemble"), (rerun, "reactions")):
        setattr(module, name, _timed(getattr(module, name), name, steps))
    reading = _seconds(lambda: es.Events.from_frame(frame))
    events = es.Events.from_frame(frame)
    chosen = es.Study(benchmark="M", windows=tuple((a, b) for a, b in WINDOWS), tests=FIVE)
    runs: list[dict[str, float]] = []
    for _ in range(5 if n <= 10_000 else 1):
        steps.clear()
        total = _seconds(lambda: chosen.run(events, prices))
        runs.append({**steps, "events": reading, "rest": total - sum(steps.values()), "us": total})
    fastest = min(runs, key=lambda seconds: seconds["us"])
    seconds_by = fastest | {"first": runs[0]["us"]}
    return {name: 1e6 * seconds / n for name, seconds in seconds_by.items()} | {"peak": megabytes()}


def _timed(function: Callable[..., Any], name: str, seconds_by: dict[str, float]) -> Callable[..., Any]:
    def timed_function(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds_by[name] = seconds_by.get(name, 0.0) + time.perf_counter() - start

    return timed_function


MEASURES: dict[str, Callable[..., dict[str, float]]] = {
    "study": study, "fit": fit, "by_hand": by_hand, "floor": floor, "edges": edges, "path": path, "grow": grow,
}  # fmt: skip


def child(what: str, **choices: Any) -> dict[str, float]:
    """Run one measurement in a separate process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", __file__, "--child", json.dumps({"what": what, **choices})]
    measurement: dict[str, float] = json.loads(
        subprocess.run(command, check=True, capture_output=True, env=environment).stdout
    )
    return measurement


PATH = "Study.run, then the path of one event"
GROWN = {"market": 100_000, "garch": 300}
LINE = "{:<52}{:>12}{:>14}{:>14}{:>12}"


def rows(sizes: list[int]) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Run all measurements; yield name, number of events, and time and memory."""
    for n in sizes:
        yield "fit only", n, child("fit", n=n)
        for name, tests in KINDS.items():
            yield name, n, child("study", n=n, tests=tests)
        yield "five, with every single event", n, child("study", n=n, tests=FIVE, keep_events=True)
        yield "Study.run on time stamps, to frames", n, child("edges", n=n)
    for executor in ("ThreadPoolExecutor", "ProcessPoolExecutor"):
        for name in list(KINDS)[:2]:
            measurement = child("study", n=sizes[-1], tests=KINDS[name], executor=executor)
            yield f"{name}, {executor}(2)", sizes[-1], measurement
    yield PATH, 36_000, child("path", n=36_000)
    for model, n in GROWN.items():
        yield f"Study.run, then one event more, {model}", n, child("grow", n=n, model=model)
    yield "loop: pandas and statsmodels", 300, child("by_hand", n=300, how="pandas")
    yield "loop: statsmodels OLS", 500, child("by_hand", n=500, how="statsmodels")
    yield "loop: numpy lstsq", 2_000, child("by_hand", n=2_000, how="lstsq")
    yield "floor: read every window once", 200_000, child("floor", n=200_000, how="gather")
    yield "floor: argsort every window once", 200_000, child("floor", n=200_000, how="argsort")
    for est in (60, 120, 500):
        yield f"five, estimation window {est}", 100_000, child("study", n=100_000, tests=FIVE, est=est)
    for factors in (3, 5):
        yield f"five, {factors} factors", 100_000, child("study", n=100_000, tests=FIVE, factors=factors)
    for windows in (1, 10):
        yield f"five, {windows} windows", 100_000, child("study", n=100_000, tests=FIVE, windows=windows)


def main() -> None:
    if "--child" in sys.argv:
        choices = json.loads(sys.argv[-1])
        choices = {name: tuple(value) if isinstance(value, list) else value for name, value in choices.items()}
        print(json.dumps(MEASURES[choices.pop("what")](**choices)))
        return
    sizes = [1_000, 10_000, 100_000] + [1_000_000] * ("--quick" not in sys.argv)
    rows_measured = []
    print(LINE.format("estimation 250, event 21, 5 windows", "events", "us an event", "events/s", "peak MiB"))
    for name, n, measurement in rows(sizes):
        rows_measured.append({"what": name, "n": n, **{key: round(value, 3) for key, value in measurement.items()}})
        us, peak = measurement["us"], measurement["peak"]
        print(LINE.format(name, f"{n:,}", f"{us:.2f}", f"{1e6 / us:,.0f}", f"{peak:.0f}"), flush=True)
    print()
    for line in ratios(rows_measured, sizes[-1]):
        print(line)
    if "--save" in sys.argv:
        save(rows_measured)


def ratios(rows_measured: list[dict[str, Any]], n: int) -> Iterator[str]:
    """Yield ratios of the measured times, for the largest number of events."""
    microseconds = {
        row["what"]: row["us"] for row in rows_measured if row["n"] == n or row["what"].startswith(("loop", "floor"))
    }
    five = microseconds["five parametric tests"]
    for loop in ("loop: pandas and statsmodels", "loop: statsmodels OLS", "loop: numpy lstsq"):
        for name in ("five parametric tests", "five, with every single event"):
            yield f"{loop} / {name}, {n:,} events: {microseconds[loop] / microseconds[name]:.1f}"
    read = microseconds["floor: read every window once"]
    yield f"five parametric tests / reading every window once: {five / read:.1f}"
    with_ranks = microseconds["five, and ranks and signs"]
    order = microseconds["floor: argsort every window once"]
    yield f"five, ranks and signs / argsort of every window once: {with_ranks / order:.1f}"
    for name in list(KINDS)[:2]:
        for executor in ("ThreadPoolExecutor", "ProcessPoolExecutor"):
            yield f"{name}: here / on {executor}(2): {microseconds[name] / microseconds[f'{name}, {executor}(2)']:.2f}"
    alone = next(row for row in rows_measured if row["what"] == PATH)
    yield f"Result.path of one event / Study.run of its {alone['n']:,}: {alone['path']:.2%}"
    for row in rows_measured:
        if "grow" in row:
            yield f"{row['what']}, {row['n']:,} events: Result.extend / Study.run: {row['grow']:.1%}"
    for edge in (row for row in rows_measured if "prepare" in row):
        loop = microseconds["loop: statsmodels OLS"] / edge["us"]
        yield f"loop: statsmodels OLS / Study.run, {edge['n']:,} events: {loop:.1f}; first run {edge['first']:.0f} us"
    edge = next(row for row in rows_measured if row["n"] == n and "prepare" in row)
    around = {name: edge[name] for name in ("events", "prepare", "assemble", "reactions", "rest")}
    parts = ", ".join(f"{name} {value:.1f}" for name, value in around.items())
    yield f"Study.run, us an event: arithmetic {edge['run']:.1f}; {parts}"
    yield f"Study.run, events read, placed and laid out, results as frames / arithmetic: {_share(edge):.2f}"


def _share(edge: dict[str, Any]) -> float:
    return float(sum(edge[name] for name in ("events", "prepare", "assemble", "reactions", "rest")) / edge["run"])


def save(rows_measured: list[dict[str, Any]]) -> None:
    """Add a run to the history, with the machine and the versions."""
    past = json.loads(HISTORY.read_text(encoding="utf-8")) if HISTORY.exists() else []
    import pandas

    machine = {"processor": _processor(), "cores": os.cpu_count(), "system": platform.system()}
    versions = {"python": platform.python_version(), "numpy": np.__version__, "pandas": pandas.__version__}
    past.append({"date": date.today().isoformat(), **machine, **versions, "rows": rows_measured})
    HISTORY.write_text(json.dumps(past, indent=1) + "\n", encoding="utf-8")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
