r"""Fama-French six factors: the five factors and momentum.

.. math::
   R_{it} - R_{ft} = \alpha_i + b_i (R_{mt} - R_{ft}) + s_i SMB_t + h_i HML_t + r_i RMW_t + c_i CMA_t
   + m_i MOM_t + e_{it}

Use it for samples of firms with similar profitability or growth whose events follow a run-up of the price; see ``ff5``
and ``carhart``. Seven parameters need a long estimation window: each adds to the forecast variance of every abnormal
return. Assumes stable loadings, and factors of the security's own market, currency and trading hours. The columns are
those of Kenneth French's daily files for the five factors and for momentum, joined by :func:`eventstudy.read_french`;
the files of other regions call momentum ``WML``: pass that name in ``names``. Fama & French (2018, Journal of Financial
Economics 128:234).

Examples
--------
>>> import eventstudy as es
>>> es.model("ff6").coefficients
('alpha', 'Mkt-RF', 'SMB', 'HML', 'RMW', 'CMA', 'Mom')
"""

from __future__ import annotations

from eventstudy.core.linear import Factors

MODEL = Factors(("Mkt-RF", "SMB", "HML", "RMW", "CMA", "Mom"), "RF")
