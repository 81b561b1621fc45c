"""Which network shapes are quick in onnxruntime itself: python3 -m training.time_blocks [--threads 1] [--only NAME ...]

Random weights; 768x512 picture. The shapes take turns, so that all see the same load of the machine; the fastest run
counts, the median tells how busy it was. Prints a Markdown table.
"""
from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

from .config import ModelConfig
from .export import latent_names, write_networks
from .model import Codec, grids, kmacs

WIDTH, HEIGHT = 768, 512


def _wide(**changes: object) -> ModelConfig:
    """The default candidate's shape with changes."""
    base = dict(channels=128, width=160, encoder_blocks=7, decoder_width=160, decoder_blocks=7, knots=2)
    return ModelConfig(**{**base, **changes})  # type: ignore[arg-type]


SHAPES: dict[str, ModelConfig] = {
    "starter: dw 96, C 96, 5+6": ModelConfig(),
    "dw 112, 6+6": _wide(width=112, decoder_width=112, encoder_blocks=6, decoder_blocks=6),
    "dw 128, 5+6 (first bridge)": _wide(width=128, decoder_width=128, encoder_blocks=5, decoder_blocks=6),
    "dw 128, 5+6, 3+3 gated, gains on the skips": _wide(
        width=128, decoder_width=128, encoder_blocks=5, decoder_blocks=6, encoder_gated=3, decoder_gated=3, skip_gain=True),
    "dw 128, 5+6, 3+6 gated, gains on the skips": _wide(
        width=128, decoder_width=128, encoder_blocks=5, decoder_blocks=6, encoder_gated=3, decoder_gated=6, skip_gain=True),
    "dw 128, 8+8": _wide(width=128, decoder_width=128, encoder_blocks=8, decoder_blocks=8),
    "dw 128, 7+7": _wide(width=128, decoder_width=128),
    "dw 144, 7+7": _wide(width=144, decoder_width=144),
    "dw 160, 7+7 (default)": _wide(),
    "dw 192, 5+5": _wide(width=192, decoder_width=192, encoder_blocks=5, decoder_blocks=5),
    "dw 192 expand 1, 9+9": _wide(width=192, decoder_width=192, encoder_blocks=9, decoder_blocks=9, expand=1.0),
    "dw 160 expand 3, 5+5": _wide(encoder_blocks=5, decoder_blocks=5, expand=3.0),
    "dw 160 kernel 5, 7+7": _wide(kernel=5),
    "mix 160, 5+5": _wide(block="mix", encoder_blocks=5, decoder_blocks=5),
    "c3 64 expand 1, 9+9": _wide(block="c3", expand=1.0, width=64, decoder_width=64, encoder_blocks=9, decoder_blocks=9),
    "c3 96 expand 1, 5+5": _wide(block="c3", expand=1.0, width=96, decoder_width=96, encoder_blocks=5, decoder_blocks=5),
    "two grids: dw 144, 4+4 and 192, 5+5 at 1/16": _wide(
        width=144, decoder_width=144, encoder_blocks=4, decoder_blocks=4, coarse_moved=24, coarse_width=192,
        coarse_encoder_blocks=5, coarse_decoder_blocks=5),
    "renderer 32x2 after dw 144, 6": _wide(width=144, decoder_width=144, decoder_blocks=6, renderer_width=32),
    "renderer 48x3 after dw 128, 6": _wide(width=128, decoder_width=128, decoder_blocks=6, renderer_width=48, renderer_layers=3),
}


def open_session(path: Path, threads: int) -> ort.InferenceSession:
    """A CPU session with fixed threads."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", nargs="*", default=[], help="shapes whose name contains one of these")
    args = parser.parse_args()
    random = np.random.default_rng(1)
    jobs: list[tuple[str, str, ort.InferenceSession, dict[str, np.ndarray]]] = []
    names = [n for n in SHAPES if not args.only or any(part in n for part in args.only)]
    for name in names:
        config = SHAPES[name]
        torch.manual_seed(0)
        weights = {k: v.numpy() for k, v in Codec(config).state_dict().items()}
        image = {"image": random.random((1, 3, HEIGHT, WIDTH), np.float32)}
        latents = {n: random.standard_normal((1, g["channels"], HEIGHT // g["stride"], WIDTH // g["stride"]), np.float32)
                   for n, g in zip(latent_names(config), grids(config))}
        with tempfile.TemporaryDirectory() as folder:
            write_networks(config, weights, Path(folder))
            for side, feeds in (("encoder", image), ("decoder", latents)):
                jobs.append((name, side, open_session(Path(folder) / f"{side}.onnx", args.threads), feeds))
    times: dict[tuple[str, str], list[float]] = {(name, side): [] for name, side, _, _ in jobs}
    for turn in range(args.rounds + 1):
        for name, side, session, feeds in jobs:
            begin = time.perf_counter()
            session.run(None, feeds)
            if turn:  # the first round allocates
                times[name, side].append((time.perf_counter() - begin) * 1e3)
    print(f"onnxruntime {ort.__version__}, {args.threads} thread(s), load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| shape | encoder kMAC/px | ms, fastest (median) | MP/s | decoder kMAC/px | ms, fastest (median) | MP/s |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        cells = [name]
        for side, kmac in zip(("encoder", "decoder"), kmacs(SHAPES[name])):
            fastest, median = min(times[name, side]), statistics.median(times[name, side])
            cells += [f"{kmac:.1f}", f"{fastest:.1f} ({median:.0f})", f"{WIDTH * HEIGHT / 1e3 / fastest:.1f}"]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
