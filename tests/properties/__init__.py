from hypothesis import settings

QUICK = settings(max_examples=25, deadline=None, derandomize=True, database=None)
