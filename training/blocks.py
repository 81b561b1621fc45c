"""Residual blocks. Only convolutions, LeakyReLU, additions, products and clips, so that integer arithmetic can do them exactly later."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.1        # LeakyReLU, everywhere
START_SCALE = 0.3  # of the last layer of each residual branch


def _shrink(layer: nn.Conv2d) -> None:
    nn.init.zeros_(layer.bias)
    layer.weight.data.mul_(START_SCALE)


def depthwise_by_shifts(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """What a depthwise layer computes, as k*k shifted products: the way round slow depthwise kernels of a GPU library."""
    kernel, (height, width) = layer.kernel_size[0], x.shape[2:]
    padded = F.pad(x, (kernel // 2,) * 4)
    weight = layer.weight.to(x.dtype)
    total = layer.bias.to(x.dtype)[None, :, None, None]
    for dy in range(kernel):
        for dx in range(kernel):
            total = torch.addcmul(total, padded[:, :, dy : dy + height, dx : dx + width], weight[None, :, 0, dy, dx, None, None])
    return total


class Depthwise(nn.Conv2d):
    """k x k per channel. [n, channels, h, w] -> same."""

    by_shifts = False  # for all of them; chosen by measurement (probe.py)

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__(channels, channels, kernel, padding=kernel // 2, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        return depthwise_by_shifts(x, self) if self.by_shifts else super().forward(x)


class DepthwiseBlock(nn.Module):
    """x + project(act(depthwise(act(expand(x))))): 1x1, k x k per channel, 1x1. [n, width, h, w] -> same."""

    def __init__(self, width: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(width, hidden, 1)
        self.depth = Depthwise(hidden, kernel)
        self.project = nn.Conv2d(hidden, width, 1)
        _shrink(self.project)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.leaky_relu(self.expand(x), SLOPE)
        return x + self.project(F.leaky_relu(self.depth(hidden), SLOPE))


class PlainBlock(nn.Module):
    """x + second(act(first(x))), both 3x3 dense: few, large calls. [n, width, h, w] -> same."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(width, hidden, 3, padding=1)
        self.project = nn.Conv2d(hidden, width, 3, padding=1)
        _shrink(self.project)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.project(F.leaky_relu(self.expand(x), SLOPE))


class MixerBlock(nn.Module):
    """DCVC-RT's order: a depthwise mixer at trunk width, then a pointwise feed-forward. [n, width, h, w] -> same."""

    def __init__(self, width: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(width, width, 1)
        self.depth = Depthwise(width, kernel)
        self.leave = nn.Conv2d(width, width, 1)
        self.expand = nn.Conv2d(width, hidden, 1)
        self.project = nn.Conv2d(hidden, width, 1)
        _shrink(self.leave)
        _shrink(self.project)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.leave(self.depth(F.leaky_relu(self.enter(x), SLOPE)))
        return x + self.project(F.leaky_relu(self.expand(x), SLOPE))


class GatedBlock(nn.Module):
    """x + project(a * clip(b, -1, 1)), where a and b are the halves of depthwise(expand(x)). [n, width, h, w] -> same.

    A product is what a block of LeakyReLU has no cheap form of: an amplitude that depends on what is around (NAFNet's
    gate, Chen 2022, section 3.3, without its norm). One factor is clipped, so that no latent makes it grow faster than a
    linear layer would.
    """

    def __init__(self, width: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(width, hidden, 1)
        self.depth = Depthwise(hidden, kernel)
        self.project = nn.Conv2d(hidden // 2, width, 1)
        _shrink(self.project)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.depth(self.expand(x)).chunk(2, 1)
        return x + self.project(value * gate.clamp(-1, 1))


def make_block(kind: str, width: int, expand: float, kernel: int) -> nn.Module:
    """A block by its config name. Raises ValueError for an unknown one."""
    hidden = int(width * expand)
    if kind == "dw":
        return DepthwiseBlock(width, hidden, kernel)
    if kind == "c3":
        return PlainBlock(width, hidden)
    if kind == "mix":
        return MixerBlock(width, hidden, kernel)
    if kind == "gated":
        return GatedBlock(width, hidden, kernel)
    raise ValueError(f"blocks: expected dw, c3, mix or gated, got {kind}")


def block_macs(kind: str, width: int, expand: float, kernel: int) -> int:
    """Multiply-accumulates of one block per position of its grid."""
    hidden = int(width * expand)
    if kind == "dw":
        return 2 * width * hidden + kernel**2 * hidden
    if kind == "c3":
        return 18 * width * hidden
    if kind == "gated":
        return width * hidden + kernel**2 * hidden + hidden // 2 * width
    return 2 * width * width + kernel**2 * width + 2 * width * hidden


class Renderer(nn.Module):
    """Pointwise residual layers at stride 4, scaled and shifted from stride 8 (PULSE's idea, without its norm).

    features [n, trunk, h, w] -> pixels - 0.5 of [n, 3, 8h, 8w]. Each layer: t + a * mlp(t * g + b), where a, g, b
    are linear in the features and shared by the 2x2 positions of a trunk cell.
    """

    def __init__(self, trunk: int, width: int, layers: int) -> None:
        super().__init__()
        self.width = width
        self.enter = nn.Conv2d(trunk, 4 * width, 1)
        self.modulate = nn.ModuleList(nn.Conv2d(trunk, 3 * width, 1) for _ in range(layers))
        self.expand = nn.ModuleList(nn.Conv2d(width, 2 * width, 1) for _ in range(layers))
        self.project = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for _ in range(layers))
        self.leave = nn.Conv2d(width, 48, 1)
        for layer in self.modulate:
            layer.weight.data.mul_(0.3)
            layer.bias.data[:width] = 0.3
            layer.bias.data[width : 2 * width] = 1.0
            layer.bias.data[2 * width :] = 0.0

    def forward(self, features: Tensor) -> Tensor:
        t = F.pixel_shuffle(self.enter(features), 2)
        for modulate, expand, project in zip(self.modulate, self.expand, self.project):
            m = F.interpolate(modulate(features), scale_factor=2, mode="nearest")
            a, g, b = m.split(self.width, 1)
            t = t + a * project(F.leaky_relu(expand(t * g + b), SLOPE))
        return F.pixel_shuffle(self.leave(t), 4)

    @staticmethod
    def macs(trunk: int, width: int, layers: int) -> float:
        """Multiply-accumulates per pixel."""
        return trunk * width * (4 + 3 * layers) / 64 + (layers * 4 * width * width + 48 * width) / 16
