"""Keeping the engine alive: the processes of `manage.py runworker`, and what is swept every 5 s."""

from __future__ import annotations
