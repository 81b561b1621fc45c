"""Which settings train fastest on this machine: python3 -m training.probe CONFIG [--compile] [--seconds 6]

Prints one row per setting: steps a second, crops in megapixels a second, memory. A minute without --compile; torch.compile
adds a minute or two. The fastest row's flags go to training.train; --best FILE writes them down for a shell.
"""
from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

import torch

from . import config as configs
from .data import Crops
from .train import How, Trainer, prepare


def rate_of(trainer: Trainer, crops: Crops, seconds: float) -> float:
    """Steps a second after a warm-up of five steps."""
    synchronise = torch.cuda.synchronize if trainer.device.type == "cuda" else lambda: None
    for _ in range(5):
        trainer.advance(crops, 0.0)
    synchronise()
    begin, steps = time.time(), 0
    while time.time() - begin < seconds:
        trainer.advance(crops, 0.0)
        steps += 1
        if steps % 20 == 0:
            synchronise()
    synchronise()
    return steps / (time.time() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--best", type=Path, help="file for the flags of the fastest row")
    parser.add_argument("--set", nargs="*", default=[], metavar="section.key=value")
    args = parser.parse_args()
    config = configs.override(configs.load(args.config), ["data.drawn=32", *args.set])
    device = torch.device(args.device)
    prepare(device, 1)
    crops = Crops([], config.data, device)
    megapixels = config.train.batch * config.train.crop**2 / 1e6
    print(f"{config.name}: batch {config.train.batch} of {config.train.crop} px on {device}, torch {torch.__version__}\n")
    print("| flags | steps/s | MP/s | GPU memory MB |\n|---|---|---|---|")
    fastest, best = 0.0, ""
    for compiled, contiguous, shifts in itertools.product((False, True) if args.compile else (False,), (False, True), (False, True)):
        flags = [flag for flag, on in (("--compile", compiled), ("--contiguous", contiguous), ("--shifts", shifts)) if on]
        begin = time.time()
        try:
            trainer = Trainer(config, device, how=How(device.type == "cuda", compiled, not contiguous, shifts))
            steps = rate_of(trainer, crops, args.seconds)
        except Exception as error:  # a probe reports what fails and goes on
            print(f"| {' '.join(flags) or '(none)'} | failed: {str(error).splitlines()[0][:90]} | | |", flush=True)
            continue
        if steps > fastest:
            fastest, best = steps, " ".join(flags)
        memory = torch.cuda.max_memory_allocated() / 1e6 if device.type == "cuda" else 0
        print(f"| {' '.join(flags) or '(none)'} | {steps:.2f} | {steps * megapixels:.1f} | {memory:.0f} | "
              f"({time.time() - begin:.0f} s in all)", flush=True)
        del trainer
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            torch._dynamo.reset()
    if args.best:
        args.best.parent.mkdir(parents=True, exist_ok=True)
        args.best.write_text(best)


if __name__ == "__main__":
    main()
