"""What the columns of a table of prices mean: the headers that files, frames and databases use, and vendors' layouts.

Every door that reads a table (folder, long file, data frame, Parquet, DuckDB, SQL) matches its headers here, so that
one header has one meaning wherever it enters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from eventstudy.errors import InputError, did_you_mean, one_of, shown

# Header, as `header_key` writes it -> the library's name.
FIELDS = {
    "close": "close", "last": "close", "px_last": "close", "close_last": "close", "prc": "close", "dlyprc": "close",
    "price_close": "close", "收盘": "close", "收盘价": "close",
    "open": "open", "px_open": "open", "price_open": "open", "openprc": "open", "dlyopen": "open", "开盘": "open",
    "开盘价": "open",
    "high": "high", "px_high": "high", "price_high": "high", "askhi": "high", "dlyhigh": "high", "最高": "high",
    "最高价": "high",
    "low": "low", "px_low": "low", "price_low": "low", "bidlo": "low", "dlylow": "low", "最低": "low", "最低价": "low",
    "volume": "volume", "vol": "volume", "px_volume": "volume", "dlyvol": "volume", "成交量": "volume",
    "adj_close": "adjusted", "adjclose": "adjusted", "adjusted": "adjusted", "adjusted_close": "adjusted",
    "adjustedclose": "adjusted", "close_adj": "adjusted", "close_adjusted": "adjusted", "closeadj": "adjusted",
    "adj_close_price": "adjusted",
    "stock_splits": "split", "split": "split", "splits": "split", "split_factor": "split", "splitfactor": "split",
    "split_coefficient": "split", "split_ratio": "split",
    "return": "return", "ret": "return", "dlyret": "return",
    "retx": "price_return", "dlyretx": "price_return", "cfacpr": "price_divisor", "dlycumfacpr": "price_divisor",
}  # fmt: skip
KEYS = {
    "ticker": "ticker", "symbol": "ticker", "permno": "ticker", "instrument": "ticker", "ric": "ticker",
    "股票代码": "ticker",
    "date": "date", "datetime": "date", "timestamp": "date", "exchange_date": "date", "trade_date": "date",
    "trading_date": "date", "caldt": "date", "dlycaldt": "date", "日期": "date",
}  # fmt: skip
LABELS = {"currency": "currency", "mic": "mic"}
HEADERS = {**KEYS, **FIELDS, **LABELS}
NAMES = tuple(dict.fromkeys(HEADERS.values()))
VALUES = tuple(dict.fromkeys(FIELDS.values()))
INSTEAD = {"close": {"return", "price_return", "adjusted"}, "return": {"price_return"}}
ADJUSTED = re.compile(
    r"(?<!un)adj(?:$|[^a-z]|usted|close|price|prc)|复权|ajust|total.?return|tot_return|cfacpr|ajexdi|cumulative.?split",
    re.IGNORECASE,
)
ADJUSTED_OTHER = re.compile(r"open|high|low|vol", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Parameters
    ----------
    columns : mapping from the library's name to the table's header
        Headers that :data:`HEADERS` does not know, or that mean something else here.
    date_format : str or None
        As ``datetime.strptime`` takes it; None for ISO dates or yyyymmdd.
    decimal : str
    thousands : str or None
    missing : sequence of str
        Texts that stand for a missing value, beside those of :data:`eventstudy.tabular.cells.MISSING`.
    prepare : mapping from the library's name to a function of a text
        Applied to each cell of a column before it is read as a number.
    codes : mapping from the library's name to numbers
        Numbers that stand for a missing value in a column.
    absolute : bool
        Whether the minus sign of a price says that it is the average of bid and ask, and 0 that there is none.
    mic : str or None
        The exchange of identifiers that do not name one.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None
    decimal: str = "."
    thousands: str | None = None
    missing: Sequence[str] = ()
    prepare: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    codes: Mapping[str, Sequence[float]] = field(default_factory=dict)
    absolute: bool = False
    mic: str | None = None

    def with_choices(
        self, columns: Mapping[str, str] | None, date_format: str | None, decimal: str, thousands: str | None
    ) -> Layout:
        """Return the layout with a reader's choices, which take precedence."""
        check_columns(columns)
        return replace(
            self, columns={**self.columns, **(columns or {})}, date_format=date_format or self.date_format,
            decimal=self.decimal if decimal == "." else decimal, thousands=thousands or self.thousands,
        )  # fmt: skip


def _scaled(text: str) -> str:
    """Write a number with the suffix K, M or B without it."""
    powers = {"K": 3, "M": 6, "B": 9}
    return f"{text[:-1]}e{powers[text[-1]]}" if text[-1:] in powers else text


def _without_dollar(text: str) -> str:
    return text.replace("$", "", 1)


_DOLLARS = dict.fromkeys(("open", "high", "low", "close"), _without_dollar)
_NO_RETURN = (-44.0, -55.0, -66.0, -77.0, -88.0, -99.0)

PLAIN = Layout()
LAYOUTS = {
    "yahoo": PLAIN,
    "yfinance": PLAIN,
    # PRC is the average of bid and ask, with a minus sign, where there was no trade; 0 is no price. Letters and numbers
    # below -1 say why there is no return.
    "crsp": Layout(
        {"ticker": "PERMNO"}, missing=("A", "B", "C", "D", "E"),
        codes={"return": _NO_RETURN, "price_return": _NO_RETURN, "volume": (-99.0,)}, absolute=True, mic="XNYS",
    ),
    "investing": Layout({"close": "Price"}, date_format="%m/%d/%Y", thousands=",", prepare={"volume": _scaled}),
    "nasdaq": Layout(date_format="%m/%d/%Y", thousands=",", prepare=_DOLLARS),
    "akshare": PLAIN,
    "eikon": PLAIN,
}  # fmt: skip


def layout_named(name: object, headers: Sequence[str] = ()) -> Layout:
    """Return a layout by name; None is the plain one, or CRSP's if a header is PERMNO, PRC or DlyPrc."""
    keys = {header_key(header) for header in headers}
    if name is None:
        name = "crsp" if keys & {"permno", "prc", "dlyprc"} else "yahoo"
    if not (isinstance(name, str) and name in LAYOUTS):
        raise one_of("layout", name, LAYOUTS)
    layout = LAYOUTS[name]
    return layout if name != "crsp" or "permno" in keys else replace(layout, columns={})


def header_key(header: str) -> str:
    """Write a header without regard to case, blanks, stops and hyphens, or a number in front as in ``4. close``."""
    text = re.sub(r"^\d+\.\s*", "", header.strip().lower())
    return re.sub(r"[\s._\-/]+", "_", text).strip("_")


def check_columns(columns: object) -> None:
    """Raise InputError unless the choice of columns is a mapping, or None."""
    if columns is not None and not isinstance(columns, Mapping):
        raise InputError(f"columns is {shown(columns)}; map our names to the table's, as in {{'close': 'px_last'}}")


def match_headers(
    headers: Sequence[str], columns: Mapping[str, str] | None, where: str, required: Iterable[str] = ()
) -> dict[str, int]:
    """Return the position of the column for each of the library's names.

    Parameters
    ----------
    headers : sequence of str
    columns : mapping from the library's name to a header, or None
        Takes precedence over :data:`HEADERS`.
    where : str
        What the table is called in errors.
    required : iterable of str
        Names that must be there; ``close`` may be replaced by ``return``, ``price_return`` or ``adjusted``, and
        ``return`` by ``price_return``.

    Raises
    ------
    InputError
        If a required column is missing, two columns have one meaning, or a header looks like an adjusted price and is
        not known.
    """
    positions = _chosen(headers, columns, where)
    chosen = set(positions)
    for position, header in enumerate(headers):
        name = HEADERS.get(header_key(header))
        if name is None or name in chosen or position in positions.values():
            continue
        if name in positions:
            raise InputError(
                f"{where} has two columns for {name}: {shown(headers[positions[name]])} and {shown(header)}; keep one,"
                f" or say which it is, columns={{{name!r}: ...}}"
            )
        positions[name] = position
    _refuse_unknown_adjustment(headers, positions, where)
    for name in required:
        if name not in positions and not INSTEAD.get(name, set()) & set(positions):
            wide = "" if name == "date" else "; a table of dates by tickers is read by es.Prices.from_frame"
            raise InputError(
                f"{where} has no column {name}; {listed(headers)}; say which it is, columns={{{name!r}: ...}}{wide}"
            )
    return positions


def _chosen(headers: Sequence[str], columns: Mapping[str, str] | None, where: str) -> dict[str, int]:
    check_columns(columns)
    positions = {}
    for name, header in (columns or {}).items():
        if name not in NAMES:
            raise one_of("a key of columns", name, NAMES)
        if not isinstance(header, str):
            raise InputError(f"columns[{name!r}] is {shown(header)}; give the header of a column of the table, as text")
        same = [at for at, other in enumerate(headers) if header_key(other) == header_key(header)]
        if header not in headers and len(same) != 1:
            hint = did_you_mean(header, headers)
            raise InputError(f"{where} has no column {shown(header)} for {name}; {listed(headers)}{hint}")
        positions[name] = headers.index(header) if header in headers else same[0]
    return positions


def _refuse_unknown_adjustment(headers: Sequence[str], positions: Mapping[str, int], where: str) -> None:
    """Refuse an adjusted price under an unknown name: without it a split would be taken for a return."""
    if {"adjusted", "return", "price_return", "price_divisor"} & set(positions):
        return
    for position, header in enumerate(headers):
        if position in positions.values() or ADJUSTED_OTHER.search(header):
            continue
        if ADJUSTED.search(header):
            raise InputError(
                f"{where} has a column {shown(header)}, which looks like an adjusted price or an adjustment and is not"
                f" known by that name; if it is the adjusted close, say columns={{'adjusted': {shown(header)}}}, else"
                " adjust the prices, or give returns (RET), and remove it"
            )


def listed(headers: Sequence[str]) -> str:
    """List the headers of a table in an error, at most twelve."""
    more = f" and {len(headers) - 12} more" if len(headers) > 12 else ""
    return f"its columns are {', '.join(str(header)[:40] for header in headers[:12])}{more}"
