"""Drawn pictures: text, interfaces, code, charts, diagrams and flat art, from a seed. Nothing has to travel.

Look at some: python3 -m training.screens out/screens 12
"""
from __future__ import annotations

import importlib.util
import math
import random
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIDE = 384  # pixels
_SYLLABLES = "an be co da el fi ga hi in ju ka lo mi no or pa qu re sa ti un ve wi xa yo zu str ing tion ment pre ous".split()
_CODE = ("def", "return", "const", "let", "if", "else", "for", "=>", "{", "}", "(", ")", "import", "await", "struct",
         "fn", "u8", "None", "true", "0x1f", "+=", "==", "[i]", "// note", "self.x", "\"text\"", "match", "&mut")

Colour = tuple[int, int, int]


@lru_cache(maxsize=1)
def font_files() -> tuple[str, ...]:
    """Every outline font at hand: the system's, and the ones that matplotlib carries. May be empty."""
    roots = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/Library/Fonts"), Path("C:/Windows/Fonts")]
    spec = importlib.util.find_spec("matplotlib")
    if spec and spec.submodule_search_locations:
        roots.append(Path(spec.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf")
    found = {p.name: str(p) for root in roots if root.exists() for p in sorted(root.rglob("*.[to]tf"))}
    # Symbol and mathematics fonts have no letters for the words drawn here.
    skip = ("STIX", "Math", "cmex", "cmmi", "cmsy", "Display", "Symbol", "Emoji")
    return tuple(path for name, path in sorted(found.items()) if not any(s in name for s in skip))


@lru_cache(maxsize=512)
def font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """A font by file, or Pillow's own for the empty path (an outline font too wherever Pillow has FreeType)."""
    return ImageFont.truetype(path, size) if path else cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


def _font(r: random.Random, low: int = 9, high: int = 22) -> ImageFont.FreeTypeFont:
    size = int(low * (high / low) ** (r.random() ** 1.5))
    return font(r.choice(font_files() or ("",)) if r.random() < 0.9 else "", size)


def _colour(r: random.Random) -> Colour:
    return (r.randrange(256), r.randrange(256), r.randrange(256))


def _pair(r: random.Random) -> tuple[Colour, Colour]:
    """Background and ink, usually of strong contrast, light or dark."""
    tint = r.choice((0, 0, 10, 40))
    bright, dim = 255 - int(r.random() ** 3 * 40), int(r.random() ** 2 * 60)
    light = tuple(max(0, bright - r.randint(0, tint)) for _ in range(3))
    dark = tuple(dim + r.randint(0, tint) for _ in range(3))
    if r.random() < 0.12:
        light = _colour(r)
    return (light, dark) if r.random() < 0.65 else (dark, light)


def _word(r: random.Random) -> str:
    word = "".join(r.choice(_SYLLABLES) for _ in range(r.randint(1, 4)))
    kind = r.random()
    return word.capitalize() if kind < 0.2 else word.upper() if kind < 0.25 else str(r.randrange(10000)) if kind < 0.32 else word


def _line(r: random.Random, words: int) -> str:
    return " ".join(_word(r) for _ in range(words)) + r.choice([".", ",", "", ":", "!"])


def _page(r: random.Random, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], ink: Colour) -> None:
    """Lines of running text with headings."""
    x0, y, x1, y1 = box
    body = _font(r)
    while y < y1:
        used = _font(r, 16, 40) if r.random() < 0.08 else body
        height = int(used.size * r.uniform(1.15, 1.5))
        if r.random() > 0.1:
            draw.text((x0, y), _line(r, r.randint(2, 14)), font=used, fill=ink if r.random() < 0.9 else _colour(r))
        y += height


def _text(r: random.Random, image: Image.Image) -> None:
    back, ink = _pair(r)
    image.paste(back, (0, 0, SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    columns = r.choice((1, 1, 2))
    for c in range(columns):
        left = 12 + c * SIDE // columns - r.randrange(8)
        _page(r, draw, (left, r.randrange(20), SIDE, SIDE), ink)
        if c:
            draw.rectangle((left - 12, 0, left - 8, SIDE), fill=back)


def _editor(r: random.Random, image: Image.Image) -> None:
    back, ink = _pair(r)
    image.paste(back, (0, 0, SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    mono = [f for f in font_files() if "Mono" in f] or [""]
    face = font(r.choice(mono), r.randint(10, 16))
    palette = [ink, *(_colour(r) for _ in range(4))]
    height = int(face.size * 1.35)
    draw.rectangle((0, 0, 30, SIDE), fill=tuple((b * 9 + i) // 10 for b, i in zip(back, ink)))
    for row, y in enumerate(range(4, SIDE, height)):
        draw.text((4, y), str(row + 1), font=face, fill=palette[1])
        x = 36 + 16 * r.randrange(4)
        for _ in range(r.randint(0, 9)):
            token = r.choice(_CODE) if r.random() < 0.6 else _word(r)
            draw.text((x, y), token, font=face, fill=r.choice(palette))
            x += int(draw.textlength(token + " ", font=face))


def _interface(r: random.Random, image: Image.Image) -> None:
    back, ink = _pair(r)
    image.paste(back, (0, 0, SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    for _ in range(r.randint(4, 16)):
        x, y = r.randrange(-30, SIDE), r.randrange(-30, SIDE)
        w, h = r.randint(30, 240), r.randint(16, 200)
        fill, edge = r.choice([back, _colour(r), tuple(min(255, b + 12) for b in back)]), r.choice([ink, _colour(r)])
        draw.rounded_rectangle((x, y, x + w, y + h), r.choice((0, 0, 3, 6, 12)), fill=fill, outline=edge, width=r.choice((0, 1, 1, 2)))
        face = _font(r, 9, 18)
        for row in range(y + 4, y + h - int(face.size), 22):
            if r.random() < 0.7:
                letters = ink if sum(fill) > 300 or ink > (90, 90, 90) else (240, 240, 240)
                draw.text((x + 6, row), _line(r, r.randint(1, 4)), font=face, fill=letters)
        if r.random() < 0.4:
            cx, cy, s = x + w - 16, y + 10, r.randint(4, 9)
            draw.ellipse((cx - s, cy - s, cx + s, cy + s), fill=_colour(r))
    if r.random() < 0.5:
        for y in range(0, SIDE, r.randint(18, 40)):
            draw.line((0, y, SIDE, y), fill=_colour(r) if r.random() < 0.1 else edge, width=1)


def _chart(r: random.Random, image: Image.Image) -> None:
    back, ink = _pair(r)
    image.paste(back, (0, 0, SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    left, bottom = r.randint(24, 50), SIDE - r.randint(20, 44)
    face = _font(r, 8, 14)
    for k in range(r.randint(4, 9)):
        y = bottom - k * 40
        draw.line((left, y, SIDE - 10, y), fill=tuple((3 * b + i) // 4 for b, i in zip(back, ink)))
        draw.text((2, y - 6), str(k * r.choice((1, 5, 10, 25))), font=face, fill=ink)
    draw.line((left, 10, left, bottom, SIDE - 10, bottom), fill=ink, width=r.choice((1, 2)))
    for _ in range(r.randint(1, 4)):
        colour, value = _colour(r), r.uniform(60, 300)
        points = []
        for x in range(left, SIDE - 10, r.randint(6, 28)):
            value = min(max(value + r.gauss(0, 22), 12), bottom)
            points.append((x, bottom - value))
        if r.random() < 0.35:
            for x, y in points:
                draw.rectangle((x, y, x + 6, bottom), fill=colour)
        else:
            draw.line(points, fill=colour, width=r.choice((1, 2, 3)), joint="curve")
    draw.text((left + 20, 8), _line(r, 4), font=_font(r, 12, 22), fill=ink)


def _diagram(r: random.Random, image: Image.Image) -> None:
    back, ink = _pair(r)
    image.paste(back, (0, 0, SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    nodes = [(r.randrange(20, SIDE - 90), r.randrange(10, SIDE - 40)) for _ in range(r.randint(4, 10))]
    for (ax, ay), (bx, by) in zip(nodes, nodes[1:]):
        draw.line((ax + 40, ay + 15, bx + 40, by + 15), fill=ink, width=r.choice((1, 1, 2)))
        angle = math.atan2(by - ay, bx - ax)
        tip = ((ax + bx) / 2 + 40, (ay + by) / 2 + 15)
        draw.polygon([tip, *((tip[0] - 9 * math.cos(angle + s), tip[1] - 9 * math.sin(angle + s)) for s in (0.4, -0.4))], fill=ink)
    for x, y in nodes:
        draw.rounded_rectangle((x, y, x + r.randint(60, 120), y + 30), r.choice((0, 5, 15)), fill=r.choice([back, _colour(r)]), outline=ink)
        draw.text((x + 6, y + 8), _word(r), font=_font(r, 10, 15), fill=ink)


def _flat_art(r: random.Random, image: Image.Image) -> None:
    """Large flat shapes and gradients, as in logos, cartoons and wallpapers."""
    first, second = np.array(_colour(r), float), np.array(_colour(r), float)
    ramp = np.linspace(0, 1, SIDE)[:, None, None]
    if r.random() < 0.5:
        ramp = np.round(ramp * 0)  # one flat colour
    grad = np.broadcast_to(first * (1 - ramp) + second * ramp, (SIDE, SIDE, 3))
    image.paste(Image.fromarray((grad if r.random() < 0.5 else grad.transpose(1, 0, 2)).astype(np.uint8)))
    big = Image.new("RGB", (SIDE * 2, SIDE * 2))
    big.paste(image.resize((SIDE * 2, SIDE * 2)))
    draw = ImageDraw.Draw(big)
    for _ in range(r.randint(2, 14)):
        x, y, s = r.randrange(SIDE * 2), r.randrange(SIDE * 2), r.randint(10, 300)
        kind = r.randrange(4)
        if kind == 0:
            draw.ellipse((x - s, y - s * r.uniform(0.4, 1), x + s, y + s), fill=_colour(r))
        elif kind == 1:
            draw.polygon([(x + r.randint(-s, s), y + r.randint(-s, s)) for _ in range(r.randint(3, 7))], fill=_colour(r))
        elif kind == 2:
            draw.arc((x - s, y - s, x + s, y + s), r.randrange(360), r.randrange(360), fill=_colour(r), width=r.randint(2, 24))
        else:
            draw.rectangle((x, y, x + s, y + s // 2), fill=_colour(r))
    if r.random() < 0.5:
        draw.text((r.randrange(SIDE), r.randrange(SIDE)), _word(r), font=_font(r, 60, 160), fill=_colour(r))
    image.paste(big.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _table(r: random.Random, image: Image.Image) -> None:
    back, ink = _pair(r)
    image.paste(back, (0, 0, SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    face, height, width = _font(r, 9, 15), r.randint(16, 30), r.randint(50, 130)
    stripe = tuple((9 * b + i) // 10 for b, i in zip(back, ink))
    for row, y in enumerate(range(0, SIDE, height)):
        if row % 2:
            draw.rectangle((0, y, SIDE, y + height - 1), fill=stripe)
        for x in range(0, SIDE, width):
            draw.text((x + 4, y + 2), f"{r.random() * 1000:.{r.randrange(4)}f}" if x else _word(r), font=face, fill=ink)
            draw.line((x, 0, x, SIDE), fill=stripe)


_KINDS: tuple[tuple[Callable[[random.Random, Image.Image], None], int], ...] = (
    (_text, 5), (_editor, 3), (_interface, 5), (_chart, 3), (_diagram, 2), (_flat_art, 4), (_table, 2))


def draw_screen(seed: int) -> np.ndarray:
    """One picture, uint8 [384, 384, 3]; the same seed and fonts give the same picture."""
    r = random.Random(seed)
    image = Image.new("RGB", (SIDE, SIDE))
    kinds, weights = zip(*_KINDS)
    r.choices(kinds, weights)[0](r, image)
    if r.random() < 0.15:  # seen through a browser's zoom
        part = r.randint(200, 340)
        image = image.crop((0, 0, part, part)).resize((SIDE, SIDE), r.choice((Image.Resampling.BICUBIC, Image.Resampling.BILINEAR)))
    elif r.random() < 0.08:
        image = image.filter(ImageFilter.GaussianBlur(r.uniform(0.3, 0.9)))
    return np.asarray(image)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(int(sys.argv[2])):
        Image.fromarray(draw_screen(number)).save(folder / f"{number:03}.png")
