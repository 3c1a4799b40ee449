"""Numbers, names and words as people read them."""
