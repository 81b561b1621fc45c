"""ONNX graphs that hold their own gradient, as onnxruntime has none for inference: operators that are noted while they are
written, and whose derivatives are then written behind them, last first (reverse mode)."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .blocks import SLOPE
from .onnx_graph import Graph, Weights

STEEP = 1e30  # times a number, clipped: a step at zero

# From the gradients of an operator's outputs those of its inputs; nothing where an input has none.
Back = Callable[[list[str]], list[str | None]]


class Tape(Graph):
    """Every method of this class writes nodes and returns the name of its output. What `watch` names, and all that depends on it,
    is noted; `op` and the other methods of Graph write without a note."""

    def __init__(self, weights: Weights, half: bool) -> None:
        super().__init__(weights, half)
        self._active: set[str] = set()
        self._notes: list[tuple[list[str], list[str], Back]] = []
        self._stored: dict[str, str] = {}

    def watch(self, name: str) -> str:
        self._active.add(name)
        return name

    def note(self, inputs: list[str], outputs: list[str], back: Back) -> None:
        if self._active.intersection(inputs):
            self._active.update(outputs)
            self._notes.append((inputs, outputs, back))

    def gradient(self, total: str, of: str) -> str:
        """Of the sum of `total`, to the watched `of`."""
        found: dict[str, str] = {total: self.scalar(1.0)}
        for inputs, outputs, back in reversed(self._notes):
            if not found.keys() & set(outputs):
                continue
            slopes = [found.get(output) or self.op("Mul", [output, self.scalar(0.0)]) for output in outputs]
            for name, slope in zip(inputs, back(slopes)):
                if slope is not None and name in self._active:
                    found[name] = self.op("Add", [found[name], slope]) if name in found else slope
        return found[of]

    # Constants

    def stored(self, name: str, value: np.ndarray) -> str:
        """A constant by its name, once."""
        if name not in self._stored:
            self._stored[name] = self.constant(np.asarray(value, np.float32))
        return self._stored[name]

    def scalar(self, value: float) -> str:
        return self.stored(f"scalar {value}", np.array(value))

    # Of every number by itself. A second operand that is smaller must not depend on what is watched.

    def add(self, a: str, b: str | float) -> str:
        b = b if isinstance(b, str) else self.scalar(b)
        out = self.op("Add", [a, b])
        self.note([a, b], [out], lambda slopes: [slopes[0], slopes[0]])
        return out

    def sub(self, a: str | float, b: str) -> str:
        a = a if isinstance(a, str) else self.scalar(a)
        out = self.op("Sub", [a, b])
        self.note([a, b], [out], lambda slopes: [slopes[0], self.op("Neg", slopes)])
        return out

    def mul(self, a: str, b: str | float) -> str:
        b = b if isinstance(b, str) else self.scalar(b)
        out = self.op("Mul", [a, b])
        self.note([a, b], [out], lambda slopes: [
            self.op("Mul", [slopes[0], b]) if a in self._active else None,
            self.op("Mul", [slopes[0], a]) if b in self._active else None,
        ])
        return out

    def div(self, a: str, b: str) -> str:
        out = self.op("Div", [a, b])

        def back(slopes: list[str]) -> list[str | None]:
            of_a = self.op("Div", [slopes[0], b])
            return [of_a, self.op("Neg", [self.op("Mul", [of_a, out])]) if b in self._active else None]

        self.note([a, b], [out], back)
        return out

    def _single(self, kind: str, x: str, slope: Callable[[str], str]) -> str:
        """An operator of one input; `slope` of its output."""
        out = self.op(kind, [x])
        self.note([x], [out], lambda slopes: [self.op("Mul", [slopes[0], slope(out)])])
        return out

    def step(self, x: str, low: float = 0.0) -> str:
        """1 where x is above zero, else `low`; without a gradient."""
        return super().clip(self.op("Mul", [x, self.scalar(STEEP)]), low, 1)

    def clip(self, x: str, low: float, high: float) -> str:
        out = super().clip(x, low, high)
        middle, reach = (low + high) / 2, (high - low) / 2

        def back(slopes: list[str]) -> list[str | None]:
            away = self.op("Abs", [self.op("Sub", [x, self.scalar(middle)])])
            return [self.op("Mul", [slopes[0], self.step(self.op("Sub", [self.scalar(reach), away]))])]

        self.note([x], [out], back)
        return out

    def least(self, x: str, low: float) -> str:
        """The larger one of x and `low`."""
        out = self.op("Max", [x, self.scalar(low)])
        self.note([x], [out], lambda slopes: [self.op("Mul", [slopes[0], self.step(self.op("Sub", [x, self.scalar(low)]))])])
        return out

    def relu(self, x: str) -> str:
        return self._single("Relu", x, self.step)

    def act(self, x: str) -> str:
        out = super().act(x)
        self.note([x], [out], lambda slopes: [self.op("Mul", [slopes[0], self.step(out, SLOPE)])])
        return out

    def abs(self, x: str) -> str:
        return self._single("Abs", x, lambda _: self.op("Sign", [x]))

    def exp(self, x: str) -> str:
        return self._single("Exp", x, lambda out: out)

    def log(self, x: str) -> str:
        return self._single("Log", x, lambda _: self.op("Div", [self.scalar(1.0), x]))

    def power(self, x: str, exponent: float) -> str:
        """Of numbers above zero."""
        return self.exp(self.mul(self.log(x), exponent))

    # Over channels and places

    def split(self, x: str, sizes: list[int]) -> list[str]:
        outs = super().split(x, sizes)
        self.note([x], outs, lambda slopes: [self.op("Concat", slopes, axis=1)])
        return outs

    def joined(self, parts: list[str], sizes: list[int]) -> str:
        """Channel groups of the given sizes, one behind the other."""
        out = self.op("Concat", parts, axis=1)
        self.note(parts, [out], lambda slopes: list(Graph.split(self, slopes[0], sizes)))
        return out

    def filtered(self, x: str, name: str, value: np.ndarray, pads: tuple[int, ...], bias: np.ndarray | None = None) -> str:
        """Convolution of stride 1 by weights [out, in, rows, columns], or [channels, 1, rows, columns] of each channel by
        itself; pads are above, left, below and right, or of rows and of columns on either side."""
        shape = list(value.shape[2:])
        pads = pads if len(pads) == 4 else (*pads, *pads)
        inputs = [x, self.stored(name, value), *([self.stored(f"{name} bias", bias)] if bias is not None else [])]
        groups = value.shape[0] if value.shape[1] == 1 else 1
        out = self.op("Conv", inputs, kernel_shape=shape, pads=list(pads), group=groups)

        def back(slopes: list[str]) -> list[str | None]:
            around = [side - 1 - pad for side, pad in zip(shape * 2, pads)]
            key = f"{name} back"
            if groups > 1 or shape != [1, 1]:
                turned = value if groups > 1 else value.transpose(1, 0, 2, 3)
                weight = self.stored(key, turned[:, :, ::-1, ::-1])
            else:
                if key not in self._stored:
                    self._stored[key] = self.op("Transpose", [self.stored(name, value)], perm=[1, 0, 2, 3])
                weight = self._stored[key]
            return [self.op("Conv", [slopes[0], weight], kernel_shape=shape, pads=around, group=groups)]

        self.note([x], [out], back)
        return out

    def named(self, x: str, name: str) -> str:
        """A layer of the torch model, by its name there, as large as what goes in."""
        value = self.weights[f"{name}.weight"]
        return self.filtered(x, name, value, (value.shape[2] // 2, value.shape[3] // 2), self.weights.get(f"{name}.bias"))

    def pool(self, x: str, factor: int) -> str:
        """Means of squares whose side divides that of x."""
        out = self.op("AveragePool", [x], kernel_shape=[factor] * 2, strides=[factor] * 2)

        def back(slopes: list[str]) -> list[str | None]:
            scales = self.stored(f"scales {factor}", np.array([1, 1, factor, factor]))
            share = self.op("Mul", [slopes[0], self.scalar(1 / factor**2)])
            return [self.op("Resize", [share, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric",
                            nearest_mode="floor")]

        self.note([x], [out], back)
        return out

    def shuffled(self, x: str, factor: int) -> str:
        """torch's pixel_shuffle, into three colours."""
        out = super().shuffle(x, factor)
        # SpaceToDepth has the place before the colour, the shuffle the colour before the place.
        order = np.arange(3 * factor**2).reshape(factor, factor, 3).transpose(2, 0, 1).reshape(-1)

        def back(slopes: list[str]) -> list[str | None]:
            folded = self.op("SpaceToDepth", [slopes[0]], blocksize=factor)
            return [self.op("Gather", [folded, self.constant(order)], axis=1)]

        self.note([x], [out], back)
        return out

    def padded(self, x: str, axis: int, reach: int) -> str:
        """With the first and last row (axis 2) or column (3) repeated."""
        pads = [0] * 8
        pads[axis] = pads[4 + axis] = reach
        out = self.op("Pad", [x, self.constant(np.array(pads, np.int64))], mode="edge")

        def back(slopes: list[str]) -> list[str | None]:
            part = lambda first, last: self.sliced(slopes[0], first, last, axis)
            ends = [self.op("ReduceSum", [part(*side), self.constant(np.array([axis], np.int64))], keepdims=1)
                    for side in ((0, reach + 1), (-reach - 1, 2**31 - 1))]
            return [self.op("Concat", [ends[0], part(reach + 1, -reach - 1), ends[1]], axis=axis)]

        self.note([x], [out], back)
        return out

    def sides(self, x: str) -> str:
        """Height and width of [n, c, h, w], as integers."""
        return self.sliced(self.op("Shape", [x]), 2, 4, 0)

    def sliced(self, x: str, first: int, last: int, axis: int) -> str:
        """Without a gradient."""
        bounds = [self.constant(np.array([value], np.int64)) for value in (first, last, axis)]
        return self.op("Slice", [x, *bounds])

    def continued(self, pair: list[str], multiple: int, least: int) -> list[str]:
        """Two pictures [n, c, h, w] of one shape with sides that are multiples, and `least` at least: both continued on the right
        and below by the edge of the first."""
        whole = lambda value: self.constant(np.array([value], np.int64))
        sides = self.sides(pair[0])
        missing = self.op("Mod", [self.op("Neg", [sides]), whole(multiple)])
        missing = self.op("Max", [missing, self.op("Sub", [whole(least), sides])])
        pads = self.op("Concat", [self.constant(np.zeros(6, np.int64)), missing], axis=0)
        first = self.op("Pad", [pair[0], pads], mode="edge")
        edge = self.op("Sub", [first, self.op("Pad", [pair[0], pads])])
        second = self.op("Add", [self.op("Pad", [pair[1], pads]), edge])
        starts, axes = self.constant(np.zeros(2, np.int64)), self.constant(np.array([2, 3], np.int64))
        self.note([pair[1]], [second], lambda slopes: [self.op("Slice", [slopes[0], starts, sides, axes])])
        return [first, second]

    def total(self, x: str, axes: tuple[int, ...] = (1, 2, 3)) -> str:
        """Sum; what comes back is as small as that, to be multiplied by something of full size."""
        out = self.op("ReduceSum", [x, self.constant(np.array(axes, np.int64))], keepdims=1)
        self.note([x], [out], lambda slopes: [slopes[0]])
        return out
