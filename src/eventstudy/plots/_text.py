"""Text in figures: fonts that can draw it, lines that fit a width, and what no font can draw."""

from __future__ import annotations

import re
import unicodedata
import warnings
from functools import lru_cache
from typing import Any

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from matplotlib.textpath import text_to_path

from eventstudy.display import formats
from eventstudy.errors import EventStudyWarning

# DejaVu Sans comes with matplotlib; the first installed font of CJK draws Chinese, Japanese and Korean.
LATIN = "DejaVu Sans"
CJK = (
    "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK HK", "Noto Sans CJK JP", "Noto Sans CJK KR",
    "Source Han Sans SC", "Source Han Sans CN", "Source Han Sans", "Noto Sans SC", "Noto Sans TC", "PingFang SC",
    "PingFang HK", "PingFang TC", "Hiragino Sans GB", "Microsoft YaHei", "Microsoft JhengHei", "SimHei", "Heiti SC",
    "Heiti TC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Noto Sans JP", "Hiragino Sans",
    "Yu Gothic", "Noto Sans KR", "Apple SD Gothic Neo", "Malgun Gothic", "Arial Unicode MS",
)  # fmt: skip
CURE = (
    "no font that draws Chinese, Japanese or Korean is installed, so that figures show □ in the place of such text;"
    " install one, such as Noto Sans CJK (on Debian and Ubuntu: apt install fonts-noto-cjk), and start Python again"
)
UNDRAWABLE = "□"
BOLD_WEIGHT = 600  # from here on a face is bold


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """Return the installed font families to draw with, in the order in which they are searched for a glyph."""
    installed = set(font_manager.fontManager.get_font_names())
    return (LATIN, *[name for name in CJK if name in installed][:1])


@lru_cache(maxsize=1)
def bold_families() -> tuple[str, ...]:
    """Return those of the families that have a bold face; matplotlib would log that it takes another for the others."""
    faces = font_manager.fontManager.ttflist
    bold = {face.name for face in faces if isinstance(face.weight, int) and face.weight >= BOLD_WEIGHT}
    return (LATIN, *[name for name in families()[1:] if name in bold])


BOLD: dict[str, Any] = {"fontfamily": list(bold_families()), "fontweight": "bold"}


@lru_cache(maxsize=2)
def _fonts(bold: bool) -> tuple[FT2Font, ...]:
    names, weight = (bold_families(), "bold") if bold else (families(), "normal")
    return tuple(
        font_manager.get_font(font_manager.findfont(font_manager.FontProperties(family=name, weight=weight)))
        for name in names
    )


def drawable(text: object, width: int = 0, *, bold: bool = False) -> str:
    """Return text as one line that the fonts can draw, with an ellipsis after ``width`` columns unless that is 0.

    A character that no font has becomes a box; matplotlib would warn and then draw a box. ``bold`` is for text that is
    drawn with :data:`BOLD`.

    Warns
    -----
    EventStudyWarning
        Once, if the text is Chinese, Japanese or Korean and no font for it is installed: what to install.
    """
    line = formats.plain(text)
    line = formats.cut(line, width) if width else line
    known = [any(font.get_char_index(ord(c)) for font in _fonts(bold)) for c in line]
    if len(families()) == 1 and any(_is_cjk(c) for c, has_glyph in zip(line, known, strict=True) if not has_glyph):
        _warn()
    return "".join(c if has_glyph else UNDRAWABLE for c, has_glyph in zip(line, known, strict=True))


def is_latin(text: str) -> bool:
    """Return whether DejaVu Sans draws all of a text.

    Examples
    --------
    >>> is_latin("±1.96 − ok"), is_latin("反垄断")
    (True, False)
    """
    return all(_fonts(False)[0].get_char_index(ord(c)) for c in text if c.isprintable())


def _is_cjk(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF" and unicodedata.category(character) == "Lo"


@lru_cache(maxsize=1)
def _warn() -> None:
    warnings.warn(CURE, EventStudyWarning, stacklevel=2)


def wrapped(text: str, room: float, size: float = 9.0, *, bold: bool = False) -> list[str]:
    """Return text as lines of at most some points, broken between words, and within words that are longer.

    Examples
    --------
    >>> wrapped("24 events; shaded: 95 % band", 80), wrapped("反垄断指南", 40)
    (['24 events;', 'shaded: 95 %', 'band'], ['反垄断指', '南'])
    """
    lines = [""]
    for word in re.split(" (?!%)", text):  # a number and its per cent sign stay together
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if not lines[-1] or points(longer, size, bold=bold) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    whole: list[str] = []
    for line in lines:
        rest = line
        while len(rest) > 1 and points(rest, size, bold=bold) > room:
            most = next((n for n in range(len(rest) - 1, 1, -1) if points(rest[:n], size, bold=bold) <= room), 1)
            whole.append(rest[:most])
            rest = rest[most:]
        whole.append(rest)
    return whole


@lru_cache(maxsize=1024)
def points(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a line of text is drawn, in points."""
    properties = font_manager.FontProperties(
        family=list(bold_families() if bold else families()), weight="bold" if bold else "normal", size=size
    )
    return float(text_to_path.get_text_width_height_descent(text, properties, False)[0]) if text else 0.0
