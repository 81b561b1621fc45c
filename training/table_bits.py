"""What symbols cost by the tables of a fitted context model, with slopes in the symbol, the scale and the mean."""
from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .context_model import CLASSES, FRACTION_BITS, LEAST_SCALE_BITS, MEAN_NODES, REACH_MAX, TABLES, Bits

# Table sets over the rates, as the fitter makes them.
SETS = 9
# Symbols this far from the mean have entries; beyond, a length goes on as it went.
REACH = 96
CLASSES_PER_OCTAVE = 4
# Of a class: one for every pair of nodes that mirror each other.
SIDES = MEAN_NODES // 2


def frequencies_of(sets: list[list[np.ndarray]]) -> np.ndarray:
    """A file's tables as [SETS, table, cell], the escape behind the last cell and nothing behind that. Where the file has another
    number of sets, those of the rates nearest to ours."""
    out = np.zeros((SETS, TABLES, 2 * REACH_MAX + 2))
    for number, rate in enumerate(np.linspace(0, len(sets) - 1, SETS)):
        for table, frequencies in enumerate(sets[round(rate)]):
            out[number, table, : len(frequencies)] = frequencies
    return out


def smooth_lengths(frequencies: np.ndarray, reach: int) -> np.ndarray:
    """Bits [SETS, class, node of the mean, residual from -reach to reach] by frequencies_of: without the steps of large scales' cells
    and of raw bits. The node after the last is there too: the first one of the next integer."""
    residual, cells = np.arange(-reach - 1, reach + 1), np.arange(-reach - 2, reach + 3)
    index = 2 * np.abs(cells) - (cells > 0)
    out = np.zeros((SETS, CLASSES, MEAN_NODES + 1, 2 * reach + 1))
    for klass, shift in enumerate(Bits.shifts()):
        for number, side in np.ndindex(SETS, SIDES):
            counts = frequencies[number, klass * SIDES + side]
            escape = np.count_nonzero(counts) - 1
            order = 2 if escape > 16 else 0
            beyond = np.maximum((index + 1) // 2 - (escape + 1) // 2, 0) + (1 << order)
            raw = 2 * np.log2(beyond) - order + 2
            bits = FRACTION_BITS - np.log2(counts[np.minimum(index, escape)]) + shift + np.where(index >= escape, raw, 0)
            for node, folded in ((SIDES + side, residual), (SIDES - 1 - side, -residual)):
                lengths = np.interp(folded / (1 << shift), cells, bits)
                out[number, klass, node] = lengths[1:]
                if node == 0:
                    out[number, klass, MEAN_NODES] = lengths[:-1]
    return out


class Cost(torch.autograd.Function):
    """Bits of integers [n, C, h, w] by rows of TableBits that begin with class `first`, in proportion between classes and between
    nodes of the mean. The slope in the integers is by how much one more than `below` costs more than `below`.

    In one function, with its slopes found on the way, because autograd takes three times as long.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, first: Tensor, symbols: Tensor, below: Tensor, scale: Tensor, mean: Tensor) -> Tensor:
        place = (torch.log2(scale) + (FRACTION_BITS - LEAST_SCALE_BITS)) * CLASSES_PER_OCTAVE - 0.5
        inside = (place > 0) & (place < CLASSES - 1)
        place = place.clamp(0, CLASSES - 1 - 1e-3)
        klass = place.floor()
        node = mean * MEAN_NODES + (SIDES - 0.5)
        lower = node.floor()
        base = (lower / MEAN_NODES).floor()
        start = ((first + klass) * MEAN_NODES + (lower - base * MEAN_NODES)) * (2 * REACH) + REACH
        along, across = place - klass, node - lower

        def around(integers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            """(row entry, its step to the next residual, how far the residual is beyond it), [..., class, node] of the first two."""
            residual = integers - base
            held = residual.clamp(-REACH, REACH - 1)
            found = rows.index_select(0, (start + held).long().reshape(-1)).view(*symbols.shape, 2, 2, 2)
            return found[..., 0], found[..., 1] - found[..., 0], residual - held

        _, step, _ = around(below)
        by_value = torch.lerp(*torch.lerp(step[..., 0], step[..., 1], across[..., None]).unbind(-1), along)
        bits, step, beyond = around(symbols)
        bits = bits + step * beyond[..., None, None]
        by_node = bits[..., 1] - bits[..., 0]
        by_class = torch.lerp(bits[..., 1, 0] - bits[..., 0, 0], bits[..., 1, 1] - bits[..., 0, 1], across)
        by_scale = by_class * inside * (CLASSES_PER_OCTAVE / math.log(2)) / scale
        by_mean = torch.lerp(*by_node.unbind(-1), along) * MEAN_NODES
        ctx.save_for_backward(by_value, by_scale, by_mean)
        return bits[..., 0, 0] + across * by_node[..., 0] + along * by_class

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        by_value, by_scale, by_mean = ctx.saved_tensors
        return None, None, slopes[0] * by_value, None, slopes[0] * by_scale, slopes[0] * by_mean


class TableBits(nn.Module):
    """Tables of a context model. Has none until it has taken a file's or loaded its own."""

    frequencies: Tensor
    rows: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.zeros(SETS, TABLES, 2 * REACH_MAX + 2, dtype=torch.int16))
        self.register_buffer("rows", torch.zeros(0, 8), persistent=False)
        self.register_load_state_dict_post_hook(lambda module, _: module._fill())

    def take(self, sets: list[list[np.ndarray]]) -> None:
        """A file's."""
        self.frequencies.copy_(torch.from_numpy(frequencies_of(sets)))
        self._fill()

    def _fill(self) -> None:
        """Rows [set, class but the last, node of the mean, residual from -REACH to REACH - 1; 8]: lengths at this class and the next,
        at this node and the next, of this residual and the next: all that stands around a symbol lies together."""
        if not self.frequencies.any():
            return
        lengths = smooth_lengths(self.frequencies.cpu().double().numpy(), REACH)
        corners = [lengths[:, klass : CLASSES - 1 + klass, node : MEAN_NODES + node, ahead : 2 * REACH + ahead]
                   for klass, node, ahead in np.ndindex(2, 2, 2)]
        self.rows = torch.from_numpy(np.stack(corners, -1)).float().reshape(-1, 8).to(self.frequencies.device)

    def forward(self, symbols: Tensor, below: Tensor, scale: Tensor, mean: Tensor, q: Tensor) -> Tensor:
        """Bits of integers [n, C, h, w] at q [n] in 0..1; their slope is the difference between the costs of the integers `below`
        and those after them."""
        first = (q * (SETS - 1) + 0.5).floor() * (CLASSES - 1)
        return Cost.apply(self.rows, first[:, None, None, None], symbols, below, scale, mean)
