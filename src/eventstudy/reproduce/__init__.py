"""What it takes to have the same numbers again: locked prices, recomputed results, packed studies, and references."""
