"""Prices from one long Parquet data set: a file, or a folder of files with or without hive partitions.

The data set has one row per ticker and date: the columns ticker, date and close, and any of open, high, low, adjusted
(or adj_close), volume, currency and mic; ``columns`` maps other names to these. Dates are of type date, or timestamp at
midnight; prices of any numeric type. Only the row groups that can have the tickers and the dates are read, so sort the
rows by ticker, or partition them by it. For one file per ticker in Yahoo's layout, use the source ``folder``.

>>> import pathlib, tempfile
>>> import pandas as pd
>>> import eventstudy as es
>>> path = pathlib.Path(tempfile.mkdtemp()) / "prices.parquet"
>>> dates = pd.to_datetime(["2021-09-10", "2021-09-13"])
>>> pd.DataFrame({"ticker": "BABA", "date": dates, "close": [168.1, 165.0]}).to_parquet(path)
>>> es.fetch_prices(["BABA"], "2021-09-13", None, source="parquet", path=path).bars["BABA"].fields["close"]
array([165.])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import and_
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from eventstudy import arguments
from eventstudy.bars import Prices, read_tickers
from eventstudy.errors import InputError
from eventstudy.sources._long_table import LongTable, QueryBounds, match_columns
from eventstudy.sources._shared import check_span, check_tickers, provenance, without_paths


@dataclass(frozen=True)
class Parquet:
    """Read a long Parquet data set; tickers and dates are pushed down to its row groups and partitions."""

    def read(
        self,
        tickers: Sequence[str] | None,
        start: str | date | None,
        end: str | date | None,
        *,
        path: str | Path,
        columns: Mapping[str, str] | None = None,
    ) -> Prices:
        """Return the prices of the tickers from start to end, both included.

        Parameters
        ----------
        tickers : sequence of str, or None
            None reads every ticker.
        start, end : ISO text, datetime.date or None
            Both included.
        path : str or Path
            A Parquet file, or a folder with ``.parquet`` files at any depth; ``ticker=BABA/`` in a path is a column.
        columns : mapping from str to str, or None
            The library's names to the data set's, where they differ: ``{"close": "px_last"}``.

        Raises
        ------
        InputError
            When an argument is not valid, a file does not exist or is not Parquet, or a column does not exist or has
            the wrong type.
        BadPrices
            When a ticker has two rows for a date, a price at or below zero, a row without a date or with a time of
            day, or more than one currency or exchange.
        TickerNotFound
            When there is no row of the tickers in the range.

        Examples
        --------
        >>> SOURCE.read(["BABA"], None, None, path="no/such.parquet")
        Traceback (most recent call last):
        eventstudy.errors.InputError: there is no file or folder 'no/such.parquet'; name a long Parquet data set
        """
        names, span = check_tickers(tickers), check_span(start, end)
        where = f"the data set {path}"
        place = Path(arguments.path("path", path))
        files = _files(place)
        try:
            data = _open(files, place)
            matched = match_columns(data.schema, columns, where)
            table = data.to_table(
                columns={name: ds.field(column) for name, column in matched.items()},
                filter=_filter(data.schema, matched, QueryBounds.of(names, span)),
            )
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{where} cannot be read ({' '.join(str(error).split())}); write it again") from None
        rows = LongTable.of(table, span, where)
        bars, problems = read_tickers(names or rows.tickers, rows.bars)
        n_rows = sum(len(series.dates) for series in bars.values())
        details = {"path": place.name, "files": len(files), "rows": n_rows}
        return Prices(bars, without_paths(problems, place.parent), provenance("parquet", span, bars, **details))


SOURCE = Parquet()


def _files(path: Path) -> list[str]:
    if not path.exists():
        raise InputError(f"there is no file or folder {str(path)!r}; name a long Parquet data set")
    if path.is_file():
        return [str(path)]
    files = [str(file) for file in sorted(path.rglob("*.parquet")) if file.is_file() and file.name[0] not in "._"]
    if not files:
        raise InputError(f"the folder {str(path)!r} has no .parquet file; name a long Parquet data set")
    return files


def _open(files: list[str], path: Path) -> ds.Dataset:
    """Open files under one schema with the columns of all of them; partition values are read as text."""
    keys = dict.fromkeys(
        part.split("=", 1)[0] for file in files for part in Path(file).relative_to(path).parts[:-1] if "=" in part
    )
    partitions = pa.schema([(key, pa.string()) for key in keys])
    hive = ds.partitioning(partitions, flavor="hive") if keys else None
    data = ds.dataset(files, format="parquet", partitioning=hive)
    schemas = [fragment.physical_schema.remove_metadata() for fragment in data.get_fragments()]
    schema = pa.unify_schemas([*schemas, partitions], promote_options="permissive")
    return ds.dataset(files, schema=schema, format="parquet", partitioning=hive)


def _filter(schema: pa.Schema, columns: Mapping[str, str], bounds: QueryBounds) -> ds.Expression | None:
    conditions = []
    if bounds.tickers is not None:
        conditions.append(ds.field(columns["ticker"]).isin(pa.array(bounds.tickers, pa.string())))
    dtype, day = schema.field(columns["date"]).type, ds.field(columns["date"])
    if bounds.first:
        conditions.append(day >= _scalar(bounds.first, dtype))
    if bounds.before:
        conditions.append(day < _scalar(bounds.before, dtype))
    return reduce(and_, conditions) if conditions else None


def _scalar(day: date, dtype: pa.DataType) -> pa.Scalar:
    """Return a date, or its midnight, as a scalar of the type of the date column."""
    if pa.types.is_date(dtype):
        return pa.scalar(day, dtype)
    return pa.scalar(datetime(day.year, day.month, day.day)).cast(pa.timestamp(dtype.unit)).cast(dtype)
