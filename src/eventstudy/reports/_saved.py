"""A result in one file: a zip of its frames as Parquet, and of all else as JSON; no code of the file is ever run.

The members are stored without further compression and with one fixed time, so that the same result is the same file.
Columns are written by position, and their names, types and index are in the JSON, because Parquet has neither names
other than text nor every type of pandas. A cell of a column of objects is JSON text.

A reader allocates no more than the file can hold: members are not compressed, columns have no dictionary, and the
number of cells and bytes that they declare is compared with the size of the file.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from eventstudy import arguments
from eventstudy.display.measure import Measure
from eventstudy.errors import InputError, shown
from eventstudy.files import clean, replacing, writing
from eventstudy.reports._objects import back, plain
from eventstudy.result import Result

FORMAT = 1
HEAD = "eventstudy-result.json"  # the first member
FRAMES = tuple(f.name for f in fields(Result) if "DataFrame" in str(f.type))
REMEDY = "make it text or numbers before the study"
WHEN = (1980, 1, 1, 0, 0, 0)
UNPACKED = 1_000  # cells and bytes in memory for each byte of a file, at most
LEAST = 100_000_000  # cells and bytes that a small file may have in any case


def write(result: Result, path: str | Path) -> Path:
    """Write a result to one file; see :meth:`eventstudy.Result.save`."""
    target = Path(arguments.path("the path of the result", path))
    frames = {name: _frame(name, getattr(result, name)) for name in FRAMES}
    head = {
        "format": FORMAT,
        "eventstudy": version("eventstudy-quant"),
        "frames": {name: layout for name, (layout, _) in frames.items()},
        "measure": asdict(result.measure),
        "provenance": plain(result.provenance, str),
    }
    with writing("the result", target):
        target.parent.mkdir(parents=True, exist_ok=True)
        clean(target.parent)
        with replacing(target, is_saved) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
            text = json.dumps(head, ensure_ascii=True, separators=(",", ":"))
            archive.writestr(zipfile.ZipInfo(HEAD, WHEN), text.encode())
            for name, (_, content) in frames.items():
                archive.writestr(zipfile.ZipInfo(f"{name}.parquet", WHEN), content)
    return target


def is_saved(path: Path) -> bool:
    """Return whether a file begins like a saved result."""
    with path.open("rb") as file:
        start = file.read(30 + len(HEAD))
    return start.startswith(b"PK\x03\x04") and start.endswith(HEAD.encode())


def read(path: str | Path) -> Result:
    """Read a result from a file; see :func:`eventstudy.read_result`."""
    source = Path(arguments.path("the path of the result", path))
    try:
        content = source.read_bytes()
    except OSError as error:
        raise InputError(f"the result {source} cannot be read: {error.strerror or error}") from None
    damaged = "it is damaged; save the result again, or take a copy of the file from elsewhere"
    if not content.startswith(b"PK\x03\x04"):
        raise InputError(f"{source} is no result; give a file that result.save(path) has written")
    try:
        members = _members(content)
        head = json.loads(members.pop(HEAD, b"{}"))
    except Exception as error:  # whatever the libraries raise on a file that is not theirs
        raise InputError(f"{source} cannot be read: {damaged} ({type(error).__name__})") from None
    _check_format(source, head)
    try:
        frames: dict[str, Any] = {
            name: _read_frame(head["frames"][name], members[f"{name}.parquet"]) for name in FRAMES
        }
        measure = msgspec.convert(head["measure"], Measure)
        provenance = msgspec.convert(back(head["provenance"]), dict[str, Any])
        return Result(**frames, measure=measure, provenance=provenance)
    except Exception as error:
        raise InputError(f"{source} cannot be read: {damaged} ({type(error).__name__})") from None


def _check_format(source: Path, head: object) -> None:
    """Raise InputError unless the JSON is that of a result in a format that is known."""
    number = head.get("format") if isinstance(head, dict) else None
    if not arguments.is_whole(number):
        raise InputError(f"{source} is no result; give a file that result.save(path) has written")
    if number != FORMAT:
        by = shown(head.get("eventstudy")) if isinstance(head, dict) else ""
        raise InputError(
            f"{source} has format {shown(number)}, written by eventstudy {by}; this version reads format {FORMAT}:"
            " update eventstudy"
        )


def _members(content: bytes) -> dict[str, bytes]:
    """Return the members of a zip that is not compressed, so that they are no longer than the file."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        infos = archive.infolist()
        if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
            raise ValueError("compressed")
        if sum(info.file_size for info in infos) > len(content):
            raise ValueError("members that overlap")
        return {info.filename: archive.read(info) for info in infos}


def _frame(name: str, frame: pd.DataFrame) -> tuple[dict[str, object], bytes]:
    """Return the layout of a frame, and its columns and index as Parquet."""
    index, ranged = frame.index, isinstance(frame.index, pd.RangeIndex)
    series = [frame.iloc[:, at] for at in range(frame.shape[1])] + ([] if ranged else [index.to_series()])
    labels = [f"{name}, column {shown(label)}" for label in frame.columns] + (
        [] if ranged else [f"the index of {name}"]
    )
    columns = [column.reset_index(drop=True) for column in series]
    layout: dict[str, object] = {
        "n": len(frame),
        "columns": _bounds(frame.columns) or plain(list(frame.columns), _refuse(f"the columns of {name}")),
        "columns_name": plain(frame.columns.name, _refuse(f"the columns of {name}")),
        "columns_dtype": str(frame.columns.dtype),
        "dtypes": [_dtype(where, column) for where, column in zip(labels, columns, strict=True)],
        "index": _bounds(index),
        "index_name": plain(index.name, _refuse(f"the index of {name}")),
    }
    content = _parquet([_writable(label, column) for label, column in zip(labels, columns, strict=True)], len(frame))
    if name == "events":  # the one frame with columns of the user, whose types are not known
        _check_same(frame, _read_frame(layout, content))
    return layout, content


def _bounds(index: pd.Index) -> dict[str, int] | None:
    """Return a range as plain numbers; None for another index."""
    is_range = isinstance(index, pd.RangeIndex)
    return {name: int(getattr(index, name)) for name in ("start", "stop", "step")} if is_range else None


def _refuse(where: str) -> Callable[[object], NoReturn]:
    """Return the function that raises InputError for an object that no file can keep."""

    def refuse(value: object) -> NoReturn:
        raise InputError(f"{where}: {shown(value)}, of type {type(value).__name__}, cannot be kept in a file; {REMEDY}")

    return refuse


def _dtype(where: str, column: pd.Series) -> object:
    """Return the type of a column as text; a categorical one with its categories, of which a column may lack some."""
    dtype = column.dtype
    if not isinstance(dtype, pd.CategoricalDtype):
        return str(dtype)
    labels = plain(list(dtype.categories), _refuse(where))
    return {"categories": labels, "of": str(dtype.categories.dtype), "ordered": dtype.ordered}


def _writable(where: str, column: pd.Series) -> pd.Series:
    """Return a column that Parquet has; each object is JSON text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes
    if column.dtype == object:
        return pd.Series([json.dumps(plain(value, _refuse(where))) for value in column], dtype=object)
    try:
        pa.array(column, from_pandas=True)
    except (pa.ArrowException, UnicodeEncodeError) as error:
        raise InputError(f"{where}, of type {column.dtype}, cannot be kept in a file: {error}; {REMEDY}") from None
    return column


def _parquet(columns: Sequence[pd.Series], n: int) -> bytes:
    frame = pd.DataFrame({str(at): column for at, column in enumerate(columns)}, index=pd.RangeIndex(n), copy=False)
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, sink, compression="zstd", use_dictionary=False)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _check_same(frame: pd.DataFrame, again: pd.DataFrame) -> None:
    """Raise InputError if a column would not be the same when it is read."""
    for at, label in enumerate(frame.columns):
        try:
            pd.testing.assert_series_equal(frame.iloc[:, at], again.iloc[:, at], check_exact=True, check_freq=False)
        except AssertionError:
            raise InputError(
                f"events, column {shown(label)}, of type {frame.dtypes.iloc[at]}, cannot be kept in a file as it is;"
                f" {REMEDY}"
            ) from None


def _read_frame(layout: Mapping[str, Any], content: bytes) -> pd.DataFrame:
    """Return a frame from its layout and its Parquet."""
    with pq.ParquetFile(BytesIO(content)) as file:
        _check_size(file.metadata, len(content))
        table = file.read().to_pandas()
    dtypes = layout["dtypes"]
    if len(table) != layout["n"] or len(dtypes) != table.shape[1]:
        raise ValueError("another shape")
    columns = [_column(table[str(at)], dtype) for at, dtype in enumerate(dtypes)]
    bounds, names = layout["index"], layout["columns"]
    index = pd.Index(columns.pop(), copy=False) if bounds is None else pd.RangeIndex(**bounds)
    frame = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(len(table)), copy=False)
    frame.index = index.rename(back(layout["index_name"]))
    is_range = isinstance(names, dict)
    labels = pd.RangeIndex(**names) if is_range else pd.Index(back(names), dtype=layout["columns_dtype"])
    frame.columns = labels.rename(back(layout["columns_name"]))
    return frame


def _check_size(metadata: Any, n_bytes: int) -> None:
    """Raise ValueError if a file declares more than it can hold."""
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    chunks = [group.column(at) for group in groups for at in range(metadata.num_columns)]
    most = max(LEAST, UNPACKED * n_bytes)
    if metadata.num_rows * metadata.num_columns > most or sum(chunk.total_uncompressed_size for chunk in chunks) > most:
        raise ValueError("more than the file can hold")
    if any("DICTIONARY" in encoding for chunk in chunks for encoding in chunk.encodings):
        raise ValueError("a dictionary")


def _column(column: pd.Series, dtype: Any) -> pd.Series:
    """Return a column in the type that it had."""
    if isinstance(dtype, dict):
        categories = pd.Index(back(dtype["categories"]), dtype=dtype["of"])
        return pd.Series(pd.Categorical.from_codes(column.to_numpy(), categories, dtype["ordered"]))
    if dtype == "object":
        return pd.Series([back(json.loads(text)) for text in column], dtype=object)
    if str(column.dtype) == dtype or dtype == "str":  # pandas 2 has texts as objects
        return column
    typed: pd.Series = column.astype(pd.api.types.pandas_dtype(dtype))
    return typed
