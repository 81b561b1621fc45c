"""The context model of a fitted context.bin as the prior of training: what files will cost, so that networks and rate tables are
trained for the coder that there is (prior.py is what a model has before it has one).

Sums and network are those of context_model.py and row_net.py, and are trained; the tables (table_bits.py) stay as the fitter
counted them. A network of the prior takes what lies between integers too, so that gradients reach symbols.
"""
from __future__ import annotations

import torch
from torch import Tensor, nn

from .context_model import LinearSums, read_linear
from .row_net import RowNet, model_bytes, net_byte_length
from .table_bits import TableBits


class SmoothRowNet(RowNet):
    """Takes what lies between integers too."""

    def features(self, symbols: Tensor) -> Tensor:
        return (symbols.abs().clamp(max=len(self.feature) - 1) + 0.25) ** 0.5 - 0.5


class ContextPrior(nn.Module):
    """Of one grid. Knows nothing until it has taken a file's weights or loaded its own."""

    def __init__(self, channels: int, knots: int) -> None:
        super().__init__()
        self.sums, self.net, self.tables = LinearSums(channels, knots), SmoothRowNet(channels, knots), TableBits()

    def take(self, blob: bytes) -> None:
        """Weights and tables of a context.bin. Raises ValueError for one of another shape or without a network."""
        linear = read_linear(blob, net_byte_length)
        if linear.bases.shape != self.sums.bases.shape or not linear.net:
            knots, channels = self.sums.bases.shape
            raise ValueError(f"context.bin: expected {channels} channels, {knots} knots and a network")
        self.sums.take(linear)
        self.net.load_bytes(linear.net)
        self.tables.take(linear.sets)

    def is_known(self) -> bool:
        """Whether it has weights and tables: a file's bases are above zero."""
        return bool(self.sums.bases.any() and self.tables.frequencies.any())

    def to_bytes(self, blob: bytes) -> bytes:
        """A context.bin with these weights, of which `blob` has as many, and the tables of `blob`."""
        linear = read_linear(blob, net_byte_length)
        return model_bytes(linear, self.sums, self.net)

    @torch.no_grad()
    def keep_in_bounds(self) -> None:
        """What a file cannot hold is no use at the end of a long run."""
        self.sums.keep_in_bounds()
        self.net.keep_in_bounds()

    def forward(self, symbols: Tensor, q: Tensor, coarse: Tensor | None) -> tuple[Tensor, Tensor]:
        """symbols [n, C, h, w], q [n] in 0..1; (scale, mean), both [n, C, h, w]. There is no coarser grid."""
        scale, west, mean = self.sums(symbols, q)
        return scale * self.net(symbols, q) + west, mean

    def bits(self, symbols: Tensor, scale: Tensor, mean: Tensor, q: Tensor) -> Tensor:
        """Of integers, elementwise."""
        return self.tables(symbols, symbols.detach(), scale, mean, q)

    def rate(self, scaled: Tensor, scale: Tensor, mean: Tensor, q: Tensor, noise: Tensor, noise_share: Tensor) -> Tensor:
        """As GridPrior.rate. So many of the symbols as the noise share says have the slope at a place that the noise moved."""
        nearest = scaled + (torch.round(scaled) - scaled).detach()
        # Which of them: a number without rhyme that comes with the noise, so that a step needs no second draw.
        moved = torch.remainder(noise * 4099, 1) < noise_share[:, None, None, None]
        below = torch.where(moved, scaled.detach() + noise, scaled.detach()).floor()
        return self.tables(nearest, below, scale, mean, q)
