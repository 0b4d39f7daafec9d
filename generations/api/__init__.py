"""The API for programs: the same services as the pages, behind a token instead of a session.

A call goes: admission (token, body) -> calls (one operation each) -> services; what it answers with is put
together in shown.py, what it refuses in problems.py. The calls and their schema are docs/api.md's subject.
"""
