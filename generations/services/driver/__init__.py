"""The driver: one task per provider account that submits and polls all of its jobs.

`slice` is the loop; `lease` says who may drive; `claims` what goes next; `pace` how fast; `calls` makes
the HTTP calls in threads; `verdicts` turns each answer into a change of state.
"""

from __future__ import annotations

from generations.services.driver.slice import drive

__all__ = ["drive"]
