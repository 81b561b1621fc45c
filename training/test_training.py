"""python3 -m pytest training: a few seconds of the whole program on a CPU, on drawn pictures, so that nothing is needed."""
from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="training: needs torch (pip install -r training/requirements.txt)")
np = pytest.importorskip("numpy")

from training import checkpoint  # noqa: E402
from training import config as configs
from training.config import Config, ModelConfig  # noqa: E402
from training.context_model import Linear, LinearSums, read_linear  # noqa: E402
from training.context_prior import ContextPrior  # noqa: E402
from training.data import Crops, drawn_pictures, validation_sets  # noqa: E402
from training.eye import score_of, ssimulacra2_error  # noqa: E402
from training.loss import ms_ssim  # noqa: E402
from training.model import Codec, grids, kmacs, margins, stride  # noqa: E402
from training.port import grow  # noqa: E402
from training.table_bits import TableBits  # noqa: E402
from training.train import How, Trainer  # noqa: E402
from training.train import main as train
from training.validate import validate  # noqa: E402

HERE = Path(__file__).resolve().parent
SHIPPED = HERE / "checkpoints" / "psnr.pt"
NOWHERE = Path("no-such-pack")

SMALL = ModelConfig(channels=32, width=16, encoder_blocks=1, decoder_width=16, decoder_blocks=1, knots=3)
# What --set makes of the config `starter` for a run of seconds.
QUICK = ["model.channels=32", "model.width=16", "model.decoder_width=16", "model.encoder_blocks=1", "model.decoder_blocks=1",
         "data.drawn=8", "train.crop=64"]
VARIANTS = {
    "dw": SMALL,
    "c3": dataclasses.replace(SMALL, block="c3", expand=1.0),
    "mix": dataclasses.replace(SMALL, block="mix"),
    "two grids": dataclasses.replace(SMALL, coarse_moved=4, coarse_width=24, coarse_encoder_blocks=1, coarse_decoder_blocks=1),
    "renderer": dataclasses.replace(SMALL, renderer_width=8),
    "gated": dataclasses.replace(SMALL, encoder_gated=1, decoder_gated=1, skip_gain=True),
    "two grids, gated": dataclasses.replace(
        SMALL, coarse_moved=4, coarse_width=24, coarse_encoder_blocks=1, coarse_decoder_blocks=1,
        encoder_gated=1, decoder_gated=1, skip_gain=True),
    "context": dataclasses.replace(SMALL, prior="context"),
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def every_config() -> list[str]:
    return sorted(p.stem for p in (HERE / "config").glob("*.toml"))


@pytest.mark.parametrize("name", every_config())
def test_every_config_builds_and_keeps_the_budget(name: str) -> None:
    config = configs.load(name)
    encoder, decoder = kmacs(config.model)
    assert encoder <= 25 and decoder <= 15
    codec = Codec(config.model)
    assert sum(p.numel() for p in codec.decoder.parameters()) * 4 <= 8e6
    assert sum(p.numel() for p in codec.encoder.parameters()) * 4 <= 20e6
    assert configs.from_dict(configs.to_dict(config)) == config


def test_an_unknown_config_key_is_refused() -> None:
    with pytest.raises(ValueError, match="widht"):
        configs.from_dict({"model": {"widht": 3}})


@pytest.mark.parametrize("name", VARIANTS)
def test_step_zero_is_a_dct_codec(name: str) -> None:
    """The fresh network at a high rate reconstructs what its DCT rows span: far above the error of a flat picture."""
    torch.manual_seed(0)
    codec = Codec(VARIANTS[name]).eval()
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 4, 4), size=(64, 64), mode="bicubic").clamp(0, 1)
    q = torch.ones(1)
    with torch.no_grad():
        decoded = codec.reconstruct(codec.integers(smooth, q), q)
    assert float((decoded - smooth).square().mean()) < 0.03 * float(smooth.var())


@pytest.mark.parametrize("name", VARIANTS)
def test_a_context_reads_only_what_is_decoded_before(name: str) -> None:
    """Order: grid, row, channel, column. A changed symbol may move contexts after it only."""
    torch.manual_seed(1)
    codec = Codec(VARIANTS[name])
    for prior in codec.priors:
        for p in prior.parameters():
            p.data.normal_()
        if isinstance(prior, ContextPrior):
            earlier = torch.tril(torch.randn(6, 32, 32), -1)
            prior.sums.take(Linear(b"", b"", b"", torch.rand(3, 32), torch.rand(32, 10), torch.randn(32, 10), earlier[0], earlier[1],
                                   earlier[2:], []))
    sizes = [(g["channels"], 64 // g["stride"]) for g in grids(VARIANTS[name])]
    symbols = [torch.randint(-3, 4, (1, c, s, s)).float() for c, s in sizes]
    q = torch.full((1,), 0.5)
    before = codec.contexts(symbols, q)
    for grid, (channels, side) in enumerate(sizes):
        c, y, x = channels // 2, side // 2, side // 2
        changed = [s.clone() for s in symbols]
        changed[grid][0, c, y, x] += 5
        after = codec.contexts(changed, q)
        for earlier in range(grid):
            assert all(torch.equal(a, b) for a, b in zip(before[earlier], after[earlier]))
        moved = torch.zeros(channels, side, side, dtype=torch.bool)
        for a, b in zip(before[grid], after[grid]):
            moved |= ((a - b).abs() > 1e-4)[0]
        assert moved.any()
        assert not moved[:, :y].any() and not moved[:c, y].any() and not moved[c, y, : x + 1].any()


@pytest.mark.parametrize("name", VARIANTS)
def test_the_receptive_field_is_the_margin(name: str) -> None:
    torch.manual_seed(2)
    model = VARIANTS[name]
    codec = Codec(model).eval()
    for p in [*codec.encoder.parameters(), *codec.decoder.parameters()]:
        if p.dim() == 4:
            p.data = torch.randn_like(p) * 0.2
    size = 16 * 16
    image = torch.rand(1, 3, size, size)
    other = image.clone()
    encoder_margin, decoder_margin = margins(model)
    edge = 128
    other[..., :edge] = torch.rand(1, 3, size, edge)
    with torch.no_grad():
        latents, changed = codec.encoder(image), codec.encoder(other)
        for a, b, grid in zip(latents, changed, grids(model)):
            clear = -(-(edge + encoder_margin) // grid["stride"])
            assert torch.allclose(a[..., clear:], b[..., clear:], atol=1e-5)
        swapped = [z.clone() for z in latents]
        for z, grid in zip(swapped, grids(model)):
            z[..., : edge // grid["stride"]] += 1
        a, b = codec.decoder(latents), codec.decoder(swapped)
        assert torch.allclose(a[..., edge + decoder_margin :], b[..., edge + decoder_margin :], atol=1e-4)
        assert not torch.allclose(a[..., edge - 8 : edge], b[..., edge - 8 : edge], atol=1e-4)


@pytest.mark.parametrize("name", VARIANTS)
def test_exported_graphs_equal_torch(name: str, tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime", reason="training: needs onnxruntime")
    pytest.importorskip("onnx", reason="training: needs onnx")
    from training.export import export, latent_names

    torch.manual_seed(3)
    model = VARIANTS[name]
    codec = Codec(model).eval()
    for p in [*codec.encoder.parameters(), *codec.decoder.parameters()]:
        p.data += torch.randn_like(p) * 0.02
    for key, p in codec.named_parameters():  # clips are met on both sides
        if key.endswith(("gain.bias", "trunk.1.depth.bias")):
            p.data.normal_()
    weights = tmp_path / "w.pt"
    checkpoint.save_weights(weights, Config(name="small", model=model), codec.state_dict(), {})
    export(weights, tmp_path, "0", "test")
    run = lambda file: ort.InferenceSession(str(tmp_path / file), providers=["CPUExecutionProvider"])
    encoder, decoder = run("encoder.onnx"), run("decoder.onnx")
    for batch, height, width in ((1, 64, 48), (2, 32, 96)):
        image = torch.rand(batch, 3, height // stride(model) * stride(model), width // stride(model) * stride(model))
        with torch.no_grad():
            latents = codec.encoder(image)
            decoded = codec.decoder(latents)
        got = encoder.run(latent_names(model), {"image": image.numpy()})
        for a, b in zip(got, latents):
            assert np.abs(a - b.numpy()).max() < 1e-4
        out = decoder.run(["image"], {n: z.numpy() for n, z in zip(latent_names(model), latents)})[0]
        assert np.abs(out - decoded.numpy()).max() < 1e-4


def test_a_grown_network_starts_as_the_old_one() -> None:
    old_config, weights, _ = checkpoint.load_weights(SHIPPED)
    old_model = old_config.model
    wide = dataclasses.replace(
        old_model, width=144, decoder_width=144, encoder_blocks=6, decoder_blocks=7,
        encoder_gated=old_model.encoder_gated + 1, decoder_gated=old_model.decoder_gated + 2, skip_gain=True)
    new_config = dataclasses.replace(old_config, model=wide)
    old, new = Codec(old_config.model), Codec(wide)
    old.load_state_dict(weights)
    new.load_state_dict(grow(weights, old_config, new, new_config))
    image = torch.from_numpy(drawn_pictures(1, 5)[0].copy()).permute(2, 0, 1)[None, :, :64, :64].float() / 255
    q = torch.full((1,), 0.6)
    with torch.no_grad():
        assert torch.allclose(new.reconstruct(new.integers(image, q), q), old.reconstruct(old.integers(image, q), q), atol=2e-3)


@pytest.mark.parametrize("name", ["two grids", "renderer", "mix"])
def test_a_network_of_other_parts_starts_from_its_equal_alone(name: str) -> None:
    model = VARIANTS[name]
    codec = Codec(model)
    config = Config(name=name, model=model)
    weights = {key: value + 0.01 * torch.randn_like(value) for key, value in codec.state_dict().items()}
    same = grow(weights, config, codec, config)
    assert all(torch.equal(same[key], value) for key, value in weights.items())
    more = dataclasses.replace(config, model=dataclasses.replace(model, width=24))
    with pytest.raises(ValueError, match="width"):
        grow(weights, config, Codec(more.model), more)
    finer = dataclasses.replace(config, model=dataclasses.replace(model, knots=2 * model.knots - 1))
    laid = grow(weights, config, Codec(finer.model), finer)
    for key in (k for k in weights if k.endswith((".base", ".log_gain", ".log_inverse"))):
        assert torch.allclose(laid[key][::2], weights[key], atol=1e-6), key


@pytest.mark.parametrize(("change", "named"), [
    ({"decoder_blocks": 5}, "decoder_blocks"), ({"encoder_gated": 2}, "encoder_gated"), ({"skip_gain": False}, "skip_gain"),
    ({"width": 120}, "width"), ({"channels": 96}, "channels"), ({"kernel": 5}, "kernel"), ({"block": "mix"}, "block"),
    ({"coarse_moved": 4, "prior": "linear"}, "coarse_moved"), ({"renderer_width": 32}, "renderer_width"), ({"knots": 9}, "knots"),
])
def test_a_network_that_cannot_go_on_as_it_did_is_refused(change: dict[str, object], named: str) -> None:
    old_config, weights, _ = checkpoint.load_weights(SHIPPED)
    less = dataclasses.replace(old_config, model=dataclasses.replace(old_config.model, **change))
    with pytest.raises(ValueError, match=named):
        grow(weights, old_config, Codec(less.model), less)


def test_training_from_the_shipped_checkpoint_keeps_or_lowers_the_score(tmp_path: Path) -> None:
    sets = {"screen": validation_sets(NOWHERE, screens=4, side=128)["screen"]}
    codec, config = checkpoint.load_codec(SHIPPED)
    before = validate(codec, config.model, sets)["screen"]["score"]
    train(["bridge", "--out", str(tmp_path), "--pack", str(NOWHERE), "--init", str(SHIPPED), "--steps", "40",
           "--device", "cpu", "--validate-every", "1e9", "--set", "data.drawn=40", "train.batch=4", "train.crop=96",
           "train.learning_rate=1e-4", "train.muon_rate=0.0", "train.warmup_steps=10", "train.ema=0.9"])
    codec, config = checkpoint.load_codec(tmp_path / "ema.pt")
    assert validate(codec, config.model, sets)["screen"]["score"] <= before * 1.002  # 40 steps are few


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    small = [*QUICK, "train.batch=4"]
    common = ["starter", "--pack", str(NOWHERE), "--steps", "12", "--device", "cpu", "--validate-every", "1e9", "--set", *small]
    train([*common, "--out", str(tmp_path / "whole")])
    train([*common, "--out", str(tmp_path / "parts"), "--steps-now", "5"])
    train([*common, "--out", str(tmp_path / "parts")])
    _, whole, _ = checkpoint.load_weights(tmp_path / "whole" / "ema.pt")
    _, parts, _ = checkpoint.load_weights(tmp_path / "parts" / "ema.pt")
    assert all(torch.allclose(whole[k], parts[k], atol=1e-6) for k in whole)


def test_processes_share_every_step(tmp_path: Path) -> None:
    """Two processes of a batch each take the steps of the mean gradient: one log, weights that go on in step."""
    small = [*QUICK, "train.batch=2", "train.warmup_steps=1"]
    common = ["--pack", str(NOWHERE), "--steps", "3", "--device", "cpu", "--validate-every", "1e9", "--fp32", "--set", *small]
    run = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m", "training.train"]
    subprocess.run([*run, "starter", "--out", str(tmp_path / "two"), *common], check=True, cwd=HERE.parent, timeout=300)
    events = [json.loads(line)["event"] for line in (tmp_path / "two" / "log.ndjson").read_text().splitlines()]
    assert events == ["start", "validation", "end"]
    together = checkpoint.load_state(tmp_path / "two", torch.device("cpu"))
    assert together is not None

    # The same by hand: gradients of both processes' batches at the shared weights, their mean, one step.
    config = configs.override(configs.load("starter"), small)
    device = torch.device("cpu")
    crops = Crops([], config.data, device)
    trainer = Trainer(config, device, how=How(bf16=False))
    seeds = []

    def both(image, q, noise):  # type: ignore[no-untyped-def]
        """Mean of the losses of this process' batch and of the other's."""
        first = plain(image, q, noise)
        generator = torch.Generator(device).manual_seed(trainer.seed(1))
        seeds.append(generator.initial_seed())
        second = plain(*trainer.draw(crops, progress, generator))
        return tuple((a + b) / 2 for a, b in zip(first, second))

    plain, trainer.forward = trainer.forward, both
    for step in range(3):
        progress = step / 3
        trainer.advance(crops, progress)
    assert len(set(seeds)) == 3
    for key, value in trainer.codec.state_dict().items():
        assert torch.allclose(together["model"][key], value, atol=2e-5), key


def test_a_checkpoint_in_parts_is_whole_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PART_BYTES", 50_000)
    trainer = Trainer(Config(model=SMALL), torch.device("cpu"))
    trainer.save(tmp_path)
    parts = sorted(tmp_path.glob("state.*.part"))
    assert len(parts) > 1 and max(p.stat().st_size for p in parts) <= 50_000
    assert trainer.resume(tmp_path)
    parts[0].write_bytes(b"x" + parts[0].read_bytes()[1:])
    with pytest.raises(ValueError, match="state.json"):
        trainer.resume(tmp_path)


def test_a_run_that_is_killed_while_it_saves_keeps_a_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PART_BYTES", 50_000)
    trainer = Trainer(Config(model=SMALL), torch.device("cpu"))
    trainer.save(tmp_path)
    trainer.step = 7

    class Killed(Exception):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.os, "replace", die)
        with pytest.raises(Killed):
            trainer.save(tmp_path)
    assert trainer.resume(tmp_path) and trainer.step == 0
    trainer.step = 7
    trainer.save(tmp_path)
    assert trainer.resume(tmp_path) and trainer.step == 7
    # What the killed save left behind is gone.
    named = json.loads((tmp_path / "state.json").read_text())["parts"]
    assert sorted(p.name for p in tmp_path.glob("state.*.part")) == sorted(named)


def test_depthwise_by_shifts_equals_the_layer() -> None:
    from training.blocks import Depthwise, depthwise_by_shifts

    for kernel in (3, 5):
        layer = Depthwise(6, kernel)
        x = torch.randn(2, 6, 7, 9)
        assert torch.allclose(depthwise_by_shifts(x, layer), layer(x), atol=1e-5)


def test_patches_cost_more_than_noise_of_equal_energy() -> None:
    from training.dct import COLOUR
    from training.loss import low_resolution_error

    colour = torch.from_numpy(COLOUR).float()
    noise = torch.randn(1, 3, 64, 64) * 0.01
    patch = torch.randn(1, 3, 4, 4).repeat_interleave(16, 2).repeat_interleave(16, 3)
    patch = patch * noise.square().mean().sqrt() / patch.square().mean().sqrt()
    assert float(low_resolution_error(patch, colour)) > 20 * float(low_resolution_error(noise, colour))


def drawn_crop(side: int) -> torch.Tensor:
    return torch.from_numpy(drawn_pictures(1, 3)[0].copy()).permute(2, 0, 1)[None, :, :side, :side].float() / 255


def test_the_msssim_term_falls_with_the_error() -> None:
    picture = drawn_crop(192)
    scores = [float(ms_ssim((picture + torch.randn_like(picture) * s).clamp(0, 1), picture)) for s in (0.0, 0.02, 0.2)]
    assert scores[0] > 0.999 and scores[0] > scores[1] > scores[2]


def test_the_ssimulacra2_term_is_nothing_for_equal_pictures_and_minds_ringing_and_blur() -> None:
    image = drawn_crop(128)
    score = lambda decoded: float(score_of(ssimulacra2_error(decoded, image)))
    assert score(image) > 99.9
    blurred = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(image, (1, 1, 1, 1), "replicate"), 3, 1)
    noisy = (image + 0.05 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    slightly = 0.9 * image + 0.1 * blurred
    assert score(blurred) < score(slightly) < 99.9
    assert score(noisy) < 80


def test_a_step_for_the_eye_has_finite_gradients_also_where_nothing_is_wrong() -> None:
    image = drawn_crop(192)
    decoded = image.clone().requires_grad_()
    loss = 100 - score_of(ssimulacra2_error(decoded, image)) + 1 - ms_ssim(decoded, image)
    loss.sum().backward()
    assert torch.isfinite(decoded.grad).all()


def test_a_step_without_finite_gradients_changes_nothing() -> None:
    config = configs.override(configs.load("starter"), ["data.drawn=2", "train.batch=2", "train.crop=64"])
    config = dataclasses.replace(config, model=SMALL)
    trainer = Trainer(config, torch.device("cpu"))
    crops = Crops([], config.data, trainer.device)
    trainer.advance(crops, 0.0)  # momentum, which would move the weights by itself
    held = {key: value.clone() for key, value in trainer.codec.state_dict().items()}
    good = trainer.forward

    def poisoned(*inputs: object) -> object:
        loss, bpp, mse = good(*inputs)
        return loss * float("inf"), bpp, mse

    trainer.forward = poisoned  # type: ignore[assignment]
    trainer.advance(crops, 0.0)
    assert all(torch.equal(value, held[key]) for key, value in trainer.codec.state_dict().items())
    trainer.forward = good
    trainer.advance(crops, 0.0)
    after = trainer.codec.state_dict()
    assert any(not torch.equal(value, held[key]) for key, value in after.items())
    assert all(torch.isfinite(value).all() for value in after.values())


def test_drawn_pictures_depend_on_the_seed_alone() -> None:
    first, again, other = drawn_pictures(1, 7)[0], drawn_pictures(1, 7)[0], drawn_pictures(1, 8)[0]
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def linear_context(channels: int, knots: int = 2) -> bytes:
    """A context model file of version 1 that foresees nothing: a base, no neighbours, geometric tables that widen by class."""
    blob = b"VCTX" + bytes([1, channels - 1, knots, 2])
    blob += np.full(knots * channels, 1 << 13, "<u4").tobytes() + bytes([200]) * (knots * channels)
    blob += (bytes(40) + bytes(6)) * channels
    tables = b""
    for table in range(448):
        share = max(0.1, 0.96 - 0.018 * (table // 8))
        left, frequencies = 16384, []
        for index in range(2 * 12 + 1):
            most = left - (2 * 12 + 1 - index)  # every later cell and the escape keep one
            frequencies.append(min(most, max(1, int(left * (share if index == 0 else share / 2)))))
            left -= frequencies[-1]
        tables += bytes([12]) + np.array(frequencies, "<u2").tobytes()
    return blob + 2 * tables


@pytest.mark.parametrize(("groups", "tells"), [((0,), 2), ((0, 1, 2), 1)])
def test_a_row_network_learns_what_channels_say_of_others(groups: tuple[int, ...], tells: int, tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    """A later channel of the next row; one before, with groups, of the same place."""
    from training import row_net

    monkeypatch.setattr(row_net, "GROUPS", groups)
    random, channels = np.random.default_rng(5), 3
    latents = b""
    for _ in range(30):
        busy = random.random((16, 24)) < 0.3
        busy[1:] |= busy[:-1] & (random.random((15, 24)) < 0.5)
        values = random.laplace(size=(channels, 16, 24)) * 0.2
        values[tells] = np.where(busy, 5, 0)
        if tells == 2:  # of which the linear sums know nothing
            values[0, 1:] *= np.where(busy[:-1], 20, 1)
        else:
            values[2] *= np.where(busy, 20, 1)
        latents += np.array([channels, 16, 24], "<u4").tobytes() + values.astype("<f4").tobytes()
    (tmp_path / "latents.f32").write_bytes(latents)
    (tmp_path / "gains.f32").write_bytes(np.array([[-0.5] * channels, [0.5] * channels], "<f4").tobytes())
    (tmp_path / "linear.bin").write_bytes(linear_context(channels))
    out = tmp_path / "context.bin"
    change = row_net.main([str(tmp_path / "linear.bin"), "--latents", str(tmp_path), "--out", str(out), "--steps", "1200",
                           "--crop", "16", "--held", "6", "--rate", "1e-2", "--linear-rate", "0"])
    counted_alone = row_net.main([str(tmp_path / "linear.bin"), "--latents", str(tmp_path), "--out", str(tmp_path / "none.bin"),
                                  "--steps", "0", "--held", "6"])
    assert max(now - before for now, before in zip(change, counted_alone)) < -3
    blob = out.read_bytes()
    assert blob[4] == 11 and len(blob) == len(linear_context(channels)) + row_net.net_byte_length(channels, 2, len(groups))
    written, again = read_linear(blob, row_net.net_byte_length), row_net.RowNet(channels, 2)
    again.load_bytes(written.net)
    with pytest.raises(ValueError, match="as many channels"):
        row_net.RowNet(channels + 1, 2).load_bytes(written.net)
    assert again.to_bytes() == written.net and written.head[5:] + written.tail == linear_context(channels)[5:]


def test_linear_weights_are_trained_and_those_that_are_not_there_stay_away() -> None:
    from training.row_net import net_byte_length

    linear = read_linear(linear_context(3), net_byte_length)
    sums = LinearSums.of(linear)
    assert sums.head_bytes(linear.head) == linear.head
    symbols = torch.randint(-4, 5, (2, 3, 6, 7)).float()
    scale, west, mean = sums(symbols, torch.tensor([0.2, 0.8]))
    (scale + west + mean).sum().backward()
    with torch.no_grad():
        for weights in sums.parameters():
            assert weights is sums.bases or not weights.grad[weights == 0].any()
            weights.add_(0.25 * weights.grad.sign())
    sums.keep_in_bounds()
    changed = sums.head_bytes(linear.head)
    assert changed != linear.head and len(changed) == len(linear.head)
    again = read_linear(changed + linear.tail, net_byte_length)
    for now, before in ((again.scale_taps, linear.scale_taps), (again.mean_taps, linear.mean_taps), (again.values, linear.values)):
        assert torch.equal(now != 0, before != 0)


def test_networks_are_trained_for_a_context_model_and_it_with_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from training import context
    from training.row_net import RowNet, model_bytes, net_byte_length

    linear = read_linear(linear_context(32, 8), net_byte_length)
    blob = model_bytes(linear, LinearSums.of(linear), RowNet(32, 8))
    (tmp_path / "begun.bin").write_bytes(blob)
    quick = ["starter", "--out", str(tmp_path / "run"), "--pack", str(NOWHERE), "--steps", "9", "--set", *QUICK, "model.prior='context'"]
    with pytest.raises(SystemExit):
        train(quick)
    assert "expected --context" in capsys.readouterr().err
    train([*quick[:5], "--context", str(tmp_path / "begun.bin"), *quick[5:]])
    train([word if word != "9" else "12" for word in quick])  # resumed, it knows its context
    trained, _ = checkpoint.load_codec(tmp_path / "run" / "ema.pt")
    with pytest.raises(SystemExit):
        context.main([str(tmp_path / "run" / "ema.pt"), "--out", str(tmp_path)])
    context.main([str(tmp_path / "run" / "ema.pt"), "--out", str(tmp_path), "--pack", str(NOWHERE), "--drawn", "1",
                  "--like", str(tmp_path / "begun.bin")])
    written = (tmp_path / "prior.bin").read_bytes()
    assert len(written) == len(blob) and written != blob
    again = Codec(trained.config)
    again.take_context(written)
    q, symbols = torch.tensor([0.3]), torch.randint(-4, 5, (1, 32, 5, 6)).float()
    for found, expected in zip(again.contexts([symbols], q)[0], trained.contexts([symbols], q)[0]):
        torch.testing.assert_close(found, expected, atol=2e-3, rtol=2e-3)
    with pytest.raises(ValueError, match="8 knots and a network"):
        again.take_context(linear_context(32, 8))
    with pytest.raises(ValueError, match="linear one"):
        Codec(SMALL).take_context(blob)
    with pytest.raises(ValueError, match="linear or context"):
        Codec(dataclasses.replace(SMALL, prior="contexts"))


def test_what_a_symbol_does_to_the_contexts_of_others_reaches_it() -> None:
    prior, none = ContextPrior(3, 2), torch.zeros(4, 3, 3)
    here = torch.tensor([[0.0, 0, 0], [0.5, 0, 0], [0, 0, 0]])
    prior.sums.take(Linear(b"", b"", b"", torch.ones(2, 3), torch.zeros(3, 10), torch.zeros(3, 10), here, none[0], none, []))
    symbols = torch.tensor([0.4, 1.7, -1.2]).view(1, 3, 1, 1).requires_grad_(True)
    scale, _ = prior(symbols, torch.tensor([0.5]), None)
    scale[0, 1].sum().backward()
    assert symbols.grad is not None and symbols.grad[0, 0] > 0 and not symbols.grad[0, 1:].any()


def test_what_symbols_cost_follows_the_tables() -> None:
    """Against row_net.py's way of reading them, and slopes against differences."""
    from training.context_model import Bits
    from training.row_net import net_byte_length

    linear = read_linear((HERE.parent / "models" / "psnr" / "context.bin").read_bytes(), net_byte_length)
    tables = TableBits()
    tables.take(linear.sets)
    generator = torch.Generator().manual_seed(4)
    normal = lambda: torch.randn(4, 16, 12, 12, generator=generator)
    q = torch.tensor([0.1, 0.35, 0.6, 0.9])
    scale, mean = torch.exp(normal() * 1.2 - 1.5).clamp(max=3.5), normal() * 2
    symbols = torch.round(mean + normal() * scale)
    found = tables(symbols, symbols, scale, mean, q)
    torch.testing.assert_close(found, Bits(linear.sets).smooth(symbols, scale, mean, q), atol=2e-3, rtol=1e-3)
    moved = symbols.clone().requires_grad_(True)
    tables(moved, symbols - 2, scale, mean, q).sum().backward()
    step = tables(symbols - 1, symbols, scale, mean, q) - tables(symbols - 2, symbols, scale, mean, q)
    torch.testing.assert_close(moved.grad, step, atol=2e-3, rtol=1e-3)
    for name, at in (("scale", scale), ("mean", mean)):
        moved = at.clone().requires_grad_(True)
        cost = lambda value: tables(symbols, symbols, *((value, mean) if name == "scale" else (scale, value)), q)
        cost(moved).sum().backward()
        slope = (cost(at + 1e-4) - cost(at - 1e-4)) / 2e-4
        # Where a class or a node begins, the two sides' slopes differ.
        apart = (moved.grad - slope).abs() > 0.05 + 0.02 * slope.abs()
        assert moved.grad.abs().mean() > 0.1 and apart.float().mean() < 0.03, name
    again = TableBits()
    again.load_state_dict(tables.state_dict())
    assert torch.equal(again(symbols, symbols, scale, mean, q), found)
    one = lambda value: torch.full((1, 1, 1, 1), value)
    far = [float(tables(one(value), one(value), one(0.5), one(0.0), q[:1])) for value in (90.0, 150.0, 400.0)]
    assert 10 < far[0] < far[1] < far[2], "it goes on growing"


def test_the_rate_of_a_context_is_that_of_integers() -> None:
    """Its slope that to the neighbour on the symbol's own side, and of noise where there is noise."""
    prior = ContextPrior(3, 2)
    prior.tables.take(read_linear(linear_context(3), lambda *_: 0).sets)
    q, scale, mean = torch.tensor([0.5]), torch.full((1, 3, 1, 1), 0.7), torch.zeros(1, 3, 1, 1)
    scaled = torch.tensor([0.2, -0.2, 1.4]).view(1, 3, 1, 1).requires_grad_(True)
    noise = torch.tensor([-0.4, 0.4, 0.3]).view(1, 3, 1, 1)
    cost = lambda *values: prior.bits(torch.tensor(values).view(1, 3, 1, 1), scale, mean, q)
    bits = prior.rate(scaled, scale, mean, q, noise, torch.zeros(1))
    torch.testing.assert_close(bits.detach(), cost(0.0, 0.0, 1.0))
    (slope,) = torch.autograd.grad(bits.sum(), scaled)
    torch.testing.assert_close(slope, cost(1.0, 0.0, 2.0) - cost(0.0, -1.0, 1.0))
    assert slope.view(-1).tolist()[0] > 0 > slope.view(-1).tolist()[1]
    (slope,) = torch.autograd.grad(prior.rate(scaled, scale, mean, q, noise, torch.ones(1)).sum(), scaled)
    torch.testing.assert_close(slope, cost(0.0, 1.0, 2.0) - cost(-1.0, 0.0, 1.0))


def screen_part(seed: int, side: int = 96) -> torch.Tensor:
    picture = np.array(drawn_pictures(1, seed)[0][:side, :side])
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def test_a_restoration_filter_brings_what_a_codec_decodes_to_nearer(tmp_path: Path) -> None:
    from training import restoration

    codec, _ = checkpoint.load_codec(SHIPPED)
    crops = [screen_part(seed) for seed in range(6)]
    weights = restoration.fit(codec, crops, 0.5)
    assert weights.shape == (restoration.CLASSES, 36)
    before = [restoration.decoded(codec, crop, 0.5) for crop in crops]
    gains = [restoration.decibels(crop, restoration.restored(rgb, weights)) - restoration.decibels(crop, rgb)
             for crop, rgb in zip(crops, before)]
    assert min(gains) > 0 and sum(gains) / len(gains) > 0.1
    half = restoration.fit(codec, crops[:2], 0.5, luma_share=0.0)
    assert not half[:, :12].any() and half[:, 12:].any()
    flat = torch.full((1, 3, 20, 24), 77.0)
    assert torch.equal(restoration.restored(flat, weights), flat.double())
    file = restoration.to_bytes([weights, half])
    assert file[:6] == b"VRST\x01\x01" and len(file) == 6 + 2 * 2 * restoration.CLASSES * 36
    assert np.array_equal(np.frombuffer(file, "<i2", offset=6).reshape(2, -1, 36)[1], half)


def test_the_core_restores_as_this_program_does(tmp_path: Path) -> None:
    from training import restoration

    core = HERE.parent / "dist" / "wasm" / "core.js"
    if not core.exists():
        pytest.skip(f"training: no built core at {core} (npm run setup)")
    blob = (HERE.parent / "models" / "psnr" / "restoration.bin").read_bytes()
    knots = np.frombuffer(blob, "<i2", offset=6).reshape(blob[5] + 1, restoration.CLASSES, 36)
    crop = torch.round(screen_part(3) * 255)
    crop += torch.from_numpy(np.random.default_rng(1).integers(-9, 10, crop.shape))
    rgb = crop.clamp(0, 255)
    rows = rgb[0].permute(1, 2, 0).numpy().astype(np.uint8)
    (tmp_path / "rgb").write_bytes(rows.tobytes())
    for index in (0, 2, len(knots) - 1):
        rate = 4095 * index // (len(knots) - 1)
        script = f"""
            import {{ readFileSync, writeFileSync }} from 'node:fs';
            import {{ Core }} from '{core}';
            import {{ loadCoreModule }} from '{core.parent / "load.js"}';
            const core = new Core(await loadCoreModule(), 4 * 2 ** 20);
            const picture = core.arena.allocate('u8', [{rows.shape[0]}, {rows.shape[1]}, 3]);
            core.arena.view(picture).set(readFileSync('{tmp_path / "rgb"}'));
            const window = {{ x: 0, y: 0, width: {rows.shape[1]}, height: {rows.shape[0]} }};
            const file = readFileSync('{HERE.parent / "models" / "psnr" / "restoration.bin"}');
            core.restoration.restore(file, {rate}, undefined, picture, window);
            writeFileSync('{tmp_path / "out"}', core.arena.view(picture));
        """
        subprocess.run(["node", "--input-type=module", "-e", script], check=True)
        found = np.frombuffer((tmp_path / "out").read_bytes(), np.uint8).reshape(rows.shape)
        expected = restoration.restored(rgb, knots[index])[0].permute(1, 2, 0).numpy()
        assert np.array_equal(found, expected)
