"""The design of a study, hashed before prices are read, and what of it was changed afterwards.

The file beside the study file has the design in clear, so that it can be compared, with its SHA-256 and the time. It
shows what was planned; it cannot show that nobody looked at prices before, and its time is that of the author's own
clock. Whoever wants to prove the time deposits the hash with others: in a commit that is pushed, a registry such as
OSF, or a time stamp of RFC 3161.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pandas as pd

from eventstudy import arguments, files, studyfile
from eventstudy.display import formats
from eventstudy.errors import InputError
from eventstudy.members import settings_of
from eventstudy.prepare.events import DERIVED
from eventstudy.result import Result
from eventstudy.run.provenance import fingerprint
from eventstudy.run.settings import as_model, settings

FORMAT = 1
SUFFIX = ".register.json"
NUMBERED = re.compile(r"E\d{4,}(:.*)?")  # the ids of events that have none in their file: the numbers of their rows
MOST = 20  # changes that are named in notes
Design = dict[str, Any]  # JSON


class Registration(msgspec.Struct, forbid_unknown_fields=True):
    """A registered design: when (UTC), its SHA-256, and the design in clear."""

    registered: str
    sha256: str
    design: Design


class _Register(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    registrations: list[Registration]  # the last one holds


class Held(NamedTuple):
    """A study held to its register: the registrations, and what differs now from the last and from the first one."""

    registrations: tuple[Registration, ...]
    changed: tuple[str, ...]
    since_first: tuple[str, ...]

    def record(self) -> dict[str, object]:
        """Return the record for the provenance of a result."""
        *earlier, last = self.registrations
        record: dict[str, object] = {"registered": last.registered, "sha256": last.sha256, "changed": [*self.changed]}
        if earlier:
            record["earlier"] = [{"registered": each.registered, "sha256": each.sha256} for each in earlier]
            record["changed_since_first"] = [*self.since_first]
        return record

    def notes(self) -> Iterator[str]:
        """Yield what a report must say beside its headline: every change, and earlier registrations."""
        *earlier, last = self.registrations
        if self.changed:
            yield f"changed since the registration of {_time(last)}: {_listed(self.changed)}"
        if earlier:
            since = _listed(self.since_first) or "nothing"
            times = ", ".join(map(_time, earlier))
            yield f"the study was registered before, on {times}; changed since the first registration: {since}"


def path_of(study: str | Path) -> Path:
    """Return the path of the register of a study file, beside it.

    Examples
    --------
    >>> path_of("study.toml").name
    'study.register.json'
    """
    return Path(study).with_suffix(SUFFIX)


def design(study: str | Path) -> Design:
    """Return the design of a study file as plain values; no price is read.

    Comments, the order of keys and rows, and choices that state their default make no difference.

    Returns
    -------
    dict
        ``eventstudy`` (the version), ``choices`` (all, with the options of models and tests), ``events`` (by id, or by
        ticker and announcement where the file has no ids: all cells as text), ``factors`` (a hash, or None),
        ``prices`` (the source and its options), ``tickers`` and ``span`` (the dates that the windows can reach).
    """
    file = studyfile.read(study)
    choices = {**settings(file.study), "model": settings_of(as_model(file.study.model))}
    options = dict(file.options)
    if isinstance(options.get("path"), Path):
        options["path"] = _beside(Path(study), options["path"])
    found: Design = {
        "eventstudy": version("eventstudy-quant"),
        "choices": choices,
        "events": _events(file.events.frame),
        "factors": None if file.factors is None else fingerprint(file.factors),
        "prices": {"source": file.source, **options},
        "tickers": sorted(file.tickers()),
        "span": [str(day) for day in file.span()],
    }
    plain: Design = json.loads(json.dumps(found, default=_plain))
    return plain


def digest(design: Mapping[str, object]) -> str:
    """Return the SHA-256 of the canonical JSON of a design: keys sorted, no blanks, UTF-8.

    Examples
    --------
    >>> digest({"b": 1, "a": [2]}) == hashlib.sha256(b'{"a":[2],"b":1}').hexdigest()
    True
    """
    text = json.dumps(design, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def register(study: str | Path, again: bool = False) -> Registration:
    """Write the register of a study file, ``study.register.json`` beside it, and return the registration.

    Parameters
    ----------
    study : str or Path
    again : bool
        Add a registration to those that the register has; they are kept.

    Raises
    ------
    InputError
        If the study file is not valid, or the study is registered and ``again`` is False.
    OutputError
        If the register cannot be written.
    """
    path = path_of(Path(arguments.path("the study file", study)))
    content = design(study)
    with files.locked(path.parent):  # of two at once the second reads what the first has written
        before = read(path)
        if before and not again:
            raise InputError(
                f"the study was registered on {_time(before[-1])}, in {path}; register it again with --again, which"
                " keeps that registration, and reports name both"
            )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        made = Registration(now, digest(content), content)
        plain = msgspec.to_builtins(_Register(FORMAT, [*before, made]))
        text = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False)
        files.write("the register", path, text.encode() + b"\n")
    return made


def read(path: Path) -> tuple[Registration, ...]:
    """Return the registrations of a register, the last one last; none if there is no file.

    Raises
    ------
    InputError
        If it is no register, or a design is not the one whose hash stands beside it.
    """
    remedy = "put the file back as it was written, or take it away: the study is then not registered"
    try:
        register = msgspec.json.decode(path.read_bytes(), type=_Register)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InputError(f"the register {path} cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:  # also a value of another type
        raise InputError(f"{path} is no register of a study: {error}; {remedy}") from None
    if register.format != FORMAT:
        raise InputError(f"{path} has the format {register.format}, and this version reads {FORMAT}; {remedy}")
    if not register.registrations:
        raise InputError(f"{path} was edited: it has no registration; {remedy}")
    for each in register.registrations:
        if not _is_time(each.registered):
            raise InputError(
                f"{path} was edited: a registration has the time {each.registered!r}, and not one such as"
                f" 2026-01-31T12:00:00+00:00; {remedy}"
            )
        if digest(each.design) != each.sha256:
            raise InputError(
                f"{path} was edited: the design registered on {_time(each)} does not have its SHA-256; {remedy}"
            )
    return tuple(register.registrations)


def held(study: str | Path) -> Held | None:
    """Compare a study file with its register; None if it is not registered."""
    registrations = read(path_of(study))
    if not registrations:
        return None
    now = design(study)
    changed, since_first = (tuple(changes(registrations[at].design, now)) for at in (-1, 0))
    return Held(registrations, changed, since_first)


def stamped(result: Result, holding: Held | None) -> Result:
    """Return a result with the record and the notes of its registration in its provenance, if it has one."""
    if holding is None:
        return result
    notes = [*holding.notes(), *result.provenance["notes"]]
    return replace(result, provenance={**result.provenance, "registration": holding.record(), "notes": notes})


def changes(old: Design, new: Design) -> Iterator[str]:
    """Yield what differs between two designs: each choice, event, option and ticker, old -> new.

    Examples
    --------
    >>> list(changes({"choices": {"model": "market", "seed": 0}}, {"choices": {"model": "mean", "seed": 0}}))
    ["choice model: 'market' -> 'mean'"]
    """
    names = {"choices": "choice", "events": "event", "prices": "prices"}
    for part in dict.fromkeys([*old, *new]):
        a, b = old.get(part), new.get(part)
        if part in names and isinstance(a, dict) and isinstance(b, dict):
            yield from _changes_of(names[part], a, b)
        elif part == "tickers" and isinstance(a, list) and isinstance(b, list):
            yield from (f"ticker {name} added" for name in b if name not in a)
            yield from (f"ticker {name} removed" for name in a if name not in b)
        elif a != b:
            yield f"{part}: {_shown(a)} -> {_shown(b)}"


def _changes_of(what: str, old: Design, new: Design) -> Iterator[str]:
    for key in dict.fromkeys([*old, *new]):
        a, b = old.get(key), new.get(key)
        if a == b and (key in old) == (key in new):
            continue
        if key not in old or key not in new:
            yield f"{what} {key} {'added' if key in new else 'removed'}: {_shown(b if key in new else a)}"
        elif what == "event" and isinstance(a, dict) and isinstance(b, dict):
            yield from (
                f"event {key}, {column}: {_shown(a.get(column))} -> {_shown(b.get(column))}"
                for column in dict.fromkeys([*a, *b])
                if a.get(column) != b.get(column)
            )
        else:
            yield f"{what} {key}: {_shown(a)} -> {_shown(b)}"


def _events(frame: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return the cells of each event as text, by event id, or by ticker and announcement where ids are row numbers."""
    numbered = all(NUMBERED.fullmatch(name) for name in frame.index)
    found: dict[str, list[dict[str, str]]] = {}
    table = frame.drop(columns=[*DERIVED])
    for event_id, row in zip(table.index, table.to_dict("records"), strict=True):
        if row["cluster"] == event_id.partition(":")[0] and (numbered or row["cluster"] == event_id):
            del row["cluster"]  # that of an event that states none is its id
        cells = {str(name): _cell(value) for name, value in row.items() if not formats.is_missing(value)}
        key = f"{cells['ticker']} {cells['announced']}" if numbered else event_id
        found.setdefault(key, []).append(cells)
    return {
        key if at == 0 else f"{key} #{at + 1}": cells
        for key, rows in found.items()
        for at, cells in enumerate(sorted(rows, key=lambda cells: sorted(cells.items())))
    }


def _cell(value: object) -> str:
    """Return a cell as text; a whole number is the same where another row made its column one of decimals."""
    return repr(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _beside(study: Path, path: Path) -> str:
    """Return a path as the study file has it, if it is inside the study's folder."""
    inside = path.is_relative_to(study.parent)
    return (path.relative_to(study.parent) if inside else path).as_posix()


def _plain(value: object) -> object:
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


def _is_time(text: str) -> bool:
    """Return whether a text is a time as :func:`register` writes it."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return False
    return time.tzinfo is not None and time.astimezone(UTC).isoformat(timespec="seconds") == text


def _time(registration: Registration) -> str:
    return registration.registered.replace("T", " ").replace("+00:00", " UTC")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {item}" for name, item in sorted(value.items())) + "}"
    return repr(value)


def _listed(changes: tuple[str, ...]) -> str:
    more = len(changes) - MOST
    return "; ".join(changes[:MOST]) + (f"; and {more} more, all in the provenance" if more > 0 else "")
