"""The number that chooses between models: hard integers, averaged weights, held pictures, never Kodak."""
from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .config import ModelConfig
from .eye import score_of, ssimulacra2_error
from .loss import ms_ssim
from .model import Codec

# The score is taken at these multipliers whatever range a model has, so that models of different ranges compare.
SCORE_LAMBDAS = (0.001, 0.00316, 0.01, 0.0316, 0.1)


@torch.no_grad()
def measure(codec: Codec, image: Tensor, quality: float) -> tuple[float, float, float, float, float]:
    """(bits per pixel of the prior on integers, mean square error of 0..1 values, the same after 8x8 averaging, MS-SSIM,
    SSIMULACRA2 as eye.py has it)."""
    q = torch.full((1,), quality, device=image.device)
    symbols = codec.integers(image, q)
    contexts = codec.contexts(symbols, q)
    bits = sum(float(prior.bits(s, *context, q).sum()) for prior, s, context in zip(codec.priors, symbols, contexts))
    decoded = codec.reconstruct(symbols, q).clamp(0, 1)
    difference = decoded - image
    low = torch.nn.functional.avg_pool2d(difference, 8).square().mean()
    seen = float(score_of(ssimulacra2_error(decoded, image)))
    similar = float(ms_ssim(decoded, image)) if min(image.shape[2:]) >= 176 else math.nan
    return bits / (image.shape[2] * image.shape[3]), float(difference.square().mean()), float(low), similar, seen


def quality_of(config: ModelConfig, multiplier: float) -> float:
    """q in 0..1 whose lambda is `multiplier`, clamped to the model's range."""
    low, high = math.log(config.lambda_min), math.log(config.lambda_max)
    return min(max((math.log(multiplier) - low) / (high - low), 0.0), 1.0)


def validate(codec: Codec, config: ModelConfig, sets: dict[str, list[Tensor]]) -> dict[str, Any]:
    """{"photo": {"score", "curve"}, "screen": ...}: score = mean over five lambdas of (bpp + lambda D) / sqrt(lambda / 0.01).

    Lower is better. curve = [q, bpp, PSNR dB of the mean error, 8x8 error dB, MS-SSIM, SSIMULACRA2] at the five lambdas and the range's ends.
    """
    out: dict[str, Any] = {}
    for name, images in sets.items():
        if not images:
            continue
        score, curve = 0.0, []
        ends = (config.lambda_min, config.lambda_max)
        for multiplier in sorted({*SCORE_LAMBDAS, *ends}):
            quality = quality_of(config, multiplier)
            results = [measure(codec, image, quality) for image in images]
            bpp, mse, low, similar, seen = (sum(column) / len(images) for column in zip(*results))
            if multiplier in SCORE_LAMBDAS:
                score += (bpp + multiplier * 65025 * mse) / math.sqrt(multiplier / 0.01) / len(SCORE_LAMBDAS)
            curve.append([round(quality, 4), round(bpp, 4), round(-10 * math.log10(mse), 3), round(-10 * math.log10(low), 3),
                          round(similar, 5), round(seen, 2)])
        out[name] = {"score": round(score, 4), "curve": curve}
    return out
