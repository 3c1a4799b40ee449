"""Checkpoints: parts of a study stored in files named by the hash of their input, so that a run can be resumed.

A file contains arrays only (NumPy npz, without pickle). It is written under a temporary name and then renamed, so that
a file with the name of a part is complete; the part of a damaged file is computed again.
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
from numpy.typing import ArrayLike

from eventstudy import arguments, files
from eventstudy.bars import Indexed
from eventstudy.core.parts import PartResult, States, Task
from eventstudy.core.sums import Gathered, Rows
from eventstudy.errors import InputError, ScaleError, shown
from eventstudy.remote import filesystem, is_url
from eventstudy.types import StateSum

README = b"""Parts of an event study, each named by the SHA-256 of its input. The same study, run again with this folder
as its checkpoint, reads them from here. All files may be deleted; files and folders that end in .part are incomplete.
"""
ARRAYS = ("rows", "status", "n_est")  # fields of PartResult that are arrays
LIBRARIES = ("builtins", "eventstudy", "numpy", "pandas", "scipy")  # whose classes are not a user's
STATES = ("tests", "shared", "extra")  # fields of PartResult that are states by name


class CheckpointedPart(NamedTuple):
    """A part, whether it was read from the checkpoint, and a note on a damaged file."""

    part: PartResult
    resumed: bool
    note: str = ""


def open_checkpoint(folder: object) -> str:
    """Create the folder, check that it is writable, and return it as text.

    Raises
    ------
    InputError
        If ``folder`` is neither a path nor a URL.
    ScaleError
        If the folder is not writable.
    """
    path = os.fspath(arguments.path("checkpoint", folder, "a folder, as a text or a Path, or an fsspec URL"))
    store = _store(path)
    _write(store, path, "README.txt", README)
    store.clean()
    return path


def checkpointed(function: Callable[[Task], PartResult], folder: str, task: Task) -> CheckpointedPart:
    """Return the part of a task, read from its file, or computed and stored."""
    store, name, note = _store(folder), key(task) + ".npz", ""
    data = store.read(name)
    if data is not None:
        try:
            return CheckpointedPart(_unpack(data, task), True)
        except Exception as error:  # a damaged archive can raise any exception
            note = f"the checkpoint's file {name} is damaged, and its part was computed again ({error})"
    part = function(task)
    _write(store, folder, name, _pack(part))
    return CheckpointedPart(part, False, note)


def _write(store: _Folder | _Remote, folder: str, name: str, data: bytes) -> None:
    try:
        store.write(name, data)
    except OSError as error:
        raise ScaleError(
            f"checkpoint {shown(folder)} cannot be written ({error.strerror or error}); free space or grant write"
            " access, or give another folder, and run again: complete parts are not computed again"
        ) from None


class _Folder:
    """Files of a local folder, written atomically."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def read(self, name: str) -> bytes | None:
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        with files.replacing(self._path / name) as aside:
            aside.write_bytes(data)

    def clean(self) -> None:
        files.clean(self._path)


class _Remote:
    """Files of a folder on a file system of fsspec, written under a temporary name first."""

    def __init__(self, url: str) -> None:
        self._fs, self._path = filesystem("checkpoint", url)

    def read(self, name: str) -> bytes | None:
        try:
            return bytes(self._fs.cat_file(f"{self._path}/{name}"))
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        self._fs.makedirs(self._path, exist_ok=True)
        temporary = f"{self._path}/{name}.{uuid.uuid4().hex}.part"
        try:
            self._fs.pipe_file(temporary, data)
            self._fs.mv(temporary, f"{self._path}/{name}")
        except BaseException:
            if self._fs.exists(temporary):
                self._fs.rm(temporary)
            raise

    def clean(self) -> None:
        """Do nothing: on object storage nothing tells whether the writer of a file is alive."""


def _store(path: str) -> _Folder | _Remote:
    return _Remote(path) if is_url(path) else _Folder(path)


def _pack(part: PartResult) -> bytes:
    """Convert a part to an npz archive of arrays, with a JSON text of their names."""
    arrays: list[np.ndarray] = []
    names: list[tuple[object, ...]] = []

    def append(values: ArrayLike, *name: object) -> None:
        array = np.asarray(values)
        if array.dtype.hasobject:
            raise InputError(
                f"{'/'.join(map(str, name))} of the states is not an array of numbers; a checkpoint cannot store it"
            )
        names.append(name)
        arrays.append(array)

    for field in ARRAYS:
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
    by_name: dict[str, Any] = {f"a{k}": array for k, array in enumerate(arrays)}
    np.savez(file, names=np.array(json.dumps(names)), **by_name)
    return file.getvalue()


def _unpack(data: bytes, task: Task) -> PartResult:
    """Return the part of an archive; raise if it is incomplete, or of other events than the task."""
    arrays: dict[str, np.ndarray] = {}
    singles: dict[str, np.ndarray] = {}
    states: dict[str, States] = {kind: {} for kind in STATES}
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        for k, (head, *path) in enumerate(json.loads(str(archive["names"]))):
            values = archive[f"a{k}"]
            if head in ARRAYS:
                arrays[head] = values
            elif head == "singles":
                singles[path[0]] = values
            elif head == "state":
                states[path[0]][path[1]] = {}
            else:
                _set_leaf(states[head][path[0]], values, *path[1:])
    if not np.array_equal(arrays["rows"], task.rows):
        raise ValueError("it has other events")
    return PartResult(
        states["tests"], states["shared"], states["extra"], singles, arrays["rows"], arrays["status"], arrays["n_est"]
    )


def _set_leaf(state: StateSum, values: np.ndarray, leaf: str, kind: str, size: int = 0) -> None:
    if kind == "gathered":
        state[leaf] = Gathered((values,))
    elif kind == "index":
        state[leaf] = Rows(values, np.empty(0), size)
    elif kind == "rows":
        state[leaf] = Rows(state[leaf].index, values, state[leaf].size)
    else:
        state[leaf] = values


def key(task: object) -> str:
    """Return the SHA-256 of the input of a part: the arrays, model, tests and windows of the task, and the code.

    Any object has one, such as a model and tests, whose methods are hashed too.

    Examples
    --------
    >>> from types import SimpleNamespace as Record
    >>> key(Record(n=1)) == key(Record(n=1)), key(Record(n=1)) == key(Record(n=1.0))
    (True, False)
    """
    digest = hashlib.sha256(code_digest().encode())
    _hash(digest.update, task, ())
    return digest.hexdigest()


@functools.cache
def code_digest() -> str:
    """Return a hash of the code of the library and of the version of NumPy, on which results may depend."""
    digest = hashlib.sha256(np.__version__.encode())
    for name, code in sorted(_sources(resources.files("eventstudy"), "")):
        digest.update(f"\n{name} {len(code)}\n".encode())
        digest.update(code)
    return digest.hexdigest()


def _sources(folder: Traversable, within: str) -> Iterator[tuple[str, bytes]]:
    """Yield the paths and contents of the Python files of a folder."""
    for item in folder.iterdir():
        if item.is_dir():
            yield from _sources(item, f"{within}{item.name}/")
        elif item.name.endswith(".py"):
            yield within + item.name, item.read_bytes()


def _hash(update: Callable[[bytes | memoryview], object], value: object, parents: tuple[int, ...]) -> None:
    """Update a hash with the content of an object; ``parents`` are the ids of its containers, to stop at a cycle."""
    if id(value) in parents:
        update(b"again")
        return
    parents = (*parents, id(value))
    kind = type(value)
    update(f"<{kind.__module__}.{kind.__qualname__}".encode())
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        update(f"{value.dtype.str}{value.shape}".encode())
        update(np.ascontiguousarray(value).view(np.uint8).data if value.size and value.ndim else value.tobytes())
    elif isinstance(value, str | bytes | int | float | complex | None):
        update(f"{len(text := repr(value))}:{text}".encode())
    else:
        for part in (*_methods(kind), *_content(value)):
            _hash(update, part, parents)
    update(b">")


def _content(value: object) -> Sequence[object]:
    """Return the objects that an object consists of."""
    if isinstance(value, Indexed):
        return value.content()
    if isinstance(value, Mapping):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(value, key=repr) if isinstance(value, set | frozenset) else list(value)
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return [value.__module__, value.__qualname__, value.__code__, value.__defaults__, value.__kwdefaults__, cells]
    if isinstance(value, types.CodeType):
        return [value.co_code, value.co_names, value.co_consts]
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, type | types.BuiltinFunctionType | types.ModuleType | np.ufunc):
        return [getattr(value, "__module__", ""), getattr(value, "__qualname__", value.__name__)]
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    try:
        reduced = value.__reduce_ex__(4)
    except TypeError as error:
        raise InputError(
            f"a part depends on {shown(value)}, which cannot be hashed for a checkpoint ({error})"
        ) from error
    return (
        [reduced]
        if isinstance(reduced, str)
        else [part if k < 3 else list(part or ()) for k, part in enumerate(reduced)]
    )


def _methods(kind: type) -> list[object]:
    """Return the methods of a user's class and its bases; the library's code is part of :func:`code_digest`."""
    members = (vars(base) for base in kind.__mro__ if base.__module__.split(".")[0] not in LIBRARIES)
    plain = (getattr(m, "__func__", getattr(m, "fget", m)) for by_name in members for _, m in sorted(by_name.items()))
    return [member for member in plain if isinstance(member, types.FunctionType)]
