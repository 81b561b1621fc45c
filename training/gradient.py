"""The graph behind the search for better symbols: python3 -m training.gradient WEIGHTS.pt --out FOLDER writes gradient.onnx

An encoder may choose any integers. This graph tells how the loss that the model was trained for (loss.py) changes with each of
them; following it, picture by picture, finds better ones than one run of the encoder network (Yang, Bamler, Mandt, Improving
Inference for Neural Image Compression, 2020; the search itself is src/vae/search.ts).

  symbols [n, C, h, w], in steps and not rounded; image [n, 3, 8h, 8w] in 0..1; rate [1] in 0..1
  -> gradient [n, C, h, w] of the picture's bits + lambda(rate) * its distortion, in bits a step

The bits are those of the folder's context model, its sums, network and tables, in proportion between integers: what a symbol will
cost on average that is rounded at random. What it does to the contexts of others is in the gradient. Models of one grid.
"""
from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from onnx import TensorProto

from .checkpoint import load_weights
from .config import LossConfig, ModelConfig
from .context_model import CLASSES, FRACTION_BITS, LEAST_SCALE_BITS, MAGNITUDE_LIMIT, MEAN_NODES, Linear, LinearSums, read_linear
from .dct import COLOUR
from .eye import ABSORBANCE, BIAS, BLUR_REACH, COUNTED_SCALES, blur_taps, weight_of
from .loss import MSE_PER_MSSSIM, MSE_PER_SSIMULACRA2, MSSSIM_WEIGHTS, msssim_taps
from .model import Codec, trunk_kinds
from .row_net import COLUMNS, FACTOR_BITS, FACTOR_ENDS, HIDDEN_BITS, HIDDEN_MAX, ROWS, RowNet, net_byte_length
from .table_bits import CLASSES_PER_OCTAVE, frequencies_of, smooth_lengths
from .tape import Tape

# Symbols this far from the mean have a length of their own in the graph; beyond, it goes on as it went.
REACH = 12
# Side of a picture at least, so that there are four cells.
LEAST_SIDE = 16
# Its sides are continued to a multiple of this and to this at least for the eye: four times halved, a window of MS-SSIM remains.
HALVED, HALVED_LEAST = 16, 176


def _at_rate(tape: Tape, table: np.ndarray) -> str:
    """Row of a [knots, C] table at the input `rate`, linear between knots: [1, C, 1, 1]."""
    knots, channels = table.shape
    away = tape.abs(tape.sub(tape.mul("rate", float(knots - 1)), tape.stored(f"{knots} knots", np.arange(knots))))
    shares = tape.relu(tape.sub(1.0, away))
    row = tape.op("MatMul", [shares, tape.constant(table.astype(np.float32), exact=True)])
    return tape.op("Reshape", [row, tape.constant(np.array([1, channels, 1, 1], np.int64))])


def _decoded(tape: Tape, config: ModelConfig, latent: str) -> str:
    """The decoder network: pixels - 0.5, [n, 3, 8h, 8w]."""
    trunk = tape.named(latent, "decoder.stem")
    for index, kind in enumerate(trunk_kinds(config, config.decoder_blocks, config.decoder_gated)):
        name = f"decoder.trunk.{index}"
        hidden = tape.named(trunk, f"{name}.expand")
        if kind == "gated":
            half = tape.weights[f"{name}.depth.weight"].shape[0] // 2
            value, gate = tape.split(tape.named(hidden, f"{name}.depth"), [half, half])
            hidden = tape.mul(value, tape.clip(gate, -1, 1))
        else:
            hidden = tape.act(tape.named(tape.act(hidden), f"{name}.depth"))
        trunk = tape.add(trunk, tape.named(hidden, f"{name}.project"))
    if config.skip_gain:
        latent = tape.mul(latent, tape.add(tape.clip(tape.named(trunk, "decoder.gain"), -1, 1), 1.0))
    return tape.shuffled(tape.add(tape.named(trunk, "decoder.head"), tape.named(latent, "decoder.skip")), 8)


def _factors(tape: Tape, net: RowNet, size: str) -> str:
    """What the context's network multiplies scales by, as row_net.py has it."""
    weights = {name: value.detach().numpy() for name, value in net.named_parameters()}
    starts = [*net.groups, weights["leave"].shape[0]]
    sizes = [end - start for start, end in zip(starts, starts[1:])]
    feature = tape.add(tape.power(tape.add(size, 0.25), 0.5), -0.5)
    above = np.pad(weights["enter"], ((0, 0), (0, 0), (0, 1), (0, 0)))  # the row itself by `here`, group by group
    first = tape.add(tape.filtered(feature, "net enter", above, (ROWS, COLUMNS // 2, 0, COLUMNS // 2)), _at_rate(tape, weights["enter_bias"]))
    outs, most = [], HIDDEN_MAX / (1 << HIDDEN_BITS)
    for group, part in enumerate(tape.split(feature, sizes)):
        if group:
            here = weights["here"][:, starts[group - 1] : starts[group]]
            first = tape.add(first, tape.filtered(before, f"net here {group}", here, (0, COLUMNS // 2)))
        hidden = tape.clip(first, 0, most)
        hidden = tape.filtered(hidden, f"net middle {group}", weights["middle"][group, :, :, None, None], (0, 0), weights["middle_bias"][group])
        own = slice(starts[group], starts[group + 1])
        outs.append(tape.filtered(tape.clip(hidden, 0, most), f"net leave {group}", weights["leave"][own], (0, 0), weights["leave_bias"][own]))
        before = part
    ends = [end / (1 << FACTOR_BITS) for end in FACTOR_ENDS]
    return tape.clip(tape.add(tape.joined(outs, sizes), 1.0), *ends)


def _bits(tape: Tape, linear: Linear, net: RowNet | None, symbols: str) -> str:
    """Of every symbol, by the class and the mean that the context coder would have, but for what it learns from a picture."""
    sums = {name: value.detach().numpy() for name, value in LinearSums.of(linear).state_dict().items()}
    own = lambda x, name: tape.filtered(x, name, sums[name], (2, 2, 0, 2))
    # From below zero, so that there is a slope at zero on either side.
    size = tape.clip(tape.abs(symbols), -MAGNITUDE_LIMIT, MAGNITUDE_LIMIT)
    ring = tape.filtered(size, "ring", sums["ring"], (1, 1, 0, 1))
    scale = tape.add(own(size, "above"), _at_rate(tape, sums["bases"] + 2.0 ** (LEAST_SCALE_BITS - FRACTION_BITS)))
    scale = tape.add(scale, tape.add(tape.filtered(size, "here", sums["here"], (0, 0)), tape.filtered(ring, "around", sums["around"], (0, 0))))
    if net is not None:
        scale = tape.mul(scale, _factors(tape, net, size))
    scale = tape.add(scale, own(size, "west"))
    mean = tape.add(own(symbols, "mean"), tape.filtered(symbols, "across", sums["across"], (1, 1, 0, 1)))

    return _looked_up(tape, smooth_lengths(frequencies_of(linear.sets), REACH), symbols, scale, mean)


def _looked_up(tape: Tape, lengths: np.ndarray, symbols: str, scale: str, mean: str) -> str:
    """Bits by table_bits.smooth_lengths, in proportion between residuals, nodes of the mean and classes; as there, those of the set
    of the rate."""
    sets, _, nodes, residuals = lengths.shape
    # What has no slope.
    floor, plus = lambda x: tape.op("Floor", [x]), lambda a, b: tape.op("Add", [a, b])
    times = lambda x, by: tape.op("Mul", [x, tape.scalar(by)])
    octave = tape.mul(tape.log(scale), 1 / math.log(2))
    place = tape.add(tape.mul(octave, CLASSES_PER_OCTAVE), CLASSES_PER_OCTAVE * (FRACTION_BITS - LEAST_SCALE_BITS) - 0.5)
    place = tape.clip(place, 0, CLASSES - 1 - 1e-3)
    node = tape.add(tape.mul(mean, MEAN_NODES), (MEAN_NODES - 1) / 2)
    klass, lower = floor(place), floor(node)
    base = floor(times(lower, 1 / MEAN_NODES))
    residual = tape.op("Sub", [floor(symbols), base])
    held = tape.op("Clip", [residual, tape.scalar(-REACH), tape.scalar(REACH - 1)])
    ends = [tape.sub(place, klass), tape.sub(node, lower), tape.sub(symbols, plus(base, held))]

    own = plus(times(klass, nodes), tape.op("Sub", [lower, times(base, MEAN_NODES)]))
    index = plus(plus(times(own, residuals), held), tape.scalar(REACH))
    index = tape.op("Cast", [index], to=TensorProto.INT32)
    number = floor(plus(times("rate", sets - 1), tape.scalar(0.5)))
    table = tape.constant(lengths.reshape(sets, -1).astype(np.float32))
    table = tape.op("Gather", [table, tape.op("Cast", [number], to=TensorProto.INT64)])
    table = tape.op("Reshape", [table, tape.constant(np.array([-1], np.int64))])
    values = []
    for steps in np.ndindex(2, 2, 2):
        start = int(np.dot(steps, (nodes * residuals, residuals, 1)))
        values.append(tape.op("Gather", [tape.sliced(table, start, 2**31 - 1, 0), index]))
    for share in reversed(ends):
        pairs = zip(values[::2], values[1::2])
        values = [tape.add(tape.mul(share, tape.sub(second, first)), first) for first, second in pairs]
    return values[0]


def _places(tape: Tape, x: str) -> str:
    """How many there are: [1]."""
    return tape.op("ReduceProd", [tape.op("Cast", [tape.sides(x)], to=TensorProto.FLOAT)], keepdims=1)


def _mean(tape: Tape, x: str) -> str:
    """Over places, [n, c, h, w] -> [n, c, 1, 1]."""
    return tape.div(tape.total(x, (2, 3)), _places(tape, x))


def _ms_ssim(tape: Tape, image: str, decoded: str) -> str:
    """As loss.ms_ssim, of each colour: [n, 3, 1, 1]."""
    taps = msssim_taps().numpy()
    row, column = (np.tile(taps.reshape(shape), (3, 1, 1, 1)) for shape in ((1, 1, 1, -1), (1, 1, -1, 1)))
    blur = lambda x: tape.filtered(tape.filtered(x, "window row", row, (0, 0)), "window column", column, (0, 0))
    score = ""
    for level, weight in enumerate(MSSSIM_WEIGHTS):
        if level:
            image, decoded = tape.pool(image, 2), tape.pool(decoded, 2)
        mx, my = blur(image), blur(decoded)
        mxx, myy, mxy = tape.mul(mx, mx), tape.mul(my, my), tape.mul(mx, my)
        variances = tape.add(tape.sub(blur(tape.mul(image, image)), mxx), tape.sub(blur(tape.mul(decoded, decoded)), myy))
        covariance = tape.sub(blur(tape.mul(image, decoded)), mxy)
        contrast = tape.div(tape.add(tape.mul(covariance, 2.0), 9e-4), tape.add(variances, 9e-4))
        if level == len(MSSSIM_WEIGHTS) - 1:
            light = tape.div(tape.add(tape.mul(mxy, 2.0), 1e-4), tape.add(tape.add(mxx, myy), 1e-4))
            contrast = tape.mul(contrast, light)
        power = tape.power(tape.least(_mean(tape, contrast), 1e-4), weight)
        score = tape.mul(score, power) if score else power
    return score


def _ssimulacra2(tape: Tape, image: str, decoded: str) -> str:
    """As eye.ssimulacra2_error: [n, 1, 1, 1]."""
    def linear(x: str) -> str:
        dark = tape.op("Sub", [tape.scalar(1.0), tape.step(tape.op("Sub", [x, tape.scalar(0.04045)]))])
        bright = tape.power(tape.mul(tape.add(tape.least(x, 0.04045), 0.055), 1 / 1.055), 2.4)
        # The bright side is a constant on the dark one, so only its value is to be taken away there.
        floor = ((0.04045 + 0.055) / 1.055) ** 2.4
        return tape.add(bright, tape.mul(tape.add(tape.mul(x, 1 / 12.92), -floor), dark))

    def opponent(x: str) -> str:
        mixed = tape.filtered(x, "absorbance", np.array(ABSORBANCE)[:, :, None, None], (0, 0), np.full(3, BIAS))
        root = tape.power(tape.least(mixed, 1e-6), 1 / 3)
        # x, y and b - y of the roots, shifted and scaled.
        turn = np.array([[7, -7, 0], [0.5, 0.5, 0], [-0.5, -0.5, 1]])
        away = BIAS ** (1 / 3)
        shift = np.array([0.42, 0.01 - away, 0.55])
        return tape.filtered(root, "opponent", turn[:, :, None, None], (0, 0), shift)

    taps = blur_taps().numpy()
    row, column = (np.tile(taps.reshape(shape), (3, 1, 1, 1)) for shape in ((1, 1, 1, -1), (1, 1, -1, 1)))

    def blur(x: str) -> str:
        across = tape.filtered(tape.padded(x, 3, BLUR_REACH), "blur row", row, (0, 0))
        return tape.filtered(tape.padded(across, 2, BLUR_REACH), "blur column", column, (0, 0))

    a, b = linear(image), linear(decoded)
    total = ""
    for scale in range(COUNTED_SCALES):
        if scale:
            a, b = tape.pool(a, 2), tape.pool(b, 2)
        x, y = opponent(a), opponent(b)
        mx, my = blur(x), blur(y)
        xx, yy, xy = blur(tape.mul(x, x)), blur(tape.mul(y, y)), blur(tape.mul(x, y))
        mxx, myy, mxy = tape.mul(mx, mx), tape.mul(my, my), tape.mul(mx, my)
        apart = tape.sub(mx, my)
        covariance = tape.add(tape.mul(tape.sub(xy, mxy), 2.0), 9e-4)
        variances = tape.add(tape.add(tape.sub(xx, mxx), tape.sub(yy, myy)), 9e-4)
        structure = tape.mul(tape.sub(1.0, tape.mul(apart, apart)), tape.div(covariance, variances))
        edges = [tape.add(tape.abs(tape.sub(*pair)), 1.0) for pair in ((y, my), (x, mx))]
        edge = tape.add(tape.div(*edges), -1.0)
        errors = (tape.relu(tape.sub(1.0, structure)), tape.relu(edge), tape.relu(tape.sub(0.0, edge)))
        for kind, error in enumerate(errors):
            for norm in range(2):
                weights = np.array([weight_of(channel, scale, norm, kind) for channel in range(3)])
                if not weights.any():
                    continue
                if norm:
                    square = tape.mul(error, error)
                    found = tape.power(tape.least(_mean(tape, tape.mul(square, square)), 1e-30), 0.25)
                else:
                    found = _mean(tape, error)
                part = tape.mul(found, tape.stored(f"weights {scale} {norm} {kind}", weights.reshape(1, 3, 1, 1)))
                total = tape.add(total, part) if total else part
    return tape.total(total, (1,))


def _points(tape: Tape, error: str) -> str:
    """100 less SSIMULACRA2, as eye.score_of has it."""
    e = tape.mul(error, 0.9562382616834844)
    square = tape.mul(e, e)
    cubic = tape.add(tape.sub(tape.mul(tape.mul(square, e), 6.248496625763138e-5), tape.mul(square, 0.020884521182843837)),
                     tape.mul(e, 2.326765642916932))
    return tape.mul(tape.power(tape.add(tape.relu(cubic), 1e-4), 0.6276336467831387), 10.0)


def _distortion(tape: Tape, config: LossConfig, decoded: str) -> str:
    """Of a picture, as loss.Step has it but for what all of it is multiplied by: [n, 1, 1, 1]."""
    difference = tape.sub(decoded, tape.add("image", -0.5))
    mean = lambda x: tape.total(_mean(tape, x), (1,))
    total = tape.mul(mean(tape.mul(difference, difference)), config.mse / 3)
    if config.low_weight:
        # (1 - rate)^fade, of which the base may be zero.
        fade = tape.power(tape.least(tape.sub(1.0, "rate"), 1e-6), config.low_fade)
        chroma = np.array([1.0, config.low_chroma, config.low_chroma]) ** 0.5
        eighth = tape.filtered(tape.pool(difference, 8), "colour", (COLOUR * chroma[:, None])[:, :, None, None], (0, 0))
        low = mean(tape.mul(eighth, eighth))
        # Of every four cells, where the loss has every second four: sides need not be multiples of 16.
        sixteenth = tape.filtered(eighth, "four", np.full((3, 1, 2, 2), 0.25), (0, 0))
        low = tape.add(low, mean(tape.mul(sixteenth, sixteenth)))
        total = tape.add(total, tape.mul(low, tape.op("Mul", [fade, tape.scalar(config.low_weight / 3)])))
    total = tape.mul(total, 65025.0)
    if config.msssim or config.ssimulacra2:
        image, shown = tape.continued(["image", tape.add(decoded, 0.5)], HALVED, HALVED_LEAST)
        shown = tape.clip(shown, 0, 1)
        score = tape.total(_ms_ssim(tape, image, shown), (1,))
        start, slope = MSE_PER_SSIMULACRA2
        share = tape.exp(tape.mul("rate", slope))
        points = _points(tape, _ssimulacra2(tape, image, shown))
        seen = tape.add(tape.mul(points, tape.op("Mul", [share, tape.scalar(config.ssimulacra2 * start)])),
                        tape.mul(score, -config.msssim * MSE_PER_MSSSIM / 3))
        # Means over more places than the picture has, of which the others are right.
        total = tape.add(total, tape.mul(seen, tape.op("Div", [_places(tape, image), _places(tape, "image")])))
    return total


def gradient_graph(codec: Codec, loss: LossConfig, linear: Linear, half: bool) -> Tape:
    """With weights of 16 bits where `half`. Raises ValueError for a model of two grids, with a renderer or with other blocks than
    dw and gated."""
    config = codec.config
    if config.coarse_moved or config.renderer_width or config.block != "dw":
        raise ValueError("gradient: expected a model of one grid with blocks of dw and gated and no renderer")
    tape = Tape({name: value.detach().numpy() for name, value in codec.state_dict().items()}, half)
    inverse = tape.exp(_at_rate(tape, codec.rates.log_inverse.detach().numpy()))
    symbols = tape.watch("symbols")
    distortion = _distortion(tape, loss, _decoded(tape, config, tape.mul(symbols, inverse)))
    low, high = math.log(config.lambda_min), math.log(config.lambda_max)
    multiplier = tape.exp(tape.add(tape.mul("rate", high - low), low))
    pixels = _places(tape, "image")
    net = None
    if linear.net:
        net = RowNet(config.channels, linear.bases.shape[0])
        net.load_bytes(linear.net)
    bits = tape.total(_bits(tape, linear, net, symbols))
    cost = tape.add(bits, tape.mul(distortion, tape.op("Mul", [multiplier, pixels])))
    tape.op("Identity", [tape.gradient(cost, "symbols")], "gradient")
    return tape


def write_gradient(codec: Codec, loss: LossConfig, out: Path) -> None:
    """gradient.onnx beside the context.bin of the folder. Its weights need not be exact."""
    linear = read_linear((out / "context.bin").read_bytes(), net_byte_length)
    symbols: list[object] = ["n", codec.config.channels, "h8", "w8"]
    inputs: dict[str, list[object]] = {"symbols": symbols, "image": ["n", 3, "h", "w"], "rate": [1]}
    gradient_graph(codec, loss, linear, half=True).save(out / "gradient.onnx", "gradient", inputs, {"gradient": symbols})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    config, weights, _ = load_weights(args.weights)
    codec = Codec(config.model)
    codec.load_state_dict(weights)
    write_gradient(codec, config.loss, args.out)


if __name__ == "__main__":
    main()
