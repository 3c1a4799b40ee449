r"""Fama-French five factors: market, size, value, profitability and investment.

.. math::
   R_{it} - R_{ft} = \alpha_i + b_i (R_{mt} - R_{ft}) + s_i SMB_t + h_i HML_t + r_i RMW_t + c_i CMA_t + e_{it}

RMW is the return of firms with robust profitability less that of firms with weak one, CMA that of firms that invest
conservatively less that of firms that invest aggressively. For samples that share profitability or growth, as young
technology firms do. Fama and French find that the other four explain the mean of HML; its loading still takes up what
value firms have in common on a day. Assumes stable loadings, and factors of the security's own market, currency and
trading hours. The columns are those of Kenneth French's daily files, which :func:`eventstudy.read_french` reads; SMB
is not that of the three factors. Fama & French (2015, Journal of Financial Economics 116:1).

Examples
--------
>>> import eventstudy as es
>>> es.model("ff5").coefficients
('alpha', 'Mkt-RF', 'SMB', 'HML', 'RMW', 'CMA')
"""

from __future__ import annotations

from eventstudy.core.linear import Factors

MODEL = Factors(("Mkt-RF", "SMB", "HML", "RMW", "CMA"), "RF")
