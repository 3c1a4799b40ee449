"""The peers of each announcement: the securities compared with those that it treats, and why others are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.analysis.past import Past
from eventstudy.core.slopes import PRESENT
from eventstudy.errors import InputError, one_of, shown
from eventstudy.prepare.calendar import calendar_name
from eventstudy.prepare.placing import firm_names, firm_of_tickers
from eventstudy.tabular.labels import cleaned
from eventstudy.types import Dates, Floats, Rerun, ResultFrames, Window

PeersOption = str | Sequence[str] | Mapping[str, str | Sequence[str]]
NEAREST = "nearest"
LEAST_COMMON = 0.5  # share of the days before the announcement that a correlation needs
ROLE = "role"
COLUMNS = ("announcement", "ticker", "of", "event_id", "correlation", "reason")


class Treated(NamedTuple):
    """The used events of a study, and what all its announcements treat.

    ``events`` are the rows of the input of the used events, with ``session``; ``tickers`` and ``firms`` those of each
    announcement, used or not; ``firm_of`` the firm of each ticker that has one.
    """

    events: pd.DataFrame
    tickers: Mapping[str, frozenset[str]]
    firms: Mapping[str, frozenset[str]]
    firm_of: Mapping[str, str]


def treated_of(rerun: Rerun, result: ResultFrames) -> Treated:
    """Return the used events of a study, and the tickers and firms of each announcement."""
    frame = rerun.events
    firm_of = firm_of_tickers(frame)
    firm = pd.Series(firm_names(frame, firm_of), frame.index)
    used = result.events[result.events["status"] == "ok"]
    events = frame.loc[used.index].assign(session=used["session"])
    tickers = {str(name): frozenset(own) for name, own in frame["ticker"].groupby(frame["cluster"])}
    firms = {str(name): frozenset(own) for name, own in firm.groupby(frame["cluster"])}
    return Treated(events, tickers, firms, firm_of)


def candidates(rerun: Rerun, result: ResultFrames, treated: Treated, peers: PeersOption) -> pd.DataFrame:
    """Return one row for each announcement and security that may be its peer.

    Returns
    -------
    DataFrame
        announcement, ticker, of (the treated event whose row it takes), event_id, correlation (NaN), and reason: why it
        is no peer, else empty text. Under "nearest" only those that may be peers are listed.
    """
    named = _names_of(rerun, treated.events, peers)
    bars, excluded = rerun.prices.bars, _not_securities(rerun, result)
    rows, seen = [], set()
    for event_id, event in treated.events.iterrows():
        announcement = str(event["cluster"])
        for ticker in named(event):
            if (announcement, ticker) in seen:
                continue
            reason = ""
            if ticker in treated.tickers[announcement]:
                reason = "the announcement treats it"
            elif treated.firm_of.get(ticker, ticker) in treated.firms[announcement]:
                reason = "another listing of a firm that the announcement treats"
            elif ticker not in bars:
                reason = "there are no prices of it"
            elif ticker in excluded:
                reason = excluded[ticker]
            elif phase_elsewhere(event, bars[event["ticker"]].mic, bars[ticker].mic):
                reason = "the announcement has a phase of another exchange, and no time"
            if peers == NEAREST and reason:
                continue
            seen.add((announcement, ticker))
            rows.append((announcement, ticker, event_id, f"{announcement}:{ticker}:peer", np.nan, reason))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _names_of(rerun: Rerun, treated: pd.DataFrame, peers: PeersOption) -> Callable[[pd.Series], Sequence[str]]:
    """Return the function from a treated event to the tickers that may be its peers."""
    frame = rerun.events
    if isinstance(peers, Mapping):
        by_key = {key: _tickers(names) for key, names in peers.items()}
        columns = _columns_of_keys(frame, treated, by_key)
        return lambda event: [
            name for key in (event["ticker"], *(event[c] for c in columns)) for name in by_key.get(key, ())
        ]
    if isinstance(peers, str) and peers in frame.columns and peers != NEAREST:
        label = cleaned(frame[peers])
        of_label = {value: list(dict.fromkeys(own)) for value, own in frame["ticker"].groupby(label)}
        return lambda event: of_label.get(label[str(event.name)], [])
    if isinstance(peers, str) and peers != NEAREST:
        raise one_of("peers", peers, [NEAREST, *map(str, frame.columns)])
    names = list(rerun.prices.bars) if isinstance(peers, str) else _tickers(peers)
    return lambda event: names


def _tickers(names: object) -> list[str]:
    """Return a list of tickers; raise InputError if it is none."""
    given = [names] if isinstance(names, str) else names
    if not isinstance(given, Sequence) or not given or not all(isinstance(name, str) and name for name in given):
        raise InputError(
            f"peers are {shown(names)}; give tickers, as ['0700.HK', '9618.HK'], a mapping from a treated ticker or a"
            f" sector to tickers, the name of an events column, or {NEAREST!r}"
        )
    return list(dict.fromkeys(given))


def _columns_of_keys(frame: pd.DataFrame, treated: pd.DataFrame, by_key: Mapping[str, object]) -> list[str]:
    """Return the column whose values the keys are that are no treated tickers; raise InputError if there is not one."""
    others = [key for key in by_key if key not in set(frame["ticker"])]
    if not others:
        return []
    columns = [str(c) for c in treated.columns if set(others) <= set(treated[c].astype(str))]
    columns = [c for c in columns if c not in ("ticker", "announced", "cluster")]
    if len(columns) != 1:
        found = "several columns" if columns else "no column"
        raise InputError(
            f"a key of peers is {shown(others[0])}, which is no treated ticker; {found} of the used events have the"
            " keys as values: name treated tickers, or the values of one column, such as sectors"
        )
    return columns


def _not_securities(rerun: Rerun, result: ResultFrames) -> dict[str, str]:
    """Return the tickers that are benchmarks, regressors or exchange rates, with the reason."""
    benchmark = rerun.choices.benchmark
    columns = {column.name for column in rerun.return_model.columns}
    if isinstance(benchmark, Mapping):
        columns |= set(benchmark.values())
    elif benchmark is not None:
        columns |= set(rerun.events[benchmark]) if benchmark in rerun.events.columns else {benchmark}
    return {
        ticker: "an exchange rate" if ticker.endswith("=X") else "a benchmark or an index"
        for ticker in rerun.prices.bars
        if ticker.endswith("=X") or ticker.startswith("^") or ticker in columns
    }


def phase_elsewhere(event: pd.Series, own: str | None, other: str | None) -> bool:
    """Say whether an event has a phase of its exchange in place of a time, and a peer another exchange."""
    phase = event.get("phase")
    has_phase = isinstance(phase, str) and phase != ""
    return has_phase and pd.isna(event["stamp"]) and calendar_name(own) != calendar_name(other)


def frame_of(rerun: Rerun, treated: Treated, peers: pd.DataFrame) -> pd.DataFrame:
    """Return the events of the treated and of their peers, which take a row of the announcement, and ``role``."""
    frame = rerun.events
    if ROLE in frame.columns:
        raise InputError(f"the events have a column {ROLE!r}, which spillover adds; rename it")
    own = frame.loc[treated.events.index].assign(**{ROLE: "treated"})
    rows = restated(rerun, peers["of"].tolist(), peers["ticker"].tolist(), peers["event_id"].tolist())
    return pd.concat([own, rows.assign(**{ROLE: "peer"})]) if len(rows) else own


def restated(rerun: Rerun, sources: Sequence[str], tickers: Sequence[str], ids: Sequence[str]) -> pd.DataFrame:
    """Return events of the study as they would be of other tickers, with the firm and benchmark known of these."""
    frame = rerun.events
    rows = frame.loc[[*sources]].assign(ticker=list(tickers))
    rows.index = pd.Index(ids, name="event_id")
    if "firm" in frame:
        firm_of = firm_of_tickers(frame)
        rows["firm"] = [firm_of.get(name, name) for name in tickers]
    if "priority" in frame:
        rows["priority"] = np.nan
    column = rerun.choices.benchmark
    if isinstance(column, str) and column in frame:
        named = frame.drop_duplicates("ticker").set_index("ticker")[column].reindex([*tickers]).to_numpy()
        rows[column] = np.where(pd.isna(named), rows[column].to_numpy(dtype=object), named)
    return rows


def screened(
    peers: pd.DataFrame, placed: ResultFrames, study: ResultFrames, rerun: Rerun, counted: Mapping[str, str]
) -> list[str]:
    """Return why each candidate is no peer, by its status in a run and its own events; empty text if it is one.

    ``counted`` maps an event of the run to the one whose numbers it has, where a security is peer of several
    announcements of one session.
    """
    firm_of = firm_of_tickers(rerun.events)
    news = study.events[study.events["session"].notna()]
    by_firm = {str(firm): own["session"] for firm, own in news.groupby(firm_names(news, firm_of))}
    calendars = rerun.sample().calendars
    own = placed.events.reindex([counted.get(name, name) for name in peers["event_id"]])
    reasons = []
    for at, (ticker, reason) in enumerate(zip(peers["ticker"], peers["reason"], strict=True)):
        status = own["status"].iloc[at]
        if reason or status != "ok":
            reasons.append(reason or f"{status}: {own['reason'].iloc[at]}")
            continue
        sessions = by_firm.get(firm_of.get(ticker, ticker))
        dates = calendars[calendar_name(rerun.prices.bars[ticker].mic)].dates
        inside = [] if sessions is None else _in_window(sessions, own["session"].iloc[[at]], dates, rerun.choices.event)
        reasons.append(f"an event of its own in the event window, {inside[0]}" if inside else "")
    return reasons


def _in_window(sessions: pd.Series, session: pd.Series, dates: Dates, event: Window) -> list[object]:
    """Return the names of the sessions that lie in the event window around a session of a calendar."""
    position = int(np.searchsorted(dates, _naive(session, dates.dtype)[0]))
    first, last = dates[np.clip([position + event[0], position + event[1]], 0, len(dates) - 1)]
    days = _naive(sessions, dates.dtype)
    return [*sessions.index[(days >= first) & (days <= last)]]


def _naive(sessions: pd.Series, dtype: np.dtype) -> np.ndarray:
    """Return sessions as dates, or starts of bars in UTC, of a type of NumPy."""
    times = pd.DatetimeIndex(sessions)
    return np.asarray((times if times.tz is None else times.tz_convert("UTC").tz_localize(None)).to_numpy(), dtype)


def nearest(peers: pd.DataFrame, past: Past, treated: Treated, counted: Mapping[str, str], k: int) -> pd.DataFrame:
    """Return the k candidates of each announcement that correlate most with its treated securities before it.

    The correlation is that of a candidate's residuals in the estimation window with the mean residual of the treated.
    """
    row = {name: at for at, name in enumerate(past.frame.index)}
    days = past.runs
    chosen = []
    for announcement, own in peers.groupby("announcement", sort=False):
        at = [row[name] for name in treated.events.index[treated.events["cluster"] == announcement]]
        mean = mean_of_runs(days[at])
        r = np.array([_correlation(mean, days[row[counted[name]]]) for name in own["event_id"]])
        ranked = own.assign(correlation=r).dropna(subset="correlation")
        chosen.append(ranked.sort_values("correlation", ascending=False, kind="stable").head(k))
    return pd.concat(chosen) if chosen else peers


def mean_of_runs(runs: Floats) -> Floats:
    """Return the mean of runs (n, T) over securities, (T,), NaN where fewer than 80 % of them have a value."""
    known = np.isfinite(runs)
    total = np.where(known, runs, 0.0).sum(axis=0)
    return np.where(known.mean(axis=0) >= PRESENT, total / np.maximum(known.sum(axis=0), 1), np.nan)


def _correlation(first: Floats, second: Floats) -> float:
    """Correlate two series (T,) on the days that both have; NaN if these are too few."""
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < max(LEAST_COMMON * np.isfinite(first).sum(), 3):
        return np.nan
    a, b = first[both] - first[both].mean(), second[both] - second[both].mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else np.nan
