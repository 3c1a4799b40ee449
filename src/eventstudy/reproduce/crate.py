"""What a packed study says of itself: RO-Crate metadata for machines, and a page for people.

RO-Crate 1.1 (Soiland-Reyes et al. 2022, Data Science 5:97) describes research data as JSON-LD.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath

from eventstudy.display import formats
from eventstudy.reproduce.references import LIBRARY, used
from eventstudy.result import Result

CRATE = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/crate/1.1"
TYPES = {
    ".bib": "application/x-bibtex",
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".result": "application/zip",
    ".tex": "application/x-tex",
    ".toml": "application/toml",
    ".txt": "text/plain",
}
WHAT = {
    "README.md": "what is in this folder, and how to compute it again",
    "study.toml": "the choices of the study",
    "study.register.json": "the design as it was registered, with its SHA-256",
    "prices/lock.json": "the prices that were used, by their SHA-256",
    "references.bib": "the sources of the model and the tests",
    "environment/requirements.txt": "the libraries that computed the results, with their versions",
    "results/study.result": "all numbers of the result, for eventstudy.read_result",
}
LICENSE = "No licence is stated; the rights in events and prices are those of their owners."


def crate(contents: Mapping[str, bytes], result: Result) -> bytes:
    """Return the RO-Crate metadata of files by their paths."""
    files = [_file(name, content) for name, content in sorted(contents.items())]
    software = {
        "@id": "#eventstudy",
        "@type": "SoftwareApplication",
        "name": "eventstudy",
        "version": str(result.provenance.get("eventstudy")),
        "url": _repository(result),
    }
    action = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "The run of the study",
        "instrument": {"@id": "#eventstudy"},
        "object": [{"@id": f["@id"]} for f in files if not f["@id"].startswith("results/")],
        "result": [{"@id": f["@id"]} for f in files if f["@id"].startswith("results/")],
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "Event study",
        "description": _summary(result),
        "datePublished": _date(result),
        "license": LICENSE,
        "hasPart": [{"@id": f["@id"]} for f in files],
        "mentions": [{"@id": "#run"}],
    }
    descriptor = {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": PROFILE},
    }
    graph = [descriptor, root, *files, software, action]
    document = {"@context": f"{PROFILE}/context", "@graph": graph}
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def readme(result: Result, with_prices: bool) -> str:
    """Return the page for people."""
    versions = result.provenance.get("versions") or {}
    version = result.provenance.get("eventstudy")
    prices = (
        "- `prices/`: the prices, and `lock.json` with the SHA-256 of each file."
        if with_prices
        else "- `prices/lock.json`: the SHA-256 of each file of prices. The prices themselves may not be shared; get\n"
        "  them from their source, and put the files that the lock names beside it."
    )
    registered = ""
    if result.provenance.get("registration"):
        registered = "- `study.register.json`: the design as it was registered, to which every run is held.\n"
    note = formats.prices_note(result)
    again = "replicate study.toml --prices prices --to again.zip" + (" --with-prices" if with_prices else "")
    return f"""# Event study

{_summary(result)}{f" The prices are {note}." if note else ""}

## Compute it again

With Python {versions.get("python")}, eventstudy {version} ({_repository(result)}) and the libraries of
`environment/requirements.txt`, in this folder:

    eventstudy {again}

`again.zip` has then the same bytes as the zip that you have. On another system or with other fonts the last digits of a
number or the pixels of a figure may differ; this compares the numbers alone, and names each cell that differs:

    eventstudy verify study.toml results/study.result --prices prices

## What is here

- `study.toml`, and beside it the events and factors that it names: the choices of the study.
{registered}{prices}
- `results/`: the numbers (`study.result`, for `eventstudy.read_result`), the report, the tables and the figures.
- `environment/requirements.txt`: the libraries that computed them. Their versions are pinned, with all that they need;
  the files of these versions (no hashes), Python, fonts and the system are not.
- `references.bib`: the sources of the model, the tests and the library.
- `{CRATE}`: this list for machines (RO-Crate 1.1).
"""


def _file(name: str, content: bytes) -> dict[str, str]:
    """Return the entity of a file."""
    what = WHAT.get(name)
    return {
        "@id": name,
        "@type": "File",
        "name": PurePosixPath(name).name,
        **({"description": what} if what else {}),
        "encodingFormat": TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream"),
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _summary(result: Result) -> str:
    """Return one sentence on the study."""
    settings = result.provenance.get("settings") or {}
    used_events = formats.usable_events(result)
    model, benchmark = (formats.setting(settings.get(name)) for name in ("model", "benchmark"))
    return (
        f"{len(used_events)} of {len(result.events)} events, with the model {model} and the benchmark {benchmark},"
        " estimated and tested with eventstudy."
    )


def _date(result: Result) -> str:
    """Return the date of the data: when they were retrieved, or what SOURCE_DATE_EPOCH says; never that of today."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdigit():
        return datetime.fromtimestamp(int(epoch), UTC).date().isoformat()
    prices = result.provenance.get("prices") or {}
    return str(prices.get("retrieved") or "")[:10]


def _repository(result: Result) -> str:
    return next(entry.fields["url"] for entry in used(result) if entry.key == LIBRARY)
