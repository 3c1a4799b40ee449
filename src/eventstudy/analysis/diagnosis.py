"""Diagnosis of a sample: violations of the assumptions of its tests, the tests that remain valid, and what to do.

The model is run again, because a result does not store the residuals of the estimation windows. Each check has one
figure, which is NaN, with a reason, if the check cannot be made.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.analysis.advice import ADVICE, Advice, advice, library_tests
from eventstudy.analysis.findings import (
    Finding,
    agreement,
    common_shock,
    expected_signs,
    few_clusters,
    shared_days,
    skewed_returns,
    unlinked_news,
)
from eventstudy.core import residuals as before_events
from eventstudy.core.clustering import clustering_of
from eventstudy.core.slopes import variance_of_runs
from eventstudy.core.sums import Gathered, mean_and_sd
from eventstudy.display.formats import p_value, plural
from eventstudy.errors import InputError, shown
from eventstudy.prepare.spacing import row_of
from eventstudy.run.validity import THIN, Situation
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

INFLATION = 0.25  # tolerated increase of the variance by what days have in common: a 5 % test then rejects 8 %
LEVEL = 0.01  # level of the test of event-induced variance
JARQUE_BERA = -2.0 * np.log(0.05)  # 5 % critical value: chi-square with 2 degrees of freedom
MANY = 0.25  # tolerated share of events that reject at 5 %
GAPS = 0.05  # tolerated share of days without a return
Constituents = Mapping[str, Sequence[str]] | Sequence[str]


@dataclass(frozen=True)
class Residuals:
    """The used events: row in ``Placed`` (n,), statistics by name (n,), and mean correlation r in the window.

    ``effects`` is the shared state of that name, and ``all`` what is known of the residuals of all events; ``before``
    (J,) are the variances across events of their standardised sums, over the J runs of estimation days that are as long
    as the window; ``unit`` is what a row of the prices is, as "day".
    """

    rows: Ints
    leaf: Mapping[str, Floats]
    before: Floats
    effects: Mapping[str, Floats]
    all: before_events.Residuals
    r: float
    window: tuple[int, int]
    unit: str = "day"


def diagnose(rerun: Rerun, result: ResultFrames, constituents: Constituents | None) -> pd.DataFrame:
    """Run all checks; see ``Result.diagnose``."""
    _check_constituents(constituents)
    residuals = run_again(rerun)
    if len(residuals.rows) == 0:
        nothing = Finding(np.nan, "no event could be used")
        return _frame(dict.fromkeys(("clustering", "correlation", *ADVICE), nothing), {})
    sample, model = rerun.sample(), rerun.return_model
    table = sample.event_table
    cluster = clustering_of(table.sessions[table.rows], sample.placed, sample.sample, residuals.rows)
    used = table.frame.iloc[table.rows[residuals.rows]]
    pairs = used.groupby(["ticker", "benchmark"], sort=True).size()
    used_events = result.events.loc[result.events.index.intersection(used.index)]
    n_est = sample.sample.spec.n_est
    thin = _thin_trading(residuals) if result.measure.of_returns else Finding(np.nan, "the study is not of returns")
    findings = {
        "clustering": shared_days(cluster),
        "correlation": _correlation(cluster, residuals),
        "contaminated estimation": _other_events(sample, residuals, slice(0, n_est), "estimation"),
        "confounding events": _other_events(sample, residuals, slice(n_est, None), "event"),
        "implausible prices": _implausible(used),
        "event-induced variance": _induced_variance(residuals),
        "common shock": common_shock(residuals.effects),
        "normality": _normality(residuals),
        "skewed returns": skewed_returns(_situation(residuals, cluster)),
        "autocorrelation": _autocorrelation(residuals),
        "thin trading": thin,
        "missing returns": _missing_returns(residuals),
        "cross-zone benchmark": _cross_zone(sample.other_zone[residuals.rows], model),
        "treated benchmark": _treated(pairs, model, constituents),
        "expected signs": expected_signs(used_events, rerun.choices.sign),
        "unlinked news": unlinked_news(sample, residuals.rows),
        "long window": _long_window(sample, residuals.rows),
        "small sample": few_clusters(cluster),
        "agreement of tests": agreement(result.tests),
    }
    depending = dict.fromkeys(("clustering", "correlation"), _dependence(cluster))
    return _frame(findings, depending | advice(), residuals.unit)


def text(frame: pd.DataFrame, width: int = 100) -> str:
    """Return a diagnosis as text: one line for each check, and below it the advice if an assumption is violated.

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


def _frame(findings: Mapping[str, Finding], advice: Mapping[str, Advice], row: str = "day") -> pd.DataFrame:
    """Return findings with advice, empty unless an assumption is violated; the texts say days for the study's rows."""
    rows = []
    for check, (figure, value, wrong) in findings.items():
        texts = (value, *(advice[check] if wrong else Advice())[:3])
        rows.append((check, float(figure), *(re.sub(r"\bday(s?)\b", rf"{row}\1", text) for text in texts)))
    return pd.DataFrame(rows, columns=["check", "figure", "value", "breaks", "survives", "remedy"])


def run_again(rerun: Rerun) -> Residuals:
    """Fit every event again, and return statistics of the residuals of the used events."""
    window = rerun.choices.windows[0]
    extra = {"residuals": _residual_statistics, "all": before_events.chunk}
    outcome = rerun.outcome(windows=[window], tests={}, extra=extra)
    [together] = before_events.finalize(outcome.extra.get("all", {}), 1)
    if not outcome.extra.get("residuals"):
        return Residuals(np.empty(0, dtype=np.int64), {}, np.empty(0), {}, together, np.nan, window)
    state = dict(outcome.extra["residuals"])
    n, z, z2 = (state.pop(f"runs_{name}") for name in ("n", "z", "z2"))
    leaf = {name: np.asarray(gathered.values) for name, gathered in state.items()}
    order = np.argsort(leaf["row"], kind="stable")
    leaf = {name: values[order] for name, values in leaf.items()}
    before = mean_and_sd(n[n > 1], z[n > 1], z2[n > 1])[1] ** 2
    before, effects = before[np.isfinite(before)], outcome.shared["effects"]
    r = float(outcome.shared["overlap"]["windows"][0, 0])
    return Residuals(leaf.pop("row"), leaf, before, effects, together, r, window, row_of(rerun.sample()))


def _residual_statistics(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    """Return the statistics of each event that the checks use, (n,), mostly of its estimation residuals."""
    n_est = abnormal.n_est
    ok = abnormal.ok[:, :n_est]
    n = ok.sum(axis=1)
    e = np.where(ok, abnormal.ar[:, :n_est], 0.0)
    e = np.where(ok, e - (e.sum(axis=1) / n)[:, None], 0.0)
    e /= np.sqrt(_dot(e, e) / n)[:, None]
    e2 = e * e
    skewness, kurtosis = _dot(e2, e) / n, _dot(e2, e2) / n
    both_valid = ok[:, 1:] & ok[:, :-1]
    scale = np.sqrt(_dot(e2[:, 1:], both_valid) * _dot(e2[:, :-1], both_valid))
    has_variance = abnormal.dof > 2
    variance = np.where(has_variance, abnormal.dof / np.where(has_variance, abnormal.dof - 2.0, 1.0), np.nan)
    leaves = {
        "row": abnormal.block.id,
        "n": n.astype(np.float64),
        "jarque_bera": n / 6.0 * (skewness**2 + (kurtosis - 3.0) ** 2 / 4.0),
        "rho": np.divide(_dot(e[:, 1:], e[:, :-1]), scale, out=np.full(len(n), np.nan), where=scale > 0),
        "zeros": ((abnormal.block.r[:, :n_est] == 0) & ok).sum(axis=1).astype(np.float64),
        "missing": (~ok).sum(axis=1).astype(np.float64),
        "missing_event": (~abnormal.ok[:, n_est:]).sum(axis=1).astype(np.float64),
        "days": np.full(len(n), float(abnormal.ar.shape[1])),
        "scar": np.where(scores.ok[:, 0], scores.z[:, 0], np.nan) / np.sqrt(variance),
    }
    return {**{name: Gathered((values,)) for name, values in leaves.items()}, **_runs(scores, abnormal)}


def _runs(scores: Scores, abnormal: Abnormal) -> State:
    r"""Sum the standardised sums of residuals over each run of estimation days as long as the first window, (J,).

    .. math:: z_{ij} = \sum_{t \in j} e_{it} / (s_i \sqrt{\mathrm{var}_{ij}})

    with the variance of :func:`eventstudy.core.slopes.variance_of_runs`.

    A run with a missing day is left out.
    """
    n_est, length = abnormal.n_est, int(scores.weights[0].sum())
    used = abnormal.take(scores.ok[:, 0])
    if not len(used.ar) or n_est < length:
        return dict.fromkeys(("runs_n", "runs_z", "runs_z2"), np.zeros(max(n_est - length + 1, 0)))

    def over_runs(values: Floats) -> Floats:
        total = np.cumsum(np.concatenate([np.zeros((len(values), 1)), values], axis=1), axis=1)
        return np.asarray(total[:, length:] - total[:, :-length])

    ok = used.ok[:, :n_est].astype(np.float64)
    variance = variance_of_runs(used, length)
    counted = (over_runs(ok) > length - 0.5) & np.isfinite(variance)
    deviation = used.sigma[:, None] * np.sqrt(np.where(counted, variance, 1.0))
    z = np.where(counted, over_runs(used.ar[:, :n_est] * ok) / deviation, 0.0)
    return {"runs_n": counted.sum(axis=0, dtype=np.float64), "runs_z": z.sum(axis=0), "runs_z2": (z * z).sum(axis=0)}


def _dot(a: Floats, b: Floats | Bools) -> Floats:
    return np.asarray(np.einsum("nl,nl->n", a, b))


def _dependence(cluster: Clustering) -> Advice:
    """Return the advice on dependence: the tests that are valid under the clustering of the sample, and the others."""
    sufficient = {"independent": ("independent", "same_day", "overlap"), "same_day": ("same_day", "overlap")}
    survives = {name: test.survives for name, test in library_tests().items()}
    accepted = sufficient.get(cluster.kind, ("overlap",))
    valid = [name for name, dependence in survives.items() if dependence in accepted]
    invalid = ", ".join(name for name in survives if name not in valid)
    return Advice(
        f"tests that need events without common days reject too often where residuals are correlated: {invalid}",
        ", ".join(valid),
        'tests="default" selects valid tests; result.calibrate() measures their size on your own data',
    )


def _correlation(cluster: Clustering, residuals: Residuals) -> Finding:
    if cluster.n_events < 2:
        return Finding(np.nan, "1 event: there is no pair")
    inflation = 1.0 + (cluster.n_events - 1) * residuals.r
    value = (
        f"mean correlation {residuals.r:.4f} of the residuals, weighted by the common days of {residuals.window}:"
        f" the variance of the mean is {inflation:.2f} times that of independent events"
    )
    return Finding(residuals.r, value, inflation > 1.0 + INFLATION)


def _other_events(sample: StudySample, residuals: Residuals, columns: slice, name: str) -> Finding:
    """Count the events with another event of the same ticker in their estimation or event window."""
    table, placed, rows = sample.event_table, sample.placed, residuals.rows
    placed_events = ~np.isnat(table.sessions)
    date = table.sessions.astype(np.int64)
    first, last = (np.empty(len(rows), dtype=np.int64) for _ in range(2))
    offsets = sample.sample.spec.offsets[columns]
    for at, panel in enumerate(sample.panels):
        in_panel = placed.panel[rows] == at
        day = placed.day[rows][in_panel]
        first[in_panel], last[in_panel] = panel.sessions[day + offsets[0]], panel.sessions[day + offsets[-1]]
    low, high = date[placed_events].min() - 1, date[placed_events].max() + 1
    ticker = np.unique(table.frame["ticker"].to_numpy(dtype=str), return_inverse=True)[1] * (high - low + 1)
    keys = np.unique((ticker + date - low)[placed_events])  # a duplicate is the same event
    events = table.rows[rows]
    begin, end = (ticker[events] + np.clip(edge, low, high) - low for edge in (first, last))
    others = np.searchsorted(keys, end, side="right") - np.searchsorted(keys, begin, side="left")
    others -= (first <= date[events]) & (date[events] <= last)
    n = int((others > 0).sum())
    value = f"{n} of {plural(len(events), 'event')} have another event of the same ticker in their {name} window"
    return Finding(n, value, n > 0)


def _implausible(used: pd.DataFrame) -> Finding:
    """Count the events with implausible prices of the security or the benchmark in their windows."""
    texts = used["implausible_prices"].to_numpy() if "implausible_prices" in used else np.full(len(used), "")
    distinct = pd.unique(texts[texts != ""])
    n = int((texts != "").sum())
    value = f"{n} of {plural(len(used), 'event')} have implausible prices in their windows"
    value += f": {distinct[0]}{', ...' if len(distinct) > 1 else ''}" if n else ""
    return Finding(n, value, n > 0)


def _induced_variance(residuals: Residuals) -> Finding:
    """Rank the variance of the SCARs across events among those of as many days before, with the same dependence."""
    scar = residuals.leaf["scar"]
    scar = scar[np.isfinite(scar)]
    before = residuals.before
    if len(scar) < 2 or not len(before):
        return Finding(
            np.nan, f"{plural(len(scar), 'event')} with a standardised effect over {residuals.window}; 2 are needed"
        )
    variance = float(scar.var(ddof=1))
    smallest = 1.0 / (1 + len(before))
    p = smallest * (1 + int((before >= variance).sum()))
    value = (
        f"variance {variance:.2f} of the standardised effects over {residuals.window}; {np.median(before):.2f} is usual"
        f" before the events (p {p_value(p)})"
    )
    return Finding(variance, value, p <= max(LEVEL, smallest))


def _normality(residuals: Residuals) -> Finding:
    rejected = residuals.leaf["jarque_bera"] > JARQUE_BERA
    value = (
        f"the residuals of {rejected.sum()} of {plural(len(rejected), 'event')} reject normality at 5 % (Jarque-Bera)"
    )
    return Finding(rejected.mean(), value, rejected.mean() > MANY)


def _situation(residuals: Residuals, cluster: Clustering) -> Situation:
    """Return what is known of the events in the first window."""
    start, end = residuals.window
    n_events = int(residuals.effects["n"][0, 0])
    return Situation(n_events, cluster.n_clusters, cluster.n_dates, end - start + 1, residuals=residuals.all)


def _autocorrelation(residuals: Residuals) -> Finding:
    defined = np.isfinite(residuals.leaf["rho"])
    rho, n = residuals.leaf["rho"][defined], residuals.leaf["n"][defined]
    if not len(rho):
        return Finding(np.nan, "no estimation window has consecutive days that vary")
    share = (np.abs(rho) > 2.0 / np.sqrt(n)).mean()
    value = f"mean {rho.mean():+.3f} from one day to the next; {share:.0%} of the events beyond 2/sqrt(days)"
    return Finding(rho.mean(), value, share > MANY)


def _thin_trading(residuals: Residuals) -> Finding:
    zeros, n = residuals.leaf["zeros"], residuals.leaf["n"]
    thin = int((zeros > THIN * n).sum())
    share = zeros.sum() / n.sum()
    value = f"{share:.1%} of the estimation returns are zero; {plural(thin, 'event')} above {THIN:.0%}"
    return Finding(share, value, thin > 0)


def _missing_returns(residuals: Residuals) -> Finding:
    estimation, event = residuals.leaf["missing"], residuals.leaf["missing_event"]
    share = (estimation + event).sum() / residuals.leaf["days"].sum()
    n_events = int((event > 0).sum())
    value = f"{share:.1%} of the days have no value; {plural(n_events, 'event')} with such a day in the event window"
    return Finding(share, value, n_events > 0 or share > GAPS)


def _cross_zone(other_zone: Floats, model: Model) -> Finding:
    """Count the events whose benchmark closes in another time zone, which a lead of it in the model allows for."""
    if not _has_benchmark(model):
        return Finding(np.nan, "the model has no benchmark")
    zones_known = other_zone[np.isfinite(other_zone)]
    if not len(zones_known):
        return Finding(np.nan, "the exchanges of securities and benchmarks are not known")
    n = int(zones_known.sum())
    has_lead = any(column.shift > 0 for column in model.columns)
    value = f"the benchmark of {n} of {plural(len(zones_known), 'event')} closes in another time zone"
    return Finding(n, value + ("; the model has a lead of it" if n and has_lead else ""), n > 0 and not has_lead)


def _has_benchmark(model: Model) -> bool:
    return any(column.name == "benchmark" for column in model.columns)


def _check_constituents(value: Constituents | None) -> None:
    lists = [] if value is None else list(value.values()) if isinstance(value, Mapping) else [value]
    if not all(_are_texts(tickers) for tickers in lists):
        raise InputError(f"constituents is {shown(value)}; give tickers, or a mapping from a benchmark to its tickers")


def _are_texts(value: object) -> bool:
    is_list = isinstance(value, Sequence | set | frozenset) and not isinstance(value, str)
    return is_list and all(isinstance(name, str) for name in value)  # type: ignore[attr-defined]


def _treated(pairs: pd.Series[int], model: Model, constituents: Constituents | None) -> Finding:
    """Count the treated firms that are constituents of their benchmark."""
    if not _has_benchmark(model):
        return Finding(np.nan, "the model has no benchmark")
    if constituents is None:
        return Finding(np.nan, 'not known; give the constituents: diagnose(constituents={"^HSI": ["0700.HK", ...]})')
    members = {
        name: constituents.get(name) if isinstance(constituents, Mapping) else constituents for _, name in pairs.index
    }
    unknown = [name for name, tickers in members.items() if tickers is None]
    if len(unknown) == len(members):
        return Finding(np.nan, f"constituents does not have {', '.join(unknown)}")
    firms = {ticker for ticker, name in pairs.index if members[name] is not None}
    treated = sorted(ticker for ticker, name in pairs.index if ticker in (members[name] or ()))
    value = f"{len(treated)} of {plural(len(firms), 'treated firm')} in their own benchmark"
    value += f": {', '.join(treated[:5])}{', ...' if len(treated) > 5 else ''}" if treated else ""
    value += f"; the constituents of {', '.join(unknown)} are not known" if unknown else ""
    return Finding(len(treated), value, bool(treated))


def _long_window(sample: StudySample, rows: Ints) -> Finding:
    """Compare the longest window L with the M estimation days: shared coefficients add L / M to its variance."""
    longest = int(np.diff(sample.sample.spec.windows, axis=1).max()) + 1
    n_est = float(np.median(sample.n_valid[rows]))
    value = f"{plural(longest, 'day')} in the longest window, {n_est:.0f} in the estimation window"
    return Finding(longest / n_est, value, longest > INFLATION * n_est)
