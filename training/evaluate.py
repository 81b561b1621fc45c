"""Judge weights: python3 -m training.evaluate WEIGHTS [--kodak ../shared/data/kodak] [--json FILE] [--against FILE]

Without --kodak: the validation score of train.py and BD-rates over the held photographs and drawn screens (these choose).
With --kodak: order-0, context and prior bits per pixel, PSNR, MS-SSIM, and BD-rate against the curves of --curves
(these are reported, never used to choose). Rates are code-length estimates without headers.
"""
from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from PIL import Image

from .bits import context_bits, order0_bits
from .checkpoint import load_codec
from .data import validation_sets
from .model import Codec, stride
from .validate import validate

QUALITIES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
Point = dict[str, float]


def load_metrics(folder: Path) -> ModuleType:
    """metrics.py of the project's tools (numpy only), by path."""
    spec = importlib.util.spec_from_file_location("metrics", folder / "metrics.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"evaluate: expected metrics.py, got none in {folder}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@torch.no_grad()
def curve_of(codec: Codec, picture: np.ndarray, metrics: ModuleType, qualities: tuple[float, ...] = QUALITIES) -> list[Point]:
    """One point per q for an uint8 [h, w, 3] picture (cropped to the model's stride)."""
    cell = stride(codec.config)
    picture = picture[: picture.shape[0] // cell * cell, : picture.shape[1] // cell * cell]
    image = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
    pixels = picture.shape[0] * picture.shape[1]
    latents = codec.encoder(image)
    prepared = metrics.ms_ssim_prepare(picture) if min(picture.shape[:2]) > 160 else None
    points = []
    for quality in qualities:
        q = torch.tensor([quality])
        gains, _ = codec.gains(q)
        symbols = [torch.round(z * g) for z, g in zip(latents, gains)]
        contexts = codec.contexts(symbols, q)
        point: Point = {"q": quality, "order0": 0.0, "context": 0.0, "prior": 0.0}
        for prior, grid, (scale, mean) in zip(codec.priors, symbols, contexts):
            whole = grid[0].numpy().astype(np.int64)
            point["order0"] += order0_bits(whole) / pixels
            point["context"] += context_bits(whole, scale[0].numpy(), mean[0].numpy()) / pixels
            point["prior"] += float(prior.bits(grid, scale, mean, q).sum()) / pixels
        decoded = (codec.reconstruct(symbols, q).clamp(0, 1) * 255).round()[0].permute(1, 2, 0).numpy().astype(np.uint8)
        point["psnr"] = float(metrics.psnr(picture, decoded))
        point["ms_ssim"] = metrics.ms_ssim(prepared, decoded) if prepared else float("nan")
        point["nonzero"] = float(np.mean([float((s != 0).float().mean()) for s in symbols]))
        points.append(point)
    return points


def _one(job: tuple[Path, Path, Path]) -> tuple[str, list[Point]]:
    weights, picture, tools = job
    torch.set_num_threads(1)
    codec, _ = load_codec(weights)
    return picture.name, curve_of(codec, np.array(Image.open(picture).convert("RGB")), load_metrics(tools))


def mean_curve(curves: list[list[Point]]) -> list[Point]:
    """Mean of the points of equal q over pictures."""
    return [{key: float(np.mean([c[i][key] for c in curves])) for key in curves[0][i]} for i in range(len(curves[0]))]


def bd_rates(reference: list[Point], points: list[Point], metrics: ModuleType, rate: str) -> dict[str, float | None]:
    """Percent of rate at equal quality over 0.1 to 1.0 bpp; the reference's rate is `bpp`."""
    out: dict[str, float | None] = {}
    for name in ("psnr", "ms_ssim"):
        there, here = [p for p in reference if p.get(name) is not None], points
        quality = (lambda v: metrics.ms_ssim_db(np.array(v))) if name == "ms_ssim" else (lambda v: np.array(v))
        value = metrics.bd_rate([p["bpp"] for p in there], quality([p[name] for p in there]),
                                [p[rate] for p in here], quality([p[name] for p in here]), (0.1, 1.0))
        out[name] = None if value is None else round(float(value), 2)
    return out


def kodak_report(weights: Path, folder: Path, tools: Path, curves: Path, processes: int, limit: int) -> dict[str, object]:
    """Mean curve over the folder's PNGs and BD-rates against every curve of `curves`."""
    jobs = [(weights, picture, tools) for picture in sorted(folder.glob("*.png"))[: limit or None]]
    if processes > 1:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            results = pool.map(_one, jobs, chunksize=1)
    else:
        results = [_one(job) for job in jobs]
    points = mean_curve([curve for _, curve in results])
    metrics = load_metrics(tools)
    report: dict[str, object] = {"points": points, "images": dict(results)}
    print("|  q   | order-0 | context | prior  | PSNR   | MS-SSIM | non-zero |\n|---|---|---|---|---|---|---|")
    for p in points:
        row = [f"{p[key]:.{digits}f}" for key, digits in (("q", 2), ("order0", 4), ("context", 4), ("prior", 4), ("psnr", 3),
                                                          ("ms_ssim", 5), ("nonzero", 3))]
        print(f"| {' | '.join(row)} |")
    if curves.exists():
        table = {name: value["points"] if isinstance(value, dict) else value for name, value in json.loads(curves.read_text()).items()
                 if not name.startswith("_")}
        report["bd_rate"] = rates = {n: bd_rates(c, points, metrics, "context") for n, c in table.items()}
        print("\nBD-rate over 0.1 to 1.0 bpp, context estimate (negative: fewer bits than the reference)")
        for name, row in rates.items():
            print(f"  {name:32} PSNR {row['psnr']}  MS-SSIM {row['ms_ssim']}")
    return report


def held_report(weights: Path, pack: Path, tools: Path, against: Path | None) -> dict[str, object]:
    """Score and prior-rate curves of the held sets, with BD-rate against another report's curves."""
    codec, config = load_codec(weights)
    sets = validation_sets(pack)
    metrics = load_metrics(tools) if (tools / "metrics.py").exists() else None
    report: dict[str, object] = {"validation": validate(codec, config.model, sets)}
    earlier = json.loads(against.read_text()) if against else {}
    for name, images in sets.items():
        if not images or metrics is None:
            continue
        pictures = [(image[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8) for image in images]
        points = mean_curve([curve_of(codec, picture, metrics) for picture in pictures])
        report[name] = [{**p, "bpp": p["context"]} for p in points]
        if name in earlier:
            report[f"{name}_bd_rate"] = bd_rates(earlier[name], points, metrics, "context")
    print(json.dumps({k: v for k, v in report.items() if k == "validation" or k.endswith("bd_rate")}))
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--pack", type=Path, default=Path("out/pack"))
    parser.add_argument("--kodak", type=Path)
    parser.add_argument("--tools", type=Path, default=Path("../shared/tools"), help="folder of metrics.py")
    parser.add_argument("--curves", type=Path, default=Path("../shared/research/kodak_classical.json"))
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--limit", type=int, default=0, help="Kodak pictures (0 = all; BD-rates mean something with all only)")
    parser.add_argument("--against", type=Path, help="report of another model (held sets)")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.kodak:
        report = kodak_report(args.weights, args.kodak, args.tools, args.curves, args.processes, args.limit)
    else:
        report = held_report(args.weights, args.pack, args.tools, args.against)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report))


if __name__ == "__main__":
    main()
