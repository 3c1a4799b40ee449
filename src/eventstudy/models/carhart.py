r"""Carhart four factors: market, size, value and momentum.

.. math:: R_{it} - R_{ft} = \alpha_i + b_i (R_{mt} - R_{ft}) + s_i SMB_t + h_i HML_t + m_i MOM_t + e_{it}

MOM is the return of the past year's winners minus that of its losers. Use it for events that follow a run-up of the
price, such as splits, offerings and upgrades: the continuing return after a run-up is then not mistaken for an effect
of the event. Assumes stable loadings, which is a strong assumption for momentum, because a firm's loading changes with
its past return; and factors of the security's own market, currency and trading hours. The columns are those of Kenneth
French's daily files for the three factors and for momentum, joined by :func:`eventstudy.read_french`. The files of
other regions call momentum ``WML``: pass that name in ``names``. Carhart (1997, Journal of Finance 52:57).

Examples
--------
>>> import eventstudy as es
>>> es.model("carhart").coefficients
('alpha', 'Mkt-RF', 'SMB', 'HML', 'Mom')
>>> es.model("carhart", names=("Mkt-RF", "SMB", "HML", "WML")).coefficients
('alpha', 'Mkt-RF', 'SMB', 'HML', 'WML')
"""

from __future__ import annotations

from eventstudy.core.linear import Factors

MODEL = Factors(("Mkt-RF", "SMB", "HML", "Mom"), "RF")
