"""Read a study file (TOML): the choices of :class:`eventstudy.Study`, the events and the source of prices."""

from __future__ import annotations

import functools
import hashlib
import json
import operator
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
import pandas as pd

from eventstudy import _registry, arguments
from eventstudy.bars import Prices
from eventstudy.catalogue import catalogue
from eventstudy.credentials import masked_record
from eventstudy.errors import InputError, shown
from eventstudy.members import Member, model, test
from eventstudy.prepare.align import BUILT_IN_COLUMNS
from eventstudy.prepare.events import Events, read_events
from eventstudy.prepare.factors import factor_frame, factor_names
from eventstudy.prepare.french import read_french
from eventstudy.prices import fetch_prices
from eventstudy.study import Study
from eventstudy.types import Choices

MEMORY = ":memory:"  # of DuckDB, no file
PASSWORD = re.compile(r"://[^@]*:[^@]*@|[?&]\w*password=", re.IGNORECASE)
NOT_OF_PRICES = ("start", "end", "attempts", "wait", "timeout", "verify")  # options that do not change a price


def _in_toml(hint: object) -> object:
    """Return the type that a choice has in TOML, which has no null."""
    if get_origin(hint) is Literal:
        return str  # Study checks the values
    if get_origin(hint) in (Union, UnionType):
        parts = [_in_toml(part) for part in get_args(hint) if part is not NoneType]
        return functools.reduce(operator.or_, parts)
    return hint


Options = dict[str, Any]  # of TOML: texts, numbers, lists and tables
MEMBER = str | Options  # a name, or a table of a name and options
CHOICES = {
    **{name: _in_toml(hint) for name, hint in get_type_hints(Choices).items() if name not in ("model", "tests")},
    "model": MEMBER,
    "tests": str | list[MEMBER] | dict[str, MEMBER],
}


class _Catalogue(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    version: str | None = None


_StudyTable = msgspec.defstruct(
    "_StudyTable",
    [
        ("events", str | None, None),
        ("catalogue", str | _Catalogue | None, None),
        ("factors", str | list[str] | None, None),
        *((name, hint | msgspec.UnsetType, msgspec.UNSET) for name, hint in CHOICES.items()),
    ],
    forbid_unknown_fields=True,
    omit_defaults=True,
)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    study: _StudyTable  # type: ignore[valid-type]
    prices: Options


@dataclass(frozen=True, eq=False)
class StudyFile:
    """The content of a study file: choices, events, factors, and the source of prices with its options.

    ``also`` are further tickers, such as peers and exchange rates.
    """

    study: Study
    events: Events
    factors: pd.DataFrame | None
    source: str
    options: Options
    also: tuple[str, ...] = ()

    def tickers(self) -> list[str]:
        """Return the tickers that the study needs: of the events, the benchmarks and the columns of the model."""
        benchmark = self.study.benchmark
        frame = self.events.frame
        names = list(dict.fromkeys(frame["ticker"]))
        if isinstance(benchmark, str):
            names += list(dict.fromkeys(frame[benchmark])) if benchmark in frame.columns else [benchmark]
        elif benchmark is not None:
            names += list(benchmark.values())
        not_tickers = {*BUILT_IN_COLUMNS, *(() if self.factors is None else factor_names(self.factors))}
        names += [c.name for c in self.study.return_model.columns if c.name not in not_tickers]
        return list(dict.fromkeys([*names, *self._peers(), *self.also]))

    def _peers(self) -> list[str]:
        peers = self.study.peers
        if isinstance(peers, str):
            cells = self.events.frame[peers] if peers in self.events.frame.columns else ()
            texts = (cell for cell in cells if isinstance(cell, str))
            return [name.strip() for cell in texts for name in cell.split(";") if name.strip()]
        if isinstance(peers, Mapping):
            return [name for names in peers.values() for name in names]
        return list(peers or ())

    def span(self) -> tuple[date, date]:
        """Return the first and last day that the windows of all events can reach, with a margin for holidays."""
        first, last = self.events.frame["date"].min().date(), self.events.frame["date"].max().date()
        before, after = self.study.estimation[0], self.study.event[1]
        # At 252 sessions a year a session is 1.45 days; three more weeks cover the longest closures.
        return first - timedelta(int(-before * 1.45) + 21), last + timedelta(int(max(after, 0) * 1.45) + 21)

    def dates(self) -> tuple[Any, Any]:
        """Return the first and last date of the prices to fetch, as the study file or its events set them."""
        start, end = self.span()
        if "path" not in self.options:  # a server has no prices of days to come; a file is read the same on any day
            end = min(end, date.today())
        return self.options.get("start", start), self.options.get("end", end)

    def with_prices(self, folder: Path, verify: bool = True) -> StudyFile:
        """Return the study with the prices of a folder or store in place of its source, for the same dates.

        ``verify=False`` reads a folder even if it differs from its lock.
        """
        is_store = _registry.helper("sources", "_stored").is_store(folder)
        options: Options = {name: self.options[name] for name in ("start", "end") if name in self.options}
        options["path"] = folder
        if not verify and not is_store:
            options["verify"] = False
        return replace(self, source="store" if is_store else "folder", options=options)

    def prices(self, tickers: Sequence[str] | None = None) -> Prices:
        """Fetch the prices of some tickers; None fetches all that the study needs."""
        options = {name: value for name, value in self.options.items() if name not in ("start", "end")}
        names = self.tickers() if tickers is None else tickers
        return fetch_prices(names, *self.dates(), source=self.source, **options)

    def request(self) -> str:
        """Return a hash of the source and of the options that determine its prices."""
        options = {name: value for name, value in self.options.items() if name not in NOT_OF_PRICES}
        text = json.dumps([self.source, options], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read(path: str | Path) -> StudyFile:
    """Read a study file; paths in it are relative to it.

    Raises
    ------
    InputError
        If the file does not exist, is not TOML, or has a table, a key or a value that is not valid.
    """
    path = Path(arguments.path("the study file", path))
    content = _content(path)
    choices = {k: v for k, v in msgspec.structs.asdict(content.study).items() if v is not msgspec.UNSET}
    events = _events(path, choices.pop("events"), choices.pop("catalogue"))
    factors = choices.pop("factors")
    if "model" in choices:
        choices["model"] = _member(model, choices["model"])
    if "calendars" in choices:
        choices["calendars"] = {mic: _closes(days) for mic, days in choices["calendars"].items()}
    tests = choices.get("tests")
    if isinstance(tests, list):
        choices["tests"] = [_member(test, entry) for entry in tests]
    elif isinstance(tests, dict):
        choices["tests"] = {label: _member(test, entry) for label, entry in tests.items()}
    frame = None if factors is None else _factors(path.parent, factors)
    source, options, also = _prices(path, content.prices)
    return StudyFile(Study(**choices), events, frame, source, options, also)


def _content(path: Path) -> _File:
    """Return the tables of a study file."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except OSError as error:
        raise InputError(f"the study file {path} cannot be read: {error.strerror}") from None
    except RecursionError:
        raise InputError(f"{path} is not a study file: its values are nested too deeply") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {error}") from None


def _prices(path: Path, table: Options) -> tuple[str, Options, tuple[str, ...]]:
    """Return the source of prices, its options, and the further tickers."""
    options = dict(table)
    source, also = options.pop("source", None), options.pop("also", [])
    if not isinstance(source, str):
        raise InputError(f"{path}: [prices] names no source; give one, such as source = 'yahoo'")
    _check_no_password(path, options)
    if "tickers" in options:
        raise InputError(
            f"{path}: [prices] has tickers, which are those of the events, benchmarks and peers; name further ones in"
            " also = ['HKD=X']"
        )
    if options.get("path", MEMORY) != MEMORY:
        options["path"] = path.parent / arguments.path(f"{path}: path in [prices]", options["path"])
    if not isinstance(also, list) or not all(isinstance(name, str) for name in also):
        raise InputError(f"{path}: also in [prices] is {shown(also)}; give tickers in a list, such as also = ['HKD=X']")
    return source, options, tuple(also)


def _check_no_password(path: Path, options: Options) -> None:
    """Raise InputError for an option with a password or a token: a study file is registered, packed and shared."""
    if PASSWORD.search(str(options.get("uri"))):
        raise InputError(
            f"{path}: the uri of [prices] contains a password; write uri = 'env:EVENTSTUDY_SQL' and put the uri in that"
            " environment variable, or give the password in PGPASSWORD"
        )
    for name, value in options.items():
        if masked_record({name: value}) != {name: value}:
            raise InputError(
                f"{path}: {name} in [prices] contains a password or a token, which a study file must not have, because"
                " it is shared; write 'env:NAME' if the source reads the environment variable NAME in its place"
            )


def _closes(days: Mapping[str, str]) -> dict[str, str | None]:
    """Return the stated days of an exchange; TOML has no null, and writes a closed day as "closed"."""
    return {day: None if close == "closed" else close for day, close in days.items()}


def _member(make: Callable[..., Member], entry: str | Options) -> str | Member:
    """Return a name unchanged, and the model or test of a table with a name and options."""
    if isinstance(entry, str):
        return entry
    options = dict(entry)
    return make(str(options.pop("name", "")), **options)


def _events(path: Path, events: str | None, entry: str | _Catalogue | None) -> Events:
    if events is not None and entry is None:
        return read_events(path.parent / events)
    if events is not None or entry is None:
        raise InputError(
            f"{path}: [study] needs either events = 'file.csv' or catalogue = 'china-tech', or of a version"
            " catalogue = {name = 'china-tech', version = '1'}"
        )
    return catalogue(entry) if isinstance(entry, str) else catalogue(entry.name, entry.version)


def _factors(folder: Path, names: str | list[str]) -> pd.DataFrame:
    """Read decimal factor returns from a CSV file with ISO dates first, or from a list of files of French's library."""
    if isinstance(names, list):
        return read_french(*(folder / name for name in names))
    path = folder / names
    try:
        table = pd.read_csv(path, index_col=False, dtype=str, keep_default_na=False)
        frame = factor_frame(table)
        frame = table.set_index(table.columns[0]) if frame is table else frame
        numbers = frame.map(lambda cell: float(cell) if cell.strip() else np.nan)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the factors in {path} cannot be read: {error}; give ISO dates first, then decimal returns, or a list of"
            " files of Kenneth French's library"
        ) from None
    return numbers
