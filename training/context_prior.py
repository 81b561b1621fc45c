"""The context model of a fitted context.bin as the prior of training: what files will cost, so that networks and rate tables are
trained for the coder that there is (prior.py is what a model has before it has one).

Sums and network are those of context_model.py and row_net.py; a Laplace distribution stands for the tables. A network of the
prior takes what lies between integers too, so that gradients reach symbols.
"""
from __future__ import annotations

import torch
from torch import Tensor, nn

from .context_model import LinearSums, read_linear
from .row_net import RowNet, model_bytes, net_byte_length

# Scale of the Laplace distribution that stands for a context model's table, by the scale that the table is of. Its cross-entropy
# is within 3 % of the tables' own entropy for scales of 0.1 to 4 in both embedded models, 5 % above it at 0.07, 11 and 14 % at 0.03
# and a third to a half at 0.01, where a symbol costs a hundredth of a bit (a script that was not kept).
TABLE_SCALE, TABLE_LEAST = 1.5, 0.06


class SmoothRowNet(RowNet):
    """Takes what lies between integers too."""

    def features(self, symbols: Tensor) -> Tensor:
        return (symbols.abs().clamp(max=len(self.feature) - 1) + 0.25) ** 0.5 - 0.5


class ContextPrior(nn.Module):
    """Of one grid. Knows nothing until it has taken a file's weights or loaded its own."""

    def __init__(self, channels: int, knots: int) -> None:
        super().__init__()
        self.sums, self.net = LinearSums(channels, knots), SmoothRowNet(channels, knots)

    def take(self, blob: bytes) -> None:
        """The weights of a context.bin. Raises ValueError for one of another shape or without a network."""
        linear = read_linear(blob, net_byte_length)
        if linear.bases.shape != self.sums.bases.shape or not linear.net:
            knots, channels = self.sums.bases.shape
            raise ValueError(f"context.bin: expected {channels} channels, {knots} knots and a network")
        self.sums.take(linear)
        self.net.load_bytes(linear.net)

    def is_known(self) -> bool:
        """Whether it has weights: a file's bases are above zero."""
        return bool(self.sums.bases.any())

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
        return TABLE_SCALE * (scale * self.net(symbols, q) + west) + TABLE_LEAST, mean
