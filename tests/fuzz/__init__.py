"""Broken input at every door: only errors of the library may come back, soon, and without growth of memory."""
