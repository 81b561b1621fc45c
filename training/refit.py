"""Freeze the networks and the gains, fit only the context prior to hard integers.

  python3 -m training.refit out/run/NAME/ema.pt out/run/NAME/refit.pt --minutes 2
"""
from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor

from .checkpoint import load_codec, load_weights, save_weights
from .data import Crops, read_pictures

BANK = 200  # batches of latents that are kept and used again: encoding is the slow part


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pack", type=Path, default=Path("out/pack"))
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--limit", type=int, default=600, help="pictures to read")
    args = parser.parse_args()
    device = torch.device(args.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    codec, config = load_codec(args.weights)
    if config.model.prior != "linear":
        raise SystemExit("refit: expected weights with a linear prior; training.row_net fits a context model's")
    codec.to(device)
    crops = Crops(read_pictures(args.pack, config.data.groups, limit=args.limit), config.data, device)
    careful = [p for n, p in codec.priors.named_parameters() if "mean_" in n]
    others = [p for n, p in codec.priors.named_parameters() if "mean_" not in n]
    optimiser = torch.optim.Adam([{"params": others, "base": 2e-3}, {"params": careful, "base": 5e-5}], lr=1e-3, betas=(0.9, 0.98))
    generator = torch.Generator(device).manual_seed(1)
    bank: list[list[Tensor]] = []

    def cost(latents: list[Tensor], q: Tensor) -> Tensor:
        """Bits per pixel [n] of the rounded latents."""
        with torch.no_grad():
            symbols = [torch.round(z * g) for z, g in zip(latents, codec.gains(q)[0])]
        parts = [prior.bits(s, *context, q).sum((1, 2, 3)) for prior, s, context in zip(codec.priors, symbols, codec.contexts(symbols, q))]
        return torch.stack(parts).sum(0) / 256**2

    with torch.no_grad():
        probes = [codec.encoder(crops.batch(args.batch, 256, generator)) for _ in range(4)]

    @torch.no_grad()
    def probe() -> float:
        """Mean bits per pixel of the same crops at five rates."""
        rates = (0.1, 0.3, 0.5, 0.7, 0.9)
        values = [cost(z, torch.full((args.batch,), q, device=device)).mean() for z in probes for q in rates]
        return float(torch.stack(values).mean())

    before = probe()
    started, step = time.time(), 0
    while (progress := (time.time() - started) / (60 * args.minutes)) < 1:
        if len(bank) < BANK or step % 4 == 0:
            with torch.no_grad():
                bank.append(codec.encoder(crops.batch(args.batch, 256, generator)))
            bank = bank[-BANK:]
        latents = bank[int(torch.randint(len(bank), (1,), generator=generator, device=device))]
        q = torch.rand(args.batch, device=device, generator=generator)
        bits = cost(latents, q)
        loss = (bits / bits.detach().clamp(min=0.02) ** 0.7).mean()
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * (1 - progress) * min(1, (step + 1) / 20)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
    print(f"refit: {step} steps, {before:.4f} bits per pixel before, {probe():.4f} after")
    _, _, note = load_weights(args.weights)
    save_weights(args.out, config, codec.state_dict(), {**note, "refit_steps": step})


if __name__ == "__main__":
    main()
