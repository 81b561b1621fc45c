"""Checkpoints that travel: one blob cut into parts of at most 15 MiB, and small weight files for export and restart."""
from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import config as configs
from .config import Config
from .model import Codec

PART_BYTES = 15 * 1024 * 1024


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write state.HASH.N.part files and state.json, which names them: killed at any point, the old or the new state is whole."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    blob = buffer.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [blob[i : i + PART_BYTES] for i in range(0, len(blob), PART_BYTES)]
    digest = hashlib.sha256(blob).hexdigest()
    names = [f"state.{digest[:8]}.{i}.part" for i in range(len(pieces))]
    for name, piece in zip(names, pieces):
        (folder / name).write_bytes(piece)
    description = {"parts": names, "sha256": digest, "step": state["step"], "spent_s": state["spent"]}
    with replacing(folder / "state.json") as new:
        new.write_text(json.dumps(description))
    for path in folder.glob("state.*.part"):
        if path.name not in names:
            path.unlink()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which then takes the place of `path` at once."""
    new = path.with_name(f"{path.name}.new")
    yield new
    os.replace(new, path)


def load_state(folder: Path, device: torch.device) -> dict[str, Any] | None:
    """The state that save_state wrote, or None where there is none. Raises ValueError if a part is missing or damaged."""
    index = folder / "state.json"
    if not index.exists():
        return None
    description = json.loads(index.read_text())
    blob = b"".join((folder / name).read_bytes() for name in description["parts"])
    if hashlib.sha256(blob).hexdigest() != description["sha256"]:
        raise ValueError(f"checkpoint: expected parts that match state.json, got others in {folder}")
    return torch.load(io.BytesIO(blob), map_location=device, weights_only=True)


def save_weights(path: Path, config: Config, weights: dict[str, Tensor], note: dict[str, Any]) -> None:
    """A small file for export, evaluation and `--init`: config, weights of 32 bits or integers, and where they come from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exact = lambda v: v.float() if v.is_floating_point() else v
    plain = {k: exact(v.detach()).cpu().contiguous() for k, v in weights.items()}
    with replacing(path) as new:
        torch.save({"config": configs.to_dict(config), "weights": plain, "note": note}, new)


def load_weights(path: Path) -> tuple[Config, dict[str, Tensor], dict[str, Any]]:
    """(config, weights, note) of a file by save_weights."""
    raw = torch.load(path, map_location="cpu", weights_only=True)
    return configs.from_dict(raw["config"]), raw["weights"], raw["note"]


def load_codec(path: Path) -> tuple[Codec, Config]:
    """A codec in evaluation mode from a file by save_weights."""
    config, weights, _ = load_weights(path)
    codec = Codec(config.model)
    codec.load_state_dict(weights)
    return codec.eval().to(memory_format=torch.channels_last), config
