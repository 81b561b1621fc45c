"""One TOML file per model: what the network is, how it is trained and on what. `base` names a file whose values hold where
this one is silent; unknown keys are refused."""
from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class ModelConfig:
    """Shape of the network. Widths are channels; every block stack runs at the stride its name tells."""

    channels: int = 96                 # C: latent channels at stride 8
    width: int = 96                    # encoder trunk at stride 8
    encoder_blocks: int = 5
    decoder_width: int = 96            # decoder trunk at stride 8
    decoder_blocks: int = 6
    block: str = "dw"                  # dw | c3 | mix | gated (see blocks.py)
    expand: float = 2.0                # hidden width of a block / width
    kernel: int = 3                    # depthwise kernel, odd
    encoder_gated: int = 0             # gated blocks after the encoder's others (stride 8)
    decoder_gated: int = 0             # and after the decoder's
    skip_gain: bool = False            # linear skips times 0..2, per channel and place, as the trunk says
    coarse_moved: int = 0              # lowest 8x8 channels that move to stride 16 through a 2x2 Haar (4 each); 0 = one grid
    coarse_width: int = 160            # trunks at stride 16, only with coarse_moved > 0
    coarse_encoder_blocks: int = 2
    coarse_decoder_blocks: int = 2
    renderer_width: int = 0            # modulated pointwise renderer at stride 4 (0 = none, pixels come from stride 8)
    renderer_layers: int = 2
    knots: int = 8                     # K: knots of the rate tables over q in [0, 1]
    lambda_min: float = 0.001          # loss = bpp + lambda * 255^2 * distortion; lambda is log-linear in q
    lambda_max: float = 0.1
    prior: str = "linear"              # linear (prior.py) | context: a fitted context model's (context_prior.py)
    magnitude_clip: float = 24.0       # |integer| seen by the scale context is cut here
    ring: bool = True                  # scale term: earlier channels, mean of 5 neighbours (prior.py)


@dataclass(frozen=True)
class LossConfig:
    """What is minimised besides bits + lambda * mean square error."""

    low_weight: float = 0.0            # extra weight of the error after 8x8 and 16x16 averaging (coloured patches)
    low_chroma: float = 1.0            # multiplies the chroma part of that error
    low_fade: float = 1.0              # the extra weight falls as (1 - q)^fade
    mse: float = 1.0                   # weight of the mean square error; 1 where the eye's distances below have none
    msssim: float = 0.0                # weight of 1 - MS-SSIM (crops of at least 176)
    ssimulacra2: float = 0.0           # weight of 100 - SSIMULACRA2 (eye.py)
    lambda_power: float = 0.5          # loss is divided by (lambda / 0.01)^power so that no end of the range dominates
    mix_power: float = 1.0             # noise surrogate takes over from lerp as q^power


@dataclass(frozen=True)
class TrainConfig:
    """Optimiser and schedule. Rates are per step; `minutes` is what the cosine is laid over, all calls together."""

    minutes: float = 27.0
    batch: int = 8
    crop: int = 128                    # pixels a side
    learning_rate: float = 1.5e-3      # AdamW
    muon_rate: float = 3e-3            # Muon, trunk matrices
    skip_scale: float = 0.3            # DCT-started linear skips, relative to learning_rate
    table_scale: float = 3.0           # gains and base scales
    mean_scale: float = 0.05           # mean predictors multiply integers near 100
    sums_scale: float = 0.12           # linear sums of a context prior
    final_rate: float = 0.02           # end of the cosine
    warmup_steps: int = 200
    clip: float = 1.0                  # gradient norm
    ema: float = 0.999
    seed: int = 0
    large_crop: int = 0                # crop of the last part of the run; 0 = never changes
    large_from: float = 0.85           # share of `minutes` after which large_crop is used (batch shrinks by area)


@dataclass(frozen=True)
class DataConfig:
    """What the crops are."""

    groups: tuple[str, ...] = ()       # groups of MANIFEST.tsv; empty = all
    drawn: int = 200                   # drawn screens, 384 px a side (screens.py); nothing travels for them
    drawn_share: float = 0.15          # share of the batch that is drawn
    shrink_share: float = 0.15         # share of the steps whose crops are read 1.5 times as large and shrunk


@dataclass(frozen=True)
class Config:
    """A whole run."""

    name: str = "unnamed"
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    data: DataConfig = field(default_factory=DataConfig)


_SECTIONS: dict[str, type] = {"model": ModelConfig, "loss": LossConfig, "train": TrainConfig, "data": DataConfig}


def from_dict(raw: dict[str, Any]) -> Config:
    """Config from nested plain values (TOML or checkpoint). Raises ValueError for a key that nothing reads."""
    sections: dict[str, Any] = {}
    for key, value in raw.items():
        if key == "name":
            sections["name"] = str(value)
            continue
        if key not in _SECTIONS:
            raise ValueError(f"config: expected one of name, {', '.join(_SECTIONS)}, got {key}")
        known = {f.name for f in dataclasses.fields(_SECTIONS[key])}
        unknown = set(value) - known
        if unknown:
            raise ValueError(f"config: expected known keys in [{key}], got {', '.join(sorted(unknown))}")
        sections[key] = _SECTIONS[key](**{k: tuple(v) if isinstance(v, list) else v for k, v in value.items()})
    return Config(**sections)


def to_dict(config: Config) -> dict[str, Any]:
    """Plain nested dict, the inverse of from_dict."""
    return dataclasses.asdict(config)


def load(name_or_path: str) -> Config:
    """Config by file path, or by the name of a file in training/config."""
    path = Path(name_or_path)
    if not path.exists():
        path = HERE / "config" / f"{name_or_path}.toml"
    return from_dict({"name": path.stem, **_read(path)})


def _read(path: Path) -> dict[str, Any]:
    """Values of a file laid over those of the file in its folder that `base` names."""
    with open(path, "rb") as handle:
        values = tomllib.load(handle)
    base = values.pop("base", None)
    merged: dict[str, Any] = _read(path.parent / f"{base}.toml") if base else {}
    for key, value in values.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def override(config: Config, settings: list[str]) -> Config:
    """Config with `section.key=value` applied, the value read as TOML."""
    raw = to_dict(config)
    for setting in settings:
        path, value = setting.split("=", 1)
        section, key = path.split(".", 1)
        raw[section][key] = tomllib.loads(f"x = {value}")["x"]
    return from_dict(raw)
