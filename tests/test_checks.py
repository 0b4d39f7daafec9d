"""What `manage.py check` says before anything starts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from generations import checks
from studio import env


def ids(found: Iterable[CheckMessage]) -> list[str]:
    return [str(message.id) for message in found]


def test_this_installation_has_no_complaint() -> None:
    for check in (
        checks.files_move_in_one_step,
        checks.keys_come_in_pairs,
        checks.no_debug_pages_beside_real_keys,
    ):
        assert ids(check()) == []


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no second file system to try it on")
def test_a_rename_across_file_systems_is_an_error(settings: Settings) -> None:
    settings.MEDIA_ROOT = Path("/dev/shm/diptych-not-made-yet/media")
    if Path("/dev/shm").stat().st_dev == settings.TEMP_ROOT.stat().st_dev:
        pytest.skip("temporary files are in /dev/shm themselves")
    assert ids(checks.files_move_in_one_step()) == [checks.TEMP_ELSEWHERE]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("VOLC_ACCESS_KEY", "VOLC_SECRET_KEY"),
        ("VOLC_SECRET_KEY", "VOLC_ACCESS_KEY"),
        ("VOLC_ACCESS_KEY_3", "VOLC_SECRET_KEY_3"),
    ],
)
def test_half_a_key_pair_is_an_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, given: str, missing: str
) -> None:
    monkeypatch.setenv(given, "AKEXAMPLE")
    settings.VOLC_KEYS_MISSING = env.half_pairs("VOLC")
    assert not env.key_pairs("VOLC")
    found = list(checks.keys_come_in_pairs())
    assert ids(found) == [checks.HALF_A_KEY]
    assert found[0].msg.startswith(missing)
    assert "EXAMPLE" not in str(found[0])


def test_debug_beside_real_keys_is_a_warning(settings: Settings) -> None:
    settings.DEBUG, settings.LIVE = True, True
    assert ids(checks.no_debug_pages_beside_real_keys()) == [checks.DEBUG_WITH_KEYS]
