"""
News of a whole market
======================

The abnormal return of the mean firm on the days on which most firms of Hong Kong had news, date by date.
"""

import eventstudy as es
from eventstudy import demo

data = demo.run().result.rerun
events = data.events[data.events["ticker"].str.endswith(".HK")]
events = events[events["date"].isin(events["date"].value_counts().index[:6])]
study = es.Study(model="mean", benchmark="^HSI", sign="expected_sign", windows=((0, 0),))
result = study.run(es.Events.from_frame(events), data.prices)
axes = result.market_wide().plot()

# %%
# As a table
# ----------

result.table("market_wide")
