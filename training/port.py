"""Start weights from another model: the starter's own checkpoint, or a smaller network of this program.

  python3 -m training.port ../shared/models/starter/ckpt_refit.pt out/starter.pt
"""
from __future__ import annotations

import argparse
import dataclasses
import math
import re
from pathlib import Path

import torch
from torch import Tensor

from . import config as configs
from .blocks import GatedBlock
from .checkpoint import load_weights, save_weights
from .config import Config, ModelConfig
from .dct import dct_basis
from .model import Codec

_RENAMES = (
    (r"^enc\.", "encoder."), (r"^dec\.", "decoder."), (r"\.b8\.", ".trunk."),
    (r"\.a\.(weight|bias)$", r".expand.\1"), (r"\.d\.(weight|bias)$", r".depth.\1"), (r"\.b\.(weight|bias)$", r".project.\1"),
    (r"^gains\.lg$", "rates.log_gain"), (r"^gains\.li$", "rates.log_inverse"),
    (r"^prior\.b0$", "priors.0.base"), (r"^prior\.wa$", "priors.0.same"), (r"^prior\.wm$", "priors.0.mean_same"),
    (r"^prior\.t0$", "priors.0.here"), (r"^prior\.t1$", "priors.0.ring"), (r"^prior\.tm$", "priors.0.mean_here"),
)


def from_starter(path: Path) -> dict[str, Tensor]:
    """Weights of a checkpoint by the first trainer, under this program's names."""
    raw = torch.load(path, map_location="cpu", weights_only=True)["ema"]
    out = {}
    for key, value in raw.items():
        if key in ("prior.msk", "prior.tri", "prior.box"):
            continue
        for pattern, name in _RENAMES:
            key = re.sub(pattern, name, key)
        out[key] = value.float()
    return out


# By how much a rate table grows with the logarithm of lambda, beyond the range that it was trained on; by the name's end.
_SLOPES = {"log_gain": 0.5, "log_inverse": -0.5, "base": 0.25}

# What may be more in the new network. With two grids, a renderer or mixers nothing may.
_GROWS = ("channels", "width", "decoder_width", "encoder_blocks", "decoder_blocks", "encoder_gated", "decoder_gated", "expand",
          "skip_gain")
_FREE = ("prior", "knots", "lambda_min", "lambda_max")


def _check(old: ModelConfig, new: ModelConfig) -> None:
    """Raises ValueError, which names the field, unless grow() can keep what the old network computes."""
    # A context model's bases are not laid over other rates.
    free = _FREE[:1] if old.prior == new.prior == "context" else _FREE
    is_plain = not old.coarse_moved and not old.renderer_width and old.block != "mix"
    for field in dataclasses.fields(ModelConfig):
        had, has = getattr(old, field.name), getattr(new, field.name)
        if has == had or field.name in free or (is_plain and field.name in _GROWS and has > had):
            continue
        rule = f"{had} or more" if is_plain and field.name in _GROWS else f"{had}"
        raise ValueError(f"port: expected {field.name} of {rule}, as the weights have it, got {has}")


def _reknot(table: Tensor, old: Config, new: Config, slope: float) -> Tensor:
    """A [K, C] table laid over the new range of lambda; beyond the old range it goes on with `slope` per log lambda."""
    low, high = math.log(old.model.lambda_min), math.log(old.model.lambda_max)
    first, last = math.log(new.model.lambda_min), math.log(new.model.lambda_max)
    rows = []
    for knot in range(new.model.knots):
        value = first + (last - first) * knot / (new.model.knots - 1)
        inside = min(max(value, low), high)
        position = (inside - low) / (high - low) * (table.shape[0] - 1)
        index = min(int(position), table.shape[0] - 2)
        row = table[index] * (index + 1 - position) + table[index + 1] * (position - index)
        rows.append(row + slope * (value - inside))
    return torch.stack(rows)


def _behind(weights: dict[str, Tensor], side: str, before: int, after: int) -> dict[str, Tensor]:
    """Weights with a trunk's gated blocks, which stand behind `before` others, moved behind `after` others."""
    def moved(key: str) -> str:
        found = re.match(rf"{side}\.trunk\.(\d+)\.", key)
        if not found or int(found[1]) < before:
            return key
        return f"{side}.trunk.{int(found[1]) - before + after}.{key[found.end():]}"

    return {moved(key): value for key, value in weights.items()}


def grow(weights: dict[str, Tensor], old: Config, codec: Codec, new: Config) -> dict[str, Tensor]:
    """Start weights for `codec` from a smaller or equal network: what overlaps is copied, the rest keeps its own start.

    New latent channels come after the old ones and start as the DCT rows that the old model lacked; new hidden and
    trunk channels feed nothing at first, so that the network computes what it did. Raises ValueError for a network of
    another kind, or smaller in anything.
    """
    _check(old.model, new.model)
    own = codec.state_dict()
    if old.model.prior != new.model.prior:
        weights = {key: value for key, value in weights.items() if not key.startswith("priors.")}
    weights = _behind(weights, "encoder", old.model.encoder_blocks, new.model.encoder_blocks)
    weights = _behind(weights, "decoder", old.model.decoder_blocks, new.model.decoder_blocks)
    channels = old.model.channels
    fresh = {k: v.clone() for k, v in own.items()}
    gated = {name for name, module in codec.named_modules() if isinstance(module, GatedBlock)}
    for key, value in fresh.items():
        if ".trunk." in key and ".project." in key and key not in weights:
            value.zero_()  # a block that the old network lacked starts as the identity
    for key, value in weights.items():
        slope = _SLOPES.get(key.rsplit(".", 1)[-1])
        if slope is not None:
            fresh[key][:, : value.shape[1]] = _reknot(value, old, new, slope)
            continue
        # A gated block's factors are the halves of its hidden channels; each half grows for itself.
        block, layer, _ = key.rsplit(".", 2)
        halves = 2 if block in gated and layer != "project" else 1
        for target, part in zip(fresh[key].chunk(halves), value.chunk(halves)):
            if ".trunk." in key or ".head." in key or ".stem." in key:
                if target.dim() == 4 and target.shape[1] > part.shape[1]:
                    target[: part.shape[0], part.shape[1] :] = 0
            target[tuple(slice(0, side) for side in part.shape)] = part
    if new.model.channels > channels:
        _add_dct_rows(fresh, channels, new.model.channels)
    return fresh


def _add_dct_rows(weights: dict[str, Tensor], old: int, new: int) -> None:
    """Channels old..new-1 become the whole DCT's rows that the old skips span least, lowest frequency first."""
    encoder, decoder = weights["encoder.skip.weight"][:, :, 0, 0], weights["decoder.skip.weight"][:, :, 0, 0]
    whole, _ = dct_basis(192, 1 / 3)
    kept, _ = torch.linalg.qr(encoder[:old].t())
    outside = 1 - (whole @ kept).square().sum(1)
    # Luma rows first: at equal energy outside the old span, dct_basis' order (coarse to fine) decides.
    chosen = torch.sort(torch.topk(outside, new - old).indices).values
    for channel, row in zip(range(old, new), whole[chosen]):
        encoder[channel] = row
        decoder[:, channel] = row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    config = configs.load("starter")
    weights = from_starter(args.source)
    codec = Codec(config.model)
    codec.load_state_dict(weights)
    note = {"from": "the starter: 28k steps of 8x128x128 and a prior refit, 68 CPU minutes",
            "licence": "trained on BSDS500 and ImageNet samples among others (non-commercial research terms)"}
    save_weights(args.out, config, weights, note)
    print(f"port: wrote {args.out}, {args.out.stat().st_size} bytes")


def start_from(path: Path, codec: Codec, config: Config) -> None:
    """Load a weight file into a codec of equal or larger shape."""
    old, weights, _ = load_weights(path)
    codec.load_state_dict(grow(weights, old, codec, config))


if __name__ == "__main__":
    main()
