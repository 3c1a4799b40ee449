"""Parquet: the CARs, or BHARs, in one file; every other table of the result in a file beside it, with its types."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from eventstudy.display import formats
from eventstudy.reports import _files
from eventstudy.result import Result

ROW_GROUP_SIZE = 2**18
MARK = b"eventstudy"  # a key of each file's metadata, by which a report is recognised


def _write(frame: pd.DataFrame, target: Path, note: str) -> None:
    """Write a frame with its index, so that pandas reads the same types back; the metadata get a mark and the note."""
    objects = [name for name in frame.columns if frame[name].dtype == object]
    table = pa.Table.from_pandas(frame.astype(dict.fromkeys(objects, "str")) if objects else frame)
    marks = {MARK: b"report", **({b"note": note.encode()} if note else {})}
    table = table.replace_schema_metadata({**table.schema.metadata, **marks})
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, target, compression="zstd", row_group_size=ROW_GROUP_SIZE)


class Parquet:
    """The result as Parquet files for further analysis, with all digits of every number."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write ``x.parquet``, ``x_events``, ``_ar``, ``_daily`` and every other frame.

        Parameters
        ----------
        result : Result
        path : path ending in ``.parquet``
            This file is ``Result.cars``; the files beside it are the frames of their names, with their index, and
            ``x_provenance.json`` is the provenance. ``pandas.read_parquet`` returns the frames; the columns of ``_ar``
            are then whole numbers, for other readers text. Sessions are in milliseconds, because Parquet has no
            seconds, and a column of Python objects is written as text.
        """
        target, note = Path(path), formats.prices_note(result)
        frames = {
            "": result.cars, "_events": result.events, "_ar": result.ar, "_daily": result.daily,
            "_by_group": result.by_group, "_tests": result.tests, "_reactions": result.reactions,
            "_attrition": result.attrition,
        }  # fmt: skip
        for suffix, frame in frames.items():
            _write(frame, target.with_name(target.stem + suffix + target.suffix), note)
        provenance = {**({"note": note} if note else {}), **result.provenance}
        text = json.dumps(provenance, indent=1, ensure_ascii=False, default=str)
        _files.write(target.with_name(target.stem + "_provenance.json"), text + "\n")

    def wrote(self, path: Path) -> bool:
        """Return whether a file has the mark of this report, or is its provenance."""
        if path.suffix == ".json":
            return '"eventstudy":' in _files.head(path)
        try:
            return MARK in (pq.read_schema(path).metadata or {})
        except pa.ArrowException:
            return False


REPORT = Parquet()
