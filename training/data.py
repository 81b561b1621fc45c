"""Training crops: all pixels of all pictures in one flat uint8 buffer on the training device, cut by index."""
from __future__ import annotations

import io
import multiprocessing
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from .config import DataConfig
from .screens import draw_screen

Item = TypeVar("Item")

SHRINK = 1.5            # crops of shrunk steps are read this much larger
FIRST_HELD_SCREEN = 10_000_000  # seeds from here on are never trained on


def _decode(blob: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(blob)).convert("RGB"))


def _map(function: Callable[[Item], np.ndarray], items: list[Item]) -> list[np.ndarray]:
    """function over items on all cores. The children are forked and touch neither torch nor CUDA: no start-up cost."""
    workers = int(os.environ.get("TRAINING_WORKERS", min(16, os.cpu_count() or 1)))
    if workers < 2 or len(items) < 32 or "fork" not in multiprocessing.get_all_start_methods():
        return [function(item) for item in items]
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return pool.map(function, items, chunksize=16)


def read_pictures(folder: Path, groups: tuple[str, ...] = (), held: bool = False, limit: int = 0) -> list[np.ndarray]:
    """uint8 [h, w, 3] pictures of the packed tars in `folder` (see pack.py); only `groups` if any are named."""
    paths = [folder / "held.tar"] if held else sorted(p for p in folder.glob("*.tar") if p.name != "held.tar")
    blobs: list[bytes] = []
    for path in paths:
        if not path.exists():
            continue
        with tarfile.open(path) as tar:
            for member in tar:
                handle = tar.extractfile(member)
                if handle and (not groups or member.name.split("/")[0] in groups):
                    blobs.append(handle.read())
    return _map(_decode, blobs[:limit] if limit else blobs)


def drawn_pictures(count: int, first_seed: int = 0) -> list[np.ndarray]:
    """Drawn screens, uint8 [384, 384, 3]."""
    return _map(draw_screen, list(range(first_seed, first_seed + count)))


class Pool:
    """Pictures of which square crops are drawn, each picture with a chance in proportion to its area."""

    def __init__(self, pictures: list[np.ndarray], device: torch.device) -> None:
        self.device = device
        self.sizes = np.array([p.shape[:2] for p in pictures], np.int64).reshape(-1, 2)
        flat = np.concatenate([p.reshape(-1) for p in pictures]) if pictures else np.zeros(0, np.uint8)
        self.pixels = torch.from_numpy(flat).to(device)
        lengths = self.sizes[:, 0] * self.sizes[:, 1] * 3
        self.starts = np.cumsum(lengths) - lengths
        self._tables: dict[int, tuple[Tensor, Tensor, Tensor, Tensor]] = {}

    def fits(self, side: int) -> int:
        """How many pictures hold a crop of this side."""
        return int((self.sizes.min(1) >= side).sum()) if len(self.sizes) else 0

    def _table(self, side: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if side not in self._tables:
            usable = np.nonzero(self.sizes.min(1) >= side)[0]
            area = self.sizes[usable].prod(1).astype(np.float64)
            columns = (np.cumsum(area / area.sum()), self.starts[usable], self.sizes[usable, 0], self.sizes[usable, 1])
            self._tables[side] = tuple(torch.from_numpy(c).to(self.device) for c in columns)  # type: ignore[assignment]
        return self._tables[side]

    def crops(self, count: int, side: int, generator: torch.Generator) -> Tensor:
        """float [count, 3, side, side] in 0..1, flipped and transposed at random."""
        chances, starts, heights, widths = self._table(side)
        uniform = torch.rand(5, count, device=self.device, dtype=torch.float64, generator=generator)
        index = torch.searchsorted(chances, uniform[0]).clamp(max=len(starts) - 1)
        width = widths[index]
        top = (uniform[1] * (heights[index] - side + 1)).long()
        left = (uniform[2] * (width - side + 1)).long()
        along = torch.arange(side, device=self.device)
        offset = (top[:, None] + along)[:, :, None] * width[:, None, None] + (left[:, None] + along)[:, None, :]
        position = (starts[index][:, None, None] + offset * 3)[:, None]
        crop = self.pixels[position + torch.arange(3, device=self.device)[None, :, None, None]].float() / 255
        flipped = torch.where((uniform[3] < 0.5)[:, None, None, None], crop.flip(3), crop)
        return torch.where((uniform[4] < 0.3)[:, None, None, None], flipped.transpose(2, 3), flipped)


class Crops:
    """Batches of photographs and drawn screens."""

    def __init__(self, pictures: list[np.ndarray], config: DataConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.photos = Pool(pictures, device)
        self.drawn = Pool(drawn_pictures(config.drawn), device)
        if not pictures and not config.drawn:
            raise ValueError("data: expected packed pictures or drawn screens, got neither (run training.pack)")

    def batch(self, count: int, side: int, generator: torch.Generator) -> Tensor:
        """float [count, 3, side, side] in 0..1. Which crops is a function of the generator's state alone."""
        chance, rounding = torch.rand(2, generator=torch.Generator().manual_seed(generator.initial_seed())).tolist()
        # Small batches reach the share on average: a batch of 4 holds a drawn screen at a share of 0.15 in 6 of 10.
        drawn = int(count * self.config.drawn_share + rounding) if self.drawn.fits(side) else 0
        if not self.photos.fits(side):
            drawn = count
        large = int(side * SHRINK)
        parts = []
        if count > drawn:
            if chance < self.config.shrink_share and self.photos.fits(large):
                wide = self.photos.crops(count - drawn, large, generator)
                parts.append(F.interpolate(wide, size=(side, side), mode="bilinear", antialias=True, align_corners=False))
            else:
                parts.append(self.photos.crops(count - drawn, side, generator))
        if drawn:
            parts.append(self.drawn.crops(drawn, side, generator))
        whole = torch.cat(parts)
        # Photographs and screens take turns over the strata of q.
        order = torch.randperm(count, device=self.device, generator=generator)
        return whole[order]


def centre(picture: np.ndarray, side: int) -> Tensor:
    """Centre crop as float [1, 3, h, w] in 0..1, sides multiples of 16 and at most `side`."""
    height, width = (min(side, s // 16 * 16) for s in picture.shape[:2])
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    crop = np.ascontiguousarray(picture[top : top + height, left : left + width])
    return torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255


def validation_sets(folder: Path, photos: int = 24, screens: int = 12, side: int = 256) -> dict[str, list[Tensor]]:
    """{"photo": held photographs, "screen": drawn screens with held seeds}; photographs only if held.tar is there."""
    pictures = [p for p in read_pictures(folder, held=True) if min(p.shape[:2]) >= 192]
    return {
        "photo": [centre(p, side) for p in pictures[:photos]],
        "screen": [centre(p, side) for p in drawn_pictures(screens, FIRST_HELD_SCREEN)],
    }
