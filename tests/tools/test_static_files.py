"""Static files: which are served, their types, and their fingerprints."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from arc.inventory import Static
from arc.tools.static_files import StaticFile, etag, find_file, list_files

FILES = (
    "a.css",
    "css/b.css",
    ".env",
    "css/.git/config",
    "draft/x.txt",
    "readme.md",
    "static.json",
    "node_modules/m.js",
)


def folder_of(tmp_path: Path) -> Path:
    """A folder with files of every kind."""
    for name in FILES:
        file = tmp_path / "public" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, encoding="utf-8")
    return tmp_path / "public"


def test_what_is_listed_is_what_is_found(tmp_path: Path) -> None:
    """Neither hidden files nor ignored ones, nor those that Architect never uploads."""
    static = Static(folder_of(tmp_path), ignore=("draft",))
    listed = [file.place for file in list_files(static)]
    assert listed == ["a.css", "css/b.css"]
    assert [name for name in FILES if find_file(static, name)] == listed


@pytest.mark.parametrize(
    "place",
    ["", "css", "css/", "/a.css", "../secret.txt", "css/../../secret.txt", "css//b.css", "a.css\0", "..\\secret.txt"],
)
def test_no_place_leads_out_of_the_folder_or_to_a_list(tmp_path: Path, place: str) -> None:
    """A folder is not a file, and a parent is never entered."""
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    assert find_file(Static(folder_of(tmp_path)), place) is None


def test_a_link_out_of_the_folder_is_not_served(tmp_path: Path) -> None:
    """One to a file in the folder is."""
    folder = folder_of(tmp_path)
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "in.css").symlink_to(folder / "a.css")
    static = Static(folder)
    assert find_file(static, "out.txt") is None
    assert find_file(static, "in.css") is not None
    assert {"in.css", "out.txt"} & {file.place for file in list_files(static)} == {"in.css"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.json", "application/json; charset=utf-8"),
        ("a.svg", "image/svg+xml; charset=utf-8"),
        ("a.png", "image/png"),
        ("a.JPG", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.woff2", "font/woff2"),
        ("favicon.ico", "image/x-icon"),
        ("a.pdf", "application/pdf"),
        ("a.tar.gz", "application/octet-stream"),
        ("a", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
    ],
)
def test_a_name_has_its_media_type_on_every_machine(name: str, kind: str) -> None:
    """Text says that it is UTF-8."""
    assert StaticFile(name, Path(name)).content_type == kind


@pytest.mark.parametrize(
    ("place", "fingerprinted"),
    [
        ("site.css", "site-86f7e437fa.css"),
        ("css/site.min.css", "css/site.min-86f7e437fa.css"),
        ("LICENSE", "LICENSE-86f7e437fa"),
    ],
)
def test_a_fingerprint_is_architects(place: str, fingerprinted: str) -> None:
    """Ten characters of the content's SHA-1 before the suffix."""
    assert hashlib.sha1(b"a", usedforsecurity=False).hexdigest().startswith("86f7e437fa")
    assert StaticFile(place, Path(place)).fingerprinted(b"a") == fingerprinted


def test_an_entity_tag_is_that_of_s3() -> None:
    """The MD5 in quotes, so that an unchanged file is not uploaded again."""
    assert etag(b"a") == '"0cc175b9c0f1b6a831c399e269772661"'
