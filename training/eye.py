"""The error of SSIMULACRA2 as a differentiable distance: what the eye sees, without a downloaded network.

SSIMULACRA2 (J. Sneyers 2022, github.com/cloudinary/ssimulacra2; formula and weights of version 2.1): over six scales of
linear RGB halved, in the opponent space XYB, three error maps (structure; edges that were not there, which is ringing
and blocking; edges that are lost, which is blur), their means and fourth-power means, and a weighted sum. The blur is a
truncated Gaussian here and a recursive one there: scores come out 1 to 2.5 points lower than those of the program for
WebP at qualities 20 to 90 (Kodak 1, 4, 7; 2026-11-21).
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SCALES = 6
ABSORBANCE = ((0.30, 0.622, 0.078), (0.23, 0.692, 0.078), (0.24342268924547819, 0.20476744424496821, 0.5518098665095536))
BIAS = 0.0037930732552754493
SIGMA = 1.5
BLUR_REACH = 4
# Of the 108 weights, numbered by channel, scale, norm and map, those that can move a score.
_WEIGHTS = {
    9: 1.1041726426657346, 15: 1.8422455520539298, 16: 11.441172603757666, 21: 1.8787594979546387, 22: 10.94906990605142,
    25: 0.9677937080626833, 28: 0.9981766977854967, 39: 7.466890328078848, 41: 17.445833984131262, 45: 6.683678146179332,
    47: 1.027889937768264, 48: 225.20515300849274, 51: 19.213238186143016, 54: 176.39317598450694, 57: 24.43300999870476,
    58: 0.28520802612117757, 63: 34.77906344483772, 64: 44.835625328877896, 93: 8.826982764996862, 94: 23.19243343998926,
    96: 95.1080498811086, 97: 0.9863978034400682, 98: 0.9834382792465353, 100: 171.2667255897307, 101: 0.9807858872435379,
}


# Those behind have no weight at all.
COUNTED_SCALES = 1 + max(number // 6 % SCALES for number in _WEIGHTS)


def weight_of(channel: int, scale: int, norm: int, kind: int) -> float:
    return _WEIGHTS.get(((channel * SCALES + scale) * 2 + norm) * 3 + kind, 0.0)


def _opponent(linear: Tensor) -> Tensor:
    """Linear RGB [n, 3, H, W] to XYB, shifted and scaled into 0..1."""
    matrix = linear.new_tensor(ABSORBANCE)
    mixed = torch.einsum("oc,nchw->nohw", matrix, linear) + BIAS
    # The slope of a cube root has no bound at zero.
    root = mixed.clamp(min=1e-6) ** (1 / 3) - BIAS ** (1 / 3)
    x, y, b = (root[:, 0] - root[:, 1]) / 2, (root[:, 0] + root[:, 1]) / 2, root[:, 2]
    return torch.stack([14 * x + 0.42, y + 0.01, b - y + 0.55], 1)


def blur_taps() -> Tensor:
    """Of the blur along one side."""
    taps = torch.exp(-torch.arange(-BLUR_REACH, BLUR_REACH + 1).float() ** 2 / (2 * SIGMA * SIGMA))
    return taps / taps.sum()


def _blur(t: Tensor) -> Tensor:
    """Gaussian over rows and columns of [n, c, H, W]; what lies beyond the edge is the edge."""
    weight, count, reach = blur_taps().to(t), t.shape[1], BLUR_REACH
    across = F.conv2d(F.pad(t, (reach, reach, 0, 0), "replicate"), weight.view(1, 1, 1, -1).repeat(count, 1, 1, 1), groups=count)
    return F.conv2d(F.pad(across, (0, 0, reach, reach), "replicate"), weight.view(1, 1, -1, 1).repeat(count, 1, 1, 1), groups=count)


def _norms(error: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and fourth-power mean over pixels, [n, 3, H, W] -> two of [n, 3]."""
    return error.mean((2, 3)), (error**4).mean((2, 3)).clamp(min=1e-30) ** 0.25


def ssimulacra2_error(decoded: Tensor, image: Tensor) -> Tensor:
    """Weighted sum of the errors, 0 for equal pictures: [n, 3, H, W] of sRGB in 0..1, H and W at least 8, to [n].

    The score is a falling function of it: `score_of`.
    """
    to_linear = lambda t: torch.where(t <= 0.04045, t / 12.92, ((t.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)
    a, b = to_linear(image), to_linear(decoded)
    total = image.new_zeros(image.shape[0])
    for scale in range(COUNTED_SCALES):
        if scale:
            a, b = F.avg_pool2d(a, 2, ceil_mode=True), F.avg_pool2d(b, 2, ceil_mode=True)
        if min(a.shape[2:]) < 8:
            break
        x, y = _opponent(a), _opponent(b)
        mx, my, xx, yy, xy = _blur(torch.cat([x, y, x * x, y * y, x * y], 1)).split(3, 1)
        structure = (1 - (mx - my) ** 2) * (2 * (xy - mx * my) + 9e-4) / ((xx - mx * mx) + (yy - my * my) + 9e-4)
        edge = (1 + (y - my).abs()) / (1 + (x - mx).abs()) - 1
        for kind, error in enumerate(((1 - structure).clamp(min=0), edge.clamp(min=0), (-edge).clamp(min=0))):
            for norm, values in enumerate(_norms(error)):
                weights = image.new_tensor([weight_of(channel, scale, norm, kind) for channel in range(3)])
                total = total + values @ weights
    return total


def score_of(error: Tensor) -> Tensor:
    """SSIMULACRA2 of an error: 100 for equal pictures, 90 hardly seen, 50 middling."""
    e = error * 0.9562382616834844
    cubic = 6.248496625763138e-5 * e**3 - 0.020884521182843837 * e * e + 2.326765642916932 * e
    # The power's slope has no bound at zero.
    return 100 - 10 * (cubic.clamp(min=0) + 1e-4) ** 0.6276336467831387
