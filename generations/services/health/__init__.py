"""Is everything well: for machines that ask, for staff who look, and for those who must be told."""

from __future__ import annotations

from generations.services.health.accounts import Finding, check, check_accounts
from generations.services.health.episodes import look
from generations.services.health.questions import readiness
from generations.services.health.status import status

__all__ = ["Finding", "check", "check_accounts", "look", "readiness", "status"]
