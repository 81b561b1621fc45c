"""The linear start of the network: orthonormal colour rotation times the 8x8 DCT, and the 2x2 Haar to stride 16."""
from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

# Rows: luma, two chroma; orthonormal, so a squared error in them is the squared error in RGB.
COLOUR = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], float)
COLOUR /= np.linalg.norm(COLOUR, axis=1, keepdims=True)


def dct_matrix(size: int) -> np.ndarray:
    """Orthonormal DCT-II, [size, size], rows are frequencies."""
    k, i = np.arange(size)[:, None], np.arange(size)[None]
    matrix = np.cos(math.pi * (2 * i + 1) * k / (2 * size)) * math.sqrt(2.0 / size)
    matrix[0] /= math.sqrt(2.0)
    return matrix


def dct_basis(channels: int, chroma_share: float = 0.2) -> tuple[Tensor, Tensor]:
    """Rows of an orthonormal basis of 3x8x8 patches, coarse to fine.

    Returns (basis [channels, 192], frequency [channels]); columns are in pixel_unshuffle order
    (colour, row, column). Chroma gets chroma_share of the channels per plane, more when luma's 64 are used up.
    """
    per_chroma = min(64, max(1, round(channels * chroma_share), (channels - 64 + 1) // 2))
    per_luma = min(64, channels - 2 * per_chroma)
    matrix = dct_matrix(8)
    order = sorted((u * u + v * v, u, v) for u in range(8) for v in range(8))
    rows = []
    for plane, count in ((0, per_luma), (1, per_chroma), (2, per_chroma)):
        for square, u, v in order[:count]:
            pattern = np.outer(matrix[u], matrix[v])
            row = np.concatenate([(COLOUR[plane, c] * pattern).ravel() for c in range(3)])
            rows.append((square**0.5 + (1.5 if plane else 0.0), plane, row))
    rows.sort(key=lambda item: (item[0], item[1]))
    rows = rows[:channels]
    if len(rows) < channels:
        raise ValueError(f"dct: expected at most 192 channels that the 8x8 patch fills, got {channels}")
    basis = torch.from_numpy(np.stack([r[2] for r in rows]).astype(np.float32))
    return basis, torch.tensor([r[0] for r in rows], dtype=torch.float32)


def haar_mix(channels: int) -> Tensor:
    """Orthonormal 2x2 Haar on pixel_unshuffle(2) of `channels` channels, [4*channels, 4*channels].

    Rows: all averages first, then the three details of every channel, so that the order stays coarse to fine.
    """
    block = 0.5 * torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    mix = torch.zeros(4 * channels, 4 * channels)
    for band in range(4):
        for c in range(channels):
            mix[band * channels + c, 4 * c : 4 * c + 4] = block[band]
    return mix
