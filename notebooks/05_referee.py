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
# # What a referee asks
#
# A result stands on choices: the model, the windows, the test, the sample. This notebook goes through the questions
# that come back with the first review, on the demo's study: the catalogue on simulated prices with known reactions.

# %%
import eventstudy as es
from eventstudy import demo

result = demo.run().result
result

# %% [markdown]
# ## "What happened to the events that you do not show?"

# %%
result.attrition

# %% [markdown]
# ## "Would another model say the same?"

# %%
models = result.across(
    ["market", "market_adjusted", "mean", es.model("dimson", leads=1, lags=1)], windows=[(0, 0), (-1, 1)]
)
models.summary(window=(0, 0))[["n", "effect", "lower", "upper", "p", "lost"]].round(4)

# %%
models.plot()[0].figure

# %% [markdown]
# ## "You made many choices. What if you had made others?"
#
# Every combination of them, with the study itself marked. The specifications share events, so that p-values are
# adjusted jointly.

# %%
found = result.multiverse(
    models=["market", "market_adjusted", "mean"],
    windows=[(0, 0), (-1, 1), (0, 5)],
    estimations=[(-260, -11), (-140, -11)],
    samples={"all": None, "2021": "date.dt.year == 2021"},
)
found

# %%
found.plot()[0].figure

# %% [markdown]
# An index, similar shares and common factors are three accounts of what would have happened without the news.

# %%
found.counterfactuals([(0, 0)])[["first", "second", "n", "difference", "se", "p_holm", "verdict"]].round(4)

# %% [markdown]
# ## "You tested several windows, and report the best."
#
# Holm's correction over all windows and tests, and a band that holds for the whole path at once.

# %%
result.adjust("holm")[["start", "end", "test", "p", "p_adjusted"]].round(4)

# %% [markdown]
# ## "Is the test right for such a sample?"
#
# Dates without news are drawn from the shares' own histories, in the same pattern. The share of rejections at 5 %
# should be 5 %.

# %%
result.calibrate(draws=50, seed=1)

# %% [markdown]
# ## "The windows overlap."
#
# The joint path estimates the days of all events together.

# %%
result.plot("caar", joint=True).figure

# %% [markdown]
# ## "Perhaps one announcement drives it."
#
# Leave out each announcement in turn.

# %%
used = result.events[result.events["status"] == "ok"]
day = result.cars[(result.cars["start"] == 0) & (result.cars["end"] == 0)].set_index("event_id")["car"]
signed = (day * used["expected_sign"].reindex(day.index)).dropna()
by_act = signed.groupby(used["cluster"].reindex(signed.index)).agg(["sum", "size"])
without = (signed.sum() - by_act["sum"]) / (len(signed) - by_act["size"])
print(f"mean of day 0: {signed.mean():.2%}; without one act: {without.min():.2%} to {without.max():.2%}")

# %% [markdown]
# ## "And what do you assume?"

# %%
for note in result.provenance["notes"][:5]:
    print("-", note)
print(result.tests["note"].iloc[0])
