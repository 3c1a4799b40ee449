r"""Fama-French three factors: market, size and value.

.. math:: R_{it} - R_{ft} = \alpha_i + b_i (R_{mt} - R_{ft}) + s_i SMB_t + h_i HML_t + e_{it}

SMB is the return of small firms minus that of large ones, HML that of firms with a high book-to-market ratio minus that
of firms with a low one. Use it for samples dominated by small firms or by one style, whose common return the market
model leaves in the abnormal return; for single firms over few days the gain over ``market`` is small. Assumes stable
loadings, and factors of the security's own market, currency and trading hours. The columns are those of Kenneth
French's daily files, which :func:`eventstudy.read_french` reads, for ``Study.run(factors=...)``; the options ``names``
and ``risk_free`` set other column names. SMB of the three-factor files differs from SMB of the five-factor files, so do
not mix them. Fama & French (1993, Journal of Financial Economics 33:3).

Examples
--------
>>> import eventstudy as es
>>> es.model("ff3").coefficients
('alpha', 'Mkt-RF', 'SMB', 'HML')
"""

from __future__ import annotations

from eventstudy.core.linear import Factors

MODEL = Factors(("Mkt-RF", "SMB", "HML"), "RF")
