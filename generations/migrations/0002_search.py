"""The index that search uses, made as each database does it best. Hand-written, hence apart from 0001."""

from typing import Any

from django.db import migrations

SQLITE = (
    "CREATE VIRTUAL TABLE generations_searchindex USING fts5("
    "tokens, content='generations_searchtext', content_rowid='generation_id', tokenize='ascii')",
    "CREATE TRIGGER generations_search_added AFTER INSERT ON generations_searchtext BEGIN "
    "INSERT INTO generations_searchindex(rowid, tokens) VALUES (new.generation_id, new.tokens); END",
    "CREATE TRIGGER generations_search_gone AFTER DELETE ON generations_searchtext BEGIN "
    "INSERT INTO generations_searchindex(generations_searchindex, rowid, tokens) "
    "VALUES ('delete', old.generation_id, old.tokens); END",
    "CREATE TRIGGER generations_search_changed AFTER UPDATE ON generations_searchtext BEGIN "
    "INSERT INTO generations_searchindex(generations_searchindex, rowid, tokens) "
    "VALUES ('delete', old.generation_id, old.tokens); "
    "INSERT INTO generations_searchindex(rowid, tokens) VALUES (new.generation_id, new.tokens); END",
)
SQLITE_BACK = (
    "DROP TRIGGER generations_search_added",
    "DROP TRIGGER generations_search_gone",
    "DROP TRIGGER generations_search_changed",
    "DROP TABLE generations_searchindex",
)
POSTGRES = (
    "CREATE INDEX generations_searchindex ON generations_searchtext "
    "USING gin (to_tsvector('simple', tokens))",
)
POSTGRES_BACK = ("DROP INDEX generations_searchindex",)


def forwards(apps: Any, schema_editor: Any) -> None:
    for sql in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRES:
        schema_editor.execute(sql)


def backwards(apps: Any, schema_editor: Any) -> None:
    for sql in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRES_BACK:
        schema_editor.execute(sql)


class Migration(migrations.Migration):
    dependencies = [("generations", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
