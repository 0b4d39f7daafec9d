"""How uploaded files are taken down: to disk, and never much more than is allowed."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler

from generations.services.library.references import MAX_BYTES


class CappedUpload(TemporaryFileUploadHandler):
    """Keeps a file up to the first piece above MAX_BYTES; the rest is read and thrown away.

    Ending the connection instead would leave the person without a sentence on what went wrong.
    """

    kept = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.kept = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self.kept <= MAX_BYTES:
            self.kept += len(raw_data)
            return super().receive_data_chunk(raw_data, start)
        return None
