"""People's own affairs: the browsers they are signed in with, a forgotten password."""

from generations.services.people.letters import later, may_write_to
from generations.services.people.sign_ins import (
    Seen,
    begin,
    due,
    end,
    end_elsewhere,
    forget,
    moved,
    seen,
    sign_ins,
)

__all__ = [
    "Seen",
    "begin",
    "due",
    "end",
    "end_elsewhere",
    "forget",
    "later",
    "may_write_to",
    "moved",
    "seen",
    "sign_ins",
]
