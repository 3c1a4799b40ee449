"""Analyses of a result, one in each file; most of them run the study again."""
