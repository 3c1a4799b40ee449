"""What in a sample breaks the assumptions of its tests: measured, with what it breaks, what survives, what to do.

The model is run again, for the residuals of the estimation windows are not kept in a result. Every check has one
figure; a check that finds nothing wrong names nothing broken, and one that cannot be made is NaN with its reason.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from eventstudy.analysis.advice import ADVICE, Advice, advice, declared
from eventstudy.core.clustering import clustering_of
from eventstudy.core.sums import Gathered
from eventstudy.display.formats import p_value, plural
from eventstudy.errors import InputError
from eventstudy.types import (
    Abnormal,
    Bools,
    Clustering,
    Floats,
    Ints,
    Model,
    Rerun,
    ResultFrames,
    Scores,
    Spec,
    State,
    StudySample,
)

INFLATION = 0.25  # by which common days may add to the variance of the mean: a 5 % test then rejects 8 %
LEVEL = 0.01  # below which the p of event-induced variance counts
JARQUE_BERA = -2.0 * np.log(0.05)  # its 5 % bound: chi-square with 2 degrees of freedom
MANY = 0.25  # share of events above which a failing that chance gives to 5 % is one of the sample
THIN = 0.20  # share of returns of zero
GAPS = 0.05  # share of days without a return
FEW = 10  # dates
Constituents = Mapping[str, Sequence[str]] | Sequence[str]


class Finding(NamedTuple):
    """What a check found: its figure, the figure in words, and whether something is wrong."""

    figure: float
    value: str
    wrong: bool = False


@dataclass(frozen=True)
class _Fitted:
    """The used events: their row in ``Placed`` (n,), what the model left of each by name (n,), and r of the window."""

    rows: Ints
    leaf: Mapping[str, Floats]
    r: float
    window: tuple[int, int]


def diagnose(rerun: Rerun, result: ResultFrames, constituents: Constituents | None) -> pd.DataFrame:
    """Make every check; see ``Result.diagnose``."""
    _check_constituents(constituents)
    fitted = _fitted(rerun)
    if len(fitted.rows) == 0:
        nothing = Finding(np.nan, "no event could be used")
        return _frame(dict.fromkeys(("clustering", "correlation", *ADVICE), nothing), {})
    sample, model = rerun.sample(), rerun.return_model
    table = sample.event_table
    cluster = clustering_of(table.sessions[table.rows], sample.placed, sample.sample, fitted.rows)
    used = table.frame.iloc[table.rows[fitted.rows]]
    pairs = used.groupby(["ticker", "benchmark"], sort=True).size()
    n_est = sample.sample.spec.n_est
    thin = _thin_trading(fitted) if result.measure.of_returns else Finding(np.nan, "the study is not of returns")
    findings = {
        "clustering": _clustering(cluster),
        "correlation": _correlation(cluster, fitted),
        "contaminated estimation": _others(sample, fitted, slice(0, n_est), "estimation"),
        "confounding events": _others(sample, fitted, slice(n_est, None), "event"),
        "event-induced variance": _induced_variance(fitted),
        "normality": _normality(fitted),
        "autocorrelation": _autocorrelation(fitted),
        "thin trading": thin,
        "missing returns": _missing_returns(fitted),
        "cross-zone benchmark": _cross_zone(sample.other_zone[fitted.rows], model),
        "treated benchmark": _treated(pairs, model, constituents),
        "small sample": _small_sample(cluster),
    }
    return _frame(findings, {**dict.fromkeys(("clustering", "correlation"), _dependence(cluster)), **advice()})


def text(frame: pd.DataFrame, width: int = 100) -> str:
    """Give a diagnosis as text; a line a check, and below what is wrong what it breaks, what survives, what to do.

    Examples
    --------
    >>> row = {"check": "small sample", "figure": 40.0, "value": "40 events on 40 dates"}
    >>> print(text(pd.DataFrame([{**row, "breaks": "", "survives": "", "remedy": ""}])))
      small sample: 40 events on 40 dates
    """
    lines = []
    for row in frame.to_dict("records"):
        mark = "!" if row["breaks"] else " "
        lines += textwrap.wrap(
            f"{row['check']}: {row['value']}", width, initial_indent=f"{mark} ", subsequent_indent=" " * 4
        )
        for name in ("breaks", "survives", "remedy") if row["breaks"] else ():
            lines += textwrap.wrap(f"{name}: {row[name]}", width, initial_indent=" " * 4, subsequent_indent=" " * 6)
    return "\n".join(lines)


def _frame(found: Mapping[str, Finding], advice: Mapping[str, Advice]) -> pd.DataFrame:
    """Put findings and advice side by side; the advice stands only where something is wrong."""
    rows = []
    for check, (figure, value, wrong) in found.items():
        rows.append((check, float(figure), value, *(advice[check] if wrong else Advice())[:3]))
    return pd.DataFrame(rows, columns=["check", "figure", "value", "breaks", "survives", "remedy"])


def _fitted(rerun: Rerun) -> _Fitted:
    """Fit every event again, and keep some numbers of each that can be used."""
    window = rerun.choices.windows[0]
    outcome = rerun.outcome(windows=[window], tests={}, extra={"residuals": _residuals})
    if not outcome.extra.get("residuals"):
        return _Fitted(np.empty(0, dtype=np.int64), {}, np.nan, window)
    leaf = {name: np.asarray(gathered.values) for name, gathered in outcome.extra["residuals"].items()}
    order = np.argsort(leaf["row"], kind="stable")
    leaf = {name: values[order] for name, values in leaf.items()}
    return _Fitted(leaf.pop("row"), leaf, float(outcome.shared["overlap"]["windows"][0, 0]), window)


def _residuals(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    """Return what the checks need of the estimation residuals of each event, (n,)."""
    n_est = abnormal.n_est
    ok = abnormal.ok[:, :n_est]
    n = ok.sum(axis=1)
    e = np.where(ok, abnormal.ar[:, :n_est], 0.0)
    e = np.where(ok, e - (e.sum(axis=1) / n)[:, None], 0.0)
    e /= np.sqrt(_dot(e, e) / n)[:, None]
    e2 = e * e
    skewness, kurtosis = _dot(e2, e) / n, _dot(e2, e2) / n
    both = ok[:, 1:] & ok[:, :-1]
    scale = np.sqrt(_dot(e2[:, 1:], both) * _dot(e2[:, :-1], both))
    spare = abnormal.dof > 2
    variance = np.where(spare, abnormal.dof / np.where(spare, abnormal.dof - 2.0, 1.0), np.nan)
    leaves = {
        "row": abnormal.block.id,
        "n": n.astype(np.float64),
        "jarque_bera": n / 6.0 * (skewness**2 + (kurtosis - 3.0) ** 2 / 4.0),
        "rho": np.divide(_dot(e[:, 1:], e[:, :-1]), scale, out=np.full(len(n), np.nan), where=scale > 0),
        "zeros": ((abnormal.block.r[:, :n_est] == 0) & ok).sum(axis=1).astype(np.float64),
        "lacking": (~ok).sum(axis=1).astype(np.float64),
        "lacking_event": (~abnormal.ok[:, n_est:]).sum(axis=1).astype(np.float64),
        "days": np.full(len(n), float(abnormal.ar.shape[1])),
        "scar": np.where(scores.ok[:, 0], scores.z[:, 0], np.nan) / np.sqrt(variance),
    }
    return {name: Gathered((values,)) for name, values in leaves.items()}


def _dot(a: Floats, b: Floats | Bools) -> Floats:
    return np.asarray(np.einsum("nl,nl->n", a, b))


def _dependence(cluster: Clustering) -> Advice:
    """Name the tests that hold for the clustering of the sample, and those that do not."""
    holding = {"independent": ("independent", "same_day", "overlap"), "same_day": ("same_day", "overlap")}
    survives = {name: test.survives for name, test in declared().items()}
    good = [name for name, its in survives.items() if its in holding.get(cluster.kind, ("overlap",))]
    bad = ", ".join(name for name in survives if name not in good)
    return Advice(
        f"tests that need events without common days reject too often where residuals are correlated: {bad}",
        ", ".join(good),
        'tests="default" takes tests that hold; result.calibrate() measures their size on your own data',
    )


def _clustering(cluster: Clustering) -> Finding:
    on = f"{plural(cluster.n_events, 'event')} on {plural(cluster.n_dates, 'date')}"
    if cluster.n_events < 2:
        return Finding(np.nan, f"{on}: there is no pair")
    value = f"{on}; {cluster.share:.1%} of the pairs share days of their event windows"
    if cluster.n_linked:
        value += f"; {plural(cluster.n_linked, 'pair')} of dates hold the same news on two exchanges"
    return Finding(cluster.share, value, cluster.kind != "independent")


def _correlation(cluster: Clustering, fitted: _Fitted) -> Finding:
    if cluster.n_events < 2:
        return Finding(np.nan, "1 event: there is no pair")
    inflation = 1.0 + (cluster.n_events - 1) * fitted.r
    value = (
        f"mean correlation {fitted.r:.4f} of the residuals, weighted by the common days of {fitted.window}:"
        f" the variance of the mean is {inflation:.2f} times that of independent events"
    )
    return Finding(fitted.r, value, inflation > 1.0 + INFLATION)


def _others(sample: StudySample, fitted: _Fitted, columns: slice, name: str) -> Finding:
    """Count the events that have another session of an event of the same ticker in a window."""
    table, placed, rows = sample.event_table, sample.placed, fitted.rows
    known = ~np.isnat(table.sessions)
    date = table.sessions.astype(np.int64)
    first, last = (np.empty(len(rows), dtype=np.int64) for _ in range(2))
    offsets = sample.sample.spec.offsets[columns]
    for at, panel in enumerate(sample.panels):
        in_panel = placed.panel[rows] == at
        day = placed.day[rows][in_panel]
        first[in_panel], last[in_panel] = panel.sessions[day + offsets[0]], panel.sessions[day + offsets[-1]]
    low, high = date[known].min() - 1, date[known].max() + 1
    ticker = np.unique(table.frame["ticker"].to_numpy(dtype=str), return_inverse=True)[1] * (high - low + 1)
    keys = np.unique((ticker + date - low)[known])  # a duplicate is the same event
    events = table.rows[rows]
    begin, end = (ticker[events] + np.clip(edge, low, high) - low for edge in (first, last))
    others = np.searchsorted(keys, end, side="right") - np.searchsorted(keys, begin, side="left")
    others -= (first <= date[events]) & (date[events] <= last)
    n = int((others > 0).sum())
    value = f"{n} of {plural(len(events), 'event')} have another event of the same ticker in their {name} window"
    return Finding(n, value, n > 0)


def _induced_variance(fitted: _Fitted) -> Finding:
    """Hold the variance of the SCARs, freed of that of their t distribution, to 1; heavy tails raise it too."""
    scar = fitted.leaf["scar"]
    scar = scar[np.isfinite(scar)]
    df = len(scar) - 1
    if df < 1:
        return Finding(
            np.nan, f"{plural(len(scar), 'event')} with a standardised effect over {fitted.window}: 2 are needed"
        )
    variance = float(scar.var(ddof=1))
    p = float(special.chdtrc(df, df * variance))
    value = f"variance {variance:.2f} of the standardised effects over {fitted.window}; 1 is expected (p {p_value(p)})"
    return Finding(variance, value, p < LEVEL)


def _normality(fitted: _Fitted) -> Finding:
    rejected = fitted.leaf["jarque_bera"] > JARQUE_BERA
    value = (
        f"the residuals of {rejected.sum()} of {plural(len(rejected), 'event')} reject normality at 5 % (Jarque-Bera)"
    )
    return Finding(rejected.mean(), value, rejected.mean() > MANY)


def _autocorrelation(fitted: _Fitted) -> Finding:
    known = np.isfinite(fitted.leaf["rho"])
    rho, n = fitted.leaf["rho"][known], fitted.leaf["n"][known]
    if not len(rho):
        return Finding(np.nan, "no estimation window has consecutive days that vary")
    beyond = (np.abs(rho) > 2.0 / np.sqrt(n)).mean()
    value = f"mean {rho.mean():+.3f} from one day to the next; {beyond:.0%} of the events beyond 2/sqrt(days)"
    return Finding(rho.mean(), value, beyond > MANY)


def _thin_trading(fitted: _Fitted) -> Finding:
    zeros, n = fitted.leaf["zeros"], fitted.leaf["n"]
    thin = int((zeros > THIN * n).sum())
    share = zeros.sum() / n.sum()
    value = f"{share:.1%} of the estimation returns are zero; {plural(thin, 'event')} above {THIN:.0%}"
    return Finding(share, value, thin > 0)


def _missing_returns(fitted: _Fitted) -> Finding:
    before, event = fitted.leaf["lacking"], fitted.leaf["lacking_event"]
    share = (before + event).sum() / fitted.leaf["days"].sum()
    lacking = int((event > 0).sum())
    value = f"{share:.1%} of the days have no value; {plural(lacking, 'event')} with such a day in the event window"
    return Finding(share, value, lacking > 0 or share > GAPS)


def _cross_zone(other_zone: Floats, model: Model) -> Finding:
    """Count the events whose benchmark closes in another zone; with a lead of it in the model nothing is wrong."""
    if not _has_benchmark(model):
        return Finding(np.nan, "the model has no benchmark")
    known = other_zone[np.isfinite(other_zone)]
    if not len(known):
        return Finding(np.nan, "the exchanges of securities and benchmarks are not known")
    n = int(known.sum())
    led = any(column.shift > 0 for column in model.columns)
    value = f"the benchmark of {n} of {plural(len(known), 'event')} closes in another time zone"
    return Finding(n, value + ("; the model has a lead of it" if n and led else ""), n > 0 and not led)


def _has_benchmark(model: Model) -> bool:
    return any(column.name == "benchmark" for column in model.columns)


def _check_constituents(given: Constituents | None) -> None:
    lists = [] if given is None else list(given.values()) if isinstance(given, Mapping) else [given]
    if any(isinstance(its, str) or not isinstance(its, Sequence | set | frozenset) for its in lists):
        raise InputError(f"constituents is {given!r}; give tickers, or a mapping from a benchmark to its tickers")


def _treated(pairs: pd.Series[int], model: Model, given: Constituents | None) -> Finding:
    """Count the treated firms that their own benchmark holds."""
    if not _has_benchmark(model):
        return Finding(np.nan, "the model has no benchmark")
    if given is None:
        return Finding(
            np.nan, 'not known: diagnose(constituents={"^HSI": ["0700.HK", ...]}) names what a benchmark holds'
        )
    held = {name: given.get(name) if isinstance(given, Mapping) else given for _, name in pairs.index}
    unknown = [name for name, its in held.items() if its is None]
    if len(unknown) == len(held):
        return Finding(np.nan, f"constituents has nothing of {', '.join(unknown)}")
    firms = {ticker for ticker, name in pairs.index if held[name] is not None}
    inside = sorted(ticker for ticker, name in pairs.index if ticker in (held[name] or ()))
    value = f"{len(inside)} of {plural(len(firms), 'treated firm')} in their own benchmark"
    value += f": {', '.join(inside[:5])}{', ...' if len(inside) > 5 else ''}" if inside else ""
    return Finding(
        len(inside), value + (f"; nothing is known of {', '.join(unknown)}" if unknown else ""), bool(inside)
    )


def _small_sample(cluster: Clustering) -> Finding:
    value = f"{plural(cluster.n_events, 'event')} on {plural(cluster.n_dates, 'date')}"
    return Finding(cluster.n_dates, value, cluster.n_dates < FEW)
