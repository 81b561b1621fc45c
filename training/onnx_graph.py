"""ONNX graphs written node by node, so that nothing depends on a tracer or on torch's version."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .blocks import SLOPE

Weights = dict[str, np.ndarray]
OPSET, IR_VERSION = 13, 7
HALF_FROM = 512  # elements; smaller constants stay fp32


class Graph:
    """A graph under construction. Every method adds nodes and returns the name of its output tensor."""

    def __init__(self, weights: Weights, half: bool = False) -> None:
        self.weights, self.half = weights, half
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.exact: set[str] = set()        # constants that no variant may round
        self.exact_nodes: list[str] = []    # and the convolutions that use them
        self._count = 0

    def _name(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def constant(self, value: np.ndarray, exact: bool = False) -> str:
        """A constant; stored as fp16 behind a Cast (folded at load) where `half` allows it and it is not `exact`."""
        name, value = f"w{len(self.constants)}", np.ascontiguousarray(value)
        if exact:
            self.exact.add(name)
        if self.half and not exact and value.dtype == np.float32 and value.size >= HALF_FROM:
            self.constants.append(numpy_helper.from_array(value.astype(np.float16), f"{name}h"))
            self.nodes.append(helper.make_node("Cast", [f"{name}h"], [name], to=TensorProto.FLOAT))
        else:
            self.constants.append(numpy_helper.from_array(value, name))
        return name

    def op(self, kind: str, inputs: list[str], out: str | None = None, **attributes: object) -> str:
        """Any node with one output."""
        name = out or self._name()
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        if kind == "Conv" and inputs[1] in self.exact:
            self.exact_nodes.append(name)
        return name

    def split(self, x: str, sizes: list[int]) -> list[str]:
        """Channel groups of the given sizes."""
        names = [self._name() for _ in sizes]
        self.nodes.append(helper.make_node("Split", [x, self.constant(np.array(sizes, np.int64))], names, axis=1))
        return names

    def conv(self, x: str, weight: np.ndarray, bias: np.ndarray | None = None, stride: int = 1, groups: int = 1,
             out: str | None = None, exact: bool = False) -> str:
        """Convolution, `same` padding at stride 1 and none at other strides."""
        kernel = weight.shape[2]
        inputs = [x, self.constant(weight, exact), *([self.constant(bias)] if bias is not None else [])]
        pad = kernel // 2 if stride == 1 else 0
        return self.op("Conv", inputs, out, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, group=groups)

    def layer(self, x: str, name: str, groups: int = 1, out: str | None = None, exact: bool = False) -> str:
        """A stride-1 convolution layer of the torch model, by its name there."""
        return self.conv(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"), groups=groups, out=out, exact=exact)

    def down(self, x: str, name: str) -> str:
        """A torch 1x1 layer over pixel_unshuffle(2), as one 2x2 convolution of stride 2."""
        weight = self.weights[f"{name}.weight"]
        return self.conv(x, weight.reshape(weight.shape[0], -1, 2, 2), self.weights.get(f"{name}.bias"), stride=2)

    def act(self, x: str) -> str:
        return self.op("LeakyRelu", [x], alpha=SLOPE)

    def clip(self, x: str, low: float, high: float) -> str:
        return self.op("Clip", [x, self.constant(np.array(low, np.float32)), self.constant(np.array(high, np.float32))])

    def skip_gain(self, linear: str, trunk: str, name: str) -> str:
        """`linear` times 0..2, per channel and place, as the trunk says."""
        gain = self.conv(trunk, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"] + np.float32(1))
        return self.op("Mul", [linear, self.clip(gain, 0, 2)])

    def shuffle(self, x: str, factor: int, out: str | None = None) -> str:
        """torch's pixel_shuffle."""
        return self.op("DepthToSpace", [x], out, blocksize=factor, mode="CRD")

    def block(self, x: str, kind: str, name: str) -> str:
        """One residual block of blocks.py."""
        if kind == "dw":
            t = self.act(self.layer(x, f"{name}.expand"))
            t = self.act(self.layer(t, f"{name}.depth", groups=self.weights[f"{name}.depth.weight"].shape[0]))
            return self.op("Add", [x, self.layer(t, f"{name}.project")])
        if kind == "gated":
            hidden = self.weights[f"{name}.depth.weight"].shape[0]
            t = self.layer(self.layer(x, f"{name}.expand"), f"{name}.depth", groups=hidden)
            value, gate = self.split(t, [hidden // 2] * 2)
            return self.op("Add", [x, self.layer(self.op("Mul", [value, self.clip(gate, -1, 1)]), f"{name}.project")])
        if kind == "mix":
            t = self.act(self.layer(x, f"{name}.enter"))
            t = self.layer(t, f"{name}.depth", groups=self.weights[f"{name}.depth.weight"].shape[0])
            x = self.op("Add", [x, self.layer(t, f"{name}.leave")])
        t = self.act(self.layer(x, f"{name}.expand"))
        return self.op("Add", [x, self.layer(t, f"{name}.project")])

    def trunk(self, x: str, kinds: list[str], name: str) -> str:
        for index, kind in enumerate(kinds):
            x = self.block(x, kind, f"{name}.{index}")
        return x

    def save(self, path: Path, title: str, inputs: dict[str, list[object]], outputs: dict[str, list[object]]) -> None:
        """Check and write. Shapes name their dynamic sides by strings."""
        values = [[helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in side.items()] for side in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, title, values[0], values[1], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="vaerans")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        onnx.save(model, str(path))
