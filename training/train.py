"""Train a model: python3 -m training.train CONFIG --out out/run/NAME [--pack out/pack] [--minutes-now 9] ...

Resumes by itself from --out. The schedule follows the time that all calls together have spent (or --steps).
As `torchrun --nproc-per-node N -m training.train ...` N processes of a thread each share every step: a batch of their own and
the mean of their gradients. On CPU cores that is quicker than threads, which wait for one another in every operator.
Writes there: state.*.part + state.json (to resume), ema.pt (weights to export and judge), log.ndjson.
"""
from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as ranks
from torch import Tensor, nn

from . import config as configs
from .blocks import Depthwise
from .checkpoint import load_state, save_state, save_weights
from .config import Config
from .context_prior import ContextPrior
from .data import Crops, read_pictures, validation_sets
from .loss import Step
from .model import Codec, kmacs
from .optim import make_optimisers, set_rates
from .port import start_from
from .validate import validate


@dataclass(frozen=True)
class How:
    """What changes the speed of a step and not (beyond rounding) its result."""

    bf16: bool = True            # autocast; linear skips, heads, gains and prior stay fp32
    compiled: bool = False       # torch.compile of the forward and backward pass
    channels_last: bool = True   # memory layout
    shifts: bool = False         # depthwise layers as shifted products

    @property
    def layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format


def rank() -> int:
    """Which of torchrun's processes this is; 0 without torchrun."""
    return ranks.get_rank() if ranks.is_initialized() else 0


def share_gradients(parameters: list[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes, in one exchange."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    ranks.all_reduce(flat)
    flat /= ranks.get_world_size()
    for g, mean in zip(gradients, flat.split([g.numel() for g in gradients])):
        g.copy_(mean.view_as(g))


def of_first(value: float) -> float:
    """The first process' value, so that clocks that differ do not part the processes' schedules."""
    if not ranks.is_initialized():
        return value
    box = torch.tensor([value], dtype=torch.float64)
    ranks.broadcast(box, 0)
    return box.item()


class Trainer:
    """Model, optimisers, average weights and counters; everything that a checkpoint holds."""

    def __init__(self, config: Config, device: torch.device, init: Path | None = None, how: How = How(),
                 context: Path | None = None) -> None:
        self.config, self.device, self.how = config, device, how
        Depthwise.by_shifts = how.shifts
        torch.manual_seed(config.train.seed)
        codec = Codec(config.model)
        if init:
            start_from(init, codec, config)
        if context:
            codec.take_context(context.read_bytes())
        self.codec = codec.to(device).to(memory_format=how.layout)
        self.optimisers = make_optimisers(self.codec, config.train)
        self.average = {k: v.detach().clone() for k, v in self.codec.state_dict().items()}
        self.step, self.spent = 0, 0.0
        module = Step(self.codec, config.loss).to(device)
        self.forward: Callable[..., tuple[Tensor, Tensor, Tensor]] = torch.compile(module, dynamic=False) if how.compiled else module

    def resume(self, folder: Path) -> bool:
        """Continue from a checkpoint if the folder holds one."""
        state = load_state(folder, self.device)
        if state is None:
            return False
        self.codec.load_state_dict(state["model"])
        self.average = {k: v.to(self.device) for k, v in state["average"].items()}
        for optimiser, saved in zip(self.optimisers, state["optimisers"]):
            # `base` rates come from the config, so that a resumed run can change them.
            bases = [group["base"] for group in optimiser.param_groups]
            optimiser.load_state_dict(saved)
            for group, base in zip(optimiser.param_groups, bases):
                group["base"] = base
        self.step, self.spent = state["step"], state["spent"]
        return True

    def save(self, folder: Path) -> None:
        """Checkpoint and average weights."""
        state = {"model": self.codec.state_dict(), "average": self.average, "step": self.step, "spent": self.spent,
                 "optimisers": [o.state_dict() for o in self.optimisers], "config": configs.to_dict(self.config)}
        save_state(folder, state)
        save_weights(folder / "ema.pt", self.config, self.average, {"step": self.step, "spent_s": round(self.spent)})

    def seed(self, process: int) -> int:
        """Seed of this step and of a process: a resumed run draws what an uninterrupted one would have drawn."""
        return self.config.train.seed * 1_000_003 + self.step + process * 7_919_000_003

    def shape(self, progress: float) -> tuple[int, int]:
        """(batch, crop) at a share of the run; larger crops near the end keep the number of pixels."""
        t = self.config.train
        if t.large_crop and progress >= t.large_from:
            return max(4, round(t.batch * t.crop**2 / t.large_crop**2)), t.large_crop
        return t.batch, t.crop

    def draw(self, crops: Crops, progress: float, generator: torch.Generator) -> tuple[Tensor, Tensor, list[Tensor]]:
        """(image, q, noise) of a batch, as `Step` takes them."""
        count, side = self.shape(progress)
        image = crops.batch(count, side, generator).contiguous(memory_format=self.how.layout)
        q = (torch.arange(count, device=self.device) + torch.rand(count, device=self.device, generator=generator)) / count
        noise = [torch.rand(count, g, side // s, side // s, device=self.device, generator=generator) - 0.5
                 for g, s in zip(self.codec.counts, ([16, 8] if len(self.codec.counts) == 2 else [8]))]
        return image, q, noise

    def advance(self, crops: Crops, progress: float) -> tuple[Tensor, Tensor, Tensor]:
        """One optimiser step at `progress` (0..1) of the schedule. Returns (loss, bits per pixel, gradient norm)."""
        t = self.config.train
        warm = min(1.0, (self.step + 1) / t.warmup_steps)
        set_rates(self.optimisers, warm * (t.final_rate + (1 - t.final_rate) * 0.5 * (1 + math.cos(math.pi * progress))))
        drawn = self.draw(crops, progress, torch.Generator(self.device).manual_seed(self.seed(rank())))
        mixed = torch.autocast(self.device.type, torch.bfloat16) if self.how.bf16 else contextlib.nullcontext()
        with mixed:
            loss, bpp, _ = self.forward(*drawn)
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = list(self.codec.parameters())
        if ranks.is_initialized():
            share_gradients(parameters)
        norm = nn.utils.clip_grad_norm_(parameters, t.clip)
        # Where the gradient is not finite, the optimisers are given none and their momentum moves nothing either; no host
        # synchronisation is needed to decide it.
        keep = torch.isfinite(norm)
        before = [p.detach().clone() for p in parameters]
        for p in parameters:
            if p.grad is not None:
                p.grad.copy_(torch.where(keep, p.grad, torch.zeros_like(p.grad)))
        for optimiser in self.optimisers:
            optimiser.step()
        with torch.no_grad():
            for p, unmoved in zip(parameters, before):
                p.copy_(torch.where(keep, p, unmoved))
        self.codec.keep_in_bounds()
        self.step += 1
        if self.step % 4 == 0:
            decay = min(t.ema, (1 + self.step) / (20 + self.step)) ** 4
            names = [name for name, value in self.average.items() if value.is_floating_point()]
            current = self.codec.state_dict()
            torch._foreach_lerp_([self.average[k] for k in names], [current[k] for k in names], 1 - decay)
        return loss.detach(), bpp.detach(), norm.detach()

    def averaged(self) -> Codec:
        """A copy of the codec with the average weights."""
        copy = Codec(self.config.model).to(self.device)
        copy.load_state_dict(self.average)
        return copy.eval().to(memory_format=self.how.layout)


def prepare(device: torch.device, threads: int) -> None:
    """Process-wide settings of torch."""
    if device.type == "cpu":
        torch.set_num_threads(threads)
    else:
        # Skips, heads and prior multiply integers near 300: TF32's ten bits would move them by a third of a step.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True


def main(argv: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", help="file, or name of a file in training/config")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pack", type=Path, default=Path("out/pack"), help="folder of training.pack; drawn screens alone without it")
    parser.add_argument("--init", type=Path, help="weights to start from (equal or smaller network), e.g. training/checkpoints/psnr.pt")
    parser.add_argument("--context", type=Path, help="fitted context.bin that the prior starts from, where model.prior is context")
    parser.add_argument("--minutes-now", type=float, default=1e9, help="stop this call after so many minutes, resume later")
    parser.add_argument("--steps", type=int, default=0, help="schedule by steps instead of minutes")
    parser.add_argument("--steps-now", type=int, default=0, help="stop this call after so many steps")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; more than one collapses on a busy machine")
    parser.add_argument("--compile", action="store_true", help="torch.compile the step (a minute at the start)")
    parser.add_argument("--contiguous", action="store_true", help="NCHW instead of channels-last (probe.py tells)")
    parser.add_argument("--shifts", action="store_true", help="depthwise layers as shifted products (probe.py tells)")
    parser.add_argument("--fp32", action="store_true", help="no bf16 autocast")
    parser.add_argument("--validate-every", type=float, default=60.0, help="seconds")
    parser.add_argument("--save-every", type=float, default=120.0, help="seconds")
    parser.add_argument("--limit", type=int, default=0, help="use so many pictures only")
    parser.add_argument("--set", nargs="*", default=[], metavar="section.key=value")
    args = parser.parse_args(argv)

    if "LOCAL_RANK" in os.environ:
        ranks.init_process_group("gloo")
    started = time.time()
    config = configs.override(configs.load(args.config), args.set)
    device = torch.device(args.device)
    prepare(device, args.threads)
    how = How(not args.fp32, args.compile, not args.contiguous, args.shifts)
    # Pictures first: their worker processes are forked before CUDA starts.
    pictures = read_pictures(args.pack, config.data.groups, limit=args.limit)
    crops = Crops(pictures, config.data, device)
    sets = {k: [x.to(device) for x in v] for k, v in validation_sets(args.pack).items()}
    trainer = Trainer(config, device, args.init, how, args.context)
    resumed = trainer.resume(args.out)
    if not all(prior.is_known() for prior in trainer.codec.priors if isinstance(prior, ContextPrior)):
        parser.error("expected --context, or --init of weights with a context prior, where model.prior is context")
    args.out.mkdir(parents=True, exist_ok=True)
    first = rank() == 0
    log_file = open(args.out / "log.ndjson", "a")

    def log(**fields: Any) -> None:
        if not first:
            return
        line = json.dumps(fields)
        print(line, flush=True)
        log_file.write(line + "\n")
        log_file.flush()

    encoder_kmac, decoder_kmac = kmacs(config.model)
    log(event="start", config=config.name, resumed=resumed, step=trainer.step, spent_s=round(trainer.spent),
        pictures=len(pictures), encoder_kmac=round(encoder_kmac, 2), decoder_kmac=round(decoder_kmac, 2),
        parameters=sum(p.numel() for p in trainer.codec.parameters()), torch=torch.__version__, device=str(device),
        ready_s=round(time.time() - started, 1), settings=args.set)

    total = config.train.minutes * 60
    call_end = of_first(started + args.minutes_now * 60)
    first_step, mark, mark_step = trainer.step, time.time(), trainer.step
    last_validation = last_save = time.time()
    sums: list[Tensor] = []
    before = trainer.spent
    begun = of_first(time.time())

    def report(event: str) -> dict[str, Any]:
        nonlocal mark, mark_step, sums
        if not first:
            return {}
        rate = (trainer.step - mark_step) / max(time.time() - mark, 1e-3)
        result = validate(trainer.averaged(), config.model, sets)
        means = [round(v, 4) for v in torch.stack(sums).mean(0).tolist()] if sums else [None] * 3
        fields = {"event": event, "spent_s": round(trainer.spent, 1), "step": trainer.step,
                  "steps_per_s": round(rate, 2), "loss": means[0], "bpp": means[1], "gradient": means[2], **result}
        log(**fields)
        mark, mark_step, sums = time.time(), trainer.step, []
        return fields

    if not resumed:
        report("validation")
        last_validation = mark = time.time()
        begun = of_first(last_validation)
    while True:
        now = of_first(time.time())
        trainer.spent = before + now - begun
        progress = trainer.step / args.steps if args.steps else trainer.spent / total
        if progress >= 1 or now >= call_end or (args.steps_now and trainer.step - first_step >= args.steps_now):
            break
        loss, bpp, norm = trainer.advance(crops, progress)
        if trainer.step % 10 == 0:
            sums.append(torch.stack([loss, bpp, norm]).float())
        if device.type == "cuda" and trainer.step % 20 == 0:
            torch.cuda.synchronize()  # keeps the host's clock honest
        if now - last_validation > args.validate_every:
            report("validation")
            last_validation = time.time()
        if first and now - last_save > args.save_every:
            trainer.save(args.out)
            last_save = time.time()
    final = report("end")
    if first:
        trainer.save(args.out)
    log_file.close()
    if ranks.is_initialized():
        ranks.destroy_process_group()
    return final


if __name__ == "__main__":
    main()
