"""Where the repository and the shared data are."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]


def shared_folder() -> Path:
    """Return the folder of real prices and oracles, which are not published with the library."""
    return Path(os.environ.get("EVENTSTUDY_SHARED", ROOT.parent / "shared"))
