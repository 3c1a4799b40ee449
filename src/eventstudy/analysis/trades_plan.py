"""The trades of a rule: entries and exits, sizes within the caps, and their profits, on real dates or drawn ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.analysis.trades_desk import Desk
from eventstudy.analysis.trades_rule import Rule
from eventstudy.core import positions
from eventstudy.core.positions import NEVER, Book, Legs
from eventstudy.errors import InputError, shown
from eventstudy.run.direction import VALID, sign_columns, signs
from eventstudy.types import Floats, Ints

OUT = -1  # the rule of an event that is not traded


class Plan(NamedTuple):
    """The trades of D samples and n events before they are sized, all (D, n).

    ``enter``, ``leave``, ``hedge_enter``, ``hedge_leave`` are points, P where there is none; ``direction`` is 0 for no
    trade; ``beta`` is 0 without a hedge; ``sigma`` is the deviation of what is held.
    """

    enter: Ints
    leave: Ints
    hedge_enter: Ints
    hedge_leave: Ints
    direction: Floats
    beta: Floats
    sigma: Floats


@dataclass(frozen=True)
class Told:
    """What a function of the user has said of each event, by id: it is called as the function was."""

    name: str
    values: Mapping[object, float]

    def __call__(self, event: Mapping[str, object]) -> float:
        """Return the direction of an event."""
        return self.values[event["event_id"]]

    def __str__(self) -> str:
        return self.name


class Settled(NamedTuple):
    """A plan with its signed weights (D, n), the legs, the event of each leg, and the book."""

    plan: Plan
    weight: Floats
    legs: Legs
    event: Ints
    book: Book


def told(desk: Desk, rule: Rule, events: pd.DataFrame) -> tuple[Rule, Floats]:
    """Return a rule with the direction of each event of the desk, (n,): 1, -1, or 0 for no trade.

    The rule has what a function of the user has said in place of the function, so that a record can be pickled.

    Raises
    ------
    InputError
        If there is no sign, or a value is none of 1, -1 and 0.
    """
    sign = desk.choices.sign if rule.sign is None else rule.sign
    if sign is None:
        columns = list(sign_columns(events))
        hint = f", as in sign={columns[0]!r}" if columns else ""
        raise InputError(
            f"the study has no expected signs, by which an announcement is bought or sold; name their column{hint}, or"
            " give a function of the row of an event that returns 1, -1 or 0"
        )
    if isinstance(sign, str):
        return rule, signs(events, sign)[desk.rows]
    used = events.iloc[desk.rows]
    values: dict[object, float] = {}
    for event_id, row in zip(used.index, used.to_dict("records"), strict=True):
        named: Mapping[str, object] = {"event_id": event_id, **{str(name): cell for name, cell in row.items()}}
        value: object = sign(named)
        number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
        if not number or value not in VALID:
            raise InputError(f"sign of event {event_id!r} is {shown(value)}; the function returns 1, -1 or 0")
        values[event_id] = float(value)
    if not isinstance(sign, Told):
        rule = replace(rule, sign=Told(str(getattr(sign, "__name__", "a function")), values))
    return rule, np.array(list(values.values()))


def first_points(desk: Desk, rule: Rule) -> Ints:
    """Return the point of the entry of each event, (n,), whether or not it has a price; P where there is none."""
    n_points = desk.points.price.shape[1]
    out = np.full(len(desk.rows), n_points, dtype=np.int64)
    for asset in np.unique(desk.asset):
        own = desk.asset == asset
        step, offset = _fields(rule, bool(desk.opens[asset]), desk.intraday)
        if step:
            later = np.searchsorted(desk.points.instant[asset, offset::step], desk.known[own], side="right")
            out[own] = np.minimum(offset + step * later + 2 * rule.delay, n_points)
    return out


def _fields(rule: Rule, opens: bool, intraday: bool) -> tuple[int, int]:
    """Return the step and the first of the points at which a rule may enter; a step of 0 if there are none."""
    if rule.entry == "close" or (rule.entry == "next" and not opens):
        return 2, 1
    if rule.entry == "open" or intraday:
        return (2, 0) if opens else (0, 0)
    return 1, 0


def planned(desk: Desk, rules: Sequence[Rule], which: Ints, direction: Sequence[Floats], session: Ints | None) -> Plan:
    """Return the plan of the real dates, or of drawn ones.

    Parameters
    ----------
    desk : Desk
    rules : sequence of Rule
    which : int array (n,)
        The rule of each event; ``OUT`` for none.
    direction : sequence of float arrays (n,)
        By rule.
    session : int array (D, n) or None
        Drawn sessions of the events; None for their own.
    """
    session = desk.session[None] if session is None else session
    plans = [_plan(desk, rule, session, sign) for rule, sign in zip(rules, direction, strict=True)]
    chosen = np.broadcast_to(np.maximum(which, 0), session.shape)
    out = Plan(*[np.choose(chosen, parts) for parts in zip(*plans, strict=True)])
    return out._replace(direction=np.where(which == OUT, 0.0, out.direction))


def _plan(desk: Desk, rule: Rule, session: Ints, direction: Floats) -> Plan:
    points, later = desk.points, desk.points.later()
    n_points = points.price.shape[1]
    first = first_points(desk, rule)
    at = np.where(first < n_points, 2 * session + first - 2 * desk.session, n_points)
    enter = _filled(desk, rule, np.clip(at, 0, n_points), later)
    shape, asset = enter.shape, np.broadcast_to(desk.asset, enter.shape)
    sign = np.broadcast_to(direction, shape)
    leave = positions.exits(points, later, asset.ravel(), enter.ravel(), sign.ravel(), rule.terms).reshape(shape)
    beta, sigma, deviation = desk.lines.at(session)
    if not rule.hedge:
        none = np.full(shape, n_points, dtype=np.int64)
        return Plan(enter, leave, none, none, sign, np.zeros(shape), deviation)
    hedge = [_at_or_after(desk, later, _instants(desk, asset, part)) for part in (enter, leave)]
    return Plan(enter, leave, hedge[0], hedge[1], sign, beta, sigma)


def _filled(desk: Desk, rule: Rule, at: Ints, later: Ints) -> Ints:
    """Return the points of entries that have a price; P where the session has none."""
    n_points = desk.points.price.shape[1]
    asset = np.broadcast_to(desk.asset, at.shape)
    found = later[asset, at]
    if desk.choices.suspended == "next_trade":
        return found
    last = at + (1 - at % 2 if rule.entry == "next" else 0)
    return np.where(found <= last, found, n_points)


def _instants(desk: Desk, asset: Ints, point: Ints) -> Ints:
    n_points = desk.points.price.shape[1]
    return np.where(point < n_points, desk.points.instant[asset, np.minimum(point, n_points - 1)], NEVER)


def _at_or_after(desk: Desk, later: Ints, instant: Ints) -> Ints:
    """Return the first point of the benchmark of each event with a price at or after an instant, (D, n)."""
    n_points = desk.points.price.shape[1]
    out = np.full(instant.shape, n_points, dtype=np.int64)
    for asset in np.unique(desk.benchmark[desk.benchmark >= 0]):
        own = desk.benchmark == asset
        at = np.searchsorted(desk.points.instant[asset], instant[:, own], side="left")
        out[:, own] = np.where(instant[:, own] < NEVER, later[asset, np.minimum(at, n_points)], n_points)
    return out


def settled(desk: Desk, plan: Plan, rule: Rule) -> Settled:
    """Size the trades of a plan within the caps, and return their profits and costs.

    Parameters
    ----------
    desk : Desk
    plan : Plan
    rule : Rule
        Of which size, caps and costs count.
    """
    n_points = desk.points.price.shape[1]
    can = tradable(desk, plan, rule)
    asset = np.broadcast_to(desk.asset, can.shape)
    entered, left = _instants(desk, asset, plan.enter), _instants(desk, asset, plan.leave)
    wanted = np.where(can, rule.stake * plan.direction, 0.0)
    if rule.size == "inverse_sigma":
        sigma = np.where(can, plan.sigma, np.nan)
        mean = positions.known_before(sigma, np.where(can, entered, NEVER))
        wanted = np.where(can, wanted * mean / np.where(can, plan.sigma, 1.0), 0.0)
    weight = positions.weights(entered, left, desk.asset, wanted, rule.terms)
    draw, event = np.nonzero(weight)
    shares = Legs(draw, desk.asset[event], plan.enter[draw, event], plan.leave[draw, event], weight[draw, event])
    hedged = (plan.beta != 0.0) & (weight != 0.0) & (plan.hedge_enter < n_points)
    hedged &= (plan.hedge_leave > plan.hedge_enter) | (plan.hedge_leave >= n_points)
    h_draw, h_event = np.nonzero(hedged)
    short = -(plan.beta * weight)[hedged]
    hedge = Legs(h_draw, desk.benchmark[h_event], plan.hedge_enter[hedged], plan.hedge_leave[hedged], short)
    legs = Legs(*[np.concatenate(pair) for pair in zip(shares, hedge, strict=True)])
    book = positions.book(desk.points, legs, len(weight), rule.terms)
    return Settled(plan, weight, legs, np.concatenate([event, h_event]), book)


def tradable(desk: Desk, plan: Plan, rule: Rule) -> np.ndarray:
    """Return which events can be traded, (D, n): a direction, an entry, and what hedge and size need."""
    n_points = desk.points.price.shape[1]
    can = (plan.direction != 0.0) & (plan.enter < n_points) & np.isfinite(plan.beta)
    can &= (plan.hedge_enter < n_points) | (plan.beta == 0.0)
    if rule.size == "inverse_sigma":
        can &= plan.sigma > 0.0
    return np.asarray(can)
