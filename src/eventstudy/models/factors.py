r"""Factor model: the normal return is linear in any named columns.

.. math:: R_{it} - R_{ft} = \alpha_i + \sum_k \beta_{ik} F_{kt} + e_{it}

Options: ``names``, the columns to regress on, by default ``("benchmark",)``; ``risk_free``, the column to subtract from
the security's return, by default none. A column is the name of a factor in the frame passed to
``Study.run(factors=...)`` (decimal returns by date), or a ticker among the prices; ``benchmark`` is the event's
benchmark. Assumes that the loadings are the same in the estimation window and the event window. ``ff3``, ``carhart``,
``ff5`` and ``ff6`` are this model with the names of Kenneth French's data library. Fama & French (1993, Journal of
Financial Economics 33:3).

Examples
--------
>>> import eventstudy as es
>>> es.model("factors", names=("Mkt-RF", "SMB", "HML")).coefficients
('alpha', 'Mkt-RF', 'SMB', 'HML')
"""

from __future__ import annotations

from eventstudy.core.linear import Factors

MODEL = Factors()
