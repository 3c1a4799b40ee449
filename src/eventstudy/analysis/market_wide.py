"""News that treats everybody: the mean effect and those of exposures, by portfolios on the event days and others."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.typing import NaTType
from scipy import special

from eventstudy import arguments
from eventstudy.analysis.figures import drawn
from eventstudy.core import dummies
from eventstudy.core.nulls import p_t
from eventstudy.core.slopes import column_sizes, independent
from eventstudy.display import formats, names
from eventstudy.display.cards import Grid, Summary
from eventstudy.display.measure import Measure
from eventstudy.errors import InputError, NotEnoughData, shown
from eventstudy.members import label_of
from eventstudy.types import Floats, Ints, Panel, Rerun, ResultFrames, StudySample

MODELS = ("mean", "market")
LEAST_KNOWN = 0.9  # share of the other days on which a firm must have a return
UNUSUAL = 1.96  # standard deviations of the benchmark beyond which it is said to have moved with the news
EFFECT = ["estimate", "se", "df", "p_conformal", "n", "n_dates"]
JOINT = ["start", "end", "date", "n", "f", "df1", "df2", "p", "p_conformal"]
COLUMNS = [
    "start", "end", "date", "term", "estimate", "se", "t", "df", "p", "p_conformal", "lower", "upper", "n", "n_dates",
]  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class MarketWide:
    """The effects of news on a whole market.

    Attributes
    ----------
    frame : DataFrame
        start, end, date (the session; NaT: the mean of all), term ("mean", "constant" or an exposure), estimate, se, t,
        df, p (of t), p_conformal (the rank among days before the event, which assumes no distribution: read it first;
        NaN with fewer than 19 runs of such days), lower, upper (95 %, of t), n (firms), n_dates. Effects are sums of
        abnormal returns, slopes those per unit.
    joint : DataFrame
        start, end, date, n, f, df1, df2, p, p_conformal: the test that no firm has an effect; NaN where the firms are
        too many for the days. F assumes normal returns of constant variance, and rejects far too often on real days;
        p_conformal ranks it among the days before.
    days : int
        The sessions or bars without events, from which variances come.
    benchmark_moved : tuple of str
        The dates on which the benchmark of a market model moved by more than 1.96 of its standard deviations, with its
        move: where it holds treated firms, what they have in common is taken out.
    notes : tuple of str
    provenance, measure
        Those of the result.
    unit : {"session", "bar"}
        What ``days`` counts; a session is a row of the prices, also of weekly or monthly ones.
    """

    kind: ClassVar[str] = "market_wide"
    frame: pd.DataFrame
    joint: pd.DataFrame
    days: int
    benchmark_moved: tuple[str, ...]
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]
    measure: Measure
    unit: str = "session"

    def __repr__(self) -> str:
        return self._summary().as_text()

    def _repr_html_(self) -> str:
        return self._summary().as_html()

    def means(self) -> pd.DataFrame:
        """Return the rows that are means of all dates, or those of the only date."""
        return self.frame[self.frame["date"].isna()] if self.frame["n_dates"].max() > 1 else self.frame

    @staticmethod
    def first_p(row: Mapping[Hashable, Any]) -> float:
        """Return the p-value of a row that is read first: the conformal one, or that of t where there is none."""
        return float(row["p"] if formats.is_missing(row["p_conformal"]) else row["p_conformal"])

    def answer(self) -> str:
        """Return what was found in the first window."""
        rows = self.means()
        first = rows[(rows["start"] == rows["start"].iloc[0]) & (rows["end"] == rows["end"].iloc[0])]
        by_term = {str(row["term"]): row for row in first.to_dict("records")}
        mean = by_term.pop("mean")
        by_term.pop("constant", None)
        text = self.measure.text
        interval = f"{text(mean['lower'])} to {text(mean['upper'])}"
        found = (
            f"The {self.measure.short} {formats.window(mean['start'], mean['end'])} of the mean of"
            f" {formats.plural(int(mean['n']), 'firm')} on {formats.plural(int(mean['n_dates']), 'date')} is"
            f" {text(mean['estimate'])} (95 % {interval}, p {formats.p_value(self.first_p(mean))})."
        )
        slopes = [
            f"{text(row['estimate'])} per unit of {formats.plain(term)} (p {formats.p_value(self.first_p(row))})"
            for term, row in by_term.items()
        ]
        found += f" Exposures add {', '.join(slopes)}." if slopes else ""
        return found + (" The benchmark itself moved with the news: see the notes." if self.benchmark_moved else "")

    def plot(self, **options: Any) -> Any:
        """Draw the estimates of a term date by date, with intervals of a ``level``; see ``plots/_market_wide``."""
        return drawn(self, "_market_wide", "the figure of a market-wide analysis", options)

    def _summary(self) -> Summary:
        rows = []
        for row in self.means().to_dict("records"):
            values = (self.measure.text(row[name]) for name in ("estimate", "se", "lower", "upper"))
            ps = (formats.p_value(row["p"]), formats.p_value(row["p_conformal"]))
            tested = (formats.number(row["t"]), formats.count(row["df"]), *ps)
            rows.append((formats.window(row["start"], row["end"]), formats.plain(row["term"]), *values, *tested))
        heads = ("Window", "Term", "Estimate", "SE", *names.ends(), "t", "df", "p of t", "p")
        note = formats.prices_note(self)
        title = "News of a whole market" + (f", {note}" if note else "")
        table = Grid(heads, rows, (False, False, *(True,) * 8))
        return Summary(title, tables=[table], notes=[self.answer(), *self.notes])


class _Market(NamedTuple):
    """Returns (D, N) of the firms by day of their market, with regressors; ``firms`` and ``dates`` of the events (n,).

    ``ids`` (n,) are the events that are used; ``sessions`` (K,) the days 0.
    """

    r: Floats
    x: Floats
    other: Ints
    firms: Ints
    dates: Ints
    ids: pd.Index
    sessions: Ints
    left_out: tuple[str, ...]


class _Look(NamedTuple):
    """Some dates with their windows (K, 2), the days before them that are ranked, and effects and residuals of firms.

    ``at`` are the dates' numbers, and ``e`` (D, N) residuals of a fit under the null.
    """

    market: _Market
    date: pd.Timestamp | NaTType
    at: list[int]
    windows: Ints
    spans: Ints
    found: dummies.Effects
    e: Floats
    seed: int

    def effect(self, weights: Floats) -> tuple[float, float, int, float, int, int]:
        """Return the values of ``EFFECT`` of portfolios with weights (all dates, N)."""
        own = weights[self.at]
        estimate, se = dummies.portfolio(self.found, own)
        return estimate, se, self.found.df, self._ranked((self.e @ own.T)[..., None]), len(self._firms()), len(self.at)

    def joint(self) -> tuple[int, float, int, int, float, float]:
        """Return n, F, its degrees of freedom, p and the conformal p of the only date."""
        firms = self._firms()
        f, df1, df2, p = dummies.joint(self.found, 0, firms)
        return df1, f, df1, df2, p, self._ranked(dummies.whitened(self.e, firms)[:, None])

    def _firms(self) -> Ints:
        return np.unique(self.market.firms[np.isin(self.market.dates, self.at)])

    def _ranked(self, values: Floats) -> float:
        return dummies.conformal(values, self.market.other, self.windows, self.spans, self.seed)


def _looks(
    market: _Market, days: pd.DatetimeIndex, spans: Ints, window: tuple[int, int], seed: int
) -> Iterator[_Look]:  # fmt: skip
    """Yield each date, and all together if there are several."""
    windows = market.sessions[:, None] + np.array(window)
    found = dummies.effects(market.r, market.x, market.other, windows)
    for k, date in enumerate(days):
        part = found._replace(g=found.g[[k]], scale=found.scale[[k]][:, [k]])
        e = dummies.under_null(market.r, market.x, market.other, windows[[k]])
        yield _Look(market, date, [k], windows[[k]], spans[[k]], part, e, seed)
    if len(days) > 1:
        e = dummies.under_null(market.r, market.x, market.other, windows)
        yield _Look(market, pd.NaT, [*range(len(days))], windows, spans, found, e, seed)


def market_wide(rerun: Rerun, result: ResultFrames, exposure: str | Sequence[str] | None) -> MarketWide:
    """Estimate the effects of the events of a study as those of news on a whole market; see ``Result.market_wide``."""
    model = label_of(rerun.return_model)
    if model not in MODELS:
        raise InputError(f"market_wide is for the models 'mean' and 'market', and the study has {model!r}")
    names = [] if exposure is None else arguments.texts("exposure", exposure, "columns of the events, as 'share'")
    market = _market(rerun, result)
    x = _exposures(result, market.ids, names)
    pairs = list(dict.fromkeys(zip(result.cars["start"].tolist(), result.cars["end"].tolist(), strict=True)))
    sample, rows, joint_rows = rerun.sample(), [], []
    days = pd.DatetimeIndex(sample.event_table.dates_of(_numbers(sample, market)))
    spans = market.sessions[:, None] + np.array(sample.sample.spec.estimation)
    portfolios = list(_portfolios(market, x, names))
    for start, end in pairs:
        looks = list(_looks(market, days, spans, (start, end), rerun.choices.seed))
        rows += [(start, end, look.date, term, *look.effect(w)) for term, w in portfolios for look in looks]
        joint_rows += [(start, end, look.date, *look.joint()) for look in looks if len(look.at) == 1]
    frame = pd.DataFrame(rows, columns=["start", "end", "date", "term", *EFFECT])
    frame["t"] = (frame["estimate"] / frame["se"]).where(frame["se"] > 0)
    frame["p"] = p_t(frame["t"].to_numpy(), frame["df"].to_numpy(dtype=np.float64))
    margin = special.stdtrit(frame["df"], 0.975) * frame["se"]
    frame = frame.assign(lower=frame["estimate"] - margin, upper=frame["estimate"] + margin)[COLUMNS]
    moved = _moves(market, model, days)
    unit = formats.day_unit(result.events["session"])
    notes = tuple(_notes(market, moved, names, unit))
    if result.measure.sign is not None:
        notes += ("Expected signs are not applied: an exposure can hold them.",)
    joint = pd.DataFrame(joint_rows, columns=JOINT)
    return MarketWide(frame, joint, len(market.other), moved, notes, result.provenance, result.measure, unit)


def _numbers(sample: StudySample, market: _Market) -> Ints:
    """Return the numbers of the sessions of the events' days 0."""
    return np.asarray(_only_panel(sample).sessions[market.sessions])


def _only_panel(sample: StudySample) -> Panel:
    """Return the panel of the events; raise InputError if they have several, or one that is not plain returns."""
    used = np.unique(sample.placed.panel)
    panels = [sample.panels[at] for at in used]
    if len(panels) != 1:
        names = ", ".join(_name(sample, at) for at in used) or "none"
        raise InputError(
            f"the events have {len(panels)} markets with benchmarks of their own ({names}); market_wide is for one:"
            " run the study with the events of one exchange and one benchmark"
        )
    panel = panels[0] if isinstance(panels[0], Panel) else panels[0].build()
    if panel.r0 is not None or panel.x.ndim != 2 or sample.placed.own_windows is not None:
        raise InputError(
            "market_wide needs plain returns to the close, one series of each regressor, and the same windows for all"
            " events; leave out the choices price, gaps, suspended, estimation_columns and event_columns"
        )
    return panel


def _name(sample: StudySample, number: int) -> str:
    """Return the exchange of a panel and the benchmark of its events, of those that are known."""
    table, panel = sample.event_table, sample.panels[number]
    first = table.frame.iloc[table.rows[sample.placed.panel == number][0]]
    benchmark = [] if formats.is_missing(first["benchmark"]) else [formats.plain(first["benchmark"])]
    return " with ".join([name for name in (panel.calendar,) if name] + benchmark)


def _market(rerun: Rerun, result: ResultFrames) -> _Market:
    """Return the returns of the firms of the used events, and the days without events."""
    sample = rerun.sample()
    if not len(sample.placed.day):
        raise NotEnoughData("no event could be used")
    panel, spec = _only_panel(sample), sample.sample.spec
    table, placed = sample.event_table, sample.placed
    ids = pd.Index(table.frame.index[table.rows])
    used = ids.isin(formats.usable_events(result).index)
    day, asset = placed.day[used], placed.asset[used]
    if not len(day):
        raise NotEnoughData("no event could be used")
    near = [np.arange(d + min(spec.event[0], 0), d + spec.event[1] + 1) for d in np.unique(day)]
    before = [np.arange(d + spec.estimation[0], d + spec.estimation[1] + 1) for d in np.unique(day)]
    other = np.setdiff1d(np.concatenate(before), np.concatenate(near))
    other = other[(other >= 0) & (other < panel.r.shape[1])]
    in_windows = np.array([[d + spec.event[0], d + spec.event[1]] for d in day])
    complete = [bool(panel.ok[a, first : last + 1].all()) for a, (first, last) in zip(asset, in_windows, strict=True)]
    kept = np.array(complete) & (panel.ok[asset][:, other].mean(axis=1) >= LEAST_KNOWN)
    left_out = tuple(f"{ids[used][at]}" for at in np.flatnonzero(~kept))
    firms, number = np.unique(asset[kept], return_inverse=True)
    other = other[panel.ok[firms][:, other].all(axis=0)]
    if len(other) < spec.min_estimation or not len(firms):
        unit = formats.day_unit(result.events["session"])
        raise NotEnoughData(
            f"{len(other)} {unit}s without events have a return of each of {len(firms)} firms, and min_estimation is"
            f" {spec.min_estimation}; leave out firms with few returns, or lengthen the estimation window"
        )
    x = np.column_stack([np.ones(panel.r.shape[1]), panel.x])
    sessions, dates = np.unique(day[kept], return_inverse=True)
    return _Market(panel.r[firms].T, x, other, number, dates, ids[used][kept], sessions, left_out)


def _exposures(result: ResultFrames, ids: pd.Index, names: Sequence[str]) -> Floats:
    """Return the exposures of the events (n, J)."""
    columns = []
    for name in names:
        if name not in result.events.columns:
            raise InputError(f"exposure is {shown(name)}, which is no column of the events; name one that has numbers")
        values = pd.to_numeric(result.events.loc[ids, name], errors="coerce").to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            at = ids[np.flatnonzero(~np.isfinite(values))[0]]
            raise InputError(f"exposure {shown(name)} of event {shown(at)} is not a number; give one for every event")
        columns.append(values)
    return np.column_stack(columns) if columns else np.empty((len(ids), 0))


def _portfolios(market: _Market, x: Floats, names: Sequence[str]) -> Iterator[tuple[str, Floats]]:
    """Yield the terms with the weights (K, N) of the firms in their portfolios on each date."""
    n_dates, n_firms = len(market.sessions), market.r.shape[1]
    terms = ["mean", *(["constant", *names] if names else [])]
    weights = np.zeros((len(terms), n_dates, n_firms))
    for k in range(n_dates):
        rows = np.flatnonzero(market.dates == k)
        weights[0, k, market.firms[rows]] = 1.0 / len(rows)
        if names:
            design = np.column_stack([np.ones(len(rows)), x[rows]])
            size = column_sizes(design)
            if not independent(design):
                raise NotEnoughData(
                    f"the exposures {', '.join(names)} do not differ enough among the {len(rows)} firms of a date to be"
                    " told from a constant and from each other; leave one out"
                )
            weights[1:, k, market.firms[rows]] = np.linalg.pinv(design / size) / size[:, None]
    yield from zip(terms, weights, strict=True)


def _notes(market: _Market, moved: Sequence[str], names: Sequence[str], unit: str) -> Iterator[str]:
    yield (
        f"Variances are those of the portfolios on {len(market.other)} {unit}s without events, which have every"
        " correlation between the firms in them."
    )
    yield (
        f"p is the conformal p-value, the rank among the {unit}s before each event, and assumes no distribution; t, its"
        " interval and F assume normal returns, and reject more often on real ones."
    )
    if names:
        yield "An exposure is the slope of the abnormal returns across firms, date by date."
    if market.left_out:
        more = f" and {len(market.left_out) - 8} more" if len(market.left_out) > 8 else ""
        listed = ", ".join(map(formats.plain, market.left_out[:8]))
        yield f"Without {formats.plural(len(market.left_out), 'event')} for lack of returns: {listed}{more}."
    if moved:
        yield (
            f"The benchmark itself moved on {', '.join(moved[:8])} (in its standard deviations): where it holds treated"
            " firms, the market model takes out what they have in common. Use model='mean', or a foreign benchmark."
        )


def _moves(market: _Market, model: str, days: pd.DatetimeIndex) -> tuple[str, ...]:
    """Return the dates on which the benchmark moved with the news."""
    if model != "market":
        return ()
    usual = market.x[market.other, 1]
    z = (market.x[market.sessions, 1] - usual.mean()) / usual.std(ddof=1)
    return tuple(f"{day:%Y-%m-%d} ({formats.signed(at)})" for day, at in zip(days, z, strict=True) if abs(at) > UNUSUAL)
