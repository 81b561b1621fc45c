"""The autoencoder: linear DCT skips plus convolutional trunks, one or two latent grids, rate tables, context prior.

image [n, 3, H, W] in 0..1 (H, W multiples of `stride(config)`)
  -> latents, coarse to fine: [n, 4m, H/16, W/16] (only with coarse_moved = m > 0) and [n, C - m, H/8, W/8]
  -> integers round(latent * gain(q)) -> integer * inverse_gain(q) -> image [n, 3, H, W]
"""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Renderer, block_macs, make_block
from .config import ModelConfig
from .context_prior import ContextPrior
from .dct import dct_basis, haar_mix
from .prior import GridPrior, at_knots

PATCH = 192  # samples of a 3x8x8 patch


def grids(config: ModelConfig) -> list[dict[str, int]]:
    """Channels and stride of every latent grid, coarse to fine."""
    fine = {"channels": config.channels - config.coarse_moved, "stride": 8}
    return ([{"channels": 4 * config.coarse_moved, "stride": 16}] if config.coarse_moved else []) + [fine]


def stride(config: ModelConfig) -> int:
    """Sides of an image must be multiples of this, in pixels."""
    return 16 if config.coarse_moved else 8


def margins(config: ModelConfig) -> tuple[int, int]:
    """(encoder, decoder): pixels beyond its own cell that an output depends on."""
    around = config.kernel // 2
    reach = 2 if config.block == "c3" else around
    encoder = 8 * (reach * config.encoder_blocks + around * config.encoder_gated)
    decoder = 8 * (reach * config.decoder_blocks + around * config.decoder_gated)
    if config.coarse_moved:  # a stride-16 cell spans two stride-8 cells, hence the extra 8
        encoder += 16 * reach * config.coarse_encoder_blocks + 8
        decoder += 16 * reach * config.coarse_decoder_blocks + 8
    return encoder, decoder


def full_precision(x: Tensor) -> torch.autocast:
    """Context in which bf16 autocast is off: linear skips, heads and the prior need all 24 bits."""
    return torch.autocast(device_type=x.device.type, enabled=False)


def trunk_kinds(config: ModelConfig, count: int, gated: int = 0) -> list[str]:
    """Kinds of a trunk's blocks, in order."""
    return [config.block] * count + ["gated"] * gated


def _trunk(config: ModelConfig, width: int, count: int, gated: int = 0) -> nn.Sequential:
    return nn.Sequential(*[make_block(kind, width, config.expand, config.kernel) for kind in trunk_kinds(config, count, gated)])


class SkipGain(nn.Conv2d):
    """linear [n, channels, h, w] times 0..2, as the trunk [n, width, h, w] says: starts at 1."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__(width, channels, 1)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, linear: Tensor, trunk: Tensor) -> Tensor:
        return linear * (1 + super().forward(trunk.float()).clamp(-1, 1))


def _head(inputs: int, outputs: int) -> nn.Conv2d:
    """Last layer of a nonlinear path: starts at almost nothing, so that step 0 is a DCT codec."""
    layer = nn.Conv2d(inputs, outputs, 1)
    nn.init.zeros_(layer.bias)
    layer.weight.data.mul_(0.02)
    return layer


class Encoder(nn.Module):
    """image [n, 3, H, W] in 0..1 -> latents, coarse to fine."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.moved = config.coarse_moved
        fine = config.channels - self.moved
        self.skip = nn.Conv2d(PATCH, config.channels, 1, bias=False)
        self.stem = nn.Conv2d(PATCH, config.width, 1)
        self.trunk = _trunk(config, config.width, config.encoder_blocks, config.encoder_gated)
        self.head = _head(config.width, fine)
        self.gain = SkipGain(config.width, config.channels) if config.skip_gain else None
        if self.moved:
            self.coarse_skip = nn.Conv2d(4 * self.moved, 4 * self.moved, 1, bias=False)
            self.coarse_stem = nn.Conv2d(4 * config.width, config.coarse_width, 1)
            self.coarse_trunk = _trunk(config, config.coarse_width, config.coarse_encoder_blocks)
            self.coarse_head = _head(config.coarse_width, 4 * self.moved)

    def forward(self, image: Tensor) -> list[Tensor]:
        patches = F.pixel_unshuffle(image - 0.5, 8)
        trunk = self.trunk(self.stem(patches))
        coarse_trunk = self.coarse_trunk(self.coarse_stem(F.pixel_unshuffle(trunk, 2))) if self.moved else None
        with full_precision(image):
            linear = self.skip(patches)
            if self.gain is not None:
                linear = self.gain(linear, trunk)
            latents = [linear[:, self.moved :] + self.head(trunk.float())]
            if coarse_trunk is not None:
                moved = F.pixel_unshuffle(linear[:, : self.moved], 2)
                latents.insert(0, self.coarse_skip(moved) + self.coarse_head(coarse_trunk.float()))
        return latents


class Decoder(nn.Module):
    """Dequantised latents, coarse to fine -> image [n, 3, H, W], to be clamped to 0..1."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.moved = config.coarse_moved
        width = config.decoder_width
        self.skip = nn.Conv2d(config.channels, PATCH, 1, bias=False)
        self.stem = nn.Conv2d(config.channels, width, 1)
        self.trunk = _trunk(config, width, config.decoder_blocks, config.decoder_gated)
        self.gain = SkipGain(width, config.channels) if config.skip_gain else None
        if self.moved:
            self.coarse_skip = nn.Conv2d(4 * self.moved, 4 * self.moved, 1, bias=False)
            self.coarse_stem = nn.Conv2d(4 * self.moved, config.coarse_width, 1)
            self.coarse_trunk = _trunk(config, config.coarse_width, config.coarse_decoder_blocks)
            self.coarse_leave = nn.Conv2d(config.coarse_width, 4 * width, 1)
            nn.init.zeros_(self.coarse_leave.bias)
        if config.renderer_width:
            self.renderer = Renderer(width, config.renderer_width, config.renderer_layers)
            nn.init.zeros_(self.renderer.leave.bias)
            self.renderer.leave.weight.data.mul_(0.02)
        else:
            self.renderer = None
            self.head = _head(width, PATCH)

    def forward(self, latents: list[Tensor]) -> Tensor:
        fine = latents[-1]
        if self.moved:
            with full_precision(fine):
                low = F.pixel_shuffle(self.coarse_skip(latents[0]), 2)
                merged = torch.cat([low, fine], 1)
            trunk = self.coarse_trunk(self.coarse_stem(latents[0]))
            trunk = self.stem(merged) + F.pixel_shuffle(self.coarse_leave(trunk), 2)
        else:
            merged = fine
            trunk = self.stem(merged)
        trunk = self.trunk(trunk)
        rendered = self.renderer(trunk) if self.renderer is not None else None
        with full_precision(fine):
            if self.gain is not None:
                merged = self.gain(merged, trunk)
            linear = self.skip(merged)
            if rendered is not None:
                return F.pixel_shuffle(linear, 8) + rendered.float() + 0.5
            return F.pixel_shuffle(linear + self.head(trunk.float()), 8) + 0.5


class RateTables(nn.Module):
    """Log gains over K knots and all channels (coarse to fine), linear in q between knots. The pair is not reciprocal."""

    def __init__(self, channels: int, config: ModelConfig) -> None:
        super().__init__()
        q = torch.linspace(0, 1, config.knots)[:, None]
        # A uniform step d costs d^2/12 per coefficient: the step that suits lambda, a little coarser.
        ends = [0.5 * math.log(value * 65025 / 26) for value in (config.lambda_min, config.lambda_max)]
        start = (ends[0] * (1 - q) + ends[1] * q).repeat(1, channels)
        self.log_gain = nn.Parameter(start.clone())
        self.log_inverse = nn.Parameter(-start)

    def forward(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """(gain, inverse gain), both [n, C, 1, 1]."""
        return (at_knots(self.log_gain, q).exp()[:, :, None, None], at_knots(self.log_inverse, q).exp()[:, :, None, None])


class Codec(nn.Module):
    """Everything that is trained together."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.counts = [grid["channels"] for grid in grids(config)]
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.rates = RateTables(sum(self.counts), config)
        coarse = [0, *self.counts[:-1]]
        if config.prior == "context":
            if config.coarse_moved:
                raise ValueError("config: expected one grid where the prior is a context model's, got two")
            self.priors = nn.ModuleList([ContextPrior(config.channels, config.knots)])
        elif config.prior != "linear":
            raise ValueError(f"config: expected model.prior of linear or context, got {config.prior}")
        else:
            self.priors = nn.ModuleList(
                GridPrior(count, config.knots, config.magnitude_clip, config.ring, above)
                for count, above in zip(self.counts, coarse)
            )
        self._start_linear()

    def _start_linear(self) -> None:
        """DCT skips and their transpose; trunk stems that see whitened coefficients (deviation about 1/frequency)."""
        basis, frequency = dct_basis(self.config.channels)
        self.encoder.skip.weight.data.copy_(basis[:, :, None, None])
        self.decoder.skip.weight.data.copy_(basis.t()[:, :, None, None])
        whole, whole_frequency = dct_basis(PATCH, 1 / 3)
        deviation = 1.5 / (1 + 2.5 * whole_frequency)
        width = self.config.width
        self.encoder.stem.weight.data.copy_((torch.randn(width, PATCH) / math.sqrt(PATCH) / deviation @ whole)[:, :, None, None])
        channels, width = self.config.channels, self.config.decoder_width
        deviation = 1.5 / (1 + 2.5 * frequency)
        self.decoder.stem.weight.data.copy_((torch.randn(width, channels) / math.sqrt(channels) / deviation)[:, :, None, None])
        if self.config.coarse_moved:
            mix = haar_mix(self.config.coarse_moved)
            self.encoder.coarse_skip.weight.data.copy_(mix[:, :, None, None])
            self.decoder.coarse_skip.weight.data.copy_(mix.t()[:, :, None, None])

    def gains(self, q: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Gain and inverse gain of every grid at q [n]: lists of [n, C_grid, 1, 1]."""
        gain, inverse = self.rates(q)
        return list(gain.split(self.counts, 1)), list(inverse.split(self.counts, 1))

    def contexts(self, symbols: list[Tensor], q: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(scale, mean) of every grid's integers."""
        out = []
        above: Tensor | None = None
        for grid, prior in zip(symbols, self.priors):
            with full_precision(grid):
                out.append(prior(grid, q, above))
            above = grid
        return out

    def take_context(self, blob: bytes) -> None:
        """The weights of a context.bin for the prior. Raises ValueError for a linear prior, or a model of another shape."""
        prior = self.priors[0]
        if not isinstance(prior, ContextPrior):
            raise ValueError("context: expected model.prior = context, got a linear one")
        prior.take(blob)

    def keep_in_bounds(self) -> None:
        """What a context model's file cannot hold, after a step."""
        for prior in self.priors:
            if isinstance(prior, ContextPrior):
                prior.keep_in_bounds()

    def integers(self, image: Tensor, q: Tensor) -> list[Tensor]:
        """What a file would hold, as floats: round(latent * gain), coarse to fine."""
        gains, _ = self.gains(q)
        return [torch.round(latent * gain) for latent, gain in zip(self.encoder(image), gains)]

    def reconstruct(self, symbols: list[Tensor], q: Tensor) -> Tensor:
        """Image of integers, not clamped."""
        _, inverses = self.gains(q)
        return self.decoder([grid * inverse for grid, inverse in zip(symbols, inverses)])


def kmacs(config: ModelConfig) -> tuple[float, float]:
    """(encoder, decoder) thousand multiply-accumulates per pixel."""
    m, n, d, c = config.coarse_moved, config.width, config.decoder_width, config.channels
    block = lambda width, kind=config.block: block_macs(kind, width, config.expand, config.kernel)
    gain = c if config.skip_gain else 0
    encoder = (PATCH * (n + c) + config.encoder_blocks * block(n) + config.encoder_gated * block(n, "gated") + n * (c - m + gain)) / 64
    decoder = (c * d + config.decoder_blocks * block(d) + config.decoder_gated * block(d, "gated") + PATCH * c + d * gain) / 64
    if config.renderer_width:
        decoder += Renderer.macs(d, config.renderer_width, config.renderer_layers)
    else:
        decoder += d * PATCH / 64
    if m:
        w = config.coarse_width
        encoder += (16 * m * m + 4 * n * w + config.coarse_encoder_blocks * block(w) + 4 * m * w) / 256
        decoder += (16 * m * m + 4 * d * w + config.coarse_decoder_blocks * block(w) + 4 * m * w) / 256
    return encoder / 1e3, decoder / 1e3
