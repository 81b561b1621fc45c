"""Fits the restoration filter that follows the decoder network (crates/vaerans-core/src/restoration):

  python3 -m training.restoration WEIGHTS.pt --out out/export/NAME/restoration.bin

The networks run at an eighth of the resolution, so edges come out of them with steps and colour that misses them. For every
class of a pixel, by the direction, strength and coherence of the edge that it lies on, this solves for the symmetric filter
that brings decoded training crops nearest to their originals, at several places of the rate scale. What it does to the held
pictures it prints at its end. After RAISR (Romano, Isidoro and Milanfar, 2016), which chooses its filters like that.
"""
from __future__ import annotations

import argparse
import math
import struct
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .checkpoint import load_codec
from .data import Crops, read_pictures
from .model import Codec

# As in crates/vaerans-core/src/restoration.
FRACTION_BITS = 12
WEIGHT_MAX = 4095
DIRECTIONS, STRENGTHS, COHERENCES = 8, 6, 3
CLASSES = DIRECTIONS * STRENGTHS * COHERENCES
STRENGTH_BOUNDS = (6_400, 25_000, 80_000, 250_000, 900_000)
NEAR = ((0, 1), (1, -1), (1, 0), (1, 1))  # of the 3x3 around a sample, those behind it
WIDE = ((0, 1), (0, 2), (1, -2), (1, -1), (1, 0), (1, 1), (1, 2), (2, -2), (2, -1), (2, 0), (2, 1), (2, 2))
LUMA_WEIGHTS, CHROMA_WEIGHTS = len(WIDE), 3 * len(NEAR)
KNOTS = 6
REACH = 3                                 # pixels around one that its filter depends on
SAMPLE_UNITS = 4                          # of luma and chroma in a level


def shifted(x: Tensor, row: int, column: int, reach: int = 2) -> Tensor:
    """x [1, 1, h, w] at (y + row, x + column), edges repeated."""
    height, width = x.shape[2:]
    padded = F.pad(x, (reach,) * 4, mode="replicate")
    return padded[:, :, reach + row : reach + row + height, reach + column : reach + column + width]


def planes_of(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Luma and two colour differences of rgb [1, 3, h, w] in levels: in quarters of a level, each [1, 1, h, w]."""
    red, green, blue = rgb.split(1, 1)
    return red + 2 * green + blue, 4 * (red - blue), 4 * (2 * green - red - blue)


def classes_of(luma: Tensor) -> Tensor:
    """Class of every pixel by the structure tensor of the 5x5 around it; luma in quarters of a level, float64 for exact sums."""
    across = shifted(luma, 0, 1) - shifted(luma, 0, -1)
    down = shifted(luma, 1, 0) - shifted(luma, -1, 0)
    box = lambda x: sum(shifted(sum(shifted(x, row, 0) for row in range(-2, 3)), 0, column) for column in range(-2, 3))
    a, b, c = box(across * across), box(down * down), box(across * down)
    p, r, s = a - b, 2 * c, a + b
    large, small = torch.maximum(p.abs(), r.abs()), torch.minimum(p.abs(), r.abs())
    along, slanted = 5 * r.abs() < 2 * p.abs(), 5 * p.abs() < 2 * r.abs()
    direction = torch.where(p > 0, torch.where(r > 0, 1, 7), torch.where(r > 0, 3, 5))
    direction = torch.where(slanted, torch.where(r > 0, 2, 6), direction)
    direction = torch.where(along, torch.where(p > 0, 0, 4), direction)
    strength = sum((s > bound).long() for bound in STRENGTH_BOUNDS)
    length = 8 * large + 3 * small
    coherence = (4 * length > 15 * (s + 80)).long() + (2 * length > 13 * (s + 80)).long()
    return (direction * STRENGTHS + strength) * COHERENCES + coherence


def features_of(planes: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """What luma and what chroma weights multiply, in levels: [pixel, weight] each."""
    pairs = lambda x, places: [shifted(x, *at) + shifted(x, -at[0], -at[1]) - 2 * x for at in places]
    luma = pairs(planes[0], WIDE)
    chroma = [feature for plane in planes for feature in pairs(plane, NEAR)]
    return tuple(torch.stack([f.reshape(-1) for f in features], 1) / SAMPLE_UNITS for features in (luma, chroma))  # type: ignore[return-value]


def parts_of(error: Tensor) -> list[Tensor]:
    """An error [1, 3, h, w] as what is added to luma and to the two colour differences."""
    red, green, blue = (plane.reshape(-1) for plane in error.split(1, 1))
    return [(red + green + blue) / 3, (red - blue) / 2, (2 * green - red - blue) / 6]


class Equations:
    """Normal equations of the weights of every class."""

    def __init__(self, weights: int, targets: int) -> None:
        self.squares = torch.zeros(CLASSES, weights * weights, dtype=torch.float64)
        self.products = torch.zeros(CLASSES, weights * targets, dtype=torch.float64)

    def add(self, features: Tensor, targets: Tensor, classes: Tensor, share: float) -> None:
        """features [pixel, weight], targets [pixel, target]."""
        outer = lambda other: (features[:, :, None] * other[:, None, :]).flatten(1)
        for sums, found in ((self.squares, outer(features)), (self.products, outer(targets))):
            sums += share * torch.zeros(sums.shape).index_add_(0, classes, found).double()

    def solve(self) -> Tensor:
        """[class, target, weight]; rare classes are held near to zero."""
        weights = math.isqrt(self.squares.shape[1])
        squares = self.squares.reshape(CLASSES, weights, weights)
        ridge = 1e-5 * squares.diagonal(dim1=1, dim2=2).sum() / CLASSES + 1e-12
        found = torch.linalg.solve(squares + ridge * torch.eye(weights), self.products.reshape(CLASSES, weights, -1))
        return found.transpose(1, 2)


def as_integers(luma: Tensor, chroma: Tensor, luma_share: float) -> np.ndarray:
    """i16 [class, 36] of solved weights."""
    weights = torch.cat([luma.flatten(1) * luma_share, chroma.flatten(1)], 1) * (1 << FRACTION_BITS)
    return torch.round(weights).clamp(-WEIGHT_MAX, WEIGHT_MAX).numpy().astype("<i2")


def restored(rgb: Tensor, weights: np.ndarray) -> Tensor:
    """rgb [1, 3, h, w] of whole levels through the filter of one rate, as the Rust core has it."""
    planes = planes_of(rgb.double())
    classes = classes_of(planes[0]).reshape(-1)
    luma, chroma = features_of(planes)
    own = torch.from_numpy(weights.astype(np.float64))[classes]
    parts = [(features * chosen).sum(1) / (1 << FRACTION_BITS)
             for features, chosen in zip((luma, chroma, chroma), own.split([LUMA_WEIGHTS, CHROMA_WEIGHTS, CHROMA_WEIGHTS], 1))]
    # Halves are rounded up, as by an addition and a shift.
    luma_part, orange, green = (part.reshape(rgb[:, :1].shape) for part in parts)
    change = torch.cat([luma_part + orange - green, luma_part + 2 * green, luma_part - orange - green], 1)
    return (rgb.double() + torch.floor(change + 0.5)).clamp(0, 255)


@torch.no_grad()
def decoded(codec: Codec, image: Tensor, q: float) -> Tensor:
    """image [1, 3, h, w] in 0..1 -> what a file of it decodes to, in levels."""
    quality = torch.tensor([q])
    return torch.round(codec.reconstruct(codec.integers(image, quality), quality).clamp(0, 1) * 255)


@torch.no_grad()
def fit(codec: Codec, crops: list[Tensor], q: float, luma_share: float = 1.0) -> np.ndarray:
    """Weights of one place of the rate scale from crops [1, 3, h, w] in 0..1: i16 [class, 36]."""
    luma_sums, chroma_sums = Equations(LUMA_WEIGHTS, 1), Equations(CHROMA_WEIGHTS, 2)
    for image in crops:
        rgb = decoded(codec, image, q)
        error = torch.round(image * 255) - rgb
        # Every crop counts by the share of its error that is taken away, as decibels do.
        share = 1 / max(float(error.square().sum()), 1.0)
        planes = planes_of(rgb)
        classes = classes_of(planes[0].double()).reshape(-1)
        luma, chroma = features_of(planes)
        parts = parts_of(error)
        luma_sums.add(luma, parts[0][:, None], classes, share)
        chroma_sums.add(chroma, torch.stack(parts[1:], 1), classes, share)
    return as_integers(luma_sums.solve(), chroma_sums.solve(), luma_share)


def to_bytes(knots: list[np.ndarray]) -> bytes:
    """The file: `VRST`, version, knots - 1, then i16 [knot][class][weight]."""
    return b"VRST" + struct.pack("<BB", 1, len(knots) - 1) + b"".join(weights.tobytes() for weights in knots)


def decibels(image: Tensor, rgb: Tensor) -> float:
    return -10 * math.log10(max(float((torch.round(image * 255) - rgb).square().mean()), 1e-9) / 65025)


def main(argv: list[str] | None = None) -> list[float]:
    """Returns by how much PSNR of the held pictures rises at every knot, in dB."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pack", type=Path, default=Path("out/pack"))
    parser.add_argument("--crops", type=int, default=400, help="for every knot")
    parser.add_argument("--side", type=int, default=192, help="of a crop, in pixels")
    parser.add_argument("--luma", type=float, default=1.0, help="share of the luma part that is applied: all of it for squared error")
    parser.add_argument("--held", type=int, default=24, help="pictures that are only measured")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    codec, config = load_codec(args.weights)
    held = [torch.from_numpy(np.array(p[: p.shape[0] // 8 * 8, : p.shape[1] // 8 * 8])).permute(2, 0, 1)[None].float() / 255
            for p in read_pictures(args.pack, held=True, limit=args.held)]
    source = Crops(read_pictures(args.pack, config.data.groups), config.data, torch.device("cpu"))
    knots, gains = [], []
    for knot in range(KNOTS):
        q = knot / (KNOTS - 1)
        batches = (source.batch(8, args.side, torch.Generator().manual_seed(1000 * knot + index)) for index in range(-(-args.crops // 8)))
        crops = [torch.round(crop[None] * 255) / 255 for batch in batches for crop in batch][: args.crops]
        knots.append(fit(codec, crops, q, args.luma))
        before = [(image, decoded(codec, image, q)) for image in held]
        rise = [decibels(image, restored(rgb, knots[-1])) - decibels(image, rgb) for image, rgb in before]
        gains.append(sum(rise) / max(len(rise), 1))
        print(f"q {q:.1f}: {gains[-1]:+.3f} dB on {len(rise)} held pictures", flush=True)
    args.out.write_bytes(to_bytes(knots))
    return gains


if __name__ == "__main__":
    main()
