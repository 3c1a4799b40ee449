"""Tables as people have them: what their headers, dates and numbers mean, the same at every door."""
