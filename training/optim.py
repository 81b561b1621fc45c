"""Muon for the trunk's matrices, AdamW for the rest, and which parameter gets which step."""
from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor, nn

from .config import TrainConfig
from .model import Codec


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """Newton-Schulz on [n, rows, columns] with rows <= columns: singular values move to about 1."""
    x = matrices / (matrices.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    x = x.bfloat16()  # a third of the time, on a CPU too
    for _ in range(steps):
        square = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * (square @ square)) @ x
    return x.float()


class Muon(torch.optim.Optimizer):
    """Orthogonalised momentum, step size matched to AdamW's root mean square; equal shapes share one iteration."""

    def __init__(self, params: list[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            keep = group["momentum"]
            params = [p for p in group["params"] if p.grad is not None]
            for p in params:
                if "m" not in self.state[p]:
                    self.state[p]["m"] = torch.zeros_like(p)
            if not params:
                continue
            grads, momenta = [p.grad for p in params], [self.state[p]["m"] for p in params]
            torch._foreach_lerp_(momenta, grads, 1 - keep)
            ahead = torch._foreach_lerp(grads, momenta, keep)  # Nesterov
            same_shape: dict[tuple[int, int, bool], list[tuple[nn.Parameter, Tensor]]] = defaultdict(list)
            for p, update in zip(params, ahead):
                matrix = update.reshape(p.shape[0], -1)
                tall = matrix.shape[0] > matrix.shape[1]
                matrix = matrix.t() if tall else matrix
                same_shape[(*matrix.shape, tall)].append((p, matrix))
            for (rows, columns, tall), members in same_shape.items():
                whole = orthogonalise(torch.stack([m for _, m in members])) * (0.2 * max(rows, columns) ** 0.5)
                for (p, _), update in zip(members, whole):
                    update = update.t() if tall else update
                    p.add_(update.reshape(p.shape).to(p.dtype), alpha=-group["lr"])


def make_optimisers(codec: Codec, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """[AdamW, Muon]; every group carries its `base` rate, which the schedule multiplies."""
    trunk, tables, skips, means, sums, rest = [], [], [], [], [], []
    for name, p in codec.named_parameters():
        if name.endswith(("log_gain", "log_inverse", ".base")):
            tables.append(p)
        elif name.endswith("skip.weight"):
            skips.append(p)
        elif ".mean_" in name:
            means.append(p)
        elif ".sums." in name:
            sums.append(p)
        elif "trunk." in name and p.dim() == 4 and p.shape[1] > 1:
            trunk.append(p)
        else:
            rest.append(p)
    rate = config.learning_rate
    groups = [(rest, 1.0), (tables, config.table_scale), (skips, config.skip_scale), (means, config.mean_scale),
              (sums, config.sums_scale)]
    on_gpu = next(codec.parameters()).is_cuda
    adam = torch.optim.AdamW(
        [{"params": p, "lr": rate * s, "base": rate * s} for p, s in groups if p],
        lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=on_gpu, foreach=None if on_gpu else True,
    )
    muon = Muon(trunk, lr=config.muon_rate)
    muon.param_groups[0]["base"] = config.muon_rate
    return [adam, muon]


def set_rates(optimisers: list[torch.optim.Optimizer], factor: float) -> None:
    """Every group's rate = base * factor."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * factor
