"""What announcements did to securities that they do not treat: treated, peers and their difference, with inference."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis import spillover_peers
from eventstudy.analysis.figures import drawn
from eventstudy.analysis.past import MOST_CELLS, Past
from eventstudy.analysis.slopes import MANY
from eventstudy.analysis.spillover_peers import NEAREST, ROLE, PeersOption, Treated
from eventstudy.core.announcements import MeanOfAnnouncements, by_clusters, by_history
from eventstudy.display import formats, names
from eventstudy.display.cards import Grid, Summary
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData
from eventstudy.types import PEERS, Floats, Ints, Rerun, ResultFrames, Window, required

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROLES = ("treated", "peers", "difference")
KINDS = ("network", "paths")
ABOUT = {
    "cr2": "CR2 by clusters of dates whose windows do not overlap",
    "history": "history: against the same mean on days before; assumes that the announcement adds no variance",
}
RANK = "; p and interval by its rank among {} runs of days, which assumes no distribution"
LIKE_ONE_FIRM = 0.8  # correlation of abnormal returns from which two securities may be listings of one firm


@dataclass(frozen=True, repr=False, eq=False)
class Spillover:
    """The reactions of treated securities and of their peers to the same announcements.

    Attributes
    ----------
    frame : DataFrame
        announcement, role (treated or peer), ticker, of (the treated event that a peer stands beside), session, start,
        end, car (or bhar; without the sign of a signed study), se, correlation (of nearest peers, with the treated
        before the announcement), status (``ok`` or ``excluded``), reason. One row for each security of an announcement
        and window; the value is NaN if excluded.
    tests : DataFrame
        start, end, role (treated, peers, difference), n_events, n_announcements, n_clusters, effect, se, df (NaN where
        p is a rank, for one announcement), lower, upper, p, valid, cov, note.
    paths : DataFrame
        Index ``day``; treated, peers, difference: cumulative means from the first day of the event window, over the
        announcements of the first window.
    attrition : DataFrame
        reason, n: candidates that are no peers, and announcements without one.
    result : Result
        The study of treated and peers together, with the groups treated and peer of the column ``role``.
    notes : tuple of str

    Notes
    -----
    Each announcement is one observation: its difference is the mean CAR of its treated securities less that of its
    peers, and the effect is the mean over announcements that have both. See ``docs/methods.md``.
    """

    frame: pd.DataFrame
    tests: pd.DataFrame
    paths: pd.DataFrame
    attrition: pd.DataFrame
    result: ResultFrames
    events: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()
    kind: ClassVar[str] = "spillover"

    @property
    def measure(self) -> Measure:
        """The measure of the study."""
        return self.result.measure

    @property
    def provenance(self) -> Mapping[str, Any]:
        """The provenance of the study of treated and peers."""
        return self.result.provenance

    def answer(self) -> str:
        """Return what was found in the first window, in two sentences."""
        treated, peers, first = self.tests.head(3).to_dict("records")
        window = formats.window(first["start"], first["end"])
        moved = f"treated {self._tested(treated)} and peers {self._tested(peers)}"
        return (
            f"Around {formats.plural(int(first['n_announcements']), 'announcement')}, mean {self.measure.averaged} over"
            f" {window}: {moved}. The difference is {self._tested(first)}."
        )

    def _tested(self, row: Mapping[Hashable, Any]) -> str:
        value = self.measure.with_interval(row["effect"], row["lower"], row["upper"])
        return f"{value} (p {formats.p_value(row['p'])})" if row["valid"] else f"{value} (no valid test)"

    def plot(self, kind: str = "network", **options: Any) -> Axes:
        """Draw a figure and return its axes, without showing it.

        Parameters
        ----------
        kind : {"network", "paths"}
            Which peers moved with which treated securities, or the mean paths of both.
        **options
            ``title``, ``figsize``, ``ax``; for the network also ``window``, ``by`` (the column of the events whose
            values are the nodes at the left) and ``most`` (peers that are shown).
        """
        arguments.choice("the kind of the figure", kind, KINDS)
        axes: Axes = drawn(self, "_spillover", f"the figure {kind!r}", options, kind)
        return axes

    def _summary(self) -> Summary:
        rows = [
            (
                formats.window(row["start"], row["end"]) if row["role"] == ROLES[0] else "", str(row["role"]),
                formats.count(row["n_events"]), formats.count(row["n_announcements"]),
                self.measure.text(row["effect"]), self.measure.text(row["lower"]), self.measure.text(row["upper"]),
                formats.marked_p(row["p"], row["valid"]),
            )
            for row in self.tests.to_dict("records")
        ]  # fmt: skip
        heads = ("Window", "", "Events", "Ann.", f"Mean {self.measure.averaged}", *names.ends(), "p")
        note = formats.prices_note(self)
        grid = Grid(heads, rows, (False, False, *(True,) * 6))
        return Summary("Treated securities and their peers" + (f", {note}" if note else ""), (), [grid], self.notes)

    def __repr__(self) -> str:
        return self._summary().as_text()

    def _repr_html_(self) -> str:
        return self._summary().as_html()


def spillover(
    rerun: Rerun | None, result: ResultFrames, peers: PeersOption, window: Window | None, k: int
) -> Spillover:
    """Compare the treated securities with untreated peers; see ``Result.spillover``."""
    rerun, k = required(rerun), arguments.whole("k", k, 1)
    if PEERS in rerun.return_model.columns:
        raise InputError(
            "the return model compares with peers, so that these have no abnormal return beside the treated; run the"
            " study with another model, as 'market', and take its spillover"
        )
    windows = [*rerun.choices.windows] if window is None else [arguments.one_window(window, rerun.choices.windows)]
    treated = spillover_peers.treated_of(rerun, result)
    if treated.events.empty:
        raise NotEnoughData("no event could be used; see attrition")
    listed = spillover_peers.candidates(rerun, result, treated, peers)
    listed = _screen(rerun, result, treated, listed, peers == NEAREST, k)
    chosen = listed[listed["reason"] == ""]
    if chosen.empty:
        reasons = "; ".join(f"{n} {why}" for why, n in _reasons(listed["reason"]).items())
        raise NotEnoughData(f"no announcement has a peer: {reasons or 'no other security has prices'}; name others")
    studied = rerun.result(
        events=spillover_peers.frame_of(rerun, treated, chosen), windows=windows, choices={**_plain(), "group": ROLE}
    )
    members = _members(studied, treated, chosen)
    tests = pd.DataFrame([row for window in windows for row in _tests(studied, members, window)])
    both = members.sides(studied, windows[0])
    return Spillover(
        _frame(studied, members, listed, windows), tests, _paths(studied, members, both), _attrition(listed, treated),
        studied, rerun.events, _notes(rerun, listed),
    )  # fmt: skip


def _plain() -> dict[str, object]:
    """Return the choices of the run of treated and peers: events of the treated are screened already."""
    return {"contaminated": "keep", "confounding": None}


def _screen(
    rerun: Rerun, result: ResultFrames, treated: Treated, listed: pd.DataFrame, by_nearness: bool, k: int
) -> pd.DataFrame:
    """Return the candidates with the reasons of those that are no peers, and the nearest of them if so chosen."""
    open_ = listed[listed["reason"] == ""]
    if open_.empty:
        return listed
    events = spillover_peers.frame_of(rerun, treated, open_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)  # those of the chosen peers are issued later
        placed = rerun.result(events=events, choices={**_plain(), "group": None, "tests": "cross_section"})
    counted = _counted(placed)
    listed = listed.assign(reason=spillover_peers.screened(listed, placed, result, rerun, counted))
    if not by_nearness:
        return listed
    usable = placed.events[placed.events["status"] == "ok"]
    n_cells = len(usable) * rerun.choices.spec.n_est
    if n_cells > MOST_CELLS:
        raise NotEnoughData(
            f"the returns of all candidates before the announcements are {n_cells:,}, more than the {MOST_CELLS:,} that"
            " are held in memory; name peers, or study fewer announcements at once"
        )
    past = Past(placed.rerun, usable, (0, 0), 0)
    near = spillover_peers.nearest(listed[listed["reason"] == ""], past, treated, counted, k)
    return pd.concat([near, listed[listed["reason"] != ""]])


def _counted(studied: ResultFrames) -> dict[str, str]:
    """Return the event whose numbers each event has: its own, or those of the event of its ticker and session."""
    table = required(studied.rerun).sample().event_table
    ids = table.frame.index
    return dict(zip(ids, ids[table.duplicate_of], strict=True))


class _Sides(NamedTuple):
    """The announcements with treated and peers: names (A,), cluster, inflation, and values and runs of both sides."""

    names: list[str]
    cluster: Ints
    inflation: Floats
    values: tuple[Floats, Floats]
    runs: tuple[Floats, Floats]
    n_events: tuple[int, int]


class _Members(NamedTuple):
    """One row for each security of an announcement: announcement, role, ticker, event_id, counted (event id)."""

    rows: pd.DataFrame

    def with_values(self, studied: ResultFrames, window: Window) -> pd.DataFrame:
        """Return the rows with the value of a window, signed as the study's means are, and its inflation."""
        measure = studied.measure
        cars = in_window(studied.cars, window)
        cars = cars.drop_duplicates("event_id").set_index("event_id")
        own, events = cars.reindex(self.rows["counted"]), studied.events.reindex(self.rows["counted"])
        sign = np.ones(len(own))
        if measure.sign is not None:
            stated = pd.to_numeric(studied.events[measure.sign].reindex(self.rows["event_id"]), errors="coerce")
            sign = np.where(stated.abs() == 1.0, stated, np.nan)
        length = own["n_days"].to_numpy(dtype=np.float64)
        n_slopes = len(required(studied.rerun).return_model.columns)
        of_forecast = (own["se"].to_numpy() / events["sigma"].to_numpy()) ** 2 / length
        of_run = 1.0 - (length + n_slopes) / events["n_estimation"].to_numpy(dtype=np.float64)
        return self.rows.assign(
            value=sign * own[measure.column].to_numpy(), raw=own[measure.column].to_numpy(), sign=sign,
            se=own["se"].to_numpy(), inflation=np.where(np.isfinite(of_forecast), of_forecast, 1.0) / of_run,
        )  # fmt: skip

    def sides(self, studied: ResultFrames, window: Window) -> _Sides:
        """Return the mean of treated and of peers of each announcement that has both, and on the days before it."""
        rows = self.with_values(studied, window)
        rows = rows[rows["value"].notna()]
        n = rows.groupby("announcement")["role"].nunique()
        rows = rows[rows["announcement"].isin(n.index[n == 2])]
        names = list(dict.fromkeys(rows["announcement"]))
        past = Past(studied.rerun, studied.events[studied.events["status"] == "ok"], window, 0)
        at = past.frame.index.get_indexer(pd.Index(rows["counted"]))
        announcement = pd.Index(names).get_indexer(pd.Index(rows["announcement"]))
        cluster = np.zeros(len(names), dtype=np.int64)
        cluster[announcement] = past.chain[at]
        runs = past.runs[at] * rows["sign"].to_numpy()[:, None]
        inflation = np.bincount(announcement, rows["inflation"], len(names)) / np.bincount(announcement)
        values, histories, counts = [], [], []
        for role in ("treated", "peer"):
            own = (rows["role"] == role).to_numpy()
            counts.append(int(own.sum()))
            values.append(np.bincount(announcement[own], rows["value"][own]) / np.bincount(announcement[own]))
            of_each = (runs[own & (announcement == a)] for a in range(len(names)))
            histories.append(np.array([spillover_peers.mean_of_runs(each) for each in of_each]))
        return _Sides(
            names, cluster, inflation, (values[0], values[1]), (histories[0], histories[1]), (counts[0], counts[1])
        )


def _members(studied: ResultFrames, treated: Treated, chosen: pd.DataFrame) -> _Members:
    counted = _counted(studied)
    own = treated.events.reset_index()[["cluster", "ticker", "event_id"]].rename(columns={"cluster": "announcement"})
    own = own.assign(role="treated", of=own["event_id"], correlation=np.nan)
    rows = pd.concat([own, chosen.assign(role="peer").drop(columns="reason")], ignore_index=True)
    return _Members(rows.assign(counted=[counted[name] for name in rows["event_id"]]))


def _tests(studied: ResultFrames, members: _Members, window: Window) -> list[dict[str, object]]:
    """Return the rows of a window: treated, peers, and their difference."""
    both = members.sides(studied, window)
    parts = (*zip(both.values, both.runs, strict=True), (both.values[0] - both.values[1], both.runs[0] - both.runs[1]))
    counts = (*both.n_events, sum(both.n_events))
    return [
        _tested(role, window, n, both, values, runs)
        for role, n, (values, runs) in zip(ROLES, counts, parts, strict=True)
    ]


def _tested(role: str, window: Window, n_events: int, both: _Sides, values: Floats, runs: Floats) -> dict[str, object]:
    """Return the row of a mean: by clusters if there are many, else from history, and the other where one fails."""
    n_clusters, length = len(np.unique(both.cluster)), window[1] - window[0] + 1
    found, cov, note = MeanOfAnnouncements(np.nan), "", "no announcement has both treated and peers"
    if len(values):
        by_cov = {
            "cr2": lambda: by_clusters(values, both.cluster),
            "history": lambda: by_history(values, runs, both.cluster, both.inflation, length),
        }
        first, second = ("cr2", "history") if n_clusters >= MANY else ("history", "cr2")
        found, cov, note = by_cov[first](), first, ABOUT[first]
        if found.reason:
            other = by_cov[second]()
            note = f"{ABOUT[second]}; not {first}: {found.reason}"
            if other.reason:
                note = f"no standard error: {found.reason}; {other.reason}"
            found, cov = other, second
    if found.n_runs:
        note += RANK.format(found.n_runs)
    return {
        "start": window[0], "end": window[1], "role": role, "n_events": n_events, "n_announcements": len(values),
        "n_clusters": n_clusters, "effect": found.mean, "se": found.se, "df": found.df,
        "lower": found.mean - found.margin, "upper": found.mean + found.margin, "p": found.p,
        "valid": bool(np.isfinite(found.se)),
        "cov": cov, "note": note,
    }  # fmt: skip


def _frame(studied: ResultFrames, members: _Members, listed: pd.DataFrame, windows: Sequence[Window]) -> pd.DataFrame:
    """Return the rows of all securities of the announcements, with the values of all windows."""
    value = studied.measure.column
    session = studied.events["session"]
    parts = []
    for start, end in windows:
        rows = members.with_values(studied, (start, end))
        missing = np.where(rows["raw"].isna(), f"without a {studied.measure.short} in the window", "")
        reason = np.where(rows["value"].isna() & rows["raw"].notna(), "without a sign", missing)
        parts.append(
            rows.assign(
                session=session.reindex(rows["event_id"]).to_numpy(), start=start, end=end, status="ok", reason=reason,
                **{value: rows["raw"]},
            )
        )  # fmt: skip
    lost = listed[listed["reason"] != ""].assign(role="peer", status="excluded", se=np.nan)
    lost["session"] = pd.Series(pd.NaT, lost.index, dtype=parts[0]["session"].dtype)
    parts += [lost.assign(start=start, end=end, **{value: np.nan}) for start, end in windows if len(lost)]
    columns = [
        "announcement", "role", "ticker", "of", "session", "start", "end", value, "se", "correlation", "status",
        "reason",
    ]  # fmt: skip
    return pd.concat([part[columns] for part in parts], ignore_index=True)


def _paths(studied: ResultFrames, members: _Members, both: _Sides) -> pd.DataFrame:
    """Return the mean cumulative abnormal returns of treated and peers, and their difference, by day."""
    rows = members.with_values(studied, (int(studied.cars["start"].iloc[0]), int(studied.cars["end"].iloc[0])))
    rows = rows[rows["announcement"].isin(both.names) & rows["value"].notna()]
    ar = studied.ar.reindex(rows["counted"]).fillna(0.0).mul(rows["sign"].to_numpy(), axis=0).cumsum(axis=1)
    by_announcement = ar.groupby([rows["role"].to_numpy(), rows["announcement"].to_numpy()]).mean()
    mean = by_announcement.groupby(level=0).mean().T.reindex(columns=["treated", "peer"])
    mean = mean.set_axis(ROLES[:2], axis=1).rename_axis("day")
    return mean.assign(difference=mean["treated"] - mean["peers"])


def _reasons(column: pd.Series) -> dict[str, int]:
    """Count reasons, those of single events and statuses by their kind."""
    kinds = column[column != ""].str.replace(r"(, |: ).*", "", regex=True)
    return {str(reason): int(n) for reason, n in kinds.value_counts().items()}


def _attrition(listed: pd.DataFrame, treated: Treated) -> pd.DataFrame:
    with_peer = set(listed["announcement"][listed["reason"] == ""])
    n_without = len(set(treated.events["cluster"]) - with_peer)
    rows = [("peers", int((listed["reason"] == "").sum())), *_reasons(listed["reason"]).items()]
    rows += [("announcements without a peer", n_without)] if n_without else []
    return pd.DataFrame(rows, columns=["reason", "n"])


def _notes(rerun: Rerun, listed: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    lost = _reasons(listed["reason"])
    if lost:
        notes.append("no peers: " + "; ".join(f"{n} {names.of_status(reason)}" for reason, n in lost.items()))
    alike = listed[listed["correlation"] > LIKE_ONE_FIRM]
    if len(alike):
        tickers = ", ".join(dict.fromkeys(alike["ticker"]))
        notes.append(
            f"{tickers}: abnormal returns correlate above {LIKE_ONE_FIRM:g} with those of the treated; if it is another"
            " listing of the firm, say so in a column 'firm' of the events"
        )
    if rerun.choices.contaminated == "mask":
        notes.append("days of other news are not masked here, so that the treated may differ from the study's")
    return tuple(notes)
