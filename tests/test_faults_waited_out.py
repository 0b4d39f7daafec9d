"""Each fault of the sandbox alone, at every chance it has, over ten jobs: those that are waited out."""

from __future__ import annotations

import pytest

from tests.every_fault import WAITS, alone_at_every_chance, site
from tests.running import Site

__all__ = ["site"]
pytestmark = [pytest.mark.timeout(300), pytest.mark.site]


@pytest.mark.parametrize("fault", WAITS)
def test_alone_at_every_chance(site: Site, fault: str) -> None:
    alone_at_every_chance(site, fault)
