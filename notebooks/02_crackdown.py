# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The crackdown of 2020-2022: who was hit, and can we tell?
#
# Between November 2020 and 2022 Beijing fined, suspended and split its largest technology companies, and then called
# the campaign off. This notebook asks what each sector lost, in the direction that each act was expected to have, and
# treats the shares of one announcement as what they are: one observation of one shock.
#
# With `EVENTSTUDY_PRICES` set to a folder of real prices it uses those. Without, prices are *simulated*, and we plant a
# reaction of 2 % at platforms and of nothing elsewhere, so that we know what should be found.

# %%
import os

import eventstudy as es

FOLDER = os.environ.get("EVENTSTUDY_PRICES")
events = es.catalogue("china-tech")
frame = events.frame
frame = frame[frame["announced"].astype(str) < "2023"]
events = es.Events.from_frame(frame.reset_index())
frame.groupby("sector")["ticker"].agg(["size", "nunique"]).sort_values("size", ascending=False)

# %%
study = es.Study(
    model="market",
    benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"},
    sign="expected_sign",
    group="sector",
    windows=((0, 0), (-1, 1), (0, 5)),
)
tickers = [*dict.fromkeys(frame["ticker"]), "^HSI", "^GSPC"]
SPAN = ("2019-06-01", "2023-06-30")


def simulated() -> es.Prices:
    """Simulate prices in which platforms react by 2 % in the expected direction, and the others do not."""
    placed = study.check(events, es.fetch_prices(tickers, *SPAN, source="simulated", seed=11))
    used = placed[placed["status"] == "ok"]
    planted = {
        (ticker, f"{session:%Y-%m-%d}"): 0.02 * frame.loc[event, "expected_sign"]
        for event, ticker, session in zip(used.index, used["ticker"], used["session"], strict=True)
        if frame.loc[event, "sector"] == "platform" and frame.loc[event, "expected_sign"] in (1, -1)
    }
    return es.fetch_prices(tickers, *SPAN, source="simulated", seed=11, reactions=planted)


prices = es.read_prices(FOLDER) if FOLDER else simulated()
result = study.run(events, prices)
result.attrition

# %% [markdown]
# ## By sector
#
# The first row of each group and window is the primary test: the first that holds for that group. A sector with one or
# two announcements cannot be tested, however many shares it has, and says so in its note.

# %%
first = result.tests.drop_duplicates(["group", "start", "end"])
first = first[(first["start"] == 0) & (first["end"] == 0)]
first[["group", "test", "n", "effect", "se", "lower", "upper", "p", "valid"]].round(4).set_index("group")

# %%
result.plot("caar").figure

# %% [markdown]
# ## Platforms against the rest
#
# The difference between groups is tested by the same rules: announcements are the observations.

# %%
pairs = result.compare("sector")
pairs[pairs["first"].eq("platform") | pairs["second"].eq("platform")][
    ["first", "second", "n1", "n2", "difference", "t", "p"]
].round(4)

# %% [markdown]
# ## What a careless table would have said
#
# Tests that count every share of one announcement as independent evidence are computed if asked for, and marked.

# %%
import warnings
from dataclasses import replace

with warnings.catch_warnings():
    warnings.simplefilter("ignore", es.EventStudyWarning)  # that they do not hold, which `valid` says below
    careless = replace(study, group=None, tests=("patell", "sign", "corrado", "clustered")).run(events, prices)
careless.tests[careless.tests["start"].eq(0) & careless.tests["end"].eq(0)][
    ["test", "n", "effect", "p", "valid"]
].round(4)

# %% [markdown]
# ## Does the design hold on these prices?
#
# `diagnose` checks what the tests assume and names the remedy where it fails.

# %%
checks = result.diagnose()
checks.loc[checks["breaks"].astype(bool), ["check", "value", "remedy"]].head(6)
