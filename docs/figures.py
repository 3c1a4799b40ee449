"""Draw the README's picture: the CAAR of the demo, on simulated prices."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eventstudy import demo

if __name__ == "__main__":
    axes = np.ravel(demo.run().result.plot("caar"))[0]
    axes.figure.savefig(Path(__file__).parent / "_static" / "caar.png", dpi=120)
