"""Average abnormal returns by day, and their cumulative sum with a 95 % band."""

from __future__ import annotations

from dataclasses import replace

from eventstudy.core import effects
from eventstudy.core.nulls import divide
from eventstudy.core.scores import scores as score
from eventstudy.core.sums import by_group
from eventstudy.types import Abnormal, Floats, Sample, Scores, Spec, State


def chunk(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    """Sum abnormal returns by day, (G, n_evt), and the states of the CARs from the first event day up to each day."""
    running = score(abnormal, replace(spec, windows=spec.cumulative))
    return {
        "days": by_group(abnormal, abnormal.ok[:, abnormal.n_est :]),
        "ar": by_group(abnormal, abnormal.ar[:, abnormal.n_est :]),
        **effects.chunk(running, abnormal),
    }


def finalize(state: State, sample: Sample) -> dict[str, Floats]:
    """Compute AAR, CAAR and a 95 % band around the CAAR that allows for events that share days.

    The standard errors are those of :mod:`eventstudy.core.effects` for the window up to each day.

    Returns
    -------
    dict
        ``n`` events valid that day, ``aar``, ``caar``, ``se``, ``lower``, ``upper``, each (G, n_evt).
    """
    r = sample.shared["overlap"]["cumulative"]
    running = effects.finalize(state, sample, sample.spec.cumulative, r)
    return {
        "n": state["days"],
        "aar": divide(state["ar"], state["days"]),
        "caar": running["mean"],
        **{name: running[name] for name in ("se", "lower", "upper")},
    }
