"""The bucket that references are lent from, as django-storages sees it. Imported when it is first used."""

from __future__ import annotations

from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from storages.backends.s3 import S3Storage

CONNECT_S, READ_S = 5, 15
# Above any fitted picture: each goes up in one request, whole or not at all.
ONE_REQUEST = 64 * 1024 * 1024


class PrivateS3(S3Storage):
    """Private objects, version 4 signatures; keys and addresses from our settings alone, and no proxies.

    Only the first attempt is made: the line in front of the provider does the waiting. Checksums only
    where they are demanded: TOS and other relatives of S3 refuse the trailers that boto3 adds by itself.
    """

    def __init__(self, *, addressing_style: str, **options: Any) -> None:
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": addressing_style},
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            proxies={},
        )
        super().__init__(
            **options,
            addressing_style=addressing_style,
            client_config=config,
            transfer_config=TransferConfig(multipart_threshold=ONE_REQUEST, use_threads=False),
            default_acl="private",
            querystring_auth=True,
            custom_domain=None,
            security_token=None,
            session_profile=None,
            file_overwrite=True,
        )
