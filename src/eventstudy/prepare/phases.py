"""The phase of a day in which an announcement became public: before the opening, in the session, after the close."""

from __future__ import annotations

import pandas as pd

from eventstudy.prepare.stamps import Problems, as_texts

BEFORE, DURING, AFTER = "before_open", "session", "after_close"
# The values of a column ``phase`` and the codes of vendors for them, in any case; empty where the phase is not known.
CODES = {
    BEFORE: BEFORE, "before open": BEFORE, "before market": BEFORE, "before market open": BEFORE, "bmo": BEFORE,
    "pre": BEFORE, "pre-market": BEFORE, "premarket": BEFORE,
    DURING: DURING, "during market": DURING, "during market hours": DURING, "dmh": DURING, "dmt": DURING,
    AFTER: AFTER, "after close": AFTER, "after market": AFTER, "after market close": AFTER, "amc": AFTER,
    "post": AFTER, "post-market": AFTER, "postmarket": AFTER,
    "": "", "tas": "", "tns": "", "time not supplied": "", "unspecified": "", "unknown": "", "none": "",
}  # fmt: skip
VALID = "valid are before_open (BMO), session (DMH), after_close (AMC), or empty (TAS, unspecified)"


def read_phases(events: pd.DataFrame) -> tuple[list[str], Problems]:
    """Return the phase of each row, empty where it is not known, and the rows whose phase is not valid."""
    texts = as_texts(events["phase"])
    known = {text: CODES.get(" ".join(text.lower().split())) for text in set(texts)}
    phases = [known[text] for text in texts]
    bad = [(row, f"phase {texts[row]!r} is not known; {VALID}") for row, phase in enumerate(phases) if phase is None]
    return [phase or "" for phase in phases], bad
