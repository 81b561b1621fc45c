"""A fitted context model (context.bin) in floating point: its linear sums, and its tables as code lengths with slopes."""
from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .prior import at_knots

# As in crates/vaerans-core/src/context: classes.rs, rows.rs, model.rs.
FRACTION_BITS = 14
LEAST_SCALE_BITS = 7
CLASSES, MEAN_NODES = 56, 16
TABLES = CLASSES * MEAN_NODES // 2
REACH_MAX = 40
MAGNITUDE_LIMIT, VALUE_LIMIT = 24, 2047
OWN_TAPS = ((-2, -1), (-2, 0), (-2, 1), (-1, -2), (-1, -1), (-1, 0), (-1, 1), (-1, 2), (0, -2), (0, -1))
VALUE_PLACES = ((1, 1), (1, 0), (1, 2), (0, 1))   # row and column of the kernel: here, west, east, above


@dataclass
class Linear:
    """A context model's linear weights as dense float arrays in units of one symbol, and the rest of its file."""

    head: bytes          # up to the network
    net: bytes           # empty where there is none
    tail: bytes          # channels that learn, table sets
    bases: Tensor        # [knot, channel]
    scale_taps: Tensor   # [channel, 10]
    mean_taps: Tensor
    here: Tensor         # [channel, earlier]
    ring: Tensor
    values: Tensor       # [place, channel, earlier]: here, west, east, above
    sets: list[list[np.ndarray]]  # [set][table] frequencies, the escape's last


def read_linear(blob: bytes, net_byte_length: Callable[[int, int, int], int]) -> Linear:
    """A file of one grid, with a network of so many bytes for (channels, knots, groups) or without. Raises ValueError for others."""
    if blob[:4] != b"VCTX" or blob[4] not in (1, 3, 5, 7, 11, 15):
        raise ValueError("context.bin: expected a context model of one grid")
    channels, knots, sets = blob[5] + 1, blob[6], blob[7]
    at = 8

    def take(length: int) -> bytes:
        nonlocal at
        at += length
        return blob[at - length : at]

    unit = 1 / (1 << FRACTION_BITS)
    bases = np.frombuffer(take(4 * knots * channels), "<u4").reshape(knots, channels) * unit
    take(knots * channels)
    taps = np.zeros((2, channels, len(OWN_TAPS)))
    links = np.zeros((6, channels, channels))
    for channel in range(channels):
        for kind in range(2):
            taps[kind, channel] = np.frombuffer(take(2 * len(OWN_TAPS)), "<i2") * unit
        for kind in range(6):
            for _ in range(take(1)[0]):
                earlier, weight = struct.unpack("<Bh", take(3))
                links[kind, channel, earlier] = weight * unit
    split = at
    net = take(net_byte_length(channels, knots, blob[at] if blob[4] & 8 else 0)) if blob[4] & 2 else b""
    if blob[4] & 4:  # scales that adapt, channels that learn: the sums here are those before that
        take(take(1)[0])
    tables = []
    for _ in range(sets):
        table_set = []
        for _ in range(TABLES):
            frequencies = np.frombuffer(take(2 * (2 * take(1)[0] + 1)), "<u2").astype(np.int64)
            table_set.append(np.append(frequencies, 16384 - frequencies.sum()))
        tables.append(table_set)
    if at != len(blob):
        raise ValueError("context.bin: expected a model of one grid")
    tensor = lambda array: torch.from_numpy(np.ascontiguousarray(array)).float()
    return Linear(blob[:split], net, blob[split + len(net) :], tensor(bases), tensor(taps[0]), tensor(taps[1]),
                  tensor(links[0]), tensor(links[1]), tensor(links[2:]), tables)


class LinearSums(nn.Module):
    """Scale and mean of integers [n, C, h, w] by a context model's linear sums; what the west adds to the scale is apart.

    The weights can be trained: those that were zero when they were loaded, as the file has none of them, stay zero."""

    def __init__(self, channels: int, knots: int) -> None:
        super().__init__()
        self.bases = nn.Parameter(torch.zeros(knots, channels))
        for name, shape in dict(above=(1, 3, 5), west=(1, 3, 5), mean=(1, 3, 5), across=(channels, 2, 3), here=(channels, 1, 1),
                                around=(channels, 1, 1)).items():
            weights = nn.Parameter(torch.zeros(channels, *shape))
            weights.register_hook(lambda slope, kept=f"kept_{name}": slope * getattr(self, kept))
            setattr(self, name, weights)
            self.register_buffer(f"kept_{name}", torch.zeros(channels, *shape), persistent=False)
        ring = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 1.0]]).repeat(channels, 1, 1)[:, None]
        self.register_buffer("ring", ring)
        self.register_load_state_dict_post_hook(lambda module, _: module._keep())

    @classmethod
    def of(cls, linear: Linear) -> "LinearSums":
        """Those of a file."""
        sums = cls(*reversed(linear.bases.shape))
        sums.take(linear)
        return sums

    @torch.no_grad()
    def take(self, linear: Linear) -> None:
        """The weights of a file with as many channels and knots."""
        for weights in self.parameters():
            weights.zero_()
        for tap, (row, column) in enumerate(OWN_TAPS):
            (self.above if row else self.west)[:, 0, 2 + row, 2 + column] = linear.scale_taps[:, tap]
            self.mean[:, 0, 2 + row, 2 + column] = linear.mean_taps[:, tap]
        for place, (row, column) in enumerate(VALUE_PLACES):
            self.across[:, :, row, column] = linear.values[place]
        for weights, value in ((self.here, linear.here), (self.around, linear.ring), (self.bases, linear.bases)):
            weights.copy_(value.view_as(weights))
        self._keep()

    def _keep(self) -> None:
        for name, weights in self.named_parameters():
            if name != "bases":
                getattr(self, f"kept_{name}").copy_(weights != 0)

    @torch.no_grad()
    def keep_in_bounds(self) -> None:
        """What the file cannot hold: weights beyond 16 bits, and less than nothing of a scale."""
        most = 32767 / (1 << FRACTION_BITS)
        for weights in (self.above, self.west, self.here, self.around):
            weights.clamp_(0, most)
        for weights in (self.mean, self.across):
            weights.clamp_(-most, most)
        self.bases.clamp_(min=0)

    @torch.no_grad()
    def head_bytes(self, head: bytes) -> bytes:
        """A file's part up to the network, with the weights as they are now."""
        out, channels, at = bytearray(head), self.here.shape[0], 8
        integers = lambda weights, kind: np.round(weights.numpy().astype(np.float64) * (1 << FRACTION_BITS)).astype(kind)
        bases = integers(self.bases, "<u4").tobytes()
        out[at : at + len(bases)] = bases
        at += len(bases) + len(bases) // 4
        taps = (self.above + self.west, self.mean)
        links = (self.here, self.around, *(self.across[:, :, row, column] for row, column in VALUE_PLACES))
        for channel in range(channels):
            for kind in taps:
                own = [float(kind[channel, 0, 2 + row, 2 + column]) for row, column in OWN_TAPS]
                out[at : at + 2 * len(own)] = integers(torch.tensor(own), "<i2").tobytes()
                at += 2 * len(own)
            for kind in links:
                weights = integers(kind[channel].reshape(-1), "<i2")
                count = out[at]
                at += 1
                for _ in range(count):
                    struct.pack_into("<h", out, at + 1, weights[out[at]])
                    at += 3
        if at != len(out):
            raise ValueError("context.bin: expected a model of one grid")
        return bytes(out)

    def forward(self, symbols: Tensor, q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(scale but for the west, what the west adds, mean), each [n, C, h, w]."""
        channels = symbols.shape[1]
        size, value = symbols.abs().clamp(max=MAGNITUDE_LIMIT), symbols.clamp(-VALUE_LIMIT, VALUE_LIMIT)
        own = lambda x, taps: F.conv2d(F.pad(x, (2, 2, 2, 0)), taps, groups=channels)
        rows = lambda x, taps, groups=1: F.conv2d(F.pad(x, (1, 1, 1, 0)), taps, groups=groups)
        scale = at_knots(self.bases, q)[:, :, None, None] + 2.0 ** (LEAST_SCALE_BITS - FRACTION_BITS) + own(size, self.above)
        scale = scale + F.conv2d(size, self.here) + F.conv2d(rows(size, self.ring, channels), self.around)
        return scale, own(size, self.west), own(value, self.mean) + rows(value, self.across)


class Bits:
    """Code lengths of symbols by a model's tables: interpolated over scale and mean, or exactly as the coder has them."""

    reach = 44

    def __init__(self, sets: list[list[np.ndarray]]) -> None:
        self.frequencies = sets
        self.fill()

    @staticmethod
    def shifts() -> np.ndarray:
        octaves = np.arange(CLASSES) // 4 + LEAST_SCALE_BITS
        return np.maximum(octaves - (FRACTION_BITS + 2), 0)

    def fill(self) -> None:
        """[set][class][mean node][residual from -reach]: bits, and the table's cell index for `recount`."""
        residual = np.arange(-self.reach, self.reach + 1)
        lengths = np.zeros((len(self.frequencies), CLASSES, MEAN_NODES, residual.size), np.float32)
        self.cell = np.zeros((CLASSES, MEAN_NODES, residual.size), np.int64)
        for klass, shift in enumerate(self.shifts()):
            for node in range(MEAN_NODES):
                side = MEAN_NODES // 2 - 1 - node if node < MEAN_NODES // 2 else node - MEAN_NODES // 2
                folded = -residual if node < MEAN_NODES // 2 else residual
                cells = (folded + ((1 << shift) >> 1)) >> shift
                index = 2 * np.abs(cells) - (cells > 0)
                table = klass * (MEAN_NODES // 2) + side
                self.cell[klass, node] = table * (2 * REACH_MAX + 2) + np.minimum(index, 2 * REACH_MAX + 1)
                for number, table_set in enumerate(self.frequencies):
                    frequencies = table_set[table]
                    escape = len(frequencies) - 1
                    bits = 14 - np.log2(frequencies[np.minimum(index, escape)]) + shift
                    order = 2 if escape > 16 else 0
                    beyond = np.maximum((index + 1) // 2 - (escape + 1) // 2, 0) + (1 << order)
                    raw = 2 * np.floor(np.log2(beyond)) - order + 2
                    lengths[number, klass, node] = bits + np.where(index >= escape, raw, 0)
        self.lengths = torch.from_numpy(lengths).reshape(-1)

    def set_of(self, q: Tensor) -> Tensor:
        return (q * (len(self.frequencies) - 1) + 0.5).floor().long()

    def smooth(self, symbols: Tensor, scale: Tensor, mean: Tensor, q: Tensor) -> Tensor:
        """Bits of every symbol, interpolated between tables so that scale and mean have slopes."""
        place = (torch.log2(scale) + (FRACTION_BITS - LEAST_SCALE_BITS)) * 4 - 0.5
        low = place.detach().floor().clamp(0, CLASSES - 2)
        along = (place - low).clamp(0, 1)
        node = mean * MEAN_NODES - 0.5
        below = node.detach().floor()
        across = node - below
        start = (self.set_of(q)[:, None, None, None] * CLASSES + low.long()) * MEAN_NODES
        out: Tensor | float = 0.0
        for step, weight in ((0, 1 - across), (1, across)):
            absolute = below + step + MEAN_NODES // 2
            base = torch.div(absolute, MEAN_NODES, rounding_mode="floor")
            distance = symbols - base
            row = (start + (absolute - base * MEAN_NODES).long()) * (2 * self.reach + 1)
            entry = row + (distance.clamp(-self.reach, self.reach) + self.reach).long()
            # Far beyond the tables a slope in the distance stands for the raw bits.
            far = 0.1 * ((mean - symbols).abs() - self.reach).clamp(min=0)
            near, next_class = self.lengths[entry], self.lengths[entry + MEAN_NODES * (2 * self.reach + 1)]
            out = out + weight * (near + (next_class - near) * along + far)
        return out  # type: ignore[return-value]

    def entries(self, symbols: Tensor, scale: Tensor, mean: Tensor) -> Tensor:
        """Index in a set's [class][node][residual] of every symbol, by the coder's own classes."""
        total = (scale * (1 << FRACTION_BITS)).floor().clamp(min=1 << LEAST_SCALE_BITS, max=(1 << (LEAST_SCALE_BITS + CLASSES // 4)) - 1)
        top = torch.log2(total + 0.5).floor()
        klass = (top - LEAST_SCALE_BITS) * 4 + torch.div(total, 2 ** (top - 2), rounding_mode="floor") - 4
        absolute = torch.floor(mean * MEAN_NODES + MEAN_NODES // 2)
        base = torch.div(absolute, MEAN_NODES, rounding_mode="floor")
        distance = (symbols - base).clamp(-self.reach, self.reach) + self.reach
        return (klass.long() * MEAN_NODES + (absolute - base * MEAN_NODES).long()) * (2 * self.reach + 1) + distance.long()

    def exact(self, symbols: Tensor, scale: Tensor, mean: Tensor, q: Tensor) -> Tensor:
        size = CLASSES * MEAN_NODES * (2 * self.reach + 1)
        return self.lengths[self.set_of(q)[:, None, None, None] * size + self.entries(symbols, scale, mean)]

    def recount(self, counts: np.ndarray) -> None:
        """Tables anew from counts [set][table, cell index], each begun by eight symbols of its old shape."""
        counts = counts.reshape(len(self.frequencies), TABLES, -1)
        for table_set, seen in zip(self.frequencies, counts):
            for table, frequencies in enumerate(table_set):
                weights = frequencies / 16384 * 8.0
                weights[:-1] += seen[table, : len(frequencies) - 1]
                weights[-1] += seen[table, len(frequencies) - 1 :].sum()
                table_set[table] = np.maximum(weights / weights.sum() * 16384, 1)
        self.fill()
