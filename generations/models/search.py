"""What search looks through: one row of tokens per run, indexed as each database does it best."""

from __future__ import annotations

from django.db import models

from generations.models.runs import Generation


class SearchText(models.Model):
    """The tokens of a run's prompt, separated by spaces. services/gallery/search.py alone writes it."""

    generation = models.OneToOneField(
        Generation, models.CASCADE, primary_key=True, related_name="search_text"
    )
    tokens = models.TextField()

    def __str__(self) -> str:
        return self.tokens[:40]
