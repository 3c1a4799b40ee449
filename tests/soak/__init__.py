"""An hour of mixed work in one process, and what it holds at the end."""
