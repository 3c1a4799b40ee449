"""Passwords, tokens and keys in texts and records: found, and replaced by *** before they are shown or stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"
REFERENCE = "env:"  # the name of an environment variable in place of the secret itself
_WORDS = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|crumb|api[_-]?key|access[_-]?key|private[_-]?key|signature|credential"
)
# The password of a URL, also of one whose slashes a Path has joined: to the last @ of the word, as it may hold an @
# itself, or else to the first @ of the line, as it may hold blanks. The library's own examples are left as they are.
_LOGIN = re.compile(
    r"(:/{1,2}[^\s:/@'\"]{0,100}):(?!password@host)(?!\*\*\*@)(?:[^\s]{0,300}@|[^@\n]{1,300}@)", re.ASCII
)
_BARE_LOGIN = re.compile(r"(https?:/{1,2})[^\s:/@'\"]{1,300}@", re.ASCII | re.IGNORECASE)  # a token in place of a user
_NAMED = re.compile(
    rf"((?:{_WORDS}|\bsig)[\w.-]{{0,100}}(?:\s{{0,9}}=\s{{0,9}}|['\"]\s{{0,9}}[:=]\s{{0,9}}))"
    rf"(?!['\"]?(?:{REFERENCE}|\*\*\*))('[^'\n]*'?|\"[^\"\n]*\"?|[^\s&;,)\]}}'\"]+)",
    re.ASCII | re.IGNORECASE,
)
_HEADER = re.compile(
    r"(authorization['\"]?\s{0,9}[:=]\s{0,9}['\"]?)(?!\*\*\*)[^\s'\"][^'\"\n]*", re.ASCII | re.IGNORECASE
)
_NAME = re.compile(rf"(?:.*[\W_])?(?:{_WORDS}|authorization|cookie)s?", re.IGNORECASE | re.DOTALL)


def masked(text: str) -> str:
    """Return a text with *** in place of the password of a URL, and of the values of named passwords and tokens.

    Examples
    --------
    >>> masked("no connection to postgresql://me:p@ss@host/db?sslpassword=b")
    'no connection to postgresql://me:***@host/db?sslpassword=***'
    >>> masked("{'Authorization': 'Bearer abc'}"), masked("start=2021-01-04")
    ("{'Authorization': '***'}", 'start=2021-01-04')
    """
    if "@" in text:
        text = _BARE_LOGIN.sub(rf"\1{HIDDEN}@", _LOGIN.sub(rf"\1:{HIDDEN}@", text))
    if "=" in text or ":" in text:
        text = _NAMED.sub(_without_value, _HEADER.sub(rf"\1{HIDDEN}", text))
    return text


def _without_value(found: re.Match[str]) -> str:
    name, value = found.groups()
    quote = value[0] if value[0] in "'\"" else ""
    return f"{name}{quote}{HIDDEN}{quote if quote and value[1:].endswith(quote) else ''}"


def masked_record(value: Any) -> Any:
    """Return a record as it may be shown or stored: every text masked, and texts under a name of a secret hidden.

    Examples
    --------
    >>> masked_record({"source": "vendor", "api_key": "abc", "uris": ["ftp://me:abc@host"], "rows": 3})
    {'source': 'vendor', 'api_key': '***', 'uris': ['ftp://me:***@host'], 'rows': 3}
    """
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {name: HIDDEN if _is_secret(name, item) else masked_record(item) for name, item in value.items()}
    return type(value)(map(masked_record, value)) if type(value) in (list, tuple) else value


def _is_secret(name: object, value: object) -> bool:
    """Return whether a name says that the text below it is secret, and the text is no reference to one."""
    named = isinstance(name, str) and bool(_NAME.fullmatch(name))
    return named and isinstance(value, str) and bool(value) and not value.startswith(REFERENCE)
