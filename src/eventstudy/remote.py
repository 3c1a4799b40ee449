"""Places that are no folder of this machine: URLs of object storage, opened by fsspec."""

from __future__ import annotations

from typing import Any

from eventstudy.errors import InputError


def is_url(place: str) -> bool:
    """Say whether a place is a URL, and no folder.

    Examples
    --------
    >>> is_url("s3://bucket/parts"), is_url("/data/parts")
    (True, False)
    """
    return "://" in place


def filesystem(what: str, url: str) -> tuple[Any, str]:
    """Give the fsspec file system of a URL, and the path on it.

    Raises
    ------
    InputError
        When fsspec, or its library for such URLs, is not installed, or no library is known for them; ``what`` says
        what the URL was given for.
    """
    try:
        import fsspec
    except ImportError as missing:
        raise InputError(
            f'{what} is the URL {url!r}, which needs fsspec, or give a folder; pip install "eventstudy-quant[cluster]"'
        ) from missing
    try:
        files, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as flaw:
        raise InputError(f"{what} is {url!r}, which fsspec cannot open ({flaw})") from flaw
    return files, path
