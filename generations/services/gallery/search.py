"""Search in prompts: SearchText is written here alone, and asked here alone."""

from __future__ import annotations

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from generations.models import Generation, SearchText
from generations.services.gallery.tokens import asked, long_runs, tokens


def index(generation: Generation) -> None:
    """Write down the tokens of a run's prompt; call it in the transaction that makes the run."""
    found = " ".join(dict.fromkeys(tokens(generation.prompt)))
    SearchText.objects.update_or_create(generation=generation, defaults={"tokens": found})


def matching(text: str, field: str = "pk") -> Q:
    """Runs whose prompt has every token of `text`; `field` names the run's key on the queried row.

    A text without any token (quotes, operators, spaces) finds nothing.
    """
    wanted = asked(text)
    if not wanted:
        return Q(pk__in=[])
    condition = Q(**{f"{field}__in": _found(wanted)})
    # Pairs that overlap need not be neighbours; what the index found is read once more.
    prompt = "prompt__contains" if field == "pk" else "generation__prompt__contains"
    for run in long_runs(text):
        condition &= Q(**{prompt: run})
    return condition


def _found(wanted: list[str]) -> RawSQL:
    if connection.vendor == "sqlite":
        sql = "SELECT rowid FROM generations_searchindex WHERE generations_searchindex MATCH %s"
        return RawSQL(sql, [" ".join(f'"{token}"' for token in wanted)])  # noqa: S611 - no text of ours
    sql = (
        "SELECT generation_id FROM generations_searchtext "
        "WHERE to_tsvector('simple', tokens) @@ to_tsquery('simple', %s)"
    )
    return RawSQL(sql, [" & ".join(wanted)])  # noqa: S611 - the tokens are a parameter
