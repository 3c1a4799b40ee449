r"""Fama-French five factors: market, size, value, profitability and investment.

.. math::
   R_{it} - R_{ft} = \alpha_i + b_i (R_{mt} - R_{ft}) + s_i SMB_t + h_i HML_t + r_i RMW_t + c_i CMA_t + e_{it}

RMW is the return of firms with robust profitability minus that of firms with weak profitability, CMA that of firms that
invest conservatively minus that of firms that invest aggressively. Use it for samples of firms with similar
profitability or growth, such as young technology firms. Fama and French find that the other four factors explain the
mean of HML; its loading still captures the common daily return of value firms. Assumes stable loadings, and factors of
the security's own market, currency and trading hours. The columns are those of Kenneth French's daily files, which
:func:`eventstudy.read_french` reads; SMB differs from SMB of the three-factor files. Fama & French (2015, Journal of
Financial Economics 116:1).

Examples
--------
>>> import eventstudy as es
>>> es.model("ff5").coefficients
('alpha', 'Mkt-RF', 'SMB', 'HML', 'RMW', 'CMA')
"""

from __future__ import annotations

from eventstudy.core.linear import Factors

MODEL = Factors(("Mkt-RF", "SMB", "HML", "RMW", "CMA"), "RF")
