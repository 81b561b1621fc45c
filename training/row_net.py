"""Trains the network of a context model, which sharpens the linear sums by what is around, and those sums with it:

  python3 -m training.row_net IN/context.bin --latents out/context --out OUT/context.bin --minutes 30

Reads a fitted context model, gains.f32 and latents.f32 as training.context wrote them. A small network that sees the
magnitudes of all channels in the two rows above (five columns), and in the row itself those of the groups of channels before
a channel's own, says what the scale sum of every symbol is multiplied by. Written is a model with a network, whose tables are
still those that were
read: `fit_context` counts them anew (training/README.md).

The network is trained in the units of the file: its weights and biases are rounded to what their integers hold from the middle
of the run on, with gradients straight through.
"""
from __future__ import annotations

import argparse
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .context_model import FRACTION_BITS, LEAST_SCALE_BITS, MAGNITUDE_LIMIT, REACH_MAX, TABLES, Bits, Linear, LinearSums, read_linear
from .prior import at_knots

# As in crates/vaerans-core/src/context/row_net.rs.
ROWS, COLUMNS = 2, 5                      # above a symbol
FIRST, SECOND = 64, 32                    # units of the two layers
# First channels of the groups. Between them what was coded of the row comes in: cuts lie where most bits do.
GROUPS = (0, 32, 64, 72, 80, 88)
# Of a magnitude, in eighths; near its root, so that small ones count most.
FEATURE = tuple(round(8 * (math.sqrt(magnitude + 0.25) - 0.5)) for magnitude in range(MAGNITUDE_LIMIT + 1))
HIDDEN_BITS = 10                          # of a unit's value below one
HIDDEN_MAX = 4095                         # of a unit's value, in those units
WEIGHT_BITS = 7                           # first layer, so that a product has HIDDEN_BITS
MIDDLE_BITS = 8
OUTPUT_BITS = 12
FACTOR_BITS = 8
FACTOR_ENDS = (16, 1023)                  # 1/16 to just below 4


def rounded(weights: Tensor, bits: int, on: bool) -> Tensor:
    """Weights as their integers hold them, gradients straight through."""
    if not on:
        return weights
    return weights + (torch.round(weights * (1 << bits)) / (1 << bits) - weights).detach()


def largest(bits: int) -> int:
    """Integer of weights with so many bits below one: those of the first layer times a feature have 16 bits."""
    return 32767 // FEATURE[-1] if bits == WEIGHT_BITS else 32767


class RowNet(nn.Module):
    """Magnitudes of the rows above, and of groups of channels before in the row -> the factor of every symbol's scale sum."""

    def __init__(self, channels: int, knots: int) -> None:
        super().__init__()
        self.enter = nn.Parameter(torch.randn(FIRST, channels, ROWS, COLUMNS) * 0.04)
        self.enter_bias = nn.Parameter(torch.full((knots, FIRST), 0.1))
        self.groups = [first for first in GROUPS if first < channels]
        self.here = nn.Parameter(torch.zeros(FIRST, channels, 1, COLUMNS))
        self.middle = nn.Parameter((torch.randn(SECOND, FIRST) / math.sqrt(FIRST)).repeat(len(self.groups), 1, 1))
        self.middle_bias = nn.Parameter(torch.full((len(self.groups), SECOND), 0.1))
        self.leave = nn.Parameter(torch.zeros(channels, SECOND, 1, 1))
        self.leave_bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("feature", torch.tensor(FEATURE) / 8, persistent=False)
        self.exact = False

    def features(self, symbols: Tensor) -> Tensor:
        """What integers count."""
        return self.feature[symbols.abs().clamp(max=len(FEATURE) - 1).long()]

    def forward(self, symbols: Tensor, q: Tensor) -> Tensor:
        exact, most = self.exact, HIDDEN_MAX / (1 << HIDDEN_BITS)
        feature = F.pad(self.features(symbols), (COLUMNS // 2, COLUMNS // 2, ROWS, 0))
        seen, row = feature[:, :, :-1], feature[:, :, ROWS:]
        bias = rounded(at_knots(self.enter_bias, q), HIDDEN_BITS, exact)[:, :, None, None]
        first = F.conv2d(seen, rounded(self.enter, WEIGHT_BITS, exact)) + bias
        middle, middle_bias = rounded(self.middle, MIDDLE_BITS, exact), rounded(self.middle_bias, HIDDEN_BITS, exact)
        here, leave = rounded(self.here, WEIGHT_BITS, exact), rounded(self.leave, OUTPUT_BITS, exact)
        outs, starts = [], [*self.groups, symbols.shape[1]]
        for group, part in enumerate(map(slice, starts, starts[1:])):
            hidden = first.clamp(0, most)
            hidden = F.conv2d(hidden, middle[group, :, :, None, None], middle_bias[group]).clamp(0, most)
            outs.append(F.conv2d(hidden, leave[part], rounded(self.leave_bias, OUTPUT_BITS, exact)[part]))
            first = first + F.conv2d(row[:, part], here[:, part])
        out = torch.cat(outs, 1)
        ends = [end / (1 << FACTOR_BITS) for end in FACTOR_ENDS]
        return (1 + out).clamp(*ends)

    @torch.no_grad()
    def keep_in_bounds(self) -> None:
        """What the file cannot hold is no use at the end of a long run."""
        for weights, bits in self.parts():
            weights.clamp_(-largest(bits) / (1 << bits), largest(bits) / (1 << bits))

    def parts(self, groups: bool = True) -> list[tuple[Tensor, int]]:
        """The file's integers in its order: weights, and their bits below one. Without `groups` those of a network that does not
        see the row itself."""
        first = len(self.groups) if groups else 1
        here = [(self.here.permute(1, 2, 3, 0), WEIGHT_BITS)] if groups else []
        return [
            (self.enter_bias, HIDDEN_BITS),
            (self.enter.permute(1, 2, 3, 0), WEIGHT_BITS),   # [channel][row][column][unit]
            *here,                                           # [channel][column][unit]
            (self.middle_bias[:first], HIDDEN_BITS),         # [group][second]
            (self.middle[:first], MIDDLE_BITS),              # [group][second][first]
            (self.leave_bias, OUTPUT_BITS),
            (self.leave, OUTPUT_BITS),                       # [channel][second]
        ]

    def to_bytes(self) -> bytes:
        """The section between links and tables. Raises OverflowError where an integer does not fit."""
        out = bytes([len(self.groups), *self.groups])
        for weights, bits in self.parts():
            integers = np.round(weights.detach().numpy().astype(np.float64) * (1 << bits))
            if np.abs(integers).max() > largest(bits):
                raise OverflowError("row network: a weight is beyond 16 bits")
            out += integers.astype("<i2").tobytes()
        return out

    @torch.no_grad()
    def load_bytes(self, section: bytes) -> None:
        """Takes the weights of another model's network; one that knows no groups is taken for each of them. Raises ValueError
        for one of another shape."""
        shape, head = (self.leave.shape[0], self.enter_bias.shape[0]), bytes([len(self.groups), *self.groups])
        groups = len(section) != net_byte_length(*shape, 0)
        if groups and (len(section) != net_byte_length(*shape, len(self.groups)) or not section.startswith(head)):
            raise ValueError("row network: expected one of as many channels and knots, and of the same groups")
        at = len(head) if groups else 0
        for weights, bits in self.parts(groups):
            count = weights.numel()
            integers = torch.from_numpy(np.frombuffer(section, "<i2", count, at).astype(np.float32) / (1 << bits))
            weights.copy_(integers.reshape(weights.shape))
            at += 2 * count
        if not groups:
            for weights in (self.middle, self.middle_bias):
                weights.copy_(weights[:1].expand_as(weights))


def net_byte_length(channels: int, knots: int, groups: int) -> int:
    """Of the section of a network for so many channels, with biases at so many knots; 0 groups for one that does not see the
    row itself."""
    enter = knots * FIRST + channels * (ROWS + (groups > 0)) * COLUMNS * FIRST
    return (1 + groups if groups else 0) + 2 * (enter + max(1, groups) * SECOND * (1 + FIRST) + channels * (1 + SECOND))


def model_bytes(linear: Linear, sums: LinearSums, net: RowNet) -> bytes:
    """A file's, but for the weights of its sums and its network, of which it need not have had one."""
    head = sums.head_bytes(linear.head)
    return head[:4] + bytes([head[4] | 10]) + head[5:] + net.to_bytes() + linear.tail


def latents_of(path: Path) -> list[np.ndarray]:
    """[channel, height, width] of every picture, mapped from the file."""
    out, at = [], 0
    size = path.stat().st_size
    while at < size:
        channels, height, width = np.fromfile(path, "<u4", 3, offset=at)
        shape = (int(channels), int(height), int(width))
        out.append(np.memmap(path, "<f4", "r", at + 12, shape))
        at += 12 + 4 * shape[0] * shape[1] * shape[2]
    return out


class Model(nn.Module):
    def __init__(self, linear: Linear, net: RowNet, log_gains: Tensor) -> None:
        super().__init__()
        self.sums, self.net, self.bits = LinearSums.of(linear), net, Bits(linear.sets)
        self.log_gains = log_gains

    def contexts(self, latents: Tensor, q: Tensor, use: bool) -> tuple[Tensor, Tensor, Tensor]:
        """(symbols, scale, mean); `use` the network or only the linear sums."""
        with torch.no_grad():
            symbols = torch.round(latents * at_knots(self.log_gains, q).exp()[:, :, None, None])
        scale, west, mean = self.sums(symbols, q)
        if use:
            scale = (scale * self.net(symbols, q)).clamp(min=2.0 ** (LEAST_SCALE_BITS - FRACTION_BITS))
        return symbols, scale + west, mean

    @torch.no_grad()
    def recount(self, latents: list[np.ndarray], use: bool, rates: int = 2) -> None:
        sets = len(self.bits.frequencies)
        counts = np.zeros((sets, TABLES * (2 * REACH_MAX + 2)), np.int64)
        cells = torch.from_numpy(self.bits.cell.reshape(-1))
        for number in range(sets):
            for index in range(rates * max(1, len(latents) // sets)):
                q = ((number + (random.random() - 0.5)) / (sets - 1))
                q = torch.tensor([min(max(q, 0.0), 1.0)])
                picture = torch.from_numpy(np.array(latents[(index * sets + number) % len(latents)]))[None]
                symbols, scale, mean = self.contexts(picture, q, use)
                found = cells[self.bits.entries(symbols, scale, mean)]
                alive = found[:, (symbols != 0).any(3).any(2)[0]]
                counts[number] += np.bincount(alive.reshape(-1).numpy(), minlength=counts.shape[1])
        self.bits.recount(counts)

    @torch.no_grad()
    def measure(self, latents: list[np.ndarray], use: bool) -> list[float]:
        """Bits per pixel at six rates, of living channels."""
        out = []
        for rate in (0.0, 0.15, 0.3, 0.45, 0.6, 0.8):
            q = torch.tensor([rate])
            total = 0.0
            for latent in latents:
                picture = torch.from_numpy(np.array(latent))[None]
                symbols, scale, mean = self.contexts(picture, q, use)
                alive = (symbols != 0).any(2, True).any(3, True)
                total += float((self.bits.exact(symbols, scale, mean, q) * alive).sum()) / (64 * picture.shape[2] * picture.shape[3])
            out.append(total / len(latents))
        return out


def main(argv: list[str] | None = None) -> list[float]:
    """Returns the change of the held pictures' bits at six rates, in per cent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("context", type=Path, help="fitted context model; its network, if it has one, is where training starts")
    parser.add_argument("--init", type=Path, help="context model whose network to start from")
    parser.add_argument("--latents", type=Path, default=Path("out/context"), help="folder of training.context")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--steps", type=int, help="schedule by steps instead of minutes")
    parser.add_argument("--rate", type=float, default=3e-3, help="learning rate of the network")
    parser.add_argument("--linear-rate", type=float, default=2e-4, help="of the linear weights; 0 leaves them as they are")
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--crop", type=int, default=32, help="latent samples a side")
    parser.add_argument("--held", type=int, default=24, help="pictures that are only measured")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    random.seed(1)
    linear = read_linear(args.context.read_bytes(), net_byte_length)
    knots, channels = linear.bases.shape
    log_gains = torch.from_numpy(np.fromfile(args.latents / "gains.f32", "<f4").reshape(-1, channels))
    pictures = latents_of(args.latents / "latents.f32")
    held, seen = pictures[: args.held], pictures[args.held :]
    net = RowNet(channels, knots)
    start = read_linear(args.init.read_bytes(), net_byte_length).net if args.init else linear.net
    if start:
        net.load_bytes(start)
    model = Model(linear, net, log_gains)

    base = model.measure(held, False)
    print("linear, bits per pixel", [round(b, 4) for b in base], flush=True)
    model.recount(seen[:180], False)
    recounted = model.measure(held, False)
    percent = lambda found: [round(100 * (a / b - 1), 2) for a, b in zip(found, base)]
    print("its tables counted here, %", percent(recounted), flush=True)

    model.sums.requires_grad_(args.linear_rate > 0)
    optimiser = torch.optim.Adam([dict(params=net.parameters(), full=args.rate), dict(params=model.sums.parameters(), full=args.linear_rate)],
                                 betas=(0.9, 0.98))
    started, step, reports = time.time(), 0, 0
    done = lambda: (time.time() - started) / (60 * args.minutes) if args.steps is None else step / max(args.steps, 1)
    while step != args.steps and (progress := done()) < 1:
        for group in optimiser.param_groups:
            group["lr"] = group["full"] * min(1, (step + 1) / 30) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        net.exact = progress > 0.5
        crops = []
        for _ in range(args.batch):
            latent = seen[random.randrange(len(seen))]
            top, left = (random.randrange(max(1, side - args.crop + 1)) for side in latent.shape[1:])
            crop = torch.from_numpy(np.array(latent[:, top : top + args.crop, left : left + args.crop]))
            crops.append(F.pad(crop, (0, args.crop - crop.shape[2], 0, args.crop - crop.shape[1])))
        q = (torch.arange(args.batch) + torch.rand(args.batch)) / args.batch
        symbols, scale, mean = model.contexts(torch.stack(crops), q, True)
        bits = model.bits.smooth(symbols, scale, mean, q).sum((1, 2, 3)) / (64 * args.crop**2)
        loss = torch.log(bits + 1e-2).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        net.keep_in_bounds()
        model.sums.keep_in_bounds()
        step += 1
        if progress * 5 >= reports + 1:
            reports += 1
            model.recount(seen[:180], True)
            print(f"step {step}, {time.time() - started:.0f} s, %", percent(model.measure(held, True)), flush=True)
    net.exact = True
    model.recount(seen[:360], True)
    change = percent(model.measure(held, True))
    print(f"step {step}, end, %", change, flush=True)
    args.out.write_bytes(model_bytes(linear, model.sums, net))
    return change


if __name__ == "__main__":
    main()
