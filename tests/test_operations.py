"""docs/operations.md tells the truth: fields, alerts, variables, commands and units."""

from __future__ import annotations

import re

import pytest
from django.core.management import get_commands
from django.test import Client
from django.urls import reverse

from generations.models import Episode
from studio import settings as studio_settings
from tests.running import ROOT
from tests.test_docs import variables

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def first_cells() -> set[str]:
    rows = re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.django_db
def test_every_field_of_readyz_is_explained() -> None:
    assert set(Client().get(reverse("readyz")).json()) <= first_cells()


def test_every_alert_is_explained() -> None:
    assert set(Episode.Kind.values) <= first_cells()


def test_every_address_and_variable_exists() -> None:
    assert {reverse("healthz"), reverse("readyz")} <= first_cells()
    assert f"`{reverse('status')}`" in PAGE
    known = {*variables("Configuration"), "KillMode", "Restart", "TimeoutStopSec"}
    assert set(re.findall(r"`([A-Z][A-Z_]+)`", PAGE)) <= known


def test_the_commands_are_those_of_the_procfile() -> None:
    named = set(re.findall(r"manage\.py (\w+)", PAGE))
    assert {"runworker", "migrate"} <= named <= set(get_commands())
    web, worker = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    for line in (web, worker):
        words = [each for each in line.split()[2:] if "PORT" not in each and each != "0.0.0.0"]
        assert [each for each in words if each not in PAGE] == []


def test_the_worker_is_told_alone_and_given_its_grace() -> None:
    unit = PAGE[PAGE.index("runworker\n    KillMode") : PAGE.index("* `KillMode=mixed`")]
    assert "KillMode=mixed" in unit and "Restart=always" in unit
    found = re.search(r"TimeoutStopSec=(\d+)", unit)
    assert found and int(found[1]) > int(studio_settings.ENGINE["stop_grace_s"]) + 5


def test_its_lines_fit() -> None:
    lines = PAGE.splitlines()
    long = [each for each in lines if len(each) > 130 and not each.startswith(("|", "    "))]
    assert long == []
