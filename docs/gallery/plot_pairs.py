"""
Two listings of one firm
========================

Which listing moved first, and how much of the gap the other closed. The ADR holds eight shares; news of the Hong Kong
evening moves it first.
"""

import numpy as np
import pandas as pd

import eventstudy as es

rng = np.random.default_rng(3)
days = pd.bdate_range("2019-06-03", "2021-12-31")
news = days[320::25]
move = rng.normal(0, 0.05, len(news))
level = np.cumsum(rng.normal(0, 0.012, len(days)))
known = (
    days.to_numpy()[:, None] >= news.to_numpy()
) @ move  # what New York knows at its close, and Hong Kong at its next
spread = rng.normal(0, 0.004, len(days))
listings = {
    "9988.HK": (200 * np.exp(level + np.append(0, known[:-1])), "HKD", "XHKG"),
    "BABA": (200 * np.exp(level + known + spread) * 8 / 7.8, "USD", "XNYS"),
    "HKD=X": (np.full(len(days), 7.8), "HKD", "FX"),
}
long = pd.concat(
    [
        pd.DataFrame({"ticker": ticker, "date": days, "close": close, "currency": currency, "mic": mic})
        for ticker, (close, currency, mic) in listings.items()
    ]
)
times = [f"{day:%Y-%m-%d}T20:00+08:00" for day in news]
events = es.Events.from_frame(pd.DataFrame({"ticker": "9988.HK;BABA", "announced": times, "firm": "Alibaba"}))
result = es.Study(model="mean").run(events, es.Prices.from_frame(long))
found = result.pairs()
axes = found.plot()

# %%
# One announcement
# ----------------

axes = found.plot(announcement=found.frame["announcement"].iloc[0])

# %%
# As a table
# ----------

result.table("pairs", of=found)
