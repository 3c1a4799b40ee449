"""The figures of a backtest: what was earned, at what risk, at what cost, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from eventstudy.core.bootstrap import block_length, sharpe_ratio, stationary
from eventstudy.display import formats, names
from eventstudy.display.cards import Grid
from eventstudy.prepare.spacing import Spacing

DRAWS = 999
CAPACITY = "capacity"
LEAST = 20  # returns of which a ratio has an interval
WORDS = {
    "n_events": "Events", "n_trades": "Trades", "hit_rate": "Trades with a profit",
    "mean_return": "Mean net return of a trade", "annual_return": "Return a year",
    "volatility": "Volatility a year", "sharpe": "Sharpe ratio", "max_drawdown": "Largest drawdown",
    "turnover": "Turnover a year", "exposure": "Mean exposure", "max_exposure": "Largest exposure", "cost": "Costs",
    "borrow": "Costs of borrowing", "capacity": "Capacity", "placebo_p": "p against drawn dates",
}  # fmt: skip
COUNTS, NUMBERS, SHARES = ("n_events", "n_trades"), ("sharpe", "capacity", "turnover"), ("placebo_p",)


class Ranked(Protocol):
    """The rule on drawn dates, as the figures use it; see ``Placebos``."""

    @property
    def frame(self) -> pd.DataFrame:
        """The figures by draw."""

    @property
    def p(self) -> float:
        """The rank of the Sharpe ratio."""


class Earned(Protocol):
    """What was traded and earned, as the figures use it; see ``Trades``."""

    @property
    def frame(self) -> pd.DataFrame:
        """The ledger."""

    @property
    def returns(self) -> pd.Series[float]:
        """The net profit by day."""

    @property
    def positions(self) -> pd.DataFrame:
        """The value of each security by day."""

    @property
    def traded(self) -> pd.Series[float]:
        """The value traded by day."""

    @property
    def drawdown(self) -> pd.Series[float]:
        """The capital less the highest before it."""

    @property
    def seed(self) -> int:
        """The seed of the bootstrap."""

    @property
    def placebos(self) -> Ranked | None:
        """The rule on drawn dates."""


@dataclass(frozen=True)
class Figures:
    """Values by name, intervals of some, notes, and the spacing of the returns by which they are of a year."""

    values: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    notes: Mapping[str, str]
    spacing: Spacing

    def __getitem__(self, name: str) -> float:
        """Return a value."""
        return self.values[name]

    def frame(self) -> pd.DataFrame:
        """Return one row for each figure."""
        none = (float("nan"), float("nan"))
        rows = {
            name: (value, *self.intervals.get(name, none), self.notes.get(name, ""))
            for name, value in self.values.items()
        }
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "lower", "upper", "note"])
        return frame.rename_axis("figure")


def figures(trades: Earned, spacing: Spacing) -> Figures:
    """Return the figures of a backtest; NaN with a note where one cannot be computed."""
    frame, x = trades.frame, np.asarray(trades.returns, dtype=np.float64)
    made = frame[frame["status"].isin(("traded", "open"))]
    n, notes, a_year = len(x), {}, spacing.a_year
    with np.errstate(invalid="ignore"):
        mean = float(x.mean()) if n else np.nan
        deviation = float(x.std(ddof=1)) if n > 1 else np.nan
    exposure = trades.positions.abs().sum(axis=1)
    values = {
        "n_events": float(len(frame)), "n_trades": float(len(made)),
        "hit_rate": float((made["net"] > 0).mean()) if len(made) else np.nan,
        "mean_return": float(made["return"].mean()) if len(made) else np.nan,
        "total": float(x.sum()), "annual_return": a_year * mean, "volatility": np.sqrt(a_year) * deviation,
        "sharpe": float(np.sqrt(a_year) * sharpe_ratio(x)) if n > 1 else np.nan,
        "max_drawdown": float(trades.drawdown.min()) if n else np.nan,
        "turnover": float(a_year * trades.traded.mean()) if n else np.nan,
        "exposure": float(exposure.mean()) if n else np.nan, "max_exposure": float(exposure.max()) if n else np.nan,
        "cost": float(made["cost"].sum()), "borrow": float(made["borrow"].sum()),
    }  # fmt: skip
    for name, (value, note) in _capacities(made).items():
        values[name], notes[name] = value, note
    intervals, notes["sharpe"] = _interval(x, values["sharpe"], trades.seed, spacing)
    if n < 2:
        notes["total"] = "nothing was traded; frame.reason says why"
    if trades.placebos is not None:
        values["placebo_p"] = trades.placebos.p
        known = trades.placebos.frame["sharpe"].dropna()
        notes["placebo_p"] = f"of the Sharpe ratio, among {formats.plural(len(known), 'sample')} of drawn dates"
    return Figures(values, intervals, {name: note for name, note in notes.items() if note}, spacing)


def _interval(x: np.ndarray, sharpe: float, seed: int, spacing: Spacing) -> tuple[dict[str, tuple[float, float]], str]:
    """Return the 95 % interval of the Sharpe ratio of a year, and a note on its blocks or why there is none."""
    rows = f"{spacing.row}s"
    if len(x) < LEAST or not np.isfinite(sharpe):
        few = f"no interval of {formats.plural(len(x), spacing.row)}; {LEAST} {rows} that vary are needed"
        return {}, few if len(x) else ""
    length = block_length(x)
    drawn = np.sqrt(spacing.a_year) * sharpe_ratio(stationary(x, length, DRAWS, seed))
    lower, upper = np.nanquantile(drawn, [0.025, 0.975])
    return {"sharpe": (float(lower), float(upper))}, f"stationary bootstrap, blocks of {length:.1f} {rows}"


def _capacities(made: pd.DataFrame) -> dict[str, tuple[float, str]]:
    """Return the capacity with its note; of entries in several currencies that of each, in its own currency."""
    currency = made["currency"].fillna("")
    several = currency.nunique() > 1
    out = {}
    for code, own in made.groupby(currency, sort=True):
        name = f"{CAPACITY}_{code or 'unknown'}" if several else CAPACITY
        known = own["capacity"].dropna()
        lost = f"; {len(own) - len(known)} entries have no volume" if len(known) < len(own) else ""
        note = f"95 % of the entries are at most 1 % of the value traded in their session{lost}"
        unit = f"{code}; " * bool(code and not several)
        apart = f" ({len(own)} of {len(made)} entries; currency= makes them one)" * several
        out[name] = (float(known.quantile(0.05)), f"{unit}{note}{apart}") if len(known) else (np.nan, "no volumes")
    return out or {CAPACITY: (np.nan, "")}


def base(name: str) -> str:
    """Return the figure of which a name is that of one currency; the name itself of all others."""
    return CAPACITY if name.startswith(f"{CAPACITY}_") else name


def words(name: str, spacing: Spacing) -> str:
    """Return the words of a figure.

    Examples
    --------
    >>> monthly = Spacing(12.0, "monthly")
    >>> words("capacity", monthly), words("capacity_HKD", monthly), words("total", monthly)
    ('Capacity', 'Capacity in HKD', 'Sum of the monthly returns')
    """
    if name == "total":
        return f"Sum of the {spacing.returns}"
    return WORDS[name] if base(name) == name else f"{WORDS[CAPACITY]} in {name.removeprefix(f'{CAPACITY}_')}"


def shown(name: str, value: float) -> str:
    """Return a figure as text.

    Examples
    --------
    >>> shown("hit_rate", 0.5), shown("sharpe", -0.31), shown("capacity", 1234567.0), shown("placebo_p", 0.041)
    ('50.0 %', '−0.31', '1,234,567', '0.041')
    """
    if formats.is_missing(value):
        return formats.MISSING
    if name in COUNTS:
        return formats.count(value)
    if base(name) == CAPACITY:
        return f"{value:,.0f}"
    if name == "placebo_p":
        return formats.p_value(value)
    if name == "sharpe":
        return formats.number(value)
    if name == "turnover":
        return f"{value:.1f} x capital"
    if name in ("hit_rate", "exposure", "max_exposure", "volatility", "cost", "borrow"):
        return f"{formats.number(100.0 * value, 1 if name == 'hit_rate' else 2)} %"
    return formats.percent(value)


def grid(figures: Figures) -> Grid:
    """Return the figures as a table for a card."""
    rows = []
    for name, value in figures.values.items():
        low, high = figures.intervals.get(name, (float("nan"), float("nan")))
        between = ("", "") if np.isnan(low) else (shown(name, low), shown(name, high))
        rows.append((words(name, figures.spacing), shown(name, value), *between))
    return Grid(("", "Value", *names.ends()), rows, (False, True, True, True))


def sentences(figures: Figures, placebos: Ranked | None) -> Iterator[str]:
    """Yield the answer of a backtest: what was earned, how sure it is, and whether it beats drawn dates."""
    n = int(figures["n_trades"])
    if not n:
        yield "No event could be traded."
        return
    yield (
        f"{formats.plural(n, 'trade')} of {formats.plural(int(figures['n_events']), 'event')} earned"
        f" {formats.percent(figures['mean_return'])} of their stake on average after costs"
        f" ({formats.number(100 * figures['hit_rate'], 0)} % with a profit),"
        f" {formats.percent(figures['annual_return'])} of the capital a year."
    )
    interval = figures.intervals.get("sharpe")
    between = f" (95 % interval {formats.number(interval[0])} to {formats.number(interval[1])})" if interval else ""
    yield f"The Sharpe ratio is {formats.number(figures['sharpe'])}{between}."
    if placebos is not None:
        verdict = "more than" if placebos.p < 0.05 else "no more than"
        yield (
            f"That is {verdict} the same rule earns on drawn dates (p {formats.p_value(placebos.p)},"
            f" {formats.plural(len(placebos.frame), 'draw')})."
        )
