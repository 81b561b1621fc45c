"""What the Rust table fitter reads, from weights and training crops: python3 -m training.context WEIGHTS --out out/context

Then, in the same repository:
  cargo run --release -p vaerans-fit --example fit_context -- \\
    out/context/prior.f32 out/context/gains.f32 out/context/latents.f32 out/export/NAME/context.bin
(prior.bin instead for weights with a context prior, which training.row_net can train on before) and run training.export: it
names a context.bin that it finds in its folder in the manifest.
"""
from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch

from .checkpoint import load_codec
from .data import drawn_pictures, read_pictures
from .model import stride

ORDER = ("same", "mean_same", "here", "ring", "mean_here", "up", "mean_up")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pack", type=Path, default=Path("out/pack"))
    parser.add_argument("--pictures", type=int, default=120, help="training crops")
    parser.add_argument("--drawn", type=int, default=16, help="drawn screens")
    parser.add_argument("--like", type=Path, help="context.bin that a context prior's training began with")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    codec, config = load_codec(args.weights)
    args.out.mkdir(parents=True, exist_ok=True)
    if config.model.prior == "context":
        if args.like is None:
            parser.error("expected --like, for weights with a context prior")
        (args.out / "prior.bin").write_bytes(codec.priors[0].to_bytes(args.like.read_bytes()))
    else:
        with open(args.out / "prior.f32", "wb") as handle:
            for prior in codec.priors:
                weights = {name: value.detach().numpy().astype("<f4") for name, value in prior.weights().items()}
                bases = prior.base.detach().numpy().astype("<f4")
                handle.write(np.array([bases.shape[1], bases.shape[0]], "<u4").tobytes() + bases.tobytes())
                handle.write(b"".join(weights[name].tobytes() for name in ORDER if name in weights))
    (args.out / "gains.f32").write_bytes(codec.rates.log_gain.detach().numpy().astype("<f4").tobytes())
    pictures = read_pictures(args.pack, config.data.groups)
    random.Random(1).shuffle(pictures)
    cell = stride(config.model)
    with open(args.out / "latents.f32", "wb") as handle:
        for picture in [*pictures[: args.pictures], *drawn_pictures(args.drawn)]:
            height, width = (side // cell * cell for side in picture.shape[:2])
            image = torch.from_numpy(np.array(picture[:height, :width])).permute(2, 0, 1)[None].float() / 255
            with torch.no_grad():
                latents = [latent[0].numpy().astype("<f4") for latent in codec.encoder(image)]
            for latent in latents:
                handle.write(np.array(latent.shape, "<u4").tobytes() + latent.tobytes())
    for path in sorted([*args.out.glob("*.f32"), *args.out.glob("*.bin")]):
        print(f"{path.stat().st_size:>11} {path}")


if __name__ == "__main__":
    main()
