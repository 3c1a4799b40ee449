"""Catalogues of real events that ship with the library: events with their sources, without prices."""

from __future__ import annotations

from importlib import resources

from eventstudy import arguments
from eventstudy.prepare.events import Events, read_events


def catalogue(name: str, version: str | None = None) -> Events:
    """Return a catalogue of real events.

    ``china-tech`` holds the acts of Chinese policy, reports of such acts, and a few acts of others, that moved
    technology, education and electric-car shares from November 2020 to January 2026: one event per act and affected
    share. The page *The catalogue* describes its columns and what has changed between its versions.

    Parameters
    ----------
    name : str
        ``"china-tech"``.
    version : str, optional
        ``"2"``, or ``"1"``, the events of 2020 to 2022 as they were first published. The newest by default.

    Returns
    -------
    Events
        With these columns in addition to those of all events: ``timezone``; ``precision`` (``time``, ``bounded`` or
        ``date``), where ``bounded`` means that only ``not_before`` and ``not_after`` are known and that ``announced``
        lies within them; ``named``, ``yes`` for a share whose firm, or a firm that it controls or owns a large part of,
        is named in the act, ``no`` for other shares of the sector; ``title``; ``sector``; ``actor``, who acted;
        ``expected_sign`` (-1, 0, 1); ``priority``, which says what is counted of the news of one session; ``source``,
        addresses of web pages; ``confidence`` in the date and in the phase of the day; ``press_2021_09_13``, ``yes``
        for the events named by the press of that day; ``note``. ``cluster`` is the name of the act. Version 1 has
        neither ``named``, ``actor`` nor ``priority``.

    Raises
    ------
    InputError
        If there is no catalogue of that name or version; the message lists the available ones.

    Examples
    --------
    >>> events = catalogue("china-tech").frame
    >>> events.loc["ANT_IPO_SUSPENDED:BABA", ["ticker", "announced", "precision"]].to_list()
    ['BABA', '2020-11-03T20:40:00+08:00', 'bounded']
    """
    folder = resources.files("eventstudy") / "data"
    files = {tuple(file.name.split(".")[:2]): file for file in folder.iterdir() if file.name.endswith(".csv")}
    arguments.choice("the name of the catalogue", name, sorted({known for known, _ in files}))
    versions = sorted((number for known, number in files if known == name), key=int)
    if version is not None:
        arguments.choice(f"the version of the catalogue {name}", version, versions)
    with resources.as_file(files[name, version or versions[-1]]) as path:
        events = read_events(path)
    frame = events.frame
    if "named" in frame:
        named = [ticker in names.split(";") for ticker, names in zip(frame["ticker"], frame["named"], strict=True)]
        frame["named"] = ["yes" if is_named else "no" for is_named in named]
    return events
