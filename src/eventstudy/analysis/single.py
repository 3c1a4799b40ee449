"""One event: its CAR in every window with p-values, what could have been detected, and the price without it."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import special

from eventstudy import arguments
from eventstudy.analysis import evidence
from eventstudy.analysis.figures import drawn
from eventstudy.analysis.paths import path
from eventstudy.core.slopes import run_scars
from eventstudy.display import formats
from eventstudy.display.cards import Grid, Summary
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData, shown
from eventstudy.prepare.returns import is_level, level_of_shares, priced_rows
from eventstudy.types import BarsView, Floats, Rerun, ResultFrames, Window, required

LEVEL, POWER = 0.05, 0.8
SCALE = 0.05  # the standard deviation of effects on returns, if none is stated
COLUMNS = ["start", "end", "n_days", "car", "se", "t", "df", "p", "p_sq", "p_conformal"]


@dataclass(frozen=True, repr=False, eq=False)
class Single:
    """One event in a study, as for a court.

    Attributes
    ----------
    event_id, ticker, session
        The event, and the session of its day 0.
    frame : DataFrame
        One row for each window: start, end, n_days, car, se, t, df, p, p_sq, p_conformal (those of ``Result.cars``),
        detectable (the effect that a two-sided t test at 5 % finds with a power of 80 %), bayes_factor (for an effect,
        against the CARs of other days), bayes_bound (the largest one that the p-value can stand for).
    prices : DataFrame
        Index ``day``; time, price, but_for (the price without the event: that of the day before the window, with the
        expected returns), difference (price - but_for, in currency per share), lower, upper (95 %). Prices are those
        between which the study computes returns, in shares of the last day of the window, whose close they equal.
        Empty if the study has no plain closes, which ``notes`` explain.
    placebo : DataFrame
        start, end, scar: the standardised CARs of the runs of estimation days as long as each window.
    window : (int, int)
        The window of the price line, the first of the study by default.
    scale : float
        The stated standard deviation of effects, in units of the CAR.
    currency : str or None
    notes : tuple of str
    provenance, measure
        Those of the result.
    """

    kind: ClassVar[str] = "single"
    event_id: Hashable
    ticker: str
    session: pd.Timestamp
    frame: pd.DataFrame
    prices: pd.DataFrame
    placebo: pd.DataFrame
    window: Window
    scale: float
    currency: str | None
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]
    measure: Measure

    def __repr__(self) -> str:
        return self._summary().as_text()

    def _repr_html_(self) -> str:
        return self._summary().as_html()

    def row(self, window: Window | None = None) -> dict[str, Any]:
        """Return the numbers of a window, that of the price line by default."""
        start, end = self.window if window is None else window
        own = in_window(self.frame, (start, end))
        return {str(name): value for name, value in own.iloc[0].items()}

    def answer(self) -> str:
        """Return what was found, in at most three sentences."""
        row, text = self.row(), self.measure.text
        name = f"{formats.plain(self.ticker)} on {formats.date(self.session)}"
        if formats.is_missing(row["car"]):
            return f"{name} has no {self.measure.short} over {formats.window(*self.window)}: days of it are missing."
        p = row[first_p(self.frame, self.window)]
        found = (
            f"The {self.measure.full} of {name} over {formats.window(*self.window)} is {text(row['car'])}"
            f" (p {formats.p_value(p)}, Bayes factor {formats.number(row['bayes_factor'], 1)} for an effect)."
        )
        power = (
            f" An effect of {text(row['detectable']).lstrip('+')} would be found with a power of {100 * POWER:.0f} %"
        )
        if not row["car"] or abs(row["car"]) < row["detectable"]:
            power += ": that a smaller one is not significant does not show that there was none"
        found += f"{power}."
        if self.prices.empty or formats.is_missing(self.prices["difference"].get(self.window[1])):
            return found
        last = self.prices.loc[[self.window[1]]].iloc[0].astype(object)
        unit = f" {self.currency}" if self.currency else ""
        return (
            f"{found} Without the event the price would have been {formats.number(last['but_for'])} in place of"
            f" {formats.number(last['price'])}: {formats.signed(last['difference'])}{unit} per share"
            f" (95 % {formats.signed(last['lower'])} to {formats.signed(last['upper'])})."
        )

    def plot(self, **options: Any) -> Any:
        """Draw the price with and without the event, and the CAR among those of other days; see ``plots/_single``."""
        return drawn(self, "_single", "the figure of one event", options)

    def _summary(self) -> Summary:
        p_columns = [name for name in ("p", "p_sq", "p_conformal") if name in self.frame]
        heads = ("Window", self.measure.short, "SE", "t", *p_columns, "Detectable", "Bayes factor", "At most")
        rows = []
        for row in self.frame.to_dict("records"):
            effects = tuple(self.measure.text(row[name]) for name in ("car", "se"))
            factors = tuple(formats.number(row[name], 1) for name in ("bayes_factor", "bayes_bound"))
            ps = tuple(formats.p_value(row[name]) for name in p_columns)
            numbers = (*effects, formats.number(row["t"]), *ps, self.measure.text(row["detectable"]), *factors)
            rows.append((formats.window(row["start"], row["end"]), *(text.lstrip() for text in numbers)))
        note = formats.prices_note(self)
        title = f"{formats.plain(self.ticker)} on {formats.date(self.session)}" + (f", {note}" if note else "")
        table = Grid(heads, rows, (False, *(True,) * (len(heads) - 1)))
        return Summary(title, tables=[table], notes=[self.answer(), *self.notes])


def first_p(frame: pd.DataFrame, window: Window) -> str:
    """Return the column of the first p-value of a window, which does not assume normality where there is one."""
    return formats.first_p(frame, *window)


def single(
    rerun: Rerun, result: ResultFrames, event_id: Hashable | None, window: Window | None, scale: float | None
) -> Single:
    """Return the sheet of one event; see ``Result.single``."""
    event_id = _only(result) if event_id is None else event_id
    if not formats.is_in(result.ar.index, event_id):
        raise InputError(
            f"event {shown(event_id)} has no abnormal returns in this study; result.ar.index lists the events that have"
            " them"
        )
    windows = list(dict.fromkeys(zip(result.cars["start"].tolist(), result.cars["end"].tolist(), strict=True)))
    window = arguments.one_window(window, windows)
    scale = _scale(scale, result.measure)
    event = result.events.loc[[event_id]].iloc[0]
    cars = result.cars[result.cars["event_id"] == event_id]
    frame = cars[[name for name in COLUMNS if name in cars]].reset_index(drop=True)
    quantiles = special.stdtrit(frame["df"], 1 - LEVEL / 2) + special.stdtrit(frame["df"], POWER)
    frame["detectable"] = quantiles * frame["se"]
    plain = rerun if rerun.choices.sign is None else _without_sign(rerun, event_id)
    placebo = pd.concat([_placebo(plain, event_id, pair) for pair in windows])
    frame["bayes_factor"] = [_factor(row, placebo, scale) for row in frame.to_dict("records")]
    ps = [row[first_p(frame, (row["start"], row["end"]))] for row in frame.to_dict("records")]
    frame["bayes_bound"] = [np.nan if formats.is_missing(p) else evidence.bound(float(p)) for p in ps]
    ticker = str(event["ticker"])
    reason = _no_price_line(rerun, result, ticker)
    prices = pd.DataFrame(columns=["time", "price", "but_for", "difference", "lower", "upper"])
    if not reason:
        prices = _price_line(rerun, result, event_id, ticker, window)
    notes = [
        f"The Bayes factor compares effects from a normal distribution with standard deviation"
        f" {result.measure.text(scale).lstrip('+')} with none, against a Student t fitted to the CARs of"
        " the estimation window.",
        *_without_factor(placebo, windows),
        f"No price line: {reason}." if reason else _of_prices(rerun.prices.bars[ticker], window),
    ]
    bars = rerun.prices.bars.get(ticker)
    return Single(
        event_id, ticker, event["session"], frame, prices, placebo.reset_index(drop=True), window, scale,
        None if bars is None else bars.currency, tuple(notes), result.provenance, result.measure,
    )  # fmt: skip


def _only(result: ResultFrames) -> Hashable:
    used = formats.usable_events(result)
    if len(used) != 1:
        raise InputError(
            f"the study has {formats.plural(len(used), 'used event')}; name one, as in result.single('E0001')"
        )
    only: Hashable = used.index[0]
    return only


def _scale(scale: float | None, measure: Measure) -> float:
    if scale is None and not measure.percent:
        raise InputError(
            f"scale is None, and there is no usual size of an effect on {measure.series}; give the standard deviation"
            " of the effects that you expect"
        )
    value = SCALE if scale is None else scale
    if not arguments.is_number(value) or not 0 < value < np.inf:
        raise InputError(f"scale is {shown(scale)}; give a standard deviation of effects above 0, such as 0.05")
    return float(value)


def _without_sign(rerun: Rerun, event_id: Hashable) -> Rerun:
    """Return the study of one event alone: states of a study with signs have none of the events without one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)  # the study has issued them
        alone = rerun.result(events=rerun.events.loc[[event_id]], choices={"sign": None, "group": None})
    again: Rerun = required(getattr(alone, "rerun", None))
    return again


def _placebo(rerun: Rerun, event_id: Hashable, window: Window) -> pd.DataFrame:
    """Return the standardised CARs of the runs of estimation days that are as long as the window."""
    state = rerun.outcome(windows=[window], events=[event_id], tests={}, extra={"runs": run_scars}).extra.get(
        "runs", {}
    )
    if not state:
        raise NotEnoughData(f"event {shown(event_id)} could not be estimated again")
    scar = np.asarray(state["scar"].values)[0]
    return pd.DataFrame({"start": window[0], "end": window[1], "scar": scar[np.isfinite(scar)]})


def _factor(row: Mapping[Hashable, Any], placebo: pd.DataFrame, scale: float) -> float:
    own: Floats = placebo["scar"][(placebo["start"] == row["start"]) & (placebo["end"] == row["end"])].to_numpy()
    fitted = evidence.fit(own)
    if fitted is None or formats.is_missing(row["t"]):
        return np.nan
    return evidence.bayes_factor(float(row["t"]), scale / float(row["se"]), fitted)


def _without_factor(placebo: pd.DataFrame, windows: Sequence[Window]) -> list[str]:
    """Say which windows have too few runs of estimation days for a Bayes factor."""
    n_runs = {window: len(in_window(placebo, window)) for window in windows}
    few = [f"{formats.window(*window)} {n}" for window, n in n_runs.items() if n < evidence.FEWEST]
    if not few:
        return []
    return [
        f"No Bayes factor: {evidence.FEWEST} runs of the estimation window are needed to fit the distribution;"
        f" there are of {', of '.join(few)}."
    ]


def _no_price_line(rerun: Rerun, result: ResultFrames, ticker: str) -> str:
    """Return why there is no price line; empty if there is one."""
    choices = rerun.choices
    if not result.measure.of_returns or choices.outcome != "return":
        return f"the study measures {result.measure.full}, and not returns"
    if choices.price != "close":
        return f"the study measures day 0 to the {choices.price}"
    if choices.currency is not None:
        return f"its returns are in {choices.currency}, and its prices in the currencies of their exchanges"
    if any(bars.intraday for bars in rerun.prices.bars.values()):
        return "its prices are intraday bars"
    if is_level(rerun.prices.bars[ticker]):
        return "its prices are returns"
    return ""


def _prices(rerun: Rerun, ticker: str, last: np.datetime64) -> pd.Series[float]:
    """Return the prices of the study's returns by date, in shares of the last priced date up to ``last``."""
    bars, contradictory = rerun.prices.bars[ticker], rerun.choices.contradictory
    known = priced_rows(bars, contradictory)
    row = known[max(int(np.searchsorted(bars.dates[known], last, side="right")) - 1, 0)]
    return pd.Series(level_of_shares(bars, contradictory, int(row)), pd.DatetimeIndex(bars.dates)).dropna()


def _of_prices(bars: BarsView, window: Window) -> str:
    """Say what the prices of the price line are."""
    if "adjusted" not in bars.fields:
        return "The prices are the closes of the study, adjusted as they are."
    by = "compounded from the stated returns" if "return" in bars.fields else "adjusted for splits and dividends"
    return f"The prices are those of the study's returns, {by}, in shares of day {window[1]}, whose close they equal."


def _price_line(
    rerun: Rerun, result: ResultFrames, event_id: Hashable, ticker: str, window: Window
) -> pd.DataFrame:  # fmt: skip
    """Compound the expected returns over the window from the price before it; other days keep their returns."""
    days, since = path(rerun, result, event_id, None), path(rerun, result, event_id, window[0])
    series = _prices(rerun, ticker, days["time"].loc[: window[1]].to_numpy().max())
    price = days["time"].map(series)
    before = series[series.index < days["time"].iloc[0]]
    start = before.iloc[-1] if len(before) else np.nan
    filled = price.ffill().fillna(start)
    growth = (filled / filled.shift(fill_value=start)).fillna(1.0)
    inside = (days.index >= window[0]) & (days.index <= window[1])
    ar = days["ar"].where(inside).fillna(0.0)
    expected = growth * np.exp(-ar) if rerun.choices.returns == "log" else growth - ar
    base = filled.iloc[0] / growth.iloc[0]
    but_for = (base * expected.cumprod()).where(price.notna()).where(days.index >= window[0], price)
    df = float(result.cars.loc[result.cars["event_id"] == event_id, "df"].iloc[0])
    se = since["se"].reindex(days.index).where(inside).ffill().fillna(0.0)
    margin = se * but_for * float(special.stdtrit(df, 1 - LEVEL / 2))
    difference = price - but_for
    return pd.DataFrame(
        {"time": days["time"], "price": price, "but_for": but_for, "difference": difference,
         "lower": difference - margin, "upper": difference + margin},
    )  # fmt: skip
