"""Code lengths of integers without a coder: adaptive order-0, and the context coder's kind (classes of scale and mean)."""
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import betaln

UNARY_LIMIT = 14    # magnitudes from here on are Exp-Golomb
SEED_STRENGTH = 6.0  # symbols' worth of the Laplace shape in a fresh adaptive model


def _adaptive(zeros: float, ones: float, seed_zero: float, seed_one: float) -> float:
    """Bits of an adaptive binary model (Beta-binomial): the order of the symbols does not matter."""
    return -(betaln(zeros + seed_zero, ones + seed_one) - betaln(seed_zero, seed_one)) / math.log(2)


def _magnitudes(magnitudes: np.ndarray, seed: Callable[[int], tuple[float, float]]) -> float:
    """Bits of magnitudes in adaptive unary; seed(k) = pseudo-counts of `stops at k` and `goes on`."""
    histogram = np.bincount(np.minimum(magnitudes, UNARY_LIMIT), minlength=UNARY_LIMIT + 1).astype(float)
    tail = histogram[::-1].cumsum()[::-1]
    total = 0.0
    for k in range(UNARY_LIMIT):
        if tail[k] == 0:
            break
        total += _adaptive(histogram[k], tail[k + 1], *seed(k))
    large = magnitudes[magnitudes >= UNARY_LIMIT]
    return total + float((2 * np.floor(np.log2(large - UNARY_LIMIT + 1)) + 1).sum()) if large.size else total


def order0_bits(symbols: np.ndarray) -> float:
    """Per-channel adaptive models without context; symbols int [C, h, w]."""
    total = 0.0
    for channel in symbols:
        values = channel.ravel()
        if not values.any():
            total += 1
            continue
        total += 1 + _magnitudes(np.abs(values), lambda k: (0.5, 0.5))
        total += _adaptive(float((values > 0).sum()), float((values < 0).sum()), 0.5, 0.5)
    return total


def context_bits(symbols: np.ndarray, scale: np.ndarray, mean: np.ndarray) -> float:
    """Adaptive models per third-octave of predicted scale and per class of the mean's fraction; all arrays [C, h, w]."""
    alive = symbols.reshape(symbols.shape[0], -1).any(1)
    total = float(symbols.shape[0])
    values, scale, mean = symbols[alive].ravel(), scale[alive].ravel(), mean[alive].ravel()
    if values.size == 0:
        return total
    whole = np.rint(mean)
    residual, fraction = (values - whole).astype(np.int64), mean - whole
    residual = residual * np.where(fraction < 0, -1, 1)  # the predicted side becomes positive
    octave = np.clip(np.floor(3 * np.log2(np.maximum(scale, 0.02))), -17, 15).astype(int)
    side = np.abs(fraction) >= 0.12
    for k in np.unique(octave):
        typical = 2 ** ((k + 0.5) / 3)
        first, later = 1 - math.exp(-0.5 / typical), 1 - math.exp(-1 / typical)

        def seed(i: int) -> tuple[float, float]:
            stop = first if i == 0 else later
            return SEED_STRENGTH * max(stop, 0.002) + 0.05, SEED_STRENGTH * max(1 - stop, 0.002) + 0.05

        for wanted in (False, True):
            group = residual[(octave == k) & (side == wanted)]
            if group.size:
                total += _magnitudes(np.abs(group), seed)
                total += _adaptive(float((group > 0).sum()), float((group < 0).sum()), 1, 1)
    return total
