"""A study with its data: prepared once, run in parts, run again in other ways, and laid out as data frames."""
