"""fp16 and int8 variants of the graphs, measured: python3 -m training.variants out/run/NAME/refit.pt --out out/variants

fp16: constants stored as fp16 and cast at load, arithmetic fp32: half the file. int8: onnxruntime's static QDQ of the trunks
(patch convolution, linear skip and last layer stay fp32), calibrated on held pictures. Prints size, speed and what the
variant costs in PSNR at five rates; a variant is worth shipping when it is faster, or half the size, for under 0.1 dB.
"""
from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from .checkpoint import load_codec, load_weights
from .data import validation_sets
from .export import decoder_graph, encoder_graph, latent_names, write_networks
from .model import Codec
from .time_blocks import open_session

QUALITIES = (0.1, 0.3, 0.5, 0.7, 0.9)
Feed = dict[str, np.ndarray]


class Feeds(CalibrationDataReader):
    """Feeds for the calibration."""

    def __init__(self, feeds: list[Feed]) -> None:
        self.rest: Iterator[Feed] = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self.rest, None)


@torch.no_grad()
def decoder_feeds(codec: Codec, images: list[torch.Tensor]) -> list[Feed]:
    """Dequantised latents of the images at all rates."""
    feeds = []
    for image in images:
        for quality in QUALITIES:
            q = torch.tensor([quality])
            inverses = codec.gains(q)[1]
            latents = [(s * g).numpy() for s, g in zip(codec.integers(image, q), inverses)]
            feeds.append(dict(zip(latent_names(codec.config), latents)))
    return feeds


@torch.no_grad()
def psnr_of(codec: Codec, images: list[torch.Tensor], folder: Path, encoder: str, decoder: str) -> list[float]:
    """PSNR in dB of the mean error at QUALITIES, networks by onnxruntime, gains and rounding by torch."""
    names = latent_names(codec.config)
    encode, decode = open_session(folder / encoder, 1), open_session(folder / decoder, 1)
    errors = np.zeros(len(QUALITIES))
    for image in images:
        latents = [torch.from_numpy(z) for z in encode.run(names, {"image": image.numpy()})]
        for i, quality in enumerate(QUALITIES):
            gains, inverses = codec.gains(torch.tensor([quality]))
            feed = {n: (torch.round(z * g) * b).numpy() for n, z, g, b in zip(names, latents, gains, inverses)}
            decoded = np.clip(decode.run(["image"], feed)[0], 0, 1)
            errors[i] += float(np.square(decoded - image.numpy()).mean()) / len(images)
    return [-10 * math.log10(e) for e in errors]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pack", type=Path, default=Path("out/pack"))
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    torch.set_num_threads(1)
    codec, config = load_codec(args.weights)
    _, weights, _ = load_weights(args.weights)
    plain = {k: v.numpy() for k, v in weights.items()}
    sets = validation_sets(args.pack)
    images = [*sets["photo"][:8], *sets["screen"][:2]] or sets["screen"]
    judged = [*sets["photo"][8:20], *sets["screen"][2:6]] or sets["screen"]
    write_networks(config.model, plain, args.out)
    write_networks(config.model, plain, args.out, half=True, suffix=".fp16")
    for side, graph, feeds in (("encoder", encoder_graph, [{"image": x.numpy()} for x in images]),
                               ("decoder", decoder_graph, decoder_feeds(codec, images[:5]))):
        quantize_static(
            args.out / f"{side}.onnx", args.out / f"{side}.int8.onnx", Feeds(feeds), quant_format=QuantFormat.QDQ,
            per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax, op_types_to_quantize=["Conv"],
            nodes_to_exclude=graph(config.model, plain).exact_nodes,
        )
    base = psnr_of(codec, judged, args.out, "encoder.onnx", "decoder.onnx")
    timed: dict[str, list[float]] = {}
    picture = np.random.default_rng(1).random((1, 3, 512, 768), np.float32)
    sessions = {f"{side}{kind}": open_session(args.out / f"{side}{kind}.onnx", 1)
                for side in ("encoder", "decoder") for kind in ("", ".fp16", ".int8")}
    latents = dict(zip(latent_names(config.model), sessions["encoder"].run(None, {"image": picture})))
    for turn in range(args.rounds + 1):
        for name, session in sessions.items():
            begin = time.perf_counter()
            session.run(None, {"image": picture} if name.startswith("encoder") else latents)
            if turn:
                timed.setdefault(name, []).append((time.perf_counter() - begin) * 1e3)
    print(f"PSNR at q {QUALITIES}, fp32: {' '.join(f'{v:.2f}' for v in base)}\n")
    print("| graph | bytes | ms at 768x512, one thread, fastest (median) | PSNR against fp32, dB |\n|---|---|---|---|")
    for name in sessions:
        side, kind = name.split(".")[0], name[len("encoder") :]
        pair = (f"encoder{kind}.onnx", "decoder.onnx") if side == "encoder" else ("encoder.onnx", f"decoder{kind}.onnx")
        change = " ".join(f"{a - b:+.2f}" for a, b in zip(psnr_of(codec, judged, args.out, *pair), base)) if kind else ""
        size = (args.out / f"{name}.onnx").stat().st_size
        print(f"| {name} | {size} | {min(timed[name]):.0f} ({statistics.median(timed[name]):.0f}) | {change} |", flush=True)


if __name__ == "__main__":
    main()
