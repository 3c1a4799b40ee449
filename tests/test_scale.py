"""The same study on threads, processes and a Dask cluster, cut short, out of memory or disk: the same numbers, or an
error that says what to do, and never a result of some of the parts."""

from __future__ import annotations

import copy
import errno
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.core import parts, run
from eventstudy.models import market
from eventstudy.prepare import align
from eventstudy.run import checkpoint
from eventstudy.run.scale import workers
from tests.cluster import dask
from tests.scaling import N, Slow, material, study_of

pytestmark = pytest.mark.thorough

FRAMES = ("tests", "daily", "events", "ar", "cars", "attrition")
TWENTY = 20
# All but mvrm, which has a value where the events share one date alone.
ALL = (
    *(name for name in es.tests() if name not in ("mvrm", "placebo", "wild_bootstrap")),
    es.test("placebo", draws=99),
    es.test("wild_bootstrap", draws=99),
)


def in_twenty(placed: Any, panels: Any = ()) -> list[Any]:
    """Cut any sample, drawn ones too, into about twenty parts."""
    return parts.split(placed, panels, size=max(1, len(placed.day) // TWENTY))


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "split", in_twenty)


@cache
def serial(n_tests: int | None = None) -> es.Result:
    """Give the study by one worker, in one part."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "split", parts.split)
        return study_of(ALL[:n_tests])()


def same(found: es.Result, wanted: es.Result) -> None:
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(wanted, name), rtol=1e-12, atol=1e-12)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A cluster for all tests, which leave it of use."""
    with dask() as client:
        yield client


def test_the_study_by_one_worker_has_a_value_for_every_test():
    tests = serial().tests
    assert len(tests) == 3 * len(ALL)
    assert np.isfinite(tests[["effect", "statistic", "p"]].to_numpy()).all()
    assert (tests["n"] > 2_900 / 3_000 * N).all()
    assert serial().attrition.set_index("reason")["n"].to_dict() == {"ok": N}


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_threads_and_processes_find_the_same(pool):
    with pool(2) as executor:
        same(study_of(ALL)(executor=executor), serial())


@pytest.mark.full
def test_a_cluster_finds_the_same_and_so_do_draws(client):
    """The one that loses a worker finds the same too, of fewer tests."""
    found = study_of(ALL)(executor=client)
    same(found, serial())
    wanted = study_of(("bmp",))().calibrate(20)
    pd.testing.assert_frame_equal(study_of(("bmp",))(executor=client).calibrate(20).frame, wanted.frame)


@pytest.mark.parametrize("kept", [pytest.param("in memory", marks=pytest.mark.full), "behind a URL"])
def test_a_cluster_that_loses_a_worker_finds_the_same(kept, client, tmp_path, monkeypatch):
    prices, n_tests = None, None
    if kept == "behind a URL":
        n_tests = -2  # drawn dates take all prices into memory
        es.write_prices(material()[1], tmp_path / "store", partition=20)
        prices = es.read_prices((tmp_path / "store").as_uri())
        monkeypatch.setattr(align, "CELLS", 0)  # so that the workers make the panels of their parts
    client.wait_for_workers(2)
    client.run(os.environ.update, {"SLOW": "0.02"})
    address, victim = next(iter(client.run(os.getpid).items()))
    killed = []

    def kill() -> None:
        """Strike when the worker has parts that it has done, and another one under way."""
        while not (client.has_what()[address] and client.processing()[address]):
            time.sleep(0.01)
        killed.append(victim)
        os.kill(victim, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    found = study_of(ALL[:n_tests], model=Slow(), prices=prices)(executor=client)
    thread.join()
    assert killed == [victim]
    assert victim not in client.run(os.getpid).values()
    same(found, serial(n_tests))


class Counting(Executor):
    """An executor that does a task when its result is asked for, and counts those that wait."""

    _max_workers = 3

    def __init__(self) -> None:
        self.waiting, self.most = 0, 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        future: Future[Any] = Future()

        def result(timeout: float | None = None) -> Any:
            self.waiting -= 1
            return fn(*args, **kwargs)

        future.result = result  # type: ignore[method-assign]
        return future


def test_few_tasks_are_under_way_at_a_time():
    executor = Counting()
    same(study_of(("bmp",))(executor=executor), study_of(("bmp",))())
    assert executor.most == 6


def test_methods_of_the_result_use_the_executor_and_a_closed_one_is_named():
    with ThreadPoolExecutor(2) as executor:
        found = study_of(("bmp",))(executor=executor)
        assert found.rerun.workers.executor is executor
        inside = found.calibrate(20).frame
    pd.testing.assert_frame_equal(inside, study_of(("bmp",))().calibrate(20).frame, rtol=1e-12)
    with pytest.raises(es.ScaleError, match="takes no more work"):
        found.calibrate(20)
    for copied in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):
        assert copied.rerun.workers.executor is None
    assert len(copy.deepcopy(found).calibrate(20).frame) == len(inside)


def test_progress_is_told_of_every_event_once(capsys):
    with ThreadPoolExecutor(2) as executor:
        study_of(("bmp",))(executor=executor, progress=True)
    assert f"{N}/{N}" in capsys.readouterr().err


@pytest.mark.parametrize("thing", [3, "threads", object(), ThreadPoolExecutor])
def test_what_is_no_executor_is_refused(thing):
    with pytest.raises(es.InputError, match=r"executor is .*concurrent\.futures\.Executor"):
        study_of(("bmp",))(executor=thing)


def test_a_test_made_of_lambdas_is_named():
    own = replace(es.test("bmp"), chunk=lambda scores, abnormal, prior: {})
    with ProcessPoolExecutor(1) as executor, pytest.raises(es.InputError, match=r"test 'user_1' cannot be sent .*def"):
        study_of((own,))(executor=executor)
    with ThreadPoolExecutor(1) as executor:
        assert len(study_of((own,))(executor=executor).events) == N


@dataclass(frozen=True)
class Failing(market.Market):
    """Raises, dies, or fills memory when it fits."""

    how: str = "raise"

    def fit(self, block: Any) -> Any:
        if self.how == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "fill":
            full = []
            while True:
                full.append(np.ones(2**22))
                time.sleep(0.01)
        raise ValueError("the fit went wrong")


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_an_exception_in_a_part_is_an_error_with_its_cause(pool):
    with pool(2) as executor, pytest.raises(es.ScaleError, match="ValueError: the fit went wrong") as raised:
        study_of(("bmp",), model=Failing())(executor=executor)
    assert isinstance(raised.value.__cause__, ValueError)


def test_a_process_that_dies_is_an_error():
    with ProcessPoolExecutor(1) as executor, pytest.raises(es.ScaleError, match="a worker process died"):
        study_of(("bmp",), model=Failing("die"))(executor=executor)


def allow(dask_scheduler: Any, deaths: int) -> None:
    """Let a task be given up when more than some workers have died at it: each costs the start of another."""
    dask_scheduler.allowed_failures = deaths


def unfinished(client: Any) -> int:
    """Count the tasks that a cluster still has to do."""
    states = client.run_on_scheduler(lambda dask_scheduler: [task.state for task in dask_scheduler.tasks.values()])
    return sum(state not in ("memory", "erred", "forgotten") for state in states)


def test_errors_on_a_cluster_are_named(client):
    with pytest.raises(es.ScaleError, match="ValueError: the fit went wrong"):
        study_of(("bmp",), model=Failing())(executor=client)
    client.run_on_scheduler(allow, deaths=0)
    with pytest.raises(es.ScaleError, match="workers died repeatedly"):
        study_of(("bmp",), model=Failing("die"))(executor=client)
    assert unfinished(client) == 0  # or a part that kills its worker would take those of the next study with it
    client.run_on_scheduler(allow, deaths=3)
    client.wait_for_workers(2, timeout=60)
    same(study_of(("bmp",))(executor=client), study_of(("bmp",))())  # and the cluster is of use again


def test_a_client_that_has_left_its_scheduler_is_named(client):
    with type(client)(client.scheduler.address) as gone:
        pass
    with pytest.raises(es.ScaleError, match="scheduler is gone"):
        study_of(("bmp",))(executor=gone)


@pytest.mark.slow
def test_a_cluster_without_memory_is_named():
    with dask(n_workers=1, memory_limit="500MB") as client, pytest.raises(es.ScaleError, match="memory ran out"):
        study_of(("bmp",), model=Failing("fill"))(executor=client)


@pytest.mark.slow
def test_a_scheduler_that_is_lost_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SLOW", "1")
    distributed = pytest.importorskip("distributed")
    where = tmp_path / "scheduler.json"
    given = ["--no-dashboard", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(where)]
    scheduler = subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", *given])
    worker = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", "--no-dashboard", "--scheduler-file", str(where)]
    )
    try:
        with distributed.Client(scheduler_file=str(where), timeout=30) as client:
            client.wait_for_workers(1, timeout=60)
            threading.Timer(2.0, scheduler.kill).start()
            with pytest.raises(es.ScaleError, match="scheduler is gone"):
                study_of(("bmp",), model=Slow())(executor=client)
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()


# Checkpoints


def parts_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.npz"))


def counts(result: es.Result) -> tuple[int, int]:
    return result.provenance["n_parts"], result.provenance["n_resumed"]


def test_a_study_is_taken_from_its_checkpoint_whoever_works_on_it(tmp_path):
    tests = ("bmp", "grank_t", "brown_warner", "calendar_time", "wilcoxon", "mvrm")  # two passes; all kinds of leaves
    wanted = study_of(tests)()
    first = study_of(tests)(checkpoint=tmp_path)
    n, resumed = counts(first)
    assert (resumed, len(parts_in(tmp_path))) == (0, n)
    assert 36 <= n <= 42
    with ProcessPoolExecutor(2) as executor:
        again = study_of(tests)(checkpoint=str(tmp_path), executor=executor)
    assert counts(again) == (n, n)
    for found in (first, again):
        same(found, wanted)
    assert {path.name for path in tmp_path.iterdir()} - {path.name for path in parts_in(tmp_path)} == {"README.txt"}


def test_a_checkpoint_of_other_choices_or_data_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "split", partial(parts.split, size=N // 3))
    n, _ = counts(study_of(("bmp",))(checkpoint=tmp_path))
    for other in (
        study_of(("bmp",), windows=((0, 1),)),
        study_of(("j1",)),
        study_of(("bmp",), model="market_adjusted"),
        study_of(("bmp",), model=es.model("dimson", leads=0, lags=1)),
        study_of(("bmp",), seed=2),
        study_of((es.test("calendar_time", method="abnormal"),)),
        study_of((es.test("calendar_time", method="abnormal", weights="value"),)),
    ):
        assert counts(other(checkpoint=tmp_path))[1] == 0
    assert counts(study_of(("bmp",))(checkpoint=tmp_path)) == (n, n)


def test_a_damaged_file_is_computed_anew_with_a_note(tmp_path):
    wanted = study_of(("bmp",))(checkpoint=tmp_path)
    files = parts_in(tmp_path)
    whole = [file.read_bytes() for file in files]
    rng = np.random.default_rng(0)
    files[0].write_bytes(whole[0][: len(whole[0]) // 2])
    files[1].write_bytes(b"")
    files[2].write_bytes(whole[3])  # a part of other events
    for file, data in zip(files[4:], whole[4:], strict=True):
        with zipfile.ZipFile(file) as archive:
            array = max(archive.infolist(), key=lambda member: member.file_size)
        at = array.header_offset + int(rng.integers(100, array.file_size))  # behind the member's header of 60 bytes
        file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    found = study_of(("bmp",))(checkpoint=tmp_path)
    same(found, wanted)
    n, resumed = counts(found)
    assert resumed == 1
    assert sum("is damaged, and its part was computed again" in note for note in found.provenance["notes"]) == n - 1
    assert counts(study_of(("bmp",))(checkpoint=tmp_path)) == (n, n)


RUN = """
import sys
from eventstudy.core import parts, run
from tests.scaling import Slow, study_of
run.split = lambda placed, panels=(): parts.split(placed, panels, size=len(placed.day) // 20)
made = study_of(("bmp", "grank_t"), model=Slow())(checkpoint=sys.argv[1])
print(made.provenance["n_parts"], made.provenance["n_resumed"])
"""


def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path):
    command, here = [sys.executable, "-c", RUN, str(tmp_path)], Path(__file__).parents[1]
    started = subprocess.Popen(command, cwd=here, env={**os.environ, "SLOW": "0.05"})
    try:
        while len(parts_in(tmp_path)) < 5:
            assert started.poll() is None
            time.sleep(0.02)
    finally:
        started.kill()
        assert started.wait() == -signal.SIGKILL
    left = len(parts_in(tmp_path))
    ended = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    n, resumed = map(int, ended.stdout.split())
    assert 5 <= left == resumed < n
    assert len(parts_in(tmp_path)) == n


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 256 KiB, where one can be mounted; else writes that fail after as much."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if made.returncode:
        left, write = [2**18], checkpoint._Folder.write

        def limited(self: Any, name: str, data: bytes) -> None:
            left[0] -= len(data)
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(self, name, data)

        monkeypatch.setattr(checkpoint._Folder, "write", limited)
    yield tmp_path
    if not made.returncode:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_is_named_and_leaves_only_whole_files(full_disk):
    with pytest.raises(es.ScaleError, match=r"cannot be written \(No space left on device\); free space"):
        study_of(("bmp",))(checkpoint=full_disk)
    left = parts_in(full_disk)
    assert 0 < len(left) < TWENTY
    assert [path for path in full_disk.iterdir() if path.suffix == ".part"] == []
    for file in left:
        with np.load(file, allow_pickle=False) as archive:
            assert all(archive[name] is not None for name in archive.files)


def test_a_folder_that_cannot_be_one_is_refused(tmp_path):
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    with pytest.raises(es.ScaleError, match=r"cannot be written"):
        workers(None, file / "below")
    for thing in (3, "", b"bytes"):
        with pytest.raises(es.InputError, match="checkpoint is"):
            workers(None, thing)
    with pytest.raises(es.InputError, match="fsspec cannot open"):
        workers(None, "nosuch://bucket")


def test_a_url_is_opened_by_fsspec():
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    wanted = study_of(("bmp",))(checkpoint="memory://parts")
    found = study_of(("bmp",))(checkpoint="memory://parts")
    same(found, wanted)
    assert counts(found) == (counts(wanted)[0],) * 2
    assert {name.rpartition(".")[2] for name in files.ls("/parts", detail=False)} == {"npz", "txt"}


def test_keys_tell_things_apart():
    def outer(k: int) -> Any:
        return lambda x: x + k

    things = [
        1, 1.0, "1", True, None, (1,), [1], {"a": 1}, {"a": 2}, {"b": 1}, np.array([1]), np.array([1.0]),
        np.array([[1]]), np.array(["a"], dtype=object), outer(1), outer(2), len, np.add, Path("a"), Path("b"),
        pd.Series([1]), pd.Series([2]), Slow, {1}, {2}, market.MODEL, np.datetime64("2020-01-01"),
        es.test("calendar_time"), es.test("calendar_time", weights="value"),
    ]  # fmt: skip
    keys = [checkpoint.key(thing) for thing in things]
    assert len(set(keys)) == len(things)
    assert [checkpoint.key(copy.deepcopy(thing)) for thing in things] == keys
    assert [checkpoint.key(thing) for thing in pickle.loads(pickle.dumps(things[:14]))] == keys[:14]
    with pytest.raises(es.InputError, match="cannot be hashed for a checkpoint"):
        checkpoint.key(threading.Lock())


def model_of(source: str) -> object:
    """Return an instance of a user's class ``M``, defined by text."""
    names: dict[str, object] = {"__name__": "mine"}
    exec(compile("from dataclasses import dataclass\n" + source, "mine", "exec", dont_inherit=True), names)
    return names["M"]()


@pytest.mark.parametrize(
    "source",
    [
        "@dataclass(frozen=True)\nclass M:\n    n: int = 1\n    def fit(self, block): return block * 2\n",
        "class B:\n    def fit(self, block): return block * 2\nclass M(B):\n    pass\n",
        "class M:\n    @staticmethod\n    def half(x): return x * 2\n    def fit(self, b): return self.half(b)\n",
        "class M:\n    @property\n    def scale(self): return 1 * 2\n    def fit(self, block): return block\n",
    ],
)
def test_the_key_of_a_part_goes_by_the_code_of_a_users_model(source):
    same, other = model_of(source), model_of(source.replace("* 2", "* 3"))
    assert checkpoint.key(SimpleNamespace(model=model_of(source))) == checkpoint.key(SimpleNamespace(model=same))
    assert checkpoint.key(SimpleNamespace(model=same)) != checkpoint.key(SimpleNamespace(model=other))
