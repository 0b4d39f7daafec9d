"""What cannot be done with a project or its people."""

from __future__ import annotations


class ProjectProblem(Exception):
    """What was asked for is not possible; `message` is one translated sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
