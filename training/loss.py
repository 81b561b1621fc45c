"""Rate and distortion of a training step."""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import LossConfig, ModelConfig
from .dct import COLOUR
from .model import Codec
from .prior import laplace_bits


def lambda_of(config: ModelConfig, q: Tensor) -> Tensor:
    """Lagrange multiplier of q [n], log-linear between the config's ends."""
    low, high = math.log(config.lambda_min), math.log(config.lambda_max)
    return torch.exp(low + (high - low) * q)


def symbol_bits(scaled: Tensor, noise: Tensor, scale: Tensor, mean: Tensor, noise_share: Tensor) -> Tensor:
    """Rate surrogate of one grid, elementwise bits.

    The value is the cost of the integer; the encoder's gradient is the exact difference of cost between the two
    neighbouring integers (so a dead symbol costs nothing), blended with the noisy relaxation by noise_share [n].
    scaled = latent * gain, noise in -0.5..0.5.
    """
    fixed = scaled.detach()
    below = torch.floor(fixed)
    cost_below, cost_above = laplace_bits(below, scale, mean), laplace_bits(below + 1, scale, mean)
    cost = torch.where(fixed - below < 0.5, cost_below, cost_above)
    lerp = cost + (cost_above - cost_below).detach().clamp(-12, 12) * (scaled - fixed)
    share = noise_share[:, None, None, None]
    return (1 - share) * lerp + share * laplace_bits(scaled + noise, scale, mean)


def low_resolution_error(difference: Tensor, chroma: float) -> Tensor:
    """Mean square of the error after 8x8 and 16x16 averaging, chroma weighted; [n, 3, H, W] -> [n].

    It is what the eye sees as patches in flat areas. At 16x16 an independent error of the 8x8 cells counts a quarter.
    """
    colour = torch.as_tensor(COLOUR, dtype=difference.dtype, device=difference.device)
    weight = torch.tensor([1.0, chroma, chroma], dtype=difference.dtype, device=difference.device)[None, :, None, None]
    eighth = F.conv2d(F.avg_pool2d(difference, 8), colour[:, :, None, None])
    total = (eighth.square() * weight).mean((1, 2, 3))
    return total + (F.avg_pool2d(eighth, 2).square() * weight).mean((1, 2, 3))


def ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """Five-scale MS-SSIM (Wang 2003) of [n, 3, H, W] in 0..1, H and W at least 176: [n]."""
    taps = torch.arange(11, device=x.device, dtype=torch.float32) - 5
    gauss = torch.exp(-taps * taps / 4.5)
    gauss = gauss / gauss.sum()
    row, column = gauss.view(1, 1, 1, 11).repeat(3, 1, 1, 1), gauss.view(1, 1, 11, 1).repeat(3, 1, 1, 1)
    blur = lambda t: F.conv2d(F.conv2d(t, row, groups=3), column, groups=3)
    score = torch.ones(x.shape[0], 3, device=x.device)
    for level, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mx, my = blur(x), blur(y)
        vx, vy, vxy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
        contrast = (2 * vxy + 9e-4) / (vx + vy + 9e-4)
        if level == 4:
            contrast = contrast * (2 * mx * my + 1e-4) / (mx * mx + my * my + 1e-4)
        score = score * contrast.mean((2, 3)).clamp(min=1e-4) ** weight
        x, y = F.avg_pool2d(x, 2, ceil_mode=True), F.avg_pool2d(y, 2, ceil_mode=True)
    return score.mean(1)


def step_loss(codec: Codec, image: Tensor, q: Tensor, noise: list[Tensor], config: LossConfig) -> tuple[Tensor, Tensor, Tensor]:
    """(loss, mean bits per pixel, mean square error) of a batch.

    image [n, 3, H, W] in 0..1, q [n] in 0..1, noise one tensor per grid, uniform in -0.5..0.5.
    The decoder is fed rounded values (straight-through); contexts are of rounded values without gradient.
    """
    gains, inverses = codec.gains(q)
    scaled = [latent * gain for latent, gain in zip(codec.encoder(image), gains)]
    rounded = [v + (torch.round(v) - v).detach() for v in scaled]
    contexts = codec.contexts([v.detach() for v in rounded], q)
    pixels = image.shape[2] * image.shape[3]
    share = q**config.mix_power
    bpp = sum(
        symbol_bits(v, n, scale, mean, share).sum((1, 2, 3)) for v, n, (scale, mean) in zip(scaled, noise, contexts)
    ) / pixels
    decoded = codec.decoder([v * inverse for v, inverse in zip(rounded, inverses)])
    difference = decoded - image
    mse = difference.square().mean((1, 2, 3))
    distortion = mse
    if config.low_weight:
        fade = config.low_weight * (1 - q) ** config.low_fade
        distortion = distortion + fade * low_resolution_error(difference, config.low_chroma)
    multiplier = lambda_of(codec.config, q)
    cost = bpp + multiplier * 65025 * distortion
    if config.msssim:
        cost = cost + config.msssim * multiplier * 1800 * (1 - ms_ssim(decoded.float().clamp(0, 1), image))
    weight = (multiplier / 0.01) ** (-config.lambda_power)
    return (cost * weight).mean(), bpp.mean(), mse.mean()
