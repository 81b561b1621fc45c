"""Rate and distortion of a training step."""
from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import LossConfig, ModelConfig
from .dct import COLOUR
from .eye import score_of, ssimulacra2_error
from .model import Codec, full_precision


def lambda_of(config: ModelConfig, q: Tensor) -> Tensor:
    """Lagrange multiplier of q [n], log-linear between the config's ends."""
    low, high = math.log(config.lambda_min), math.log(config.lambda_max)
    return torch.exp(low + (high - low) * q)


def low_resolution_error(difference: Tensor, colour: Tensor) -> Tensor:
    """Mean square of the error after 8x8 and 16x16 averaging, [n, 3, H, W] -> [n]; colour [3, 3] weighs and rotates RGB.

    It is what the eye sees as patches in flat areas. At 16x16 an independent error of the 8x8 cells counts a quarter.
    """
    eighth = F.conv2d(F.avg_pool2d(difference, 8), colour[:, :, None, None])
    return eighth.square().mean((1, 2, 3)) + F.avg_pool2d(eighth, 2).square().mean((1, 2, 3))


MSSSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def msssim_taps() -> Tensor:
    """Of the window along one side."""
    taps = torch.exp(-(torch.arange(11).float() - 5) ** 2 / 4.5)
    return taps / taps.sum()


def ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """Five-scale MS-SSIM (Wang 2003) of [n, 3, H, W] in 0..1, H and W at least 176: [n]."""
    gauss = msssim_taps().to(x.device)
    row, column = gauss.view(1, 1, 1, 11).repeat(3, 1, 1, 1), gauss.view(1, 1, 11, 1).repeat(3, 1, 1, 1)
    blur = lambda t: F.conv2d(F.conv2d(t, row, groups=3), column, groups=3)
    score = torch.ones(x.shape[0], 3, device=x.device)
    for level, weight in enumerate(MSSSIM_WEIGHTS):
        mx, my = blur(x), blur(y)
        vx, vy, vxy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
        contrast = (2 * vxy + 9e-4) / (vx + vy + 9e-4)
        if level == 4:
            contrast = contrast * (2 * mx * my + 1e-4) / (mx * mx + my * my + 1e-4)
        score = score * contrast.mean((2, 3)).clamp(min=1e-4) ** weight
        x, y = F.avg_pool2d(x, 2, ceil_mode=True), F.avg_pool2d(y, 2, ceil_mode=True)
    return score.mean(1)


# What a mean square error of 65025 * mse comes to in the eye's distances, over q in 0..1, on held photographs coded by
# `bridge`: the first is flat within a tenth, the second falls.
MSE_PER_MSSSIM = 1800.0
MSE_PER_SSIMULACRA2 = (2.3, -1.6)  # 2.3 * exp(-1.6 q)


class Step(nn.Module):
    """The whole forward pass of a training step as one module, so that torch.compile sees one graph."""

    colour: Tensor

    def __init__(self, codec: Codec, config: LossConfig) -> None:
        super().__init__()
        self.codec, self.config = codec, config
        weight = np.array([1.0, config.low_chroma, config.low_chroma]) ** 0.5
        # A buffer, because a constant made on the way would make the host wait for the device in every step.
        self.register_buffer("colour", torch.from_numpy(COLOUR * weight[:, None]).float(), persistent=False)

    def forward(self, image: Tensor, q: Tensor, noise: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """(loss, mean bits per pixel, mean square error) of a batch.

        image [n, 3, H, W] in 0..1, q [n] in 0..1, noise one tensor per grid, uniform in -0.5..0.5.
        The decoder is fed rounded values (straight-through), and so is a context prior, in which a symbol's gradient is also what
        it does to others' contexts; a linear prior is fed them without gradient.
        """
        codec, config = self.codec, self.config
        gains, inverses = codec.gains(q)
        scaled = [latent * gain for latent, gain in zip(codec.encoder(image), gains)]
        rounded = [v + (torch.round(v) - v).detach() for v in scaled]
        contexts = codec.contexts(rounded if codec.config.prior == "context" else [v.detach() for v in rounded], q)
        share = q**config.mix_power
        with full_precision(image):
            costs = [prior.rate(v, *context, q, n, share).sum((1, 2, 3))
                     for prior, v, n, context in zip(codec.priors, scaled, noise, contexts)]
        bpp = torch.stack(costs).sum(0) / (image.shape[2] * image.shape[3])
        decoded = codec.decoder([v * inverse for v, inverse in zip(rounded, inverses)])
        difference = decoded - image
        mse = difference.square().mean((1, 2, 3))
        distortion = config.mse * mse
        if config.low_weight:
            with full_precision(image):
                low = low_resolution_error(difference, self.colour)
            distortion = distortion + config.low_weight * (1 - q) ** config.low_fade * low
        multiplier = lambda_of(codec.config, q)
        cost = bpp + multiplier * 65025 * distortion
        if config.msssim or config.ssimulacra2:
            with full_precision(image):
                cost = cost + multiplier * self.eye_distance(decoded.float().clamp(0, 1), image, q)
        weight = (multiplier / 0.01) ** (-config.lambda_power)
        return (cost * weight).mean(), bpp.mean(), mse.mean()

    def eye_distance(self, decoded: Tensor, image: Tensor, q: Tensor) -> Tensor:
        """The eye's distances of [n, 3, H, W] in the units of 65025 * mse at q [n], weighted as the config says: [n]."""
        config = self.config
        distance = torch.zeros_like(q)
        if config.msssim:
            distance = distance + config.msssim * MSE_PER_MSSSIM * (1 - ms_ssim(decoded, image))
        if config.ssimulacra2:
            start, slope = MSE_PER_SSIMULACRA2
            error = 100 - score_of(ssimulacra2_error(decoded, image))
            distance = distance + config.ssimulacra2 * start * torch.exp(slope * q) * error
        return distance
