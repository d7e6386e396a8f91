"""The deployed function that serves static files from their private bucket, because an HTTP API cannot read one.

This file alone is its zip: it needs only the boto3 of Lambda's runtime, and changes only with this package.
"""

from __future__ import annotations

import base64
import functools
import gzip
import os
from typing import Any
from urllib.parse import unquote

_LEAST = 1024  # bytes that are worth compressing
_COMPRESSIBLE = ("text/", "application/json", "application/manifest+json", "application/xml", "image/svg+xml")
_LONGEST_KEY = 1024  # bytes of an object's key in S3
_NOT_MODIFIED = 304
_MISSING = ("403", "AccessDenied", "NoSuchKey")  # S3 does not say which to a role that may not list the bucket


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the file that an event of payload format 1.0 or 2.0 asks for. The response sets no cookie."""
    from botocore.exceptions import ClientError

    asked = {name.lower(): value for name, value in event["headers"].items()}
    key = os.environ["ARC_STATIC_PREFIX"] + unquote((event.get("pathParameters") or {}).get("proxy", ""))
    if not 0 < len(key.encode()) <= _LONGEST_KEY:
        return _not_found()
    try:
        found = _client().get_object(
            Bucket=os.environ["ARC_STATIC_BUCKET"],
            Key=key,
            ExpectedBucketOwner=os.environ["ARC_STATIC_OWNER"],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        return _not_found()
    headers = {"cache-control": found.get("CacheControl", "no-cache"), "etag": found["ETag"]}
    known = {one.strip().removeprefix("W/") for one in asked.get("if-none-match", "").split(",")}
    compressible = found["ContentType"].startswith(_COMPRESSIBLE) and found["ContentLength"] >= _LEAST
    if compressible:
        headers["vary"] = "Accept-Encoding"
    if known & {found["ETag"], "*"}:
        return {"statusCode": _NOT_MODIFIED, "headers": headers}
    body = found["Body"].read()
    headers |= {"content-type": found["ContentType"], "x-content-type-options": "nosniff"}
    if compressible and _accepts_gzip(asked.get("accept-encoding", "")):
        body = gzip.compress(body, mtime=0)
        headers |= {"content-encoding": "gzip", "etag": f"W/{found['ETag']}"}
    return {"statusCode": 200, "headers": headers, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _not_found() -> dict[str, Any]:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return {"statusCode": 404, "headers": headers, "body": '{"message":"Not Found"}'}


def _accepts_gzip(text: str) -> bool:
    codings = {one.replace(" ", "").lower() for one in text.split(",")}
    return any(one == "gzip" or (one.startswith("gzip;q=") and one.strip("0.") != "gzip;q=") for one in codings)


@functools.cache
def _client() -> Any:
    import boto3

    return boto3.client("s3")
