"""Catalogues of real events that ship with the library: events with their sources, without prices."""

from __future__ import annotations

from importlib import resources

from eventstudy import arguments
from eventstudy.prepare.events import Events, read_events


def catalogue(name: str) -> Events:
    """Return a catalogue of real events.

    ``china-tech`` holds the acts of Chinese policy, and reports of such acts, that moved technology, education and
    electric-car shares from November 2020 to July 2022: one event per act and affected share.

    Parameters
    ----------
    name : str
        ``"china-tech"``.

    Returns
    -------
    Events
        With these columns in addition to those of all events: ``timezone``; ``precision`` (``time``, ``bounded`` or
        ``date``), where ``bounded`` means that only ``not_before`` and possibly ``not_after`` are known and that
        ``announced`` lies within them; ``title``; ``sector``; ``expected_sign`` (-1, 0, 1); ``source``;
        ``confidence``; ``press_2021_09_13``, ``yes`` for the events named by the press of that day; ``note``.
        ``cluster`` is the name of the act.

    Raises
    ------
    InputError
        If there is no catalogue of that name; the message lists the available ones.

    Examples
    --------
    >>> events = catalogue("china-tech").frame
    >>> events.loc["ANT_IPO_SUSPENDED:BABA", ["ticker", "announced", "precision"]].to_list()
    ['BABA', '2020-11-03T20:40:00+08:00', 'bounded']
    """
    folder = resources.files("eventstudy") / "data"
    files = {file.name.removesuffix(".csv"): file for file in folder.iterdir() if file.name.endswith(".csv")}
    arguments.choice("the name of the catalogue", name, sorted(files))
    with resources.as_file(files[name]) as path:
        return read_events(path)
