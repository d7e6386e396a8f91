"""The picture of the shop in the README, taken from the real app: `make picture`."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.conftest import BROWSERS
from tests.tools.sandbox.running import ROOT, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURE = ROOT / "docs/static/shop.png"
WIDE, NARROW, HEIGHT, GAP = 1060, 390, 1180, 24  # pixels
STYLE = f"""<style>
body {{ margin: {GAP}px; display: flex; gap: {GAP}px; background: #e4e1da }}
img {{ border-radius: 12px; box-shadow: 0 0 0 1px #cfc9bb }}
</style>"""
PIXELS = """async source => {
  const image = await createImageBitmap(await (await fetch(source)).blob())
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
  context.drawImage(image, 0, 0)
  const reader = new FileReader()
  const read = new Promise(done => reader.onload = done)
  reader.readAsDataURL(new Blob([context.getImageData(0, 0, image.width, image.height).data]))
  await read
  return reader.result.split(',')[1]
}"""


def take(picture: Path = PICTURE) -> None:
    """Write a picture of one visitor's two tabs, the second as wide as a phone."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)))
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        app = Path(shutil.copytree(ROOT / "examples/shop", Path(folder) / "shop", ignore=shutil.ignore_patterns(".*")))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"] * (os.geteuid() == 0))
        visitor = browser.new_context(color_scheme="light")
        first, second = visitor.new_page(), visitor.new_page()
        first.set_viewport_size({"width": WIDE, "height": HEIGHT})
        second.set_viewport_size({"width": NARROW, "height": HEIGHT})
        with running(app) as sandbox:
            visit(first, second, sandbox.url)
            tabs = "".join(f'<img src="{png(tab)}">' for tab in (first, second))
        width, height = WIDE + NARROW + 3 * GAP, HEIGHT + 2 * GAP
        both = browser.new_page(viewport={"width": width, "height": height})
        both.set_content(STYLE + tabs)
        picture.write_bytes(with_palette(width, height, b64decode(both.evaluate(PIXELS, png(both)))))
        browser.close()


def visit(first: Page, second: Page, url: str) -> None:
    """Sign in and fill the cart in the first tab, and open the account in the second."""
    first.goto(url + "/sign-in")
    first.fill("[name=email]", "ada@example.com")
    first.fill("[name=password]", "correct horse")
    first.click("main button")
    first.fill("[name=name]", "Ada Lovelace")
    first.click("main button")
    first.goto(url)
    for product in ("kettle", "lamp", "lamp"):
        first.click(f"button[value={product}]")
    second.goto(url + "/account")


def png(page: Page) -> str:
    """Return a screenshot as a data URL."""
    return f"data:image/png;base64,{b64encode(page.screenshot()).decode()}"


def with_palette(width: int, height: int, pixels: bytes) -> bytes:
    """Return a PNG of `pixels` (RGBA) in their 256 most frequent colors: half as large, and alike to the eye."""
    colors = [pixels[at : at + 3] for at in range(0, len(pixels), 4)]
    frequent = [color for color, _ in Counter(colors).most_common(256)]
    places = {color: min(range(len(frequent)), key=lambda at: distance(frequent[at], color)) for color in set(colors)}
    indexes = bytes(places[color] for color in colors)
    rows = b"".join(b"\0" + indexes[at : at + width] for at in range(0, width * height, width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # eight bits that are an index of the palette
    chunks = {b"IHDR": header, b"PLTE": b"".join(frequent), b"IDAT": zlib.compress(rows, 9), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )


def distance(one: bytes, other: bytes) -> int:
    """Return how different two colors are."""
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


if __name__ == "__main__":
    take()
