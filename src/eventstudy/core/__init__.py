"""The arithmetic: NumPy and SciPy only, no dates, no labels, no IO."""
