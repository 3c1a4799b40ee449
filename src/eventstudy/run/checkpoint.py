"""Parts of a study stored as files, named by the hash of their input, so that a run that was cut short goes on.

A file holds arrays alone (NumPy's npz, without pickle). It is written under another name and then renamed, so that a
file with the name of a part is complete; a damaged one is computed anew.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import types
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventstudy.bars import Indexed
from eventstudy.core.parts import PartResult, States, Task
from eventstudy.core.sums import Gathered, Rows
from eventstudy.errors import InputError, ScaleError
from eventstudy.remote import filesystem, is_url

ABOUT = b"""Parts of an event study, each named by the SHA-256 of what it was made from. The same study, run again with
this folder as its checkpoint, takes them from here. All may be deleted; files that end in .part were never finished.
"""
PLAIN = ("rows", "status", "n_est")  # fields of PartResult that are arrays
STATES = ("tests", "shared", "extra")  # fields of PartResult that are states by name


class CheckpointedPart(NamedTuple):
    """A part, whether it was in the checkpoint, and a note on a damaged file."""

    part: PartResult
    resumed: bool
    note: str = ""


def opened(folder: object) -> str:
    """Create the folder, check that it is writable, and return it as text.

    Raises
    ------
    InputError
        When it is neither a path nor a URL.
    ScaleError
        When nothing can be written there.
    """
    if not isinstance(folder, str | os.PathLike) or not os.fspath(folder):
        raise InputError(f"checkpoint is {folder!r}; give a folder, as text or Path, or an fsspec URL")
    place = os.fspath(folder)
    store = _store(place)
    _written(store, place, "README.txt", ABOUT)
    return place


def checkpointed(function: Callable[[Task], PartResult], folder: str, task: Task) -> CheckpointedPart:
    """Return the part that a task makes: from its file, or computed and stored as one."""
    store, name, note = _store(folder), key(task) + ".npz", ""
    data = store.read(name)
    if data is not None:
        try:
            return CheckpointedPart(_unpacked(data, task), True)
        except Exception as flaw:  # a damaged archive raises almost anything
            note = f"the checkpoint's file {name} is damaged, and was computed anew ({flaw})"
    part = function(task)
    _written(store, folder, name, _packed(part))
    return CheckpointedPart(part, False, note)


def _written(store: _Folder | _Remote, folder: str, name: str, data: bytes) -> None:
    try:
        store.write(name, data)
    except OSError as flaw:
        raise ScaleError(
            f"checkpoint {folder!r} cannot be written ({flaw.strerror or flaw}); free space or rights there, or give "
            "another folder, and run again: the parts that are whole are not computed anew"
        ) from flaw


class _Folder:
    """Files of a folder, each there whole or not at all."""

    def __init__(self, place: str) -> None:
        self._path = Path(place)

    def read(self, name: str) -> bytes | None:
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        aside = self._path / f"{name}.{uuid.uuid4().hex}.part"
        try:
            with aside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, self._path / name)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise


class _Remote:
    """The same on any file system that fsspec knows."""

    def __init__(self, place: str) -> None:
        self._fs, self._path = filesystem("checkpoint", place)

    def read(self, name: str) -> bytes | None:
        try:
            return bytes(self._fs.cat_file(f"{self._path}/{name}"))
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        self._fs.makedirs(self._path, exist_ok=True)
        aside = f"{self._path}/{name}.{uuid.uuid4().hex}.part"
        try:
            self._fs.pipe_file(aside, data)
            self._fs.mv(aside, f"{self._path}/{name}")
        except BaseException:
            if self._fs.exists(aside):
                self._fs.rm(aside)
            raise


def _store(place: str) -> _Folder | _Remote:
    return _Remote(place) if is_url(place) else _Folder(place)


def _packed(part: PartResult) -> bytes:
    """Flatten a part to arrays, and a text that says which is which."""
    arrays: list[NDArray[Any]] = []
    names: list[tuple[object, ...]] = []

    def append(values: ArrayLike, *name: object) -> None:
        array = np.asarray(values)
        if array.dtype.hasobject:
            raise InputError(f"{'/'.join(map(str, name))} of the states is no array of numbers, and cannot be kept")
        names.append(name)
        arrays.append(array)

    for field in PLAIN:
        append(getattr(part, field), field)
    for leaf, values in part.singles.items():
        append(values, "singles", leaf)
    for kind, states in zip(STATES, part.states, strict=True):
        for name, state in states.items():
            append(np.empty(0), "state", kind, name)
            for leaf, values in state.items():
                if isinstance(values, Gathered):
                    append(values.values, kind, name, leaf, "gathered")
                elif isinstance(values, Rows):
                    append(values.index, kind, name, leaf, "index", values.size)
                    append(values.values, kind, name, leaf, "rows")
                else:
                    append(values, kind, name, leaf, "sum")
    file = io.BytesIO()
    named: dict[str, Any] = {f"a{k}": array for k, array in enumerate(arrays)}
    np.savez(file, names=np.array(json.dumps(names)), **named)
    return file.getvalue()


def _unpacked(data: bytes, task: Task) -> PartResult:
    """Rebuild a part; raise where it is not complete, or of other events."""
    plain: dict[str, NDArray[Any]] = {}
    singles: dict[str, NDArray[Any]] = {}
    states: dict[str, States] = {kind: {} for kind in STATES}
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        for k, (head, *rest) in enumerate(json.loads(str(archive["names"]))):
            values = archive[f"a{k}"]
            if head in PLAIN:
                plain[head] = values
            elif head == "singles":
                singles[rest[0]] = values
            elif head == "state":
                states[rest[0]][rest[1]] = {}
            else:
                _put_leaf(states[head][rest[0]], values, *rest[1:])
    if not np.array_equal(plain["rows"], task.rows):
        raise ValueError("it has other events")
    return PartResult(
        states["tests"], states["shared"], states["extra"], singles, plain["rows"], plain["status"], plain["n_est"]
    )


def _put_leaf(state: dict[str, Any], values: NDArray[Any], leaf: str, kind: str, size: int = 0) -> None:
    if kind == "gathered":
        state[leaf] = Gathered((values,))
    elif kind == "index":
        state[leaf] = Rows(values, np.empty(0), size)
    elif kind == "rows":
        state[leaf] = Rows(state[leaf].index, values, state[leaf].size)
    else:
        state[leaf] = values


def key(task: Task) -> str:
    """Return the SHA-256 of all that a part depends on: the task's arrays, model, tests and windows, and the code.

    Examples
    --------
    >>> from types import SimpleNamespace as Any
    >>> key(Any(n=1)) == key(Any(n=1)), key(Any(n=1)) == key(Any(n=1.0))
    (True, False)
    """
    digest = hashlib.sha256(code_digest().encode())
    _fed(digest.update, task, ())
    return digest.hexdigest()


@functools.cache
def code_digest() -> str:
    """Return a hash of the library's own code and of NumPy's version: other code may give other numbers."""
    digest = hashlib.sha256(np.__version__.encode())
    for name, code in sorted(_sources(resources.files("eventstudy"), "")):
        digest.update(f"\n{name} {len(code)}\n".encode())
        digest.update(code)
    return digest.hexdigest()


def _sources(folder: Traversable, within: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of Python code with their paths."""
    for item in folder.iterdir():
        if item.is_dir():
            yield from _sources(item, f"{within}{item.name}/")
        elif item.name.endswith(".py"):
            yield within + item.name, item.read_bytes()


def _fed(feed: Callable[[bytes | memoryview], object], thing: object, above: tuple[int, ...]) -> None:
    """Feed an object to a hash by its values; ``above`` are the objects that hold it, for one that holds itself."""
    if id(thing) in above:
        feed(b"again")
        return
    above = (*above, id(thing))
    kind = type(thing)
    feed(f"<{kind.__module__}.{kind.__qualname__}".encode())
    if isinstance(thing, np.ndarray) and not thing.dtype.hasobject:
        feed(f"{thing.dtype.str}{thing.shape}".encode())
        feed(np.ascontiguousarray(thing).view(np.uint8).data if thing.size and thing.ndim else thing.tobytes())
    elif isinstance(thing, str | bytes | int | float | complex | None):
        feed(f"{len(text := repr(thing))}:{text}".encode())
    else:
        for part in _parts(thing):
            _fed(feed, part, above)
    feed(b">")


def _parts(thing: object) -> Sequence[object]:
    """Return what an object consists of."""
    if isinstance(thing, Indexed):
        return thing.content()
    if isinstance(thing, Mapping):
        return [part for pair in thing.items() for part in pair]
    if isinstance(thing, list | tuple | set | frozenset):
        return sorted(thing, key=repr) if isinstance(thing, set | frozenset) else list(thing)
    if isinstance(thing, types.FunctionType):
        cells = [cell.cell_contents for cell in thing.__closure__ or ()]
        return [thing.__module__, thing.__qualname__, thing.__code__, thing.__defaults__, thing.__kwdefaults__, cells]
    if isinstance(thing, types.CodeType):
        return [thing.co_code, thing.co_names, thing.co_consts]
    if isinstance(thing, functools.partial):
        return [thing.func, thing.args, thing.keywords]
    if isinstance(thing, type | types.BuiltinFunctionType | types.ModuleType | np.ufunc):
        return [getattr(thing, "__module__", ""), getattr(thing, "__qualname__", thing.__name__)]
    if is_dataclass(thing):
        return [(field.name, getattr(thing, field.name)) for field in fields(thing)]
    try:
        reduced = thing.__reduce_ex__(4)
    except TypeError as flaw:
        raise InputError(f"a part depends on {thing!r}, which cannot be kept in a checkpoint ({flaw})") from flaw
    return (
        [reduced]
        if isinstance(reduced, str)
        else [part if k < 3 else list(part or ()) for k, part in enumerate(reduced)]
    )
