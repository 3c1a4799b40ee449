"""Data frames as people have them: wide, long or with two levels of columns; pandas, polars or pyarrow.

A frame becomes one :class:`Series` for each ticker; :mod:`eventstudy.bars` makes prices of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from eventstudy.errors import InputError, shown
from eventstudy.tabular.cells import MISSING, NUMBER, parse_dates
from eventstudy.tabular.columns import (
    FIELDS,
    HEADERS,
    LABELS,
    PLAIN,
    VALUES,
    Layout,
    header_key,
    layout_named,
    match_headers,
)
from eventstudy.types import Dates, Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["close", "return"]
ONE_TICKER = ({"open", "high", "low", "close"}, {"close", "adjusted"}, {"close", "volume"})


class Series(NamedTuple):
    """The dates and values of one ticker, with its exchange and currency where the frame has them, or its error."""

    ticker: str
    dates: Dates
    fields: Mapping[str, Floats]
    mic: str | None = None
    currency: str | None = None
    error: InputError | None = None


class Table(NamedTuple):
    """The series of a frame, and the layout in which it is written."""

    series: Sequence[Series]
    layout: Layout = PLAIN


def series_of(frame: object, kind: Kind, what: str) -> Table:
    """Return the series of a frame, ticker by ticker.

    Parameters
    ----------
    frame : pandas, polars or pyarrow frame
    kind : {"close", "return"}
        What a wide frame holds, and what a long one must have.
    what : str
        What the frame is called in errors.

    Raises
    ------
    InputError
        If it is no data frame, or a header, a date or a value is not valid.
    """
    import pandas as pd

    table = as_pandas(frame, what)
    if table.columns.nlevels > 1:
        return Table([*_two_levels(table, what)])
    for header in table.columns:
        if not isinstance(header, str):
            raise InputError(
                f"column {shown(header)} of the {what} is of type {type(header).__name__}; name it by a ticker, as text"
            )
    if table.columns.has_duplicates:
        repeated = list(table.columns[table.columns.duplicated()])[:5]
        raise InputError(f"columns {repeated} repeat in the {what}; keep one column per ticker")
    names = {HEADERS.get(header_key(header)) for header in table.columns}
    by_index = not isinstance(table.index, pd.RangeIndex)  # numbers of rows are no dates
    if "ticker" in names and ("date" in names or by_index) and not _has_ticker_of_that_name(table):
        table = table if "date" in names else table.rename_axis(index="date").reset_index()
        layout = layout_named(None, [str(header) for header in table.columns])
        return Table([*_long(table, kind, what, layout)], layout)
    if any(fields <= names for fields in ONE_TICKER) and not all(map(str.isupper, map(str, table.columns))):
        raise InputError(
            f"the {what} have the columns of one ticker ({', '.join(map(str, table.columns))}) and do not name it; add"
            " a column ticker, or keep the closes and name their column by the ticker"
        )
    if not by_index and "date" in names:
        table = table.set_index(min(_of_key(table, "date"), key=lambda name: table[name].dtype.kind == "f"))
    return Table([*_wide(table, kind, what)])


def _of_key(table: pd.DataFrame, key: str) -> list[str]:
    """Return the columns that may hold the tickers, or the dates, by their headers."""
    return [str(header) for header in table.columns if HEADERS.get(header_key(str(header))) == key]


def _has_ticker_of_that_name(table: pd.DataFrame) -> bool:
    """Return whether the column of tickers, by its header, is the price of a share: RIC is a header and a ticker.

    Tickers are texts, or whole numbers such as PERMNOs, beside a close or a return, and with several dates for one.
    """
    column = table[_of_key(table, "ticker")[0]]
    if not str(column.name).isupper() or column.dtype.kind not in "iuf":
        return False
    values = column.dropna().to_numpy(dtype=np.float64)
    dates = table[name] if (name := next(iter(_of_key(table, "date")), None)) else table.index.to_series()
    one_row_each = dates.is_unique and len(np.unique(values)) > 1
    valued = any({"close", "return"} & {HEADERS.get(header_key(str(header)))} for header in table.columns)
    return bool((values % 1 != 0).any()) or not valued or one_row_each


def as_pandas(frame: object, what: str) -> pd.DataFrame:
    """Return a data frame of any library as one of pandas.

    Raises
    ------
    InputError
        If it is no data frame.
    """
    import narwhals as nw
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        return frame
    try:
        return nw.from_native(frame, eager_only=True).to_pandas()  # type: ignore[call-overload,no-any-return]
    except (TypeError, AttributeError, ValueError):
        pass
    remedy = {"Series": "; use .to_frame() of it", "LazyFrame": "; collect() it"}.get(type(frame).__name__, "")
    raise InputError(
        f"the {what} are of type {type(frame).__name__}; a data frame of pandas, polars or pyarrow is needed{remedy}"
    )


def _wide(table: pd.DataFrame, kind: Kind, what: str) -> Iterator[Series]:
    dates = as_dates(table.index, what)
    dates.setflags(write=False)  # one array for all tickers
    if all(dtype.kind in "fiu" for dtype in table.dtypes):
        values = np.array(table.to_numpy(dtype=np.float64, na_value=np.nan), order="F")  # by column
        values.setflags(write=False)
        for at, ticker in enumerate(table.columns):
            yield Series(ticker, dates, {kind: values[:, at]})
        return
    for at, ticker in enumerate(table.columns):
        try:
            yield Series(ticker, dates, {kind: numbers(table.iloc[:, at], what)})
        except InputError as error:
            yield Series(ticker, dates, {}, error=error)


def _long(table: pd.DataFrame, kind: Kind, what: str, layout: Layout) -> Iterator[Series]:
    import pandas as pd

    headers = [str(header) for header in table.columns]
    positions = match_headers(headers, layout.columns, f"the frame of {what}", ("ticker", "date", kind))
    tickers = table.iloc[:, positions["ticker"]]
    if tickers.isna().any():
        row = tickers.index[tickers.isna()][0]
        raise InputError(f"row {shown(row)} of the {what} has no ticker; give every row its ticker")
    whole = pd.api.types.is_float_dtype(tickers.dtype) and bool((tickers % 1 == 0).all())  # PERMNOs, once with a gap
    codes, labels = pd.factorize((tickers.astype("int64") if whole else tickers).astype(str).str.strip())
    parsed: _Rows | None
    try:
        parsed = _rows(table, positions, what, layout)
    except InputError:  # in some tickers, which are found below
        parsed = None
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(labels) + 1))
    for code, ticker in enumerate(map(str, labels)):
        rows = order[bounds[code] : bounds[code + 1]]
        try:
            texts = {
                name: one_text(table.iloc[rows, positions[name]], f"{name} of {ticker}", f"the {what}")
                for name in LABELS
                if name in positions
            }
            its = _rows(table.iloc[rows], positions, what, layout) if parsed is None else parsed.take(rows)
            by_date = np.argsort(its.dates, kind="stable")
            yield Series(ticker, *its.take(by_date), texts.get("mic"), texts.get("currency"))
        except InputError as error:
            yield Series(ticker, np.empty(0, dtype="datetime64[D]"), {}, error=error)


class _Rows(NamedTuple):
    """The dates and values of rows of a long frame."""

    dates: Dates
    fields: Mapping[str, Floats]

    def take(self, rows: Ints) -> _Rows:
        return _Rows(self.dates[rows], {name: values[rows] for name, values in self.fields.items()})


def _rows(table: pd.DataFrame, positions: Mapping[str, int], what: str, layout: Layout) -> _Rows:
    import pandas as pd

    dates = as_dates(pd.Index(table.iloc[:, positions["date"]]), what)
    columns = {name: at for name, at in positions.items() if name in VALUES}
    return _Rows(dates, {name: numbers(table.iloc[:, at], what, layout.missing) for name, at in columns.items()})


def one_text(column: Iterable[object], name: str, where: str) -> str | None:
    """Return the one text of a column; None if it has none.

    Raises
    ------
    InputError
        If there are several.
    """
    texts = sorted({str(value) for value in column if not (value is None or value != value) and str(value)})
    if len(texts) > 1:
        raise InputError(f"{where} has more than one {name}: {', '.join(texts[:5])}; a ticker has one")
    return texts[0] if texts else None


def _two_levels(table: pd.DataFrame, what: str) -> Iterator[Series]:
    """Read columns of (field, ticker) or (ticker, field), as ``yf.download`` gives them."""
    if table.columns.nlevels > 2:
        raise InputError(f"the columns of the {what} have {table.columns.nlevels} levels; at most two are read")
    labels = [table.columns.get_level_values(at).unique() for at in (0, 1)]
    levels = [[FIELDS.get(header_key(str(label))) for label in level] for level in labels]
    # A share may be called as a field is, such as LAST or OPEN: the fields are where most names are those of fields.
    shares = [sum(name is not None for name in names) / len(names) if "close" in names else 0.0 for names in levels]
    known = [at for at, share in enumerate(shares) if share == max(shares) > 0.0]
    if len(known) != 1:
        raise InputError(
            f"the columns of the {what} have two levels, and {'both have' if known else 'none has'} a field Close;"
            " one level names fields as in Close, the other tickers"
        )
    dates = as_dates(table.index, what)
    for ticker, part in table.T.groupby(level=1 - known[0], sort=False):
        part = part.T.droplevel(1 - known[0], axis=1)
        positions = match_headers([str(label) for label in part.columns], None, f"the {what} of {ticker}", ("close",))
        try:
            values = {name: numbers(part.iloc[:, at], what) for name, at in positions.items() if name in VALUES}
        except InputError as error:
            yield Series(str(ticker), dates, {}, error=error)
            continue
        rows = np.any([~np.isnan(values[name]) for name in values if name != "split"], axis=0)
        if not rows.any():  # a ticker without prices, as a failed one of a download
            rows = np.ones(len(rows), dtype=bool)
        yield Series(str(ticker), dates[rows], {name: column[rows] for name, column in values.items()})


def numbers(column: pd.Series, what: str, missing: Sequence[str] = ()) -> Floats:
    """Return a column as doubles, NaN where missing, as a copy; texts mean what they mean in a file.

    ``missing`` has texts that stand for a missing value, beside those of files.

    Raises
    ------
    InputError
        If a value is not a number, such as text, a truth value or a date; the message has its row and column.
    """
    import pandas as pd

    dtype = column.dtype
    if pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_float_dtype(dtype):
        return np.array(column.to_numpy(dtype=np.float64, na_value=np.nan))
    out = np.empty(len(column))
    for at, value in enumerate(column.tolist() if dtype.kind != "M" else column):
        text = value.strip() if isinstance(value, str) else None
        if value is None or value is pd.NA or value is pd.NaT or text in MISSING or text in missing:
            out[at] = np.nan
        elif _is_number(value):
            out[at] = float(value)
        else:
            raise InputError(
                f"the {what} have {shown(value)} ({type(value).__name__}) in column {shown(column.name)}, row"
                f" {str(column.index[at])[:40]}; a value is a number, NaN where it is missing"
            )
    return out


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return NUMBER.fullmatch(value.strip()) is not None
    return isinstance(value, (int, float, Decimal, np.integer, np.floating)) and not isinstance(value, bool)


def as_dates(index: pd.Index, what: str = "prices") -> Dates:
    """Convert the index of a data frame to dates, or to starts of bars in UTC; ``what`` names the frame in errors.

    Time stamps with a zone that lie wholly at midnight there are dates.

    Raises
    ------
    InputError
        If an entry is missing or is not a date, or has a time of day without a time zone.
    """
    import pandas as pd

    if isinstance(index, pd.MultiIndex):
        raise InputError(f"the index of the {what} is of several levels; one level, of dates, is read")
    if bool(index.isna().any()):
        raise InputError(f"the index of the {what} has missing dates; give every row a date")
    if not isinstance(index, pd.DatetimeIndex):
        index = _parsed_index(index, what)
    if index.tz is not None:
        if (index == index.normalize()).all():
            return np.asarray(index.tz_localize(None).to_numpy().astype("datetime64[D]"))
        return np.asarray(index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]"))
    if (index != index.normalize()).any():
        raise InputError(
            f"the dates of the {what} carry times of day and no time zone; for intraday bars add the zone, as in"
            " index.tz_localize('America/New_York'); for one row per session use index.normalize()"
        )
    return np.asarray(index.to_numpy().astype("datetime64[D]"))


def _parsed_index(index: pd.Index, what: str) -> pd.DatetimeIndex:
    """Read dates from text, from objects, or from integers such as 20210913."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        starts = index.to_timestamp()
        days = bool((starts == starts.normalize()).all())  # a month or a week is dated at its last day
        return index.asfreq("D", how="E").to_timestamp() if days else starts
    texts = [_date_text(value) for value in index]
    try:
        dates = parse_dates(f"the index of the {what}", range(1, len(texts) + 1), texts)
    except InputError as error:
        raise InputError(
            f"the {what} are not indexed by dates ({error}); use datetimes or ISO text, as in 2021-09-13"
        ) from None
    parsed = pd.DatetimeIndex(dates)
    return parsed.tz_localize("UTC") if np.datetime_data(dates.dtype)[0] == "s" else parsed


def _date_text(value: object) -> str:
    """Write an entry of an index as text; a time of day at midnight without a zone is a date."""
    import pandas as pd

    if isinstance(value, pd.Timestamp):
        return value.isoformat(sep=" ")
    return str(value)
