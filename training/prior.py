"""The context prior: mean and scale of every integer from integers that are decoded already.

Order, as in crates/vaerans-core/src/context: coarse grid first; in a grid rows from the top, in a row the channels, in a
channel the columns. Every term is a sum of integer products, so fixed-point code
in the Rust core can compute the same from decoded symbols. With v an integer of channel c:

  scale b  = base_c(q) + sum same*|v|  (5x5 causal half, own channel)
                            + sum here*|v|  (earlier channels, own position)
                            + sum ring*|v|  (earlier channels, mean of the 5 neighbours west, east and above)
                            + sum up*|v|    (coarser grid, the cell that contains this position)
  mean  mu = sum mean_same*v (5x5 causal half) + sum mean_here*v (earlier channels) + sum mean_up*v (coarser grid)

All scale weights are >= 0 (softplus), |v| is cut at the config's magnitude_clip. The symbol is Laplace(mu, b).
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RING = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2))  # row, column in the 3x3 around a symbol
SMALLEST_SCALE = 0.04  # in integer steps


def at_knots(table: Tensor, q: Tensor) -> Tensor:
    """Row of a [knots, C] table at q [n] in 0..1, interpolated: [n, C]."""
    position = q * (table.shape[0] - 1)
    index = position.floor().clamp(0, table.shape[0] - 2).long()
    share = (position - index.to(position.dtype))[:, None]
    return table[index] * (1 - share) + table[index + 1] * share


def causal_mask() -> Tensor:
    """1 where a 5x5 neighbour is decoded before the centre; the two far corners are left out. [5, 5]."""
    mask = torch.zeros(5, 5)
    mask[:2] = 1
    mask[2, :2] = 1
    mask[0, 0] = mask[0, 4] = 0
    return mask


class GridPrior(nn.Module):
    """Prior of one latent grid with `channels` channels; `coarse` is the channel count of the next coarser grid or 0."""

    def __init__(self, channels: int, knots: int, clip: float, ring: bool, coarse: int = 0) -> None:
        super().__init__()
        self.clip = clip
        self.base = nn.Parameter(torch.linspace(-2.5, -1.0, knots)[:, None].repeat(1, channels))
        self.same = nn.Parameter(torch.full((channels, 1, 5, 5), -3.2))
        self.mean_same = nn.Parameter(torch.zeros(channels, 1, 5, 5))
        self.here = nn.Parameter(torch.full((channels, channels, 1, 1), -6.0))
        self.ring = nn.Parameter(torch.full((channels, channels, 1, 1), -6.0)) if ring else None
        self.mean_here = nn.Parameter(torch.zeros(channels, channels, 1, 1))
        self.up = nn.Parameter(torch.full((channels, coarse, 1, 1), -6.0)) if coarse else None
        self.mean_up = nn.Parameter(torch.zeros(channels, coarse, 1, 1)) if coarse else None
        box = torch.zeros(3, 3)
        for place in RING:
            box[place] = 1 / len(RING)
        self.register_buffer("mask", causal_mask(), persistent=False)
        self.register_buffer("earlier", torch.tril(torch.ones(channels, channels), -1)[:, :, None, None], persistent=False)
        self.register_buffer("box", box.repeat(channels, 1, 1, 1), persistent=False)

    def weights(self) -> dict[str, Tensor]:
        """The weights as they multiply symbols: non-negative where they must be, zero where not causal."""
        out = {
            "same": (F.softplus(self.same) * self.mask)[:, 0],
            "mean_same": (self.mean_same * self.mask)[:, 0],
            "here": (F.softplus(self.here) * self.earlier)[:, :, 0, 0],
            "mean_here": (self.mean_here * self.earlier)[:, :, 0, 0],
        }
        if self.ring is not None:
            out["ring"] = (F.softplus(self.ring) * self.earlier)[:, :, 0, 0]
        if self.up is not None and self.mean_up is not None:
            out["up"] = F.softplus(self.up)[:, :, 0, 0]
            out["mean_up"] = self.mean_up[:, :, 0, 0]
        return out

    def forward(self, symbols: Tensor, q: Tensor, coarse: Tensor | None) -> tuple[Tensor, Tensor]:
        """symbols [n, C, h, w] (integers as floats), q [n] in 0..1, coarser grid's symbols or None.

        Returns (scale, mean), both [n, C, h, w].
        """
        channels = symbols.shape[1]
        w = self.weights()
        size = symbols.abs().clamp(max=self.clip)
        scale = at_knots(self.base.exp(), q)[:, :, None, None] + F.conv2d(size, w["same"][:, None], padding=2, groups=channels)
        scale = scale + F.conv2d(size, w["here"][:, :, None, None])
        if "ring" in w:
            around = F.conv2d(size, self.box, padding=1, groups=channels)
            scale = scale + F.conv2d(around, w["ring"][:, :, None, None])
        mean = F.conv2d(symbols, w["mean_same"][:, None], padding=2, groups=channels)
        mean = mean + F.conv2d(symbols, w["mean_here"][:, :, None, None])
        if coarse is not None and "up" in w:
            above = F.conv2d(coarse.abs().clamp(max=self.clip), w["up"][:, :, None, None])
            scale = scale + F.interpolate(above, scale_factor=2, mode="nearest")
            mean = mean + F.interpolate(F.conv2d(coarse, w["mean_up"][:, :, None, None]), scale_factor=2, mode="nearest")
        return scale, mean


    def bits(self, symbols: Tensor, scale: Tensor, mean: Tensor, q: Tensor) -> Tensor:
        """Of integers, elementwise."""
        return laplace_bits(symbols, scale, mean)

    def rate(self, scaled: Tensor, scale: Tensor, mean: Tensor, q: Tensor, noise: Tensor, noise_share: Tensor) -> Tensor:
        """Rate surrogate, elementwise bits, of scaled = latent * gain.

        The value is the cost of the integer; the encoder's gradient is the exact difference of cost between the two
        neighbouring integers (so a dead symbol costs nothing), blended with the noisy relaxation (noise in -0.5..0.5) by
        noise_share [n].
        """
        fixed = scaled.detach()
        below = torch.floor(fixed)
        cost_below, cost_above = laplace_bits(below, scale, mean), laplace_bits(below + 1, scale, mean)
        cost = torch.where(fixed - below < 0.5, cost_below, cost_above)
        lerp = cost + (cost_above - cost_below).detach().clamp(-12, 12) * (scaled - fixed)
        share = noise_share[:, None, None, None]
        return (1 - share) * lerp + share * laplace_bits(scaled + noise, scale, mean)


def laplace_bits(values: Tensor, scale: Tensor, mean: Tensor) -> Tensor:
    """-log2 of the mass of the unit cell around each value; a linear tail keeps gradients beyond the floor."""
    scale = scale.clamp(min=SMALLEST_SCALE)
    distance = (values - mean).abs()
    near, far = 0.5 - distance, -0.5 - distance
    low_tail = 0.5 * torch.exp(torch.clamp(near, max=0) / scale)
    high_tail = 1 - 0.5 * torch.exp(-torch.clamp(near, min=0) / scale)
    upper = torch.where(near < 0, low_tail, high_tail)
    mass = (upper - 0.5 * torch.exp(far / scale)).clamp(min=1e-6) * 0.9995 + 2e-6
    return -torch.log2(mass) + 0.02 * F.relu(distance / scale - 13)
