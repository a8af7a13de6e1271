#!/usr/bin/env python3
"""int8 convolutions of random shapes, our engine against ONNX Runtime: oneDNN has implementations that are wrong, or
write where they must not, for shapes that no real network of the other tests has.

    compare_convolutions.py RUN_MODEL [--cases N] [--seed S] [--keep FOLDER]

Each case is a model of its own in a process of its own: x -> Q -> DQ -> Conv (weights s8 per channel) -> Q -> DQ,
three in ten with x added behind it, Relu, Q and DQ again. The weights are even numbers of seven bits: without VNNI
products of larger ones saturate in 16 bits, and oneDNN halves the weights beside s8 activations. All elements must be
within one step (two behind a sum: a tie of the convolution and one of the sum), and all but 2 % equal. Wrong cases are
printed, and kept in FOLDER. Exit code 1 when there are any. Needs onnx, onnxruntime, numpy."""
import argparse
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f"SKIPPED program compare_convolutions: {error}")
    sys.exit(0)


def draw(rng):
    """Settings of one convolution, or None when its window exceeds the input."""
    channels, outputs = int(rng.choice([16, 32, 64, 96, 128, 160])), int(rng.choice([16, 32, 64, 128, 320]))
    size = [int(v) for v in rng.integers(1, 16, 2)]
    kernel = [1, 1] if rng.random() < 0.4 else [int(v) for v in rng.choice([1, 1, 3, 3, 5, 7, 9], 2)]
    dilation, stride = int(rng.choice([1, 1, 1, 2, 6, 12])), int(rng.choice([1, 1, 2]))
    group = int(rng.choice([2, 4, 8, 16])) if rng.random() < 0.2 else 1
    extent = [(k - 1) * dilation + 1 for k in kernel]
    pads = [int(rng.integers(0, e)) for e in extent] + [int(rng.integers(0, e)) for e in extent]
    with_sum = rng.random() < 0.3 and all(e % 2 == 1 for e in extent)
    if with_sum:  # of the input itself, so that the shapes must be equal
        outputs, stride, pads = channels, 1, [e // 2 for e in extent] * 2
    if any(s + a + b < e for s, a, b, e in zip(size, pads[:2], pads[2:], extent)):
        return None
    return {"batch": int(rng.choice([1, 1, 2])), "channels": channels, "outputs": outputs, "size": size, "kernel": kernel,
            "dilation": dilation, "stride": stride, "sum": with_sum, "group": group, "pads": pads,
            "type": rng.choice(["uint8", "int8"]), "zero_point": int(rng.choice([0, 3, 100]))}


def build(case, rng):
    """(model, input, output step)"""
    kind = np.dtype(case["type"]).type
    weights = 2 * rng.integers(-31, 32, (case["outputs"], case["channels"] // case["group"], *case["kernel"]))
    step = np.float32(0.0025 * np.sqrt(weights[0].size))
    constants = {"w": weights.astype(np.int8), "ws": rng.uniform(0.005, 0.02, case["outputs"]).astype(np.float32),
                 "wz": np.zeros(case["outputs"], np.int8), "xs": np.float32(0.02), "xz": kind(case["zero_point"]),
                 "ys": step, "yz": kind(100 if case["type"] == "uint8" else 3)}
    node = helper.make_node
    nodes = [node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]), node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
             node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
             node("Conv", ["xd", "wd"], ["c"], kernel_shape=case["kernel"], dilations=[case["dilation"]] * 2,
                  pads=case["pads"], strides=[case["stride"]] * 2, group=case["group"]),
             node("QuantizeLinear", ["c", "ys", "yz"], ["cq"]), node("DequantizeLinear", ["cq", "ys", "yz"], ["y"])]
    if case["sum"]:
        nodes[-1].output[0] = "d"
        nodes += [node("Add", ["d", "xd"], ["s"]), node("Relu", ["s"], ["r"]), node("QuantizeLinear", ["r", "ys", "yz"], ["rq"]),
                  node("DequantizeLinear", ["rq", "ys", "yz"], ["y"])]
    shape = [case["batch"], case["channels"], *case["size"]]
    graph = helper.make_graph(nodes, "conv", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return model, rng.normal(size=shape).astype(np.float32), step


def problem(program, case, folder, rng, options):
    """What is wrong with our result, or None."""
    model, x, step = build(case, rng)
    path, data, out = (os.path.join(folder, name) for name in ("model.onnx", "x.f32", "out"))
    onnx.save(model, path)
    x.tofile(data)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    expected = session.run(None, {"x": x})[0]
    batch = str(case["batch"])
    run = subprocess.run([program, path, data, out, batch, batch], capture_output=True, text=True)
    if run.returncode:
        return f"exit code {run.returncode} {run.stderr.strip()[-200:]}"
    off = np.abs(np.fromfile(out + ".0.f32", np.float32).reshape(expected.shape) - expected) / step
    if off.max() > (2.01 if case["sum"] else 1.01) or (off > 0.5).mean() > 0.02:
        return f"off by up to {off.max():.0f} steps, {100 * (off > 0.5).mean():.1f} % of the elements"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    wrong = done = 0
    with tempfile.TemporaryDirectory() as folder:
        while done < given.cases:
            case = draw(rng)
            if case is None:
                continue
            done += 1
            found = problem(given.program, case, folder, rng, options)
            if found is None:
                continue
            wrong += 1
            print(f"{case}: {found}")
            if given.keep:
                kept = os.path.join(given.keep, f"wrong_{given.seed}_{done}")
                os.makedirs(given.keep, exist_ok=True)
                os.replace(os.path.join(folder, "model.onnx"), kept + ".onnx")
                os.replace(os.path.join(folder, "x.f32"), kept + ".f32")
    print(f"{done} convolutions, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
