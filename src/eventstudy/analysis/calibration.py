"""Size and power of a study's tests on dates drawn from the histories of its securities (Brown & Warner 1980, 1985)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis.figures import drawn
from eventstudy.core.draws import ShockedModel
from eventstudy.core.nulls import binomial_interval
from eventstudy.display import formats, names
from eventstudy.display.cards import Grid, Summary
from eventstudy.display.measure import Measure
from eventstudy.errors import InputError, NotEnoughData, shown
from eventstudy.types import Rerun, ResultFrames


@dataclass(frozen=True, repr=False, eq=False)
class Calibration:
    """Rejection rates of tests on drawn dates.

    Attributes
    ----------
    frame : DataFrame
        shock, start, end, test, n_draws, rejection, lower, upper: the rate with its 95 % binomial interval (Clopper &
        Pearson 1934), over the draws in which the test is defined.
    level : float
        The nominal level of the tests.
    provenance : mapping
        The prices and settings of the study, the seed and the number of draws.
    measure : Measure
        The measure of the study.
    """

    frame: pd.DataFrame
    level: float
    provenance: Mapping[str, Any]
    measure: Measure

    def __repr__(self) -> str:
        note = self.provenance["prices"].get("note")
        lower_head, upper_head = names.ends()
        lines = [
            f"Rejections at {self.level:.0%} on drawn dates, {self.provenance['draws']} samples a shock"
            + (f" ({note})" if note else ""),
            f"{'window':<10}{'test':<20}{'shock':>9}{'rejected':>10}{lower_head:>9}{upper_head:>9}",
        ]
        for row in self.frame.sort_values(["start", "end", "test", "shock"]).to_dict("records"):
            window = f"({row['start']}, {row['end']})"
            rate, lower, upper = _shares(row)
            shock = self.measure.shock(row["shock"])
            lines.append(f"{window:<10}{row['test']:<20}{shock:>9}{rate:>10}{lower:>9}{upper:>9}")
        return formats.terminal("\n".join(map(str.rstrip, lines)))

    def _repr_html_(self) -> str:
        note = self.provenance["prices"].get("note")
        title = f"Rejections at {self.level:.0%} on drawn dates, {self.provenance['draws']} samples a shock"
        rows = [
            (formats.window(row["start"], row["end"]), formats.plain(row["test"]), self.measure.shock(row["shock"]),
             *_shares(row))
            for row in self.frame.sort_values(["start", "end", "test", "shock"]).to_dict("records")
        ]  # fmt: skip
        heads = ("Window", "Test", "Shock", "Rejected", *names.ends())
        table = Grid(heads, rows, (False, False, True, True, True, True))
        return Summary(f"{title} ({note})" if note else title, tables=[table]).as_html()

    def plot(self, **options: Any) -> Any:
        """Draw the power curves, one line for each test, with intervals of a ``level``, and return the axes."""
        return drawn(self, "_power", "the figure of power", options)


def _shares(row: Mapping[Hashable, Any]) -> tuple[str, str, str]:
    """Return the rejection rate and its interval in per cent."""
    rate, lower, upper = (
        formats.MISSING if formats.is_missing(row[name]) else f"{row[name]:.1%}"
        for name in ("rejection", "lower", "upper")
    )
    return rate, lower, upper


def calibrate(
    rerun: Rerun, result: ResultFrames, draws: int, shocks: Sequence[float], level: float, seed: int | None
) -> Calibration:
    """Run the study on drawn dates, once for each shock, and count rejections; see ``Result.calibrate``.

    Raises
    ------
    InputError
        If ``draws``, a shock or ``level`` is not valid.
    NotEnoughData
        If no event can be placed on another date of the histories.
    """
    draws, level = arguments.whole("draws", draws, 20, arguments.MOST_DRAWS), arguments.share("level", level)
    seed = None if seed is None else arguments.whole("seed", seed)
    shocks = _numbers(shocks)
    tests, choices = rerun.tests(), rerun.choices
    drawing = [name for name, test in tests.items() if test.draws]
    if drawing:
        raise InputError(
            f"test {drawing[0]!r} draws dates itself, and cannot be calibrated on drawn dates; leave it out"
        )
    first, last = choices.event
    if not first <= 0 <= last:
        raise InputError(f"event {choices.event} does not include day 0, the day of the shock; widen it")
    seed = choices.seed if seed is None else seed
    rows = []
    for shock in shocks:
        shocked = ShockedModel(rerun.return_model, float(shock), -first)
        statistics = rerun.null(draws, model=shocked, seed=seed, groups=False)["all"]
        if not statistics:
            raise NotEnoughData(
                "no event fits on another date of the histories; give longer prices or a shorter estimation window"
            )
        for name in tests:
            p = statistics[f"p:{name}"]
            for v, (start, end) in enumerate(choices.windows):
                p_values = p[np.isfinite(p[:, v]), v]
                rows.append((shock, start, end, name, *_rate(int((p_values < level).sum()), len(p_values))))
    columns = ["shock", "start", "end", "test", "n_draws", "rejection", "lower", "upper"]
    record = {name: result.provenance.get(name, {}) for name in ("prices", "settings")}
    return Calibration(
        pd.DataFrame(rows, columns=columns), level, {**record, "draws": draws, "seed": seed}, result.measure
    )


def _numbers(shocks: object) -> tuple[float, ...]:
    """Return the shocks, each of which is a finite number."""
    is_list = (isinstance(shocks, Sequence) and not isinstance(shocks, str | bytes | bytearray)) or (
        isinstance(shocks, np.ndarray) and shocks.ndim == 1
    )
    sizes = tuple(shocks) if is_list else ()  # type: ignore[arg-type]
    if not sizes or not all(map(arguments.is_number, sizes)):
        raise InputError(f"shocks is {shown(shocks)}; give decimal returns in a list, such as (0.0, 0.01, 0.02)")
    return tuple(map(float, sizes))


def _rate(hits: int, n: int) -> tuple[int, float, float, float]:
    """Return n, the rate, and its exact 95 % interval; NaN without draws."""
    if n == 0:
        return n, np.nan, np.nan, np.nan
    lower, upper = binomial_interval(np.array(float(hits)), np.array(float(n)))
    return n, hits / n, float(lower), float(upper)
