"""A study as one zip with all that others need to compute it again, the same bytes each time it is made.

It has the study file with its events, factors and register, the lock of the prices (the prices only where they may be
shared), the result with its tables, figures and reports, the environment, the references, and RO-Crate metadata.
"""

from __future__ import annotations

import inspect
import re
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PureWindowsPath

from eventstudy import _registry, arguments, studyfile
from eventstudy.errors import EventStudyError, InputError
from eventstudy.files import check_place, clean, replacing, writing
from eventstudy.reproduce import register
from eventstudy.reproduce.crate import CRATE, crate, readme
from eventstudy.result import Result

LOCK = "lock.json"
STUDY = "study.toml"
REGISTER = register.path_of(STUDY).name
PRICES = "prices"  # the folder of the prices in the zip
REPORTS = ("report.html", "report.txt", "tables.tex", "tables/study.csv", "tables/study.parquet")
FIGURES = (".pdf", ".png")
WHEN = (1980, 1, 1, 0, 0, 0)
NAME = re.compile(r"[A-Za-z0-9._-]+")


def replicate(study: str | Path, path: str | Path, prices: str | Path | None = None, with_prices: bool = False) -> Path:
    """Run a study on locked prices, and pack it with all that others need to compute it again.

    Parameters
    ----------
    study : str or Path
        The study file. The files that it names must be in its folder, or below.
    path : str or Path
        The zip to write. An earlier one is replaced, and no other file.
    prices : str or Path, optional
        The locked folder of the prices; by default that of the study file.
    with_prices : bool
        Whether the zip has the prices, which it may only if you may share them. Without them it has their lock, with
        which others can check that they have the same prices.

    Returns
    -------
    Path
        The zip. Its ``README.md`` says how to compute everything again with one command, which gives the same zip.

    Raises
    ------
    InputError
        If an argument is not valid, the prices are in no locked folder or differ from their lock, or the study file
        names files outside its folder.
    OutputError
        If the zip cannot be written.
    """
    file, place = studyfile.read(study), Path(study)
    target = Path(arguments.path("the path of the zip", path))
    if target.suffix.lower() != ".zip":
        raise InputError(f"the path of the zip is {str(target)!r}; give a name that ends with .zip")
    check_place("the zip", target, _is_replica)
    folder = _locked_folder(file, prices)
    arguments.flag("with_prices", with_prices)
    contents = {STUDY: place.read_bytes(), **_named_files(place), f"{PRICES}/{LOCK}": (folder / LOCK).read_bytes()}
    if with_prices:
        rows = _registry.helper("sources", "_lock").read_lock(folder)
        contents |= {f"{PRICES}/{row.file}": (folder / row.file).read_bytes() for row in rows.values()}
    locked = file.with_prices(folder)
    registered = register.held(place)  # before the work
    if registered is not None:
        contents[REGISTER] = register.path_of(place).read_bytes()
    result = register.stamped(file.study.run(file.events, locked.prices(), factors=file.factors), registered)
    contents |= _outputs(result)
    contents["references.bib"] = result.cite().bibtex.encode()
    contents["environment/requirements.txt"] = "".join(
        f"{line}\n" for line in environment(_computed_with(result))
    ).encode()
    contents["README.md"] = readme(result, with_prices).encode()
    contents[CRATE] = crate(contents, result)
    with writing("the zip", target):
        clean(target.parent)
        with replacing(target, _is_replica) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(contents, key=lambda name: (name != CRATE, name)):
                info = zipfile.ZipInfo(name, WHEN)
                info.create_system, info.external_attr = 3, 0o644 << 16  # of Unix, on any system
                archive.writestr(info, contents[name])
    return target


def environment(also: Iterable[str] = ()) -> list[str]:
    """Return the installed libraries that eventstudy needs, and those that these need, as ``name==version``.

    Parameters
    ----------
    also : iterable of str
        Further distributions, such as those of a model or a plug-in.

    Examples
    --------
    >>> import numpy
    >>> f"numpy=={numpy.__version__}" in environment()
    True
    """
    found: dict[str, str] = {}
    waiting = ["eventstudy-quant", *map(_normal, also)]
    while waiting:
        name = waiting.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:  # for another system or version of Python, or an extra
            continue
        if name in found:
            continue
        found[name] = package.version
        required = [text for text in package.requires or [] if "extra ==" not in text]
        waiting += [_normal(match[0]) for text in required if (match := NAME.match(text))]
    del found["eventstudy-quant"]  # README.md says where it is from
    return [f"{name}=={found[name]}" for name in sorted(found)]


def _computed_with(result: Result) -> list[str]:
    """Return the distributions that computed a result: those of the model, the tests and the plug-ins too."""
    record = result.provenance
    plugins = record["settings"].get("plugins", {}).values()
    return [*(name for name in record["versions"] if name != "python"), *(str(origin).split()[0] for origin in plugins)]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked_folder(file: studyfile.StudyFile, prices: str | Path | None) -> Path:
    """Return the locked folder of the prices; raise InputError if there is none."""
    stated = prices if prices is not None else file.options.get("path") if file.source == "folder" else None
    if stated is None or not (Path(arguments.path("prices", stated)) / LOCK).is_file():
        raise InputError(
            f"the prices of the study are in no locked folder ({stated or file.source}); lock them with eventstudy"
            " fetch or es.freeze, and name the folder in prices (--prices)"
        )
    return Path(stated)


def _named_files(study: Path) -> dict[str, bytes]:
    """Return the events and factors that a study file names, by their paths in its folder."""
    table = tomllib.loads(study.read_text(encoding="utf-8"))["study"]
    factors = table.get("factors", [])
    names = [*([table["events"]] if "events" in table else []), *([factors] if isinstance(factors, str) else factors)]
    contents = {}
    for name in names:
        named = PureWindowsPath(name)  # accepts / and \ as separators, and recognises drive letters
        if named.anchor or ".." in named.parts:
            raise InputError(
                f"{study} names {name!r}, which is not in its folder; move the file beside the study file, so that both"
                " can be packed"
            )
        contents[named.as_posix()] = study.parent.joinpath(*named.parts).read_bytes()
    return contents


def _outputs(result: Result) -> dict[str, bytes]:
    """Return the saved result, the reports and the figures by their paths in the zip."""
    from eventstudy.plots._save import save_figure

    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder)
        result.save(inside / "results" / "study.result")
        for name in REPORTS:
            (inside / "results" / name).parent.mkdir(parents=True, exist_ok=True)
            result.report(inside / "results" / name)
        for kind in figures():
            try:
                drawn = result.plot(kind)
            except EventStudyError:  # such as the figure of groups of a study without groups
                continue
            (inside / "results" / "figures").mkdir(exist_ok=True)
            for suffix in FIGURES:
                save_figure(drawn, inside / "results" / "figures" / f"{kind}{suffix}")
        files = sorted(file for file in inside.rglob("*") if file.is_file())
        return {file.relative_to(inside).as_posix(): file.read_bytes() for file in files}


def figures() -> Iterator[str]:
    """Yield the library's figures that need no option."""
    for kind in _registry.names("plots", plugins=False):
        parameters = list(inspect.signature(_registry.load("plots", kind)).parameters.values())[1:]
        if all(p.default is not p.empty or p.kind is p.VAR_KEYWORD for p in parameters):
            yield kind


def _is_replica(path: Path) -> bool:
    """Return whether a file begins like a zip of this module."""
    with path.open("rb") as file:
        start = file.read(30 + len(CRATE))
    return start.startswith(b"PK") and start.endswith(CRATE.encode())
