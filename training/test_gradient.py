"""The gradient's graph beside torch's own gradient: python3 -m pytest -q training/test_gradient.py"""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training: needs torch (pip install -r training/requirements.txt)")
ort = pytest.importorskip("onnxruntime", reason="training: needs onnxruntime")
pytest.importorskip("onnx", reason="training: needs onnx")

import torch.nn.functional as F  # noqa: E402

from training import table_bits  # noqa: E402
from training.checkpoint import load_weights  # noqa: E402
from training.context_model import read_linear
from training.context_prior import ContextPrior
from training.gradient import HALVED, HALVED_LEAST, LEAST_SIDE, REACH, gradient_graph  # noqa: E402
from training.loss import Step, lambda_of
from training.model import Codec  # noqa: E402
from training.row_net import net_byte_length  # noqa: E402
from training.tape import Tape

HERE = Path(__file__).resolve().parent


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def session(graph: Tape, folder: Path, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]]) -> Any:
    graph.save(folder / "graph.onnx", "gradient", inputs, outputs)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(folder / "graph.onnx"), options)


def distortion_of(step: Step, symbols: torch.Tensor, image: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """As a step of training has it, but for pictures of any size."""
    codec, loss = step.codec, step.config
    decoded = codec.reconstruct([symbols], q)
    difference = decoded - image
    eighth = F.conv2d(F.avg_pool2d(difference, 8), step.colour[:, :, None, None])
    low = eighth.square().mean() + F.avg_pool2d(eighth, 2, stride=1).square().mean()
    pixels = image.shape[2] * image.shape[3]
    distortion = pixels * 65025 * (loss.mse * difference.square().mean() + loss.low_weight * float(1 - q) ** loss.low_fade * low)
    if loss.msssim:
        missing = [max(-side % HALVED, HALVED_LEAST - side) for side in image.shape[2:]]
        edge = F.pad(image, (0, missing[1], 0, missing[0]), "replicate")
        shown = edge.clone()
        shown[:, :, : image.shape[2], : image.shape[3]] = decoded
        distortion = distortion + edge.shape[2] * edge.shape[3] * step.eye_distance(shown.clamp(0, 1), edge, q).sum()
    return lambda_of(codec.config, q) * distortion


@pytest.mark.parametrize(("tune", "height", "width", "half", "most"), [
    # At a bend of the loss rounding decides which side's slope it is; weights of 16 bits, as they are shipped, move bends.
    ("psnr", LEAST_SIDE, 40, False, 2e-3), ("psnr", 72, 88, False, 2e-3), ("eye", 72, 200, False, 2e-3),
    ("eye", 192, 224, False, 2e-3), ("psnr", 72, 88, True, 5e-2), ("eye", 192, 224, True, 0.1),
])
def test_the_graph_gives_the_gradient_of_bits_and_distortion(tune: str, height: int, width: int, half: bool, most: float,
                                                             tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(3)
    config, weights, _ = load_weights(HERE / "checkpoints" / f"{tune}.pt")
    codec = Codec(config.model).eval()
    codec.load_state_dict(weights)
    blob = (HERE.parent / "models" / tune / "context.bin").read_bytes()
    linear = read_linear(blob, net_byte_length)
    prior = ContextPrior(config.model.channels, linear.bases.shape[0])
    monkeypatch.setattr(table_bits, "REACH", REACH)
    prior.take(blob)
    shape: list[Any] = ["n", config.model.channels, "h8", "w8"]
    graph = gradient_graph(codec, config.loss, linear, half)
    run = session(graph, tmp_path, {"symbols": shape, "image": ["n", 3, "h", "w"], "rate": [1]}, {"gradient": shape})
    step = Step(codec, config.loss)
    for rate in (0.0, 0.4, 1.0):
        q = torch.tensor([rate])
        image = F.interpolate(torch.rand(1, 3, 9, 11), size=(height, width), mode="bilinear")
        with torch.no_grad():
            symbols = codec.encoder(image)[0] * codec.gains(q)[0][0]
        symbols = (symbols + 0.4 * torch.randn_like(symbols)).requires_grad_(True)
        scale, mean = prior(symbols, q, None)
        below = symbols.detach().floor()
        ends = (prior.bits(integer, scale, mean, q) for integer in (below, below + 1))
        bits = torch.lerp(*ends, symbols - below)
        (bits.sum() + distortion_of(step, symbols, image, q)).sum().backward()
        feeds = {"symbols": symbols.detach().numpy(), "image": image.numpy(), "rate": q.numpy()}
        found = torch.from_numpy(run.run(None, feeds)[0])
        apart = (found - symbols.grad).abs().mean() / symbols.grad.abs().mean()
        assert apart < most, f"{apart} at {rate}"


def test_what_is_not_watched_has_no_gradient(tmp_path: Path) -> None:
    tape = Tape({}, half=False)
    x = tape.watch("x")
    total = tape.total(tape.mul(tape.exp(tape.abs(x)), tape.add("y", 2.0)))
    tape.op("Identity", [tape.gradient(total, "x")], "slope")
    shape: list[Any] = ["n", 1, 2, 3]
    run = session(tape, tmp_path, {"x": shape, "y": shape}, {"slope": shape})
    x_value, y_value = torch.randn(1, 1, 2, 3), torch.randn(1, 1, 2, 3)
    found = torch.from_numpy(run.run(None, {"x": x_value.numpy(), "y": y_value.numpy()})[0])
    torch.testing.assert_close(found, x_value.sign() * x_value.abs().exp() * (y_value + 2))
    with pytest.raises(KeyError):
        tape.gradient(total, "y")


def test_the_shipped_graphs_are_those_of_the_shipped_weights(tmp_path: Path) -> None:
    for tune in ("psnr", "eye"):
        config, weights, _ = load_weights(HERE / "checkpoints" / f"{tune}.pt")
        codec = Codec(config.model)
        codec.load_state_dict(weights)
        folder = HERE.parent / "models" / tune
        linear = read_linear((folder / "context.bin").read_bytes(), net_byte_length)
        shape: list[Any] = ["n", config.model.channels, "h8", "w8"]
        graph = gradient_graph(codec, config.loss, linear, half=True)
        made = session(graph, tmp_path, {"symbols": shape, "image": ["n", 3, "h", "w"], "rate": [1]}, {"gradient": shape})
        shipped = ort.InferenceSession(str(folder / "gradient.onnx"))
        torch.manual_seed(1)
        feeds = {"symbols": torch.randn(1, config.model.channels, 24, 24).numpy(), "image": torch.rand(1, 3, 192, 192).numpy(),
                 "rate": torch.tensor([0.3]).numpy()}
        a, b = (torch.from_numpy(run.run(None, feeds)[0]) for run in (made, shipped))
        assert (a - b).abs().mean() < 1e-3 * b.abs().mean()
