"""Figures, one file each; the file name is the kind. They return axes and never show them."""
