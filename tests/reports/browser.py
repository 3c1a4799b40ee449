"""Pages in Chromium: their document after loading, what the browser complains of, and the violations that axe finds."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
    "--allow-file-access-from-files", "--virtual-time-budget=5000",
]  # fmt: skip

# Runs axe in the page, all folds open, and writes the violations into its document.
AXE = """<script>
addEventListener("load", async () => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  const found = await axe.run(document, { resultTypes: ["violations"] });
  const out = document.createElement("pre");
  out.id = "axe";
  out.textContent = JSON.stringify({
    passes: found.passes.length, dark: matchMedia("(prefers-color-scheme: dark)").matches, width: innerWidth,
    violations: found.violations.map((v) => [v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))]),
  });
  document.body.append(out);
});
</script>"""

# Shows that copy in a frame, because no window is as narrow as a telephone, and takes over what it has written.
FRAME = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">
<iframe src="axe.html" width="%d" height="1000" style="border:0"></iframe><script>
const timer = setInterval(() => {
  const written = document.querySelector("iframe").contentDocument.getElementById("axe");
  if (written) { clearInterval(timer); document.body.append(written); }
}, 50);
</script>"""


def each_look(width: int) -> pytest.MarkDecorator:
    """Try a page each time in this width alone, in all tests also in the other, and both in each colour if slow."""
    looks = {1280: False, 390: True}  # dark on a telephone
    others = [pytest.param(w, not dark, marks=pytest.mark.slow) for w, dark in looks.items()]
    [other] = [pytest.param(w, dark, marks=pytest.mark.full) for w, dark in looks.items() if w != width]
    return pytest.mark.parametrize(("width", "dark"), [(width, looks[width]), other, *others])


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed; CI needs it")
        pytest.skip(f"{name} is not installed")
    return path


def open_page(page: Path, *options: str) -> tuple[str, list[str]]:
    """Open a page in Chromium; return its document, and what the browser wrote to its console."""
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command = [program("chromium"), *CHROMIUM, *options, profile, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
    console = [line for line in done.stderr.decode(errors="replace").splitlines() if ":CONSOLE" in line]
    return done.stdout.decode(), console


def run_axe(page: Path, width: int = 1280, *options: str) -> Any:
    """Return what axe finds in a copy of a page without its policy, in a frame of some width."""
    script = (resources.files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    source = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    copy = page.with_name("axe.html")
    copy.write_text(source.replace("</body>", f"<script>{script}</script>{AXE}</body>"), encoding="utf-8")
    frame = page.with_name("frame.html")
    frame.write_text(FRAME % width, encoding="utf-8")
    document, _ = open_page(frame, *options)
    written = re.search(r'<pre id="axe">(.*?)</pre>', document, re.S)
    assert written is not None
    return json.loads(html.unescape(written[1]))
