"""Functions that draw figures, without matplotlib's union types."""

from __future__ import annotations

from typing import Any

from eventstudy.result import Result


def draw(result: Result, kind: str, **options: Any) -> Any:
    return result.plot(kind, **options)


def collections(ax: Any, kind: type) -> list[Any]:
    return [c for c in ax.collections if isinstance(c, kind)]
