"""Every member and every status has a printed name."""

from __future__ import annotations

import pytest

from eventstudy import _registry
from eventstudy.display import names
from eventstudy.types import Status

KINDS = {"inference": names.TESTS, "models": names.MODELS}


@pytest.mark.parametrize("folder", KINDS)
def test_every_member_has_a_printed_name_of_its_own(folder):
    assert set(KINDS[folder]) == set(_registry.names(folder, plugins=False))
    printed = list(KINDS[folder].values())
    assert len(set(printed)) == len(printed)
    assert [name for name in printed if "_" in name or not name[0].isupper()] == []


def test_every_status_is_said_in_words():
    assert set(names.STATUSES) == {status.label for status in Status}
    assert [text for text in names.STATUSES.values() if "_" in text] == []
