"""People's own affairs: the browsers they are signed in with, their programs' tokens, a forgotten password."""

from generations.services.people.letters import later, may_write_to
from generations.services.people.sign_ins import (
    Seen,
    address_of,
    begin,
    due,
    end,
    end_elsewhere,
    forget,
    moved,
    seen,
    sign_ins,
)
from generations.services.people.tokens import (
    DAYS,
    NEVER,
    TokenProblem,
    TooManyGuesses,
    WrongToken,
    admit,
    make_token,
    revoke_token,
    tokens_of,
)

__all__ = [
    "DAYS",
    "NEVER",
    "Seen",
    "TokenProblem",
    "TooManyGuesses",
    "WrongToken",
    "address_of",
    "admit",
    "begin",
    "due",
    "end",
    "end_elsewhere",
    "forget",
    "later",
    "make_token",
    "may_write_to",
    "moved",
    "revoke_token",
    "seen",
    "sign_ins",
    "tokens_of",
]
