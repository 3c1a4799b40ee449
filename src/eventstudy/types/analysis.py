"""What an analysis of a result has, so that a report can show it: its table's kind, its answer, and its figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


@runtime_checkable
class Analysis(Protocol):
    """A record that an analysis returned, such as that of ``Result.money``.

    ``kind`` is the member of ``tables/`` that makes its table, by ``Result.table(kind, of=record)``.
    """

    kind: ClassVar[str]

    def answer(self) -> str:
        """Return what was found, in one to three sentences with the numbers and how sure they are."""
        ...

    def plot(self, **options: Any) -> Axes | NDArray[np.object_]:
        """Draw the figure of the analysis, with at least ``title``, ``figsize`` and ``ax``."""
        ...
