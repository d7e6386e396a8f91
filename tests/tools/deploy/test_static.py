"""Static files of a deployed app: what is uploaded and when, and how visitors get them."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from arc.errors import ToolError
from arc.tools.deploy.packages import install_here
from arc.tools.deploy.pipeline import DeploymentPlan
from arc.tools.static_files import MAX_SIZE
from tests.cloud_faults import Death, FaultyCloud, MortalCloud
from tests.engines import Engine
from tests.tools.deploy.apps import COUNTER, app_of
from tests.tools.deploy.owner import Owner
from tests.tools.pauses import quick_cloud

PAGE = """
import json
import os

def handler(event, context):
    print("asked")
    path = os.path.join(os.environ["LAMBDA_TASK_ROOT"], "vendor/shared/static.json")
    names = json.load(open(path)) if os.path.exists(path) else {}
    return {"statusCode": 200, "body": json.dumps(names)}
"""
CSS = "body { color: red }\n"
FINGERPRINT = "\n@static\nfingerprint true\n"


class Site(Owner):
    """Someone who deploys an app with static files."""

    def write(self, name: str, content: str | bytes = CSS) -> None:
        """Write a static file."""
        file = self.folder / "public" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def configure(self, more: str = FINGERPRINT, page: str = PAGE) -> None:
        """Change the manifest."""
        app_of(self.folder, self.name, {"get /": page}, more=more)

    @property
    def bucket(self) -> str:
        """The bucket of the static files."""
        return f"{self.name}-staging-static-000000000000-us-east-1"

    def objects(self) -> dict[str, Any]:
        """The objects in it, by key."""
        found = self.engine.look("s3").list_objects_v2(Bucket=self.bucket)
        return {one["Key"]: one for one in found.get("Contents", ())}

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """The response of the deployed app: its status, headers with names in lower case, and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.engine.port, timeout=60)
        host = self.deployment().address().removeprefix("http://").partition(":")[0]
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Host": host, **names})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        body = answer.read()
        connection.close()
        return answer.status, found, body


def uploads(plan: DeploymentPlan) -> list[str]:
    """The addresses of the uploaded files, sorted."""
    return sorted(one.name for one in plan.static.uploads)


@pytest.fixture
def site(cloud: Engine, tmp_path: Path) -> Iterator[Site]:
    """An app with a page, a style sheet and an image, with fingerprints."""
    site = Site(cloud, tmp_path / "app")
    site.configure()
    site.write("css/site.css")
    site.write("logo.png", b"\x89PNG\x00\xff")
    site.write(".env", "SECRET=1")
    yield site
    with suppress(ToolError):
        site.deployment().delete(tables=False)


def test_files_are_served_with_types_tags_and_lifetimes(site: Site) -> None:
    """Only the name with a fingerprint is kept by browsers; binary content arrives byte for byte."""
    site.deploy()
    names = json.loads(site.get("/")[2])
    digest = hashlib.sha1(CSS.encode(), usedforsecurity=False).hexdigest()[:10]
    assert set(names) == {"css/site.css", "logo.png"}
    assert names["css/site.css"] == f"css/site-{digest}.css"
    status, headers, body = site.get(f"/_static/{names['css/site.css']}")
    assert (status, body.decode(), headers["content-type"]) == (200, CSS, "text/css; charset=utf-8")
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers
    assert site.get("/_static/css/site.css")[1]["cache-control"] == "no-cache"
    status, headers, body = site.get("/_static/logo.png")
    assert (status, headers["content-type"], body) == (200, "image/png", b"\x89PNG\x00\xff")
    assert site.get("/_static/logo.png", "HEAD")[0] == 200
    for value in (headers["etag"], f"W/{headers['etag']}", "*"):
        status, again, body = site.get("/_static/logo.png", if_none_match=value)
        assert (status, again["etag"], body) == (304, headers["etag"], b"")
    for path in ("/_static/.env", "/_static/nope.css", "/_static/", "/_static/css", "/_static/..%2fapp.arc"):
        assert site.get(path)[0] == 404, path


@pytest.mark.parametrize("parameters", [None, {}, {"proxy": ""}, {"proxy": "a" * 1025}, {"proxy": "%C3%A9" * 513}])
def test_address_that_is_no_key_of_s3_is_missing(parameters: dict[str, str] | None) -> None:
    """S3 refuses it, which would count as a failure of the function, and an alarm, for any visitor's request."""
    program = "import json, sys; from arc.tools.deploy.static_function import handler; "
    program += "print(handler(json.loads(sys.argv[1]), None)['statusCode'])"
    environ = {"ARC_STATIC_BUCKET": "b", "ARC_STATIC_PREFIX": "", "ARC_STATIC_OWNER": "0", "AWS_REGION": "us-east-1"}
    event = json.dumps({"headers": {}, "pathParameters": parameters})
    done = subprocess.run(
        [sys.executable, "-c", program, event], env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout == "404\n", done.stderr


def test_text_is_compressed_for_those_who_accept_it(site: Site) -> None:
    """Caches keep both forms apart, and the weak tag still finds an unchanged file."""
    site.write("long.css", CSS * 100)
    site.deploy()
    plain = site.get("/_static/long.css")
    assert (plain[2].decode(), plain[1]["vary"]) == (CSS * 100, "Accept-Encoding")
    for refused in ("gzip;q=0", "gzip; q=0.0", "br"):
        assert "content-encoding" not in site.get("/_static/long.css", accept_encoding=refused)[1]
    status, headers, body = site.get("/_static/long.css", accept_encoding="br, gzip;q=0.5")
    assert (status, headers["content-encoding"], gzip.decompress(body).decode()) == (200, "gzip", CSS * 100)
    assert headers["etag"] == f"W/{plain[1]['etag']}"
    assert site.get("/_static/long.css", if_none_match=headers["etag"])[0] == 304


def test_the_bucket_is_private_encrypted_and_without_access_lists(site: Site) -> None:
    """The files' function alone reads it."""
    site.deploy()
    s3 = site.engine.look("s3")
    assert all(
        s3.get_public_access_block(Bucket=site.bucket)["PublicAccessBlockConfiguration"][name]
        for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    )
    (rule,) = s3.get_bucket_encryption(Bucket=site.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (rule,) = s3.get_bucket_ownership_controls(Bucket=site.bucket)["OwnershipControls"]["Rules"]
    assert rule == {"ObjectOwnership": "BucketOwnerEnforced"}


def test_only_changed_files_are_uploaded(site: Site) -> None:
    """An old fingerprint stays, for pages that browsers still show."""
    first = site.deploy()
    assert len(uploads(first)) == 4
    assert site.deploy().is_empty
    site.write("css/site.css", CSS * 2)
    second = site.deploy()
    old = {name for name in uploads(first) if "/css/site-" in name}
    assert len(uploads(second)) == 2
    assert all(name.startswith("/_static/css/site") for name in uploads(second))
    assert [one.logical_id for one in second.changes] == ["GetIndexHTTPLambda"]
    for name in (*old, *uploads(second)):
        assert site.get(name)[0] == 200


def test_files_without_a_fingerprint_change_nothing_but_themselves(site: Site) -> None:
    """No function has a list of them; a change is uploaded after the functions, and a new file before."""
    site.configure("")
    site.deploy()
    assert json.loads(site.get("/")[2]) == {}
    site.write("css/site.css", CSS * 2)
    site.write("new.css")
    plan = site.deploy()
    assert plan.changes == ()
    assert [one.name for one in plan.static.new] == ["/_static/new.css"]
    assert [one.name for one in plan.static.changed] == ["/_static/css/site.css"]
    assert site.get("/_static/css/site.css")[2].decode() == CSS * 2


def test_new_files_are_there_before_the_functions_change(site: Site, faulty: FaultyCloud) -> None:
    """A page of the new version never names a missing file."""
    site.deploy()
    site.write("css/site.css", CSS * 2)
    faulty.begin(lambda _name, _number: None)
    site.deploy(quick_cloud(faulty.url))
    puts = [place for place, name in enumerate(faulty.calls) if name.startswith("s3.PUT") and "/css/site-" in name]
    changed = [place for place, name in enumerate(faulty.calls) if name.endswith("/css/site.css")]
    executed = faulty.calls.index("cloudformation.ExecuteChangeSet")
    assert puts
    assert changed
    assert max(puts) < executed < min(changed)


def test_a_prefix_is_where_the_files_are_in_the_bucket(site: Site) -> None:
    """Their addresses do not have it, and pruning leaves what is outside of it alone."""
    site.configure("\n@static\nprefix assets\nprune true\n")
    site.deploy()
    assert set(site.objects()) == {"assets/css/site.css", "assets/logo.png"}
    assert site.get("/_static/css/site.css")[0] == 200
    site.engine.look("s3").put_object(Bucket=site.bucket, Key="other.txt", Body=b"")
    (site.folder / "public/logo.png").unlink()
    plan = site.deploy()
    assert plan.static.surplus == ("assets/logo.png",)
    assert set(site.objects()) == {"assets/css/site.css", "other.txt"}
    assert site.deploy().is_empty


def test_pruning_deletes_old_fingerprints(site: Site) -> None:
    """And files that the folder does not have any more."""
    site.configure(f"{FINGERPRINT}prune true\n")
    site.deploy()
    site.write("css/site.css", CSS * 2)
    (site.folder / "public/logo.png").unlink()
    plan = site.deploy()
    assert len(plan.static.surplus) == 3
    assert len(site.objects()) == 2
    assert site.deploy().is_empty


def test_a_dry_run_uploads_nothing(site: Site) -> None:
    """And makes no bucket; it shows what would be uploaded."""
    plan = site.deployment().plan(dry_run=True)
    assert len(uploads(plan)) == 4
    assert site.bucket not in {one["Name"] for one in site.engine.look("s3").list_buckets()["Buckets"]}
    site.deploy()
    before = set(site.objects())
    site.write("new.css")
    assert len(uploads(site.deployment().plan(dry_run=True))) == 2
    assert set(site.objects()) == before


def test_a_file_that_lambda_cannot_send_stops_the_deployment(site: Site) -> None:
    """Before anything is uploaded; one as large as the limit is served."""
    site.write("large.bin", bytes(MAX_SIZE + 1))
    with pytest.raises(ToolError) as refused:
        site.deploy()
    assert f"large.bin ({MAX_SIZE + 1:,} bytes)" in str(refused.value)
    assert "exclude them with `ignore` in @static. Nothing was deployed." in str(refused.value)
    assert site.deployment().address() == ""
    site.write("large.bin", bytes(MAX_SIZE))
    site.deploy()
    status, _, body = site.get("/_static/large.bin")
    assert (status, len(body)) == (200, MAX_SIZE)
    assert len(body) * 4 / 3 + 2048 < 6 * 1024 * 1024


def test_static_files_that_are_turned_off_have_no_function(site: Site) -> None:
    """The function goes with the folder; the files stay in the bucket until the app is destroyed."""
    site.deploy()
    site.configure("\n@static\nfalse\n")
    plan = site.deploy()
    assert {one.logical_id for one in plan.changes if one.action == "Remove"} >= {"StaticFunction", "StaticRole"}
    assert site.get("/_static/css/site.css")[0] == 404
    assert len(site.objects()) == 4


def test_destroying_removes_the_files(site: Site) -> None:
    """The bucket is emptied and deleted."""
    site.deploy()
    assert f"the bucket {site.bucket}" in site.deployment().delete(tables=False)
    assert site.bucket not in {one["Name"] for one in site.engine.look("s3").list_buckets()["Buckets"]}


def test_the_files_function_has_no_variable_of_the_app(site: Site) -> None:
    """Neither after the deployment nor after `arc env` has changed the variables."""
    site.deploy()
    found = site.engine.look("lambda").get_function_configuration(FunctionName=f"{site.name}-staging-static")
    assert found["Environment"]["Variables"] == {
        "ARC_STATIC_BUCKET": site.bucket,
        "ARC_STATIC_OWNER": "000000000000",
        "ARC_STATIC_PREFIX": "",
    }
    ssm = site.engine.look("ssm")
    ssm.put_parameter(Name=f"/{site.name}/staging/GREETING", Value="hi", Type="SecureString")
    site.configure(page=PAGE.replace("asked", "asked again"))
    site.deploy()
    again = site.engine.look("lambda").get_function_configuration(FunctionName=f"{site.name}-staging-static")
    assert again["Environment"] == found["Environment"]


@pytest.mark.parametrize("word", ["error", "throttle", "unsent", "lost"])
@pytest.mark.sampled(1)
def test_an_upload_that_fails_leaves_the_old_version(site: Site, faulty: FaultyCloud, word: str) -> None:
    """The page goes on naming the old files, which are there; the next deployment succeeds."""
    site.deploy()
    before = json.loads(site.get("/")[2])
    site.write("css/site.css", CSS * 2)
    site.write("css/more.css")
    faulty.begin(lambda name, _number: word if name.startswith("s3.PUT") and "/css/" in name else None)
    with pytest.raises(ToolError, match=r"Uploading /_static/css/"):
        site.deploy(quick_cloud(faulty.url))
    assert json.loads(site.get("/")[2]) == before
    assert all(site.get(f"/_static/{name}")[0] == 200 for name in before.values())
    site.deploy()
    after = json.loads(site.get("/")[2])
    assert len(after) == len(before) + 1
    assert all(site.get(f"/_static/{name}")[0] == 200 for name in after.values())


STRIDE = 12


@pytest.mark.parametrize("first", range(1, STRIDE + 1))
@pytest.mark.sampled(1)
def test_a_deployment_killed_at_each_call_never_names_a_missing_file(site: Site, first: int) -> None:
    """The page's files are there at every moment, and the same command completes the deployment."""
    site.deploy()
    for number in itertools.count(first, STRIDE):
        site.write("css/site.css", f"{CSS}/* {number} */")
        mortal = MortalCloud(site.engine.url, number, after=bool(number % 2))
        with suppress(Death, ToolError):
            site.deploy(mortal)
        names = json.loads(site.visitor().get("/").text)
        assert all(site.get(f"/_static/{name}")[0] == 200 for name in names.values())
        if not mortal.dead:
            break
        site.deploy_when_free()
        assert site.deploy().is_empty
    assert number > 12


def test_a_handler_reads_the_fingerprinted_names(site: Site) -> None:
    """`arc.http.static` in a deployed function."""
    page = COUNTER.replace('"first"', 'arc.http.static("css/site.css")')
    site.configure(page=page)
    site.deploy(install=install_here)
    address = site.visitor().get("/").json()["page"]
    assert address.startswith("/_static/css/site-")
    assert site.get(address)[2].decode() == CSS
