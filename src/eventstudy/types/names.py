"""The names of the library's own members, from which editors complete; a name of a plug-in is any other text.

A test holds these lists to the folders, and prints the list when one has changed.
"""

from __future__ import annotations

from typing import Literal

ModelName = Literal[
    "capm", "carhart", "clock", "dimson", "elastic_net", "ewma", "factors", "ff3", "ff5", "ff6", "fowler_rorke",
    "garch", "market", "market_adjusted", "mean", "pca", "peers", "robust", "rolling", "scholes_williams",
    "synthetic_control", "trade_to_trade",
]  # fmt: skip
TestName = Literal[
    "adjusted_patell", "bmp", "brown_warner", "calendar_time", "clustered", "corrado", "corrado_zivney",
    "cross_section", "generalized_sign", "grank_t", "grank_z", "ibragimov_muller", "j1", "j2", "kolari_pynnonen",
    "mvrm", "patell", "placebo", "sign", "sign_gsar", "skewness_adjusted", "two_way", "wilcoxon", "wild_bootstrap",
]  # fmt: skip
SourceName = Literal["duckdb", "folder", "frame", "parquet", "simulated", "sql", "store", "yahoo"]
PlotKind = Literal[
    "aar", "ar", "caar", "diagnostics", "distribution", "events", "forest", "groups", "heatmap", "path",
    "timeline",
]  # fmt: skip
TableKind = Literal[
    "attrition", "sample", "aar", "caar", "events", "regressions", "models", "groups", "dates", "market_wide", "money",
    "moves", "multiverse", "pairs", "sequential", "single", "spillover", "trades",
]  # fmt: skip
Chosen = Literal["default", "all"]  # tests that a study chooses
