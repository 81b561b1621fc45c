"""Weights -> a model folder: python3 -m training.export out/run/NAME/ema.pt --out out/export/NAME

Writes encoder.onnx and decoder.onnx (dynamic batch, height, width), prior.npz and prior.json (weights of the context
coder), manifest.json (DESIGN section 11). The quality table is a straight line over the model's range; the calibration
of the quality scale and the table fitter run on the folder afterwards.
"""
from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from .checkpoint import load_weights
from .config import Config, ModelConfig
from .gradient import LEAST_SIDE
from .model import Codec, grids, kmacs, margins, stride, trunk_kinds
from .onnx_graph import Graph, Weights
from .restoration import REACH as RESTORATION_REACH


# Squared steps that a bit is worth to the encoder, and between which rates that falls to nothing. On 14 held crops at equal PSNR
# (a script that was not kept) it saves 0.4 to 1.1 % of the bytes from quality 8 to 70 and would cost 0.7 % at 85; 0.03 saves 0.1
# to 0.3 % more and costs as much MS-SSIM. By rate, as the scale of qualities is fitted to what it leaves.
CHOOSING = {"lambda": 0.02, "rates": [2500, 3500]}


def _shifted(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Bias that takes in the network's `image - 0.5`."""
    return (bias - 0.5 * weight.sum((1, 2, 3))).astype(np.float32)


def encoder_graph(config: ModelConfig, weights: Weights, half: bool = False) -> Graph:
    """image [n, 3, h, w] -> latent, or latent0 (coarse) and latent1."""
    graph, m = Graph(weights, half), config.coarse_moved
    stem = weights["encoder.stem.weight"].reshape(config.width, 3, 8, 8)
    skip = weights["encoder.skip.weight"].reshape(config.channels, 3, 8, 8)
    weight = np.concatenate([stem, skip])
    bias = np.concatenate([weights["encoder.stem.bias"], np.zeros(config.channels, np.float32)])
    both = graph.conv("image", weight, _shifted(weight, bias), stride=8, exact=True)
    trunk, linear = graph.split(both, [config.width, config.channels])
    trunk = graph.trunk(trunk, trunk_kinds(config, config.encoder_blocks, config.encoder_gated), "encoder.trunk")
    if config.skip_gain:
        linear = graph.skip_gain(linear, trunk, "encoder.gain")
    if not m:
        graph.op("Add", [graph.layer(trunk, "encoder.head", exact=True), linear], "latent")
        return graph
    moved, linear = graph.split(linear, [m, config.channels - m])
    graph.op("Add", [graph.layer(trunk, "encoder.head", exact=True), linear], "latent1")
    coarse = graph.down(trunk, "encoder.coarse_stem")
    coarse = graph.trunk(coarse, trunk_kinds(config, config.coarse_encoder_blocks), "encoder.coarse_trunk")
    graph.op("Add", [graph.layer(coarse, "encoder.coarse_head", exact=True), graph.down(moved, "encoder.coarse_skip")], "latent0")
    return graph


def decoder_graph(config: ModelConfig, weights: Weights, half: bool = False) -> Graph:
    """latent (or latent0, latent1), already multiplied by the inverse gains -> image [n, 3, h, w], not clamped."""
    graph, m = Graph(weights, half), config.coarse_moved
    merged = "latent"
    if m:
        low = graph.shuffle(graph.layer("latent0", "decoder.coarse_skip", exact=True), 2)
        merged = graph.op("Concat", [low, "latent1"], axis=1)
    trunk = graph.layer(merged, "decoder.stem")
    if m:
        coarse = graph.layer("latent0", "decoder.coarse_stem")
        coarse = graph.trunk(coarse, trunk_kinds(config, config.coarse_decoder_blocks), "decoder.coarse_trunk")
        trunk = graph.op("Add", [trunk, graph.shuffle(graph.layer(coarse, "decoder.coarse_leave"), 2)])
    trunk = graph.trunk(trunk, trunk_kinds(config, config.decoder_blocks, config.decoder_gated), "decoder.trunk")
    if config.skip_gain:
        merged = graph.skip_gain(merged, trunk, "decoder.gain")
    skip = weights["decoder.skip.weight"]
    half_grey = np.full(192, 0.5, np.float32)
    if not config.renderer_width:  # head and linear skip are one 1x1 over both
        weight = np.concatenate([weights["decoder.head.weight"], skip], 1)
        both = graph.op("Concat", [trunk, merged], axis=1)
        graph.shuffle(graph.conv(both, weight, weights["decoder.head.bias"] + half_grey, exact=True), 8, "image")
        return graph
    linear = graph.shuffle(graph.conv(merged, skip, half_grey, exact=True), 8)
    t = graph.shuffle(graph.layer(trunk, "decoder.renderer.enter"), 2)
    scales = graph.constant(np.array([1, 1, 2, 2], np.float32))
    for index in range(config.renderer_layers):
        small = graph.layer(trunk, f"decoder.renderer.modulate.{index}")
        large = graph.op("Resize", [small, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        a, g, b = graph.split(large, [config.renderer_width] * 3)
        hidden = graph.act(graph.layer(graph.op("Add", [graph.op("Mul", [t, g]), b]), f"decoder.renderer.expand.{index}"))
        t = graph.op("Add", [t, graph.op("Mul", [a, graph.layer(hidden, f"decoder.renderer.project.{index}")])])
    graph.op("Add", [linear, graph.shuffle(graph.layer(t, "decoder.renderer.leave"), 4)], "image")
    return graph


def latent_names(config: ModelConfig) -> list[str]:
    """Tensor names of the grids, coarse to fine."""
    count = len(grids(config))
    return ["latent"] if count == 1 else [f"latent{i}" for i in range(count)]


def write_networks(config: ModelConfig, weights: Weights, out: Path, half: bool = False, suffix: str = "") -> None:
    """encoder.onnx and decoder.onnx."""
    latents: dict[str, list[object]] = {
        name: ["n", grid["channels"], f"h{grid['stride']}", f"w{grid['stride']}"] for name, grid in zip(latent_names(config), grids(config))
    }
    image: dict[str, list[object]] = {"image": ["n", 3, "h", "w"]}
    out.mkdir(parents=True, exist_ok=True)
    encoder_graph(config, weights, half).save(out / f"encoder{suffix}.onnx", "encoder", image, latents)
    decoder_graph(config, weights, half).save(out / f"decoder{suffix}.onnx", "decoder", latents, image)


PRIOR_NAMES = {"same": "same", "mean_same": "mean_same", "here": "prev_here", "ring": "prev_ring", "mean_here": "mean_prev",
               "up": "coarse", "mean_up": "mean_coarse"}


def write_prior(codec: Codec, out: Path) -> None:
    """Context weights per grid, under the names that the table fitter reads (formula in prior.py)."""
    arrays: dict[str, np.ndarray] = {}
    for index, prior in enumerate(codec.priors):
        prefix = f"grid{index}." if len(codec.priors) > 1 else ""
        arrays[f"{prefix}log_b0"] = prior.base.detach().numpy()
        arrays |= {f"{prefix}{PRIOR_NAMES[name]}": value.detach().numpy() for name, value in prior.weights().items()}
    np.savez_compressed(out / "prior.npz", **arrays)
    plain = {name: np.round(value, 6).tolist() for name, value in arrays.items()}
    plain["magnitude_clip"] = codec.config.magnitude_clip
    (out / "prior.json").write_text(json.dumps(plain, separators=(",", ":")))


def _file(path: Path) -> dict[str, str]:
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _gradient(config: Config, out: Path) -> dict[str, object]:
    """Planes of a window that onnxruntime holds for it were measured with the shipped models, and rounded up."""
    is_eye = config.loss.msssim > 0 or config.loss.ssimulacra2 > 0
    return {"gradient": {**_file(out / "gradient.onnx"), "activationPlanes": 410 if is_eye else 250, "leastSidePx": LEAST_SIDE}}


def write_manifest(config: Config, codec: Codec, out: Path, version: str, licence: str, card: str, tune: str | None) -> None:
    """manifest.json, schema version 1. A context.bin in the folder (training.context, then the fitter) is named in it, which
    a model of several grids needs, and so are a restoration.bin (training.restoration) and a gradient.onnx (training.gradient)."""
    model = config.model
    table = lambda t: [[round(float(v), 5) for v in row] for row in t.detach()]
    encoder_margin, decoder_margin = margins(model)
    if (out / "restoration.bin").exists():
        decoder_margin += RESTORATION_REACH
    single = len(grids(model)) == 1
    names = {"input": "image", "output": "latent"}, {"input": "latent", "output": "image"}
    manifest = {
        "schemaVersion": 1,
        "name": config.name,
        "version": version,
        **({"tune": tune} if tune else {}),
        **({"choosing": CHOOSING} if tune == "psnr" else {}),
        **(_gradient(config, out) if (out / "gradient.onnx").exists() else {}),
        "licence": licence,
        "encoder": {**_file(out / "encoder.onnx"), **(names[0] if single else {}), "marginPx": encoder_margin},
        "decoder": {**_file(out / "decoder.onnx"), **(names[1] if single else {}), "marginPx": decoder_margin},
        "grids": [
            {"channels": g["channels"], "stridePx": g["stride"], **({} if single else {"name": name})}
            for g, name in zip(grids(model), latent_names(model))
        ],
        "inputRange": [0, 1],
        "padToPx": stride(model),
        "tilePx": 1024,
        "rate": {"logGain": table(codec.rates.log_gain), "logInverseGain": table(codec.rates.log_inverse)},
        **{key: _file(out / f"{key}.bin") for key in ("context", "restoration") if (out / f"{key}.bin").exists()},
        "quality": [round(4095 * i / 99) for i in range(100)],
        "residualFrom": 4096,
        "card": card,
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def export(weights_file: Path, out: Path, version: str, licence: str, name: str | None = None, tune: str | None = None) -> None:
    """The whole folder."""
    config, weights, note = load_weights(weights_file)
    if name:
        config = dataclasses.replace(config, name=name)
    codec = Codec(config.model)
    codec.load_state_dict(weights)
    plain = {k: v.numpy() for k, v in weights.items()}
    write_networks(config.model, plain, out)
    if config.model.prior == "linear":
        write_prior(codec, out)
    encoder_kmac, decoder_kmac = kmacs(config.model)
    card = f"{encoder_kmac:.1f} + {decoder_kmac:.1f} kMAC per pixel. Training: {json.dumps(note)}"
    write_manifest(config, codec, out, version, licence, card, tune)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", help="the model's name in the manifest; the config's otherwise")
    parser.add_argument("--tune", choices=("psnr", "eye"), help="what it was trained to keep, for the manifest")
    parser.add_argument("--version", default="0")
    parser.add_argument("--licence", default="unstated: for development, not for release")
    args = parser.parse_args()
    torch.set_num_threads(1)
    export(args.weights, args.out, args.version, args.licence, args.name, args.tune)
    for path in sorted(args.out.iterdir()):
        print(f"{path.stat().st_size:>9} {path}")


if __name__ == "__main__":
    main()
