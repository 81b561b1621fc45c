#!/usr/bin/env python3
"""Values of other implementations for pairs made of fixtures, into fixtures/metrics/references.json, and a tiny ONNX
metric, fixtures/metrics/mean-difference.onnx. tests/bench/metrics.test.ts compares our own values with them.

  python3 -m venv out/venv && out/venv/bin/pip install scikit-image==0.26.0 onnx==1.23.2 pillow
  out/venv/bin/python scripts/metric-references.py ../shared/tools [SSIMULACRA2]

The first argument is the folder of metrics.py (MS-SSIM); the second a program that prints SSIMULACRA2 of two PPM files:
the committed values are those of the crate fast-ssim2 0.9.1, built natively. Without it the values there are kept.
"""
import json, os, subprocess, sys, tempfile
import numpy as np
import onnx
import skimage
from onnx import TensorProto, helper
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(ROOT, "fixtures", "metrics")
sys.path.insert(0, sys.argv[1])
import metrics

# (fixture, [width, height] of the top left corner that is taken)
PICTURES = [
    ("photo", [768, 512]),
    ("photo", [333, 217]),
    ("photo", [164, 161]),
    ("interface", [640, 400]),
    ("gradients", [256, 256]),
    ("noise", [128, 128]),
    ("odd-191x127", [191, 127]),
    ("odd-grey-61x43", [61, 43]),
]

# What is done to them, as in tests/bench/metrics.test.ts.
DISTORTIONS = {
    "coarse": lambda x: (x & 0xE0) | 0x10,
    "shifted": lambda x: np.roll(x, 1, axis=1),
}


def luma(x):
    return x @ np.array([0.299, 0.587, 0.114]) if x.ndim == 3 else x.astype(float)


def ssimulacra2(a, b):
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("a.ppm", "b.ppm")]
        for path, picture in zip(paths, (a, b)):
            metrics.save_ppm(path, picture if picture.ndim == 3 else np.stack([picture] * 3, -1))
        return float(subprocess.run([sys.argv[2], *paths], stdout=subprocess.PIPE, check=True).stdout)


def rows(before):
    for fixture, (width, height) in PICTURES:
        whole = np.asarray(Image.open(os.path.join(ROOT, "fixtures", fixture + ".png")))
        a = np.ascontiguousarray(whole[:height, :width])
        for name, distort in DISTORTIONS.items():
            b = np.ascontiguousarray(distort(a))
            channel = {"channel_axis": -1} if a.ndim == 3 else {}
            row = {
                "fixture": fixture, "size": [width, height], "distortion": name,
                "mse": float(np.mean((a.astype(float) - b) ** 2)),
                "psnrRgb": float(peak_signal_noise_ratio(a, b, data_range=255)),
                "psnrLuma": float(peak_signal_noise_ratio(luma(a), luma(b), data_range=255)),
                "ssim": float(structural_similarity(
                    a, b, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, **channel)),
                "msssim": None if min(width, height) < 161 else metrics.ms_ssim(
                    *(x if x.ndim == 3 else x[..., None] for x in (a, b))),
            }
            old = next((r for r in before if all(r[k] == row[k] for k in ("fixture", "size", "distortion"))), {})
            row["ssimulacra2"] = ssimulacra2(a, b) if len(sys.argv) > 2 else old.get("ssimulacra2")
            yield row


def write_graph():
    """The mean of |a - b|."""
    picture = [1, 3, "height", "width"]
    graph = helper.make_graph(
        [helper.make_node("Sub", ["a", "b"], ["difference"]),
         helper.make_node("Abs", ["difference"], ["absolute"]),
         helper.make_node("ReduceMean", ["absolute"], ["distance"], keepdims=0)],
        "mean-difference",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, picture) for name in ("a", "b")],
        [helper.make_tensor_value_info("distance", TensorProto.FLOAT, [])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, os.path.join(OUT, "mean-difference.onnx"))


os.makedirs(OUT, exist_ok=True)
path = os.path.join(OUT, "references.json")
before = json.load(open(path))["rows"] if os.path.exists(path) else []
result = {"madeBy": "scripts/metric-references.py", "scikitImage": skimage.__version__, "rows": list(rows(before))}
with open(path, "w") as file:
    file.write(json.dumps(result, indent=2) + "\n")
write_graph()
