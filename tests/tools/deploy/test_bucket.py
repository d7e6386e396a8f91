"""The buckets of an environment: their names, their addresses, and what is in them."""

from __future__ import annotations

import boto3
import pytest

from arc.tools.cloud.cloud import Cloud
from arc.tools.deploy.bucket import Bucket, Upload, bucket_name
from tests.cloud_faults import FaultyCloud
from tests.engines import Engine, fresh_app
from tests.tools.deploy.apps import COUNTER, app_of
from tests.tools.deploy.owner import Owner
from tests.tools.pauses import quick_cloud


@pytest.mark.parametrize(
    ("app", "name"),
    [
        ("shop", "shop-staging-arc-123456789012-us-east-1"),
        ("Shop", "shop-staging-arc-123456789012-us-east-1-"),
        ("my_shop", "my-shop-staging-arc-123456789012-us-east-1-"),
        ("a" * 60, "a" * 54 + "-"),
    ],
)
def test_a_name_is_one_that_s3_takes(app: str, name: str) -> None:
    """A hash keeps names apart that would become equal; S3 takes 63 characters."""
    found = bucket_name(app, "staging", "arc", "123456789012", "us-east-1")
    assert found.startswith(name)
    assert (found == name) == (app == "shop")
    assert len(found) <= 63
    assert found == found.lower()


@pytest.mark.parametrize(
    ("region", "address"),
    [
        ("eu-west-1", "https://s3.eu-west-1.amazonaws.com/packages/template.json"),
        ("us-east-1", "https://s3.amazonaws.com/packages/template.json"),
        ("cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn/packages/template.json"),
        ("us-gov-west-1", "https://s3.us-gov-west-1.amazonaws.com/packages/template.json"),
    ],
)
def test_an_address_is_that_of_the_regions_partition(region: str, address: str) -> None:
    """China has another suffix."""
    session = boto3.session.Session(aws_access_key_id="dummy", aws_secret_access_key="dummy", region_name=region)
    assert Bucket(Cloud(session), "packages").address("template.json") == address


def test_more_objects_than_one_call_deletes_are_deleted(cloud: Engine) -> None:
    """S3 lists and deletes a thousand at a time; the bucket is gone afterwards."""
    bucket = Bucket(quick_cloud(cloud.url), f"{fresh_app()}-many", owner="000000000000")
    bucket.create()
    bucket.create()
    bucket.put_all([Upload("x", f"file-{number}", b"") for number in range(1001)], lambda _sentence: None)
    assert len(bucket.objects()) == 1001
    bucket.remove()
    assert not bucket.exists()


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_large_template_is_not_left_in_the_bucket(owner: Owner, faulty: FaultyCloud, *, dry_run: bool) -> None:
    """A template of more than 51,200 bytes goes through the bucket; nobody needs it once the plan is made."""
    owner.deploy()
    routes = {"get /": COUNTER, **{f"get /page-{number}/and-more": COUNTER for number in range(40)}}
    app_of(owner.folder, owner.name, routes)
    plan = owner.deployment(quick_cloud(faulty.url)).plan(dry_run=dry_run)
    assert len(plan.changes) > 100
    assert [name for name in faulty.calls if name.startswith("s3.PUT") and name.endswith(".json")]
    bucket = f"{owner.name}-staging-arc-000000000000-us-east-1"
    found = owner.engine.look("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [one["Key"] for one in found if one["Key"].endswith(".json")] == []


def test_packages_in_a_bucket_of_the_manifest_stay(owner: Owner) -> None:
    """`bucket` in @aws may name one that other tools use, too: nothing in it is deleted, and no bucket is made."""
    name = f"{owner.name}-mine"
    owner.engine.look("s3").create_bucket(Bucket=name)
    app_of(owner.folder, owner.name, {"get /": COUNTER}, more=f"\n@aws\nbucket {name}\n")
    owner.deploy()
    owner.save("get-index", COUNTER.replace("first", "second"))
    owner.deploy()
    found = owner.engine.look("s3").list_objects_v2(Bucket=name)["Contents"]
    assert len(found) == 3
    assert owner.deployment().delete(tables=False) == [f"the stack {owner.deployment().plan(dry_run=True).stack}"]
    assert len(owner.engine.look("s3").list_objects_v2(Bucket=name)["Contents"]) == 3
