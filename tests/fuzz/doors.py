"""Every door of the library as a function of a random number generator that may raise the library's errors only."""

from __future__ import annotations

import inspect
import io
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy import studyfile
from tests.fuzz.values import changed, mutated, value

Door = Callable[[Random], object]
DAYS = pd.bdate_range("2020-01-01", periods=330, name="Date")
CSV = (
    b"Date,Open,High,Low,Close,Adj Close,Volume\n2021-09-10,1,2,1,1.5,1.4,100\n2021-09-13,1.5,2,1,1.6,1.5,110\n",
    b"Date,Close\n2021-09-10 00:00:00-04:00,1\n2021-09-13 00:00:00-04:00,2\n",
    b"Datetime,Close\n2021-09-10T09:30-04:00,1\n2021-09-10T10:30-04:00,2\n2021-09-10T11:30-04:00,3\n",
    b"Price,Close,High\nTicker,AAPL,AAPL\nDate,,\n2021-09-10,48.1,50\n2021-09-13,48.7,50\n",
    b"Date;Close;Stock Splits\n20210910;1,5;0\n20210913;1,6;4\n",
    b'"Date","Price","Vol."\n"09/13/2021","1,165.00","1.2M"\n',
)
LONG = (
    b"PERMNO,date,PRC,RET\n10107,20210910,-295.71,0.01\n10107,20210913,296.99,C\n",
    b"ticker,date,close,currency,mic\nBABA,2021-09-10,168,USD,XNYS\n0700.HK,2021-09-10,485,HKD,XHKG\n",
)
EVENTS = (
    b"event_id,ticker,announced,timezone,cluster,firm\na,T0,2021-01-05,,x,f\nb,T1;T2,2021-01-06T10:00,Asia/Hong_Kong,x,g\n",
    b"ticker,announced,phase\nT0,2021-01-05,after_close\nT1,2021-01-06,BMO\n",
)
MANIFEST = (b"ticker,file,mic,currency\nT0,a.csv,XNYS,USD\n^HSI,b.csv,XHKG,HKD\n",)
TOML = (
    b'[study]\nevents = "events.csv"\nbenchmark = "IDX"\nwindows = [[0, 0], [-1, 1]]\ntests = ["bmp"]\nseed = 3\n'
    b'[prices]\nsource = "folder"\npath = "prices"\n',
    b'[study]\ncatalogue = "china-tech"\nmodel = {name = "dimson", leads = 1}\n[prices]\nsource = "simulated"\n',
)
FRENCH = (
    b"made by CRSP\n\n,Mkt-RF,SMB,HML,RF\n20200102,  0.86, -0.97, -0.34, 0.006\n20200103, -0.67, 0.30, 0.00, 0.006\n\n"
    b"  Annual Factors: January-December\n,Mkt-RF,SMB,HML,RF\n2020,1,2,3,4\n",
    b",Mom\n20200102,-99.99\n20200103,1.0\n",
)
FORMULAS = (b"car ~ x", b"car ~ x + C(g) + np.log(size)", b"car ~ I(x * 2) - 1", b"car ~ 0", b"bhar ~ exp(x):g")


def _closes() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    market = rng.normal(0, 0.01, len(DAYS))
    columns = {"IDX": 100 * np.exp(np.cumsum(market))}
    for ticker in ("T0", "T1", "T2", "T3"):
        columns[ticker] = 50 * np.exp(np.cumsum(0.8 * market + rng.normal(0, 0.02, len(DAYS))))
    return pd.DataFrame(columns, index=DAYS)


def _events() -> pd.DataFrame:
    days = [str(DAYS[280 + 3 * k].date()) for k in range(8)]
    return pd.DataFrame(
        {
            "event_id": [f"e{k}" for k in range(8)], "ticker": [f"T{k % 4}" for k in range(8)], "announced": days,
            "g": ["a", "b"] * 4, "x": np.arange(8.0), "size": np.arange(1.0, 9.0),
        }
    )  # fmt: skip


CLOSES = _closes()
EVENT_ROWS = _events()
FACTORS = pd.DataFrame({"Mkt-RF": CLOSES["IDX"].pct_change(fill_method=None), "RF": 0.0001}, index=DAYS)
PRICES = es.Prices.from_frame(CLOSES)
READ_EVENTS = es.Events.from_frame(EVENT_ROWS)
PLAIN: dict[str, Any] = {"benchmark": "IDX", "estimation": (-150, -11), "event": (-5, 5), "tests": ["cross_section"]}
CHOICES = tuple(es.Study.__dataclass_fields__)


@cache
def _result() -> es.Result:
    return es.Study(**PLAIN).run(READ_EVENTS, PRICES)


class Doors:
    """The doors, with a folder to write in."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self.home = Path(tempfile.mkdtemp(prefix="fuzz", dir=memory if memory.is_dir() else None))
        (self.home / "events.csv").write_bytes(EVENTS[0])
        self.event_bytes = self._bytes(lambda target: EVENT_ROWS.to_parquet(target))
        self.price_bytes = self._bytes(lambda target: CLOSES[["T0"]].rename(columns={"T0": "Close"}).to_parquet(target))
        self.book = self._bytes(lambda target: EVENT_ROWS.head(3).to_excel(target, index=False))
        closes = CLOSES.iloc[:4, :1].rename(columns={"IDX": "Close"})
        self.price_book = self._bytes(lambda target: closes.to_excel(target))
        self.stored_at = self.home / "store"
        es.write_prices(PRICES, self.stored_at)
        self.saved = _result().save(self.home / "saved").read_bytes()  # a door is timed, and the run is no part of it

    @staticmethod
    def _bytes(write: Callable[[io.BytesIO], object]) -> bytes:
        target = io.BytesIO()
        write(target)
        return target.getvalue()

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.home, ignore_errors=True)

    def all(self) -> Mapping[str, Door]:
        """Return every door by name."""
        return {name: getattr(self, name) for name in NAMES}

    def _file(self, name: str, data: bytes) -> Path:
        path = self.home / name
        path.write_bytes(data)
        return path

    def _folder(self, **files: bytes) -> Path:
        folder = self.home / "folder"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, data in files.items():
            (folder / name.replace("__", ".")).write_bytes(data)
        return folder

    def price_file(self, random: Random) -> object:
        folder = self._folder(AAPL__csv=mutated(random, CSV))
        options: dict[str, Any] = {}
        if random.random() < 0.3:
            name = random.choice(("columns", "date_format", "decimal", "thousands", "layout"))
            options[name] = value(random)
        return es.read_prices(folder, **options)

    def long_file(self, random: Random) -> object:
        return es.read_prices(self._file("long.csv", mutated(random, (*LONG, *CSV))))

    def price_parquet(self, random: Random) -> object:
        return es.read_prices(self._folder(T0__parquet=mutated(random, (self.price_bytes,))))

    def workbook(self, random: Random) -> object:
        return es.read_prices(self._folder(T0__xlsx=mutated(random, (self.price_book,))))

    def manifest(self, random: Random) -> object:
        folder = self._folder(manifest__csv=mutated(random, MANIFEST), a__csv=CSV[0], b__csv=CSV[1])
        return es.read_prices(folder)

    def event_file(self, random: Random) -> object:
        return es.read_events(self._file("e.csv", mutated(random, EVENTS)))

    def event_parquet(self, random: Random) -> object:
        return es.read_events(self._file("e.parquet", mutated(random, (self.event_bytes,))))

    def event_workbook(self, random: Random) -> object:
        return es.read_events(self._file("e.xlsx", mutated(random, (self.book,))))

    def study_file(self, random: Random) -> object:
        return studyfile.read(self._file("s.toml", mutated(random, TOML)))

    def saved_result(self, random: Random) -> object:
        return es.read_result(self._file("x.result", mutated(random, (self.saved,))))

    def french(self, random: Random) -> object:
        return es.read_french(self._file("f.csv", mutated(random, FRENCH)))

    def formula(self, random: Random) -> object:
        text = mutated(random, FORMULAS).decode("utf-8", "replace")
        return _result().regress(text)

    def stored(self, random: Random) -> object:
        file = random.choice(sorted(path for path in self.stored_at.rglob("*") if path.is_file()))
        before = file.read_bytes()
        damaged = bytearray(before)
        damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
        file.write_bytes(damaged)
        try:
            return [bars.fields["close"].sum() for bars in es.read_prices(self.stored_at).bars.values()]
        finally:
            file.write_bytes(before)

    def frame(self, random: Random) -> object:
        return es.Prices.from_frame(changed(random, CLOSES.iloc[:4, :3]))

    def frame_of_anything(self, random: Random) -> object:
        return es.Prices.from_frame(value(random), value(random))

    def returns(self, random: Random) -> object:
        return es.Prices.from_returns(changed(random, CLOSES.iloc[:4, :3].pct_change(fill_method=None)))

    def event_frame(self, random: Random) -> object:
        return es.Events.from_frame(changed(random, EVENT_ROWS))

    def event_frame_of_anything(self, random: Random) -> object:
        return es.Events.from_frame(value(random))

    def factors(self, random: Random) -> object:
        study = es.Study(**{**PLAIN, "model": es.model("factors", names=["Mkt-RF"], risk_free="RF")})
        return study.run(READ_EVENTS, PRICES, factors=changed(random, FACTORS))

    def choice(self, random: Random) -> object:
        choices = {**PLAIN, **{random.choice(CHOICES): value(random) for _ in range(random.randint(1, 2))}}
        study = es.Study(**choices)
        return study.run(READ_EVENTS, PRICES) if random.random() < 0.1 else study.check(READ_EVENTS, PRICES)

    def run(self, random: Random) -> object:
        arguments: dict[str, Any] = {"events": READ_EVENTS, "prices": PRICES}
        arguments[random.choice(("events", "prices", "factors", "other_news", "progress", "executor"))] = value(random)
        return es.Study(**PLAIN).run(**arguments)

    def source(self, random: Random) -> object:
        name = random.choice(("folder", "store", "parquet", "duckdb", "simulated", "frame", "sql", "nothing"))
        options = {random.choice(("path", "table", "query", "uri", "frame", "seed", "columns")): value(random)}
        return es.fetch_prices(
            random.choice((["T0"], None, value(random))), random.choice(("2021-01-04", value(random))),
            random.choice((None, value(random))), source=name, **options,
        )  # fmt: skip

    def analysis(self, random: Random) -> object:
        name = random.choice(("path", "paths", "diagnose", "compare", "adjust", "band", "plot", "regress", "report"))
        parameters = inspect.signature(getattr(_result(), name)).parameters.values()
        most = sum(parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)
        arguments = [value(random) for _ in range(min(most, random.randint(1, 2)))]
        if name == "report" and isinstance(arguments[0], str):
            arguments = [self.home / "report" / arguments[0][:50].replace("/", "_")]
        try:
            return getattr(_result(), name)(*arguments)
        finally:
            plt.close("all")

    def member(self, random: Random) -> object:
        make = random.choice((es.model, es.test))
        name = random.choice(("market", "dimson", "bmp", "placebo", "factors", value(random)))
        option = random.choice(("leads", "lags", "names", "draws", "seed", "cluster", "nothing"))
        return make(name, **{option: value(random)})

    def wrong_number_of_events(self, random: Random) -> object:
        rows = EVENT_ROWS.iloc[random.sample(range(8), random.randint(0, 8))]
        return es.Study(**PLAIN).run(es.Events.from_frame(rows), PRICES)


HELPERS = ("all", "close")
NAMES = tuple(name for name in vars(Doors) if not name.startswith("_") and name not in HELPERS)
CORPUS = {
    "price_file": CSV, "long_file": (*LONG, *CSV), "manifest": MANIFEST, "event_file": EVENTS, "study_file": TOML,
    "french": FRENCH, "formula": FORMULAS,
}  # fmt: skip
