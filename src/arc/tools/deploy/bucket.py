"""S3: the buckets of an app's environment, which are private, and the objects in them."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from arc.tools.cloud.cloud import Cloud

_LONGEST_NAME = 63  # characters of a bucket's name
_UPLOADS = 4  # at a time
_MAX_DELETIONS = 1000  # objects in one call
_CLOSED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@dataclass(frozen=True)
class Upload:
    """An object to store: its key, its content, and S3's headers such as `ContentType`."""

    name: str
    """For people."""
    key: str
    content: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


def bucket_name(app: str, environment: str, purpose: str, account: str, region: str) -> str:
    """The name of an environment's bucket, which no other app, account or region uses."""
    name = f"{app}-{environment}-{purpose}-{account}-{region}"
    plain = name.lower().replace("_", "-")
    if plain == name and len(name) <= _LONGEST_NAME:
        return name
    return f"{plain[: _LONGEST_NAME - 9].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


class Bucket:
    """The bucket `name` in a cloud. Every method raises what `Cloud.call` raises.

    With `owner`, an account's number, S3 refuses a bucket of this name that belongs to another account.
    """

    def __init__(self, cloud: Cloud, name: str, *, owner: str | None = None) -> None:
        self.name = name
        self._cloud = cloud
        self._owner = {} if owner is None else {"ExpectedBucketOwner": owner}

    def exists(self) -> bool:
        """True when the bucket exists."""
        return self._exists("head_bucket", f"Looking for the bucket {self.name}")

    def create(self) -> None:
        """Create the bucket, or finish creating it: private, encrypted, and without access lists."""
        region = self._cloud.region
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            self._call(
                "create_bucket", f"Creating the bucket {self.name}", ObjectOwnership="BucketOwnerEnforced", **place
            )
        except Refused as refused:
            if refused.code != "BucketAlreadyOwnedByYou":
                raise
        self._call(
            "put_public_access_block",
            f"Closing the bucket {self.name}",
            PublicAccessBlockConfiguration=dict.fromkeys(_CLOSED, True),
            **self._owner,
        )
        self._call(
            "put_bucket_encryption",
            f"Encrypting the bucket {self.name}",
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
            **self._owner,
        )

    def has(self, key: str) -> bool:
        """True when the bucket has an object `key`."""
        return self._exists("head_object", f"Looking for {key}", Key=key)

    def objects(self) -> dict[str, str]:
        """The ETag of every object by its key: the MD5 of its content, where S3 alone encrypts it."""
        pages = self._cloud.pages(
            "s3",
            "list_objects_v2",
            f"Looking into the bucket {self.name}",
            key="Contents",
            tokens=("ContinuationToken", "NextContinuationToken"),
            Bucket=self.name,
            **self._owner,
        )
        return {one["Key"]: one["ETag"].strip('"') for one in pages}

    def put(self, upload: Upload) -> None:
        """Store an object."""
        self._call(
            "put_object",
            f"Uploading {upload.name}",
            Key=upload.key,
            Body=upload.content,
            **upload.headers,
            **self._owner,
        )

    def put_all(self, uploads: Sequence[Upload], on_progress: Callable[[str], None]) -> None:
        """Store several objects at a time; `on_progress` is called with a sentence for each."""

        def put(upload: Upload) -> None:
            on_progress(f"Uploading {upload.name} ({len(upload.content):,} bytes)")
            self.put(upload)

        pool = ThreadPoolExecutor(_UPLOADS)
        try:
            list(pool.map(put, uploads))
        finally:
            pool.shutdown(cancel_futures=True)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects. Raises `ToolError` with S3's reason for one that stays."""
        old = sorted(keys)
        doing = f"Deleting files from the bucket {self.name}"
        for start in range(0, len(old), _MAX_DELETIONS):
            selected = {"Objects": [{"Key": key} for key in old[start : start + _MAX_DELETIONS]], "Quiet": True}
            errors = self._call("delete_objects", doing, Delete=selected, **self._owner).get("Errors")
            if errors:
                raise ToolError(f"{doing}: {errors[0].get('Code')}: {errors[0].get('Message')}")

    def remove(self) -> None:
        """Delete the bucket with all objects in it."""
        self.delete(self.objects())
        self._call("delete_bucket", f"Deleting the bucket {self.name}", **self._owner)

    def address(self, key: str) -> str:
        """The address of an object, for other services of the same account."""
        return f"{self._cloud.endpoint('s3')}/{self.name}/{key}"

    def _exists(self, operation: str, doing: str, **request: Any) -> bool:
        try:
            self._call(operation, doing, **request, **self._owner)
        except Refused as refused:
            if refused.code in ("404", "NoSuchBucket", "NoSuchKey", "NotFound"):
                return False
            if refused.code == "403":
                raise ToolError(
                    f"{doing}: not allowed. Let these credentials use s3:ListBucket and s3:GetObject, unless another "
                    "account has a bucket of this name: then name one of yours with `bucket` in @aws."
                ) from None
            raise
        return True

    def _call(self, operation: str, doing: str, **request: Any) -> dict[str, Any]:
        return self._cloud.call("s3", operation, doing, Bucket=self.name, **request)
