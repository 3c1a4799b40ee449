"""The references of what a result used: its model, tests and frames, and the library, as text and as BibTeX.

The entries are those of ``data/references.bib``, where the field ``members`` says which models and tests an entry is a
source of, and which columns of the frames: ``frames.p_sq``, ``frames.p_conformal``, and ``frames.effects`` for the
standard errors by clusters of events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from eventstudy.core.cr2 import FEWEST
from eventstudy.types import ResultFrames

LIBRARY = "eventstudy"  # the key of the library's own entry
ENTRY = re.compile(r"^@(\w+)\{(\w+),\n((?:  \w+ = \{.*\},\n)+)\}$", re.MULTILINE)
FIELD = re.compile(r"^  (\w+) = \{(.*)\},$", re.MULTILINE)
TEX = {"{": "", "}": "", r"\&": "&", "``": "“", "''": "”", "--": "–"}


@dataclass(frozen=True)
class Reference:
    """A publication, or the library itself.

    Attributes
    ----------
    kind : str
        The type of the BibTeX entry, such as ``article``.
    key : str
        The key of the BibTeX entry.
    fields : mapping from str to str
        The fields of the BibTeX entry, in TeX.
    """

    kind: str
    key: str
    fields: Mapping[str, str]

    @property
    def bibtex(self) -> str:
        """The BibTeX entry, in UTF-8."""
        lines = [f"  {name} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])

    @property
    def text(self) -> str:
        """The reference as one line of plain text."""
        head = f"{_authors(self.fields['author'])} ({self.fields['year']}). {self.fields['title']}."
        return _plain(f"{head} {', '.join(_place(self.fields))}.")


@dataclass(frozen=True, repr=False)
class Citation:
    """The references of a result, sorted by author; printed, their text."""

    entries: tuple[Reference, ...]

    def __repr__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """One line for each reference."""
        return "\n".join(entry.text for entry in self.entries)

    @property
    def bibtex(self) -> str:
        """The content of a .bib file, in UTF-8."""
        return "\n\n".join(entry.bibtex for entry in self.entries) + "\n"


def used(result: ResultFrames) -> list[Reference]:
    """Return the references of the model, tests, frames and library of a result, sorted by author.

    Parameters
    ----------
    result : Result
        Its provenance names the model, the tests and the version of the library; its frames say what has a value.

    Returns
    -------
    list of Reference
        Models and tests of users and of plug-ins have none.

    Examples
    --------
    >>> from eventstudy import demo
    >>> [reference.key for reference in used(demo.run().result)][:3]
    ['bell2002', 'cameron2008', 'cameron2011']
    """
    members = {*_members(result.provenance), *_frames(result)}
    version = str(result.provenance.get("eventstudy") or "")
    entries = [entry for entry, of in _entries() if members & of]
    library = next(entry for entry, _ in _entries() if entry.key == LIBRARY)
    fields = {**library.fields, **({"note": f"Version {version}"} if version else {})}
    return sorted([*entries, Reference(library.kind, library.key, fields)], key=_order)


def of_member(folder: str, name: str) -> list[Reference]:
    """Return the references of a model or test of the library; none for other names.

    Examples
    --------
    >>> print(of_member("inference", "bmp")[0].text)
    Boehmer, E., Musumeci, J., Poulsen, A. B. (1991). Event-Study Methodology under Conditions of Event-Induced
    Variance. Journal of Financial Economics 30(2), 253–272.
    """
    return sorted((entry for entry, of in _entries() if f"{folder}.{name}" in of), key=_order)


@cache
def _entries() -> tuple[tuple[Reference, frozenset[str]], ...]:
    """Return the entries of the file, each with the members that it is a source of."""
    text = (resources.files("eventstudy") / "data" / "references.bib").read_text(encoding="utf-8")
    entries = []
    for kind, key, body in ENTRY.findall(text):
        fields = dict(FIELD.findall(body))
        members = frozenset(name.strip() for name in fields.pop("members", "").split(",") if name.strip())
        entries.append((Reference(kind, key, fields), members))
    return tuple(entries)


def _members(provenance: Mapping[str, object]) -> Iterator[str]:
    """Yield the models and tests of a run, as ``models.market``."""
    settings = provenance.get("settings")
    settings = settings if isinstance(settings, Mapping) else {}
    yield f"models.{_name(settings.get('model'))}"
    tests, chosen = provenance.get("tests"), settings.get("tests")
    for label in tests if isinstance(tests, list) else ():
        member = chosen.get(label) if isinstance(chosen, Mapping) else None
        # A label of the library's own choice is the name, with the options that differ from the defaults.
        yield f"inference.{_name(member or str(label).partition('(')[0])}"


def _frames(result: ResultFrames) -> Iterator[str]:
    """Yield what the frames hold beside the tests, as ``frames.p_sq``."""
    yield from (f"frames.{name}" for name in ("p_sq", "p_conformal") if result.cars[name].notna().any())
    clustering = result.provenance.get("clustering") or {}
    if FEWEST <= clustering.get("n_clusters", 0) < clustering["n_events"]:  # else no two events share a cluster
        yield "frames.effects"


def _name(setting: object) -> str:
    return str(setting.get("name") if isinstance(setting, Mapping) else setting)


def _order(entry: Reference) -> tuple[str, str]:
    return _plain(entry.fields["author"]).removeprefix("The ").lower(), entry.fields["year"]


def _authors(names: str) -> str:
    """Return the authors of a BibTeX field with initials in place of given names."""
    return ", ".join(_initials(name) for name in names.split(" and "))


def _initials(name: str) -> str:
    family, _, given = name.partition(", ")
    initials = ["-".join(f"{part[0]}." for part in word.split("-")) for word in given.split()]
    return f"{family}, {' '.join(initials)}" if given else family


def _place(fields: Mapping[str, str]) -> Iterator[str]:
    """Yield where something was published: journal, volume, issue and pages; else series, publisher, address."""
    if "journal" in fields:
        issue = f"({fields['number']})" if "number" in fields else ""
        yield f"{fields['journal']} {fields['volume']}{issue}"
        yield fields["pages"]
    elif "series" in fields:
        yield f"{fields['series']} {fields['number']}"
    yield from (
        fields[name] for name in ("school", "publisher", "institution", "howpublished", "note", "url") if name in fields
    )


def _plain(tex: str) -> str:
    for mark, text in TEX.items():
        tex = tex.replace(mark, text)
    return tex
