"""Search in prompts: SearchText is written here alone, and asked here alone."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL

from generations.models import Generation, SearchText
from generations.services.gallery.tokens import asked, long_runs, tokens

AT_ONCE = 500  # runs of one transaction


def index(generation: Generation) -> None:
    """Write down the tokens of a run's prompt; call it in the transaction that makes the run."""
    SearchText.objects.update_or_create(
        generation=generation, defaults={"tokens": _written(generation.prompt)}
    )


def reindex(*, after: int = 0, limit: int = AT_ONCE, everything: bool = False) -> list[int]:
    """Write the rows of the next runs past the key `after`: of those that lack one, or of all.

    Returns the keys of these runs, in order; none when it is done. Each call is one transaction, so
    that whoever composes meanwhile does not wait long, and what is done stays done.
    """
    rows = Generation.objects.filter(pk__gt=after).order_by("pk")
    if not everything:
        rows = rows.filter(search_text=None)
    with transaction.atomic():
        # Locked, so that none is deleted before its row is there.
        locked = rows.select_for_update(of=("self",)).values_list("pk", "prompt")
        found = list(locked[:limit])
        SearchText.objects.bulk_create(
            [SearchText(generation_id=pk, tokens=_written(prompt)) for pk, prompt in found],
            update_conflicts=True,
            unique_fields=["generation"],
            update_fields=["tokens"],
        )
    return [pk for pk, _prompt in found]


def rebuild() -> None:
    """Make the database's own index anew from the rows. PostgreSQL's cannot differ from them."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO generations_searchindex(generations_searchindex) VALUES ('rebuild')"
            )


def _written(prompt: str) -> str:
    return " ".join(dict.fromkeys(tokens(prompt)))


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
