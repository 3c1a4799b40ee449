"""The fake of Yahoo that lies with the shared data, loaded from its file."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any


def yahoo(shared: Path) -> Any:
    """Return a fake server, which runs as a context manager."""
    spec = importlib.util.spec_from_file_location("fake_yahoo", shared / "tools" / "fake_yahoo.py")
    assert spec
    assert spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    finish = module.Handler.finish

    def finish_and_close(handler):
        finish(handler)
        handler.connection.close()  # the TLS socket that took the place of the one the server closes

    module.Handler.finish = finish_and_close
    return module.FakeYahoo()
