"""`manage.py reindex_search`: what is missing is written, in batches, and a stop costs one batch."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from generations.models import Generation, SearchText
from generations.services.gallery import search
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs(team: world.Team) -> list[Generation]:
    """Five runs of which nothing is written down yet."""
    made = [world.generation(team.project, team.editor, prompt=f"白鹤 n{n}") for n in range(4)]
    return [team.generation, *made]


def reindex(*arguments: str, **options: Any) -> list[str]:
    out = StringIO()
    call_command("reindex_search", *arguments, stdout=out, **options)
    return out.getvalue().splitlines()


def found(words: str) -> int:
    return Generation.objects.filter(search.matching(words)).count()


def test_what_lacks_it_is_written_in_batches(runs: list[Generation]) -> None:
    search.index(runs[1])
    SearchText.objects.filter(generation=runs[1]).update(tokens="tkept")
    said = reindex("--batch", "3")
    assert said == [
        f"3 done, up to run {runs[3].pk}",
        f"4 done, up to run {runs[4].pk}",
        "Search text written for 4 runs.",
    ]
    assert found("白鹤") == 3  # the one that had a row was left alone
    assert reindex() == ["Search text written for 0 runs."]
    assert reindex("--all")[-1] == "Search text written for 5 runs."
    assert found("白鹤") == 4
    assert found("kept") == 0


def test_stopped_it_goes_on_where_it_was(
    runs: list[Generation], monkeypatch: pytest.MonkeyPatch
) -> None:
    once = search.reindex
    calls: list[int] = []

    def dies(**asked: Any) -> list[int]:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return once(**asked)

    monkeypatch.setattr(search, "reindex", dies)
    with pytest.raises(KeyboardInterrupt):
        reindex("--batch", "2")
    assert SearchText.objects.count() == 2
    assert reindex("--batch", "2")[-1] == "Search text written for 3 runs."
    rest = reindex("--all", "--after", str(runs[2].pk))
    assert rest[-1] == "Search text written for 2 runs."


def test_an_index_that_lost_its_words_is_made_anew(runs: list[Generation]) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps its index itself")
    reindex()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO generations_searchindex(generations_searchindex) VALUES ('delete-all')"
        )
    assert found("白鹤") == 0
    reindex("--all")
    assert found("白鹤") == 4


@pytest.mark.parametrize("wrong", [("--batch", "0"), ("--after", "-1"), ("--after", "9" * 30)])
def test_nonsense_is_refused_in_a_sentence(wrong: tuple[str, str], db: None) -> None:
    with pytest.raises(CommandError, match="must be"):
        reindex(*wrong)


def test_a_batch_is_three_statements_however_large(
    runs: list[Generation], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(4):  # with the savepoint of the test's own transaction
        assert len(search.reindex(limit=5)) == 5
