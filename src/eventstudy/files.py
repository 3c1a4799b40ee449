"""Files that are written whole or not at all: first aside, then synced to the disk, then moved into place.

A process that is killed leaves the old files, or the new ones, and a folder ``.eventstudy-*.part`` that the next writer
removes. No reader of the library looks into such a folder.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from eventstudy.errors import InputError, OutputError

PREFIX, SUFFIX = ".eventstudy-", ".part"
BEFORE = "before"  # the folder of the old files while several are replaced
ABANDONED = 7 * 24 * 3600  # seconds after which a writer on another machine is taken for dead
HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_open: set[str] = set()  # the names of this process's unfinished folders


@contextmanager
def writing(what: str, path: Path) -> Iterator[None]:
    """Raise OutputError, which names the path and the remedy, where the system refuses to write."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{what} cannot be written to {path}: {error.strerror or error}; free space, grant write access, or name"
            " another place. What was there is unchanged"
        ) from error


@contextmanager
def part(folder: Path) -> Iterator[Path]:
    """Yield a new folder inside a folder, which is created; it is removed at the end, with what is left in it."""
    folder.mkdir(parents=True, exist_ok=True)
    inside = folder / f"{PREFIX}{HOST}-{os.getpid()}-{uuid.uuid4().hex[:12]}{SUFFIX}"
    _open.add(inside.name)
    try:
        inside.mkdir()
        yield inside
    finally:
        shutil.rmtree(inside, ignore_errors=True)
        _open.discard(inside.name)


@contextmanager
def replacing(path: Path, ours: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """Yield a path aside; what is written to it, and beside it, replaces the files of the same names near ``path``.

    If nothing is raised, every file is synced, and existing files are replaced; with ``ours`` only those that are empty
    or for which it returns True. A single file is replaced in one step. Of several, the file ``path`` is taken away
    first and put in place last, so that the files of two writings never stand together with it. A link is replaced, not
    the file that it leads to.

    Raises
    ------
    InputError
        If a name is taken by something else than a file that may be replaced.
    """
    with part(path.parent) as folder:
        check_replaceable(path, ours)  # before the work
        yield folder / path.name
        names = sorted(file.name for file in folder.iterdir() if file.name != path.name)
        for name in (*names, path.name):
            sync(folder / name)
        with locked(path.parent) if names else nullcontext():
            for name in (*names, path.name):
                check_replaceable(path.with_name(name), ours)
            if names:
                _replace_several(folder, path.parent, [*names, path.name])
            else:
                os.replace(folder / path.name, path)
        sync(path.parent)


def write(what: str, path: Path, content: bytes, ours: Callable[[Path], bool] | None = None) -> None:
    """Replace a file by new content, as :func:`replacing` does; raise OutputError if the system refuses.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "x.txt")
    >>> write("the text", file, b"one")
    >>> file.read_bytes()
    b'one'
    """
    with writing(what, path), replacing(path, ours) as aside:
        aside.write_bytes(content)


def clean(folder: Path) -> None:
    """Remove what writers that are dead have left unfinished in a folder, and put back the files they took away."""
    for left in folder.glob(f"{PREFIX}*{SUFFIX}"):
        if left.name not in _open and _is_dead(left):
            with suppress(OSError):
                _restore(left / BEFORE, folder)
            shutil.rmtree(left, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file or, where the system can, the names in a folder are on the disk."""
    if sys.platform == "win32" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if not path.is_dir():  # some file systems cannot sync a folder
            raise
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path, shared: bool = False) -> Iterator[None]:
    """Let one process at a time change a folder, or with ``shared`` any number read it; the lock ends with the process.

    Where the file system has no locks nobody waits. The last writer's index then wins whole, and a file of it that
    another writer has removed is named when it is read.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = None
    try:
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def check_place(what: str, path: Path, ours: Callable[[Path], bool] | None = None) -> None:
    """Check before the work that a file may be written, as far as that can be known.

    Raises
    ------
    InputError
        If a folder of the path is a file, or the path is taken by something that may not be replaced.
    OutputError
        If the folder does not let this process write.
    """
    folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not folder.is_dir():
        raise InputError(f"{what} cannot be written to {path}: {folder} is not a folder; name another place")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"{what} cannot be written to {path}: {folder} is not writable; grant write access, or name another place"
        )
    check_replaceable(path, ours)


def check_replaceable(target: Path, ours: Callable[[Path], bool] | None) -> None:
    """Raise InputError if a path is no file, or a file that may not be replaced."""
    if not os.path.lexists(target):
        return
    try:
        replaceable = not ours or not target.is_file() or not target.stat().st_size or ours(target)
    except FileNotFoundError:  # a link to nothing; or another writer, of several files, has taken it away for a moment
        replaceable = True
    if not target.is_file() and os.path.lexists(target):
        raise InputError(f"{target} is not a file; name another path, or move it away")
    if not replaceable:
        raise InputError(
            f"{target} exists and was not written by an earlier report or call of this kind, so it is not replaced;"
            " name another path, or move it away"
        )


def _replace_several(folder: Path, parent: Path, names: Iterable[str]) -> None:
    """Move new files into place, the last name last; if a move fails, put the old files back."""
    names, before = list(names), folder / BEFORE
    before.mkdir()
    try:
        for name in reversed(names):
            if (parent / name).exists():
                os.replace(parent / name, before / name)
        for name in names:
            os.replace(folder / name, parent / name)
    except OSError:
        _restore(before, parent)
        raise


def _restore(before: Path, parent: Path) -> None:
    """Put old files back, unless all of their names are in use again: then the new files are complete."""
    old = list(before.iterdir()) if before.is_dir() else []
    if any(not (parent / file.name).exists() for file in old):
        for file in old:
            os.replace(file, parent / file.name)


def _is_dead(left: Path) -> bool:
    """Return whether the writer of an unfinished folder, on this or another machine, is no longer running."""
    try:
        if time.time() - left.stat().st_mtime > ABANDONED:
            return True
        host, pid, _ = left.name.removeprefix(PREFIX).split("-")
        if host != HOST or sys.platform == "win32":  # os.kill would end a process there
            return False
        if int(pid) == os.getpid():
            return True  # of an earlier process with this number: it is not among ours
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False
