"""Write what the library is made of, as CycloneDX: each pin of the runtime lock and what it requires, ``make sbom``.

The text depends on the lock alone: it has no time, and its serial number is a hash of its content.
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.install.locks import LOCKS, PROJECT, Pin, lock, own_needs, snapshot

RUNTIME = next(iter(LOCKS))
SPACE = uuid.uuid5(uuid.NAMESPACE_DNS, PROJECT["project"]["name"])


def reference(name: str, version: str) -> str:
    """Return the package URL of a distribution, which names no index."""
    return f"pkg:pypi/{name}@{version}"


def component(pin: Pin) -> dict[str, Any]:
    """Return a pin as a component, with the environments that it is for and the hashes of the files that it may be."""
    properties = [{"name": "lock:file", "value": digest.removeprefix("--hash=")} for digest in sorted(pin.hashes)]
    if pin.marker:
        properties.insert(0, {"name": "lock:marker", "value": str(pin.marker)})
    name = reference(pin.name, pin.version)
    return {
        "type": "library",
        "bom-ref": name,
        "name": pin.name,
        "version": pin.version,
        "purl": name,
        "properties": properties,
    }


def dependencies(pins: list[Pin]) -> list[dict[str, Any]]:
    """Return what the library and each pin require, of the pins; of a name with two versions, both."""
    versions: dict[str, list[str]] = {}
    for pin in pins:
        versions.setdefault(pin.name, []).append(reference(pin.name, pin.version))
    project = PROJECT["project"]
    needs = {reference(pin.name, pin.version): snapshot()[str(pin)].requires for pin in pins if str(pin) in snapshot()}
    needs[reference(project["name"], project["version"])] = tuple(
        entry for entry in own_needs().requires if "extra ==" not in entry
    )
    return [
        {
            "ref": name,
            "dependsOn": sorted(
                {v for entry in requires for v in versions.get(canonicalize_name(Requirement(entry).name), [])}
            ),
        }
        for name, requires in sorted(needs.items())
    ]


def bill() -> str:
    """Return the bill of materials as JSON."""
    project, pins = PROJECT["project"], sorted(lock(RUNTIME), key=str)
    name = reference(project["name"], project["version"])
    licences = [{"license": {"id": project["license"]}}]
    content: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library", "bom-ref": name, "name": project["name"], "version": project["version"],
                "purl": name, "licenses": licences,
            }
        },
        "components": [component(pin) for pin in pins],
        "dependencies": dependencies(pins),
    }  # fmt: skip
    serial = uuid.uuid5(SPACE, json.dumps(content, sort_keys=True))
    return json.dumps({**content, "serialNumber": f"urn:uuid:{serial}"}, indent=1) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(bill(), encoding="utf-8", newline="\n")
