"""Access to object storage by URL, through fsspec."""

from __future__ import annotations

from typing import Protocol

from eventstudy.errors import InputError, shown


class FileSystem(Protocol):
    """The methods of an fsspec file system that the library uses."""

    def cat_file(self, path: str) -> bytes:
        """Return the content of a file."""

    def pipe_file(self, path: str, value: bytes) -> None:
        """Write a file."""

    def exists(self, path: str) -> bool:
        """Return whether a file or folder exists."""

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Create a folder and its parents."""

    def mv(self, path1: str, path2: str) -> None:
        """Move a file."""

    def rm(self, path: str) -> None:
        """Delete a file."""


def is_url(place: str) -> bool:
    """Return whether a location is a URL rather than a local folder.

    Examples
    --------
    >>> is_url("s3://bucket/parts"), is_url("/data/parts")
    (True, False)
    """
    return "://" in place


def filesystem(what: str, url: str) -> tuple[FileSystem, str]:
    """Return the fsspec file system of a URL, and the path on it.

    Raises
    ------
    InputError
        If fsspec, or its driver for the URL's protocol, is not installed, the protocol is unknown, or nothing answers
        at the URL; ``what`` names the argument that holds the URL.
    """
    try:
        import fsspec
    except ImportError:
        raise InputError(
            f"{what} is the URL {shown(url)}, which needs fsspec; install it with"
            ' pip install ".[cluster]", or give a local folder'
        ) from None
    try:
        files, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError, OSError) as error:  # no cause: it can quote a password in the URL
        raise InputError(
            f"{what} is {shown(url)}, which fsspec cannot open ({error}); check the URL, or install its driver"
        ) from None
    return files, path
