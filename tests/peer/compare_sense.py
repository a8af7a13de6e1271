#!/usr/bin/env python3
"""The error that lpot-tune senses of a recipe, against ONNX Runtime on the exported model.

usage: compare_sense.py LPOT_TUNE

A network of two MatMuls of which one may be int8: the strategy mse then senses the recipe that is its first
trial and is exported. 60 samples, so that the sensed ones are all of them; two outputs, whose errors count
alike."""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import sensed_in  # noqa: E402

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"SKIPPED program: {error}")
    sys.exit(0)

SAMPLES, TOLERANCE = 60, 1e-4
CONFIGURATION = """
model: {name: net, framework: onnxrt_qdqops}
quantization:
  calibration: {sampling_size: 60}
  model_wise: {activation: {dtype: uint8, scheme: asym, algorithm: minmax}, weight: {granularity: per_channel}}
  op_wise: {second: {activation: {dtype: fp32}, weight: {dtype: fp32}}}
evaluation:
  accuracy:
    metric: {topk: 1}
    dataloader: {batch_size: 64, dataset: {npy: {inputs: x.npy, labels: y.npy}}}
  performance: {iteration: 6}
tuning:
  strategy: {name: mse}
  accuracy_criterion: {absolute: -2}
"""


def make_model(rng):
    helper = onnx.helper
    weights = [rng.normal(size=shape).astype(np.float32) for shape in ((24, 40), (40, 10))]
    nodes = [helper.make_node("MatMul", ["x", "w0"], ["a"], "first"), helper.make_node("Relu", ["a"], ["b"]),
             helper.make_node("MatMul", ["b", "w1"], ["y"], "second")]
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", size])
              for name, size in (("x", 24), ("y", 10), ("b", 40))]
    constants = [onnx.numpy_helper.from_array(weight, f"w{i}") for i, weight in enumerate(weights)]
    graph = helper.make_graph(nodes, "net", values[:1], values[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "net.onnx")


def outputs_of(path, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return [output.astype(np.float64) for output in session.run(None, {"x": x})]


def main():
    program = os.path.abspath(sys.argv[1])
    rng = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_model(rng)
        x = rng.normal(size=(SAMPLES, 24)).astype(np.float32)
        np.save("x.npy", x)
        np.save("y.npy", rng.integers(0, 10, SAMPLES))
        with open("conf.yaml", "w") as file:
            file.write(CONFIGURATION)
        job = subprocess.run([program, "-q", "-w", "ws", "--set", "tuning.exit_policy.max_trials=2", "conf.yaml",
                              "net.onnx"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if job.returncode != 5:
            sys.exit(f"lpot-tune ended with {job.returncode}:\n{job.stdout}")
        subprocess.run([program, "export", "ws", "--trial", "1", "--output", "first"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        model = [name for name in os.listdir("first") if name.endswith(".onnx")]
        pairs = zip(outputs_of("net.onnx", x), outputs_of(f"first/{model[0]}", x))
        wanted = np.mean([((a - b) ** 2).sum() / (a**2).sum() for a, b in pairs])
        errors = sensed_in("ws/trials.journal")
        os.chdir("/")
    print(f"sensed {errors}, ONNX Runtime {wanted:.9g}")
    if len(errors) != 1 or errors[0][0] != 1 or errors[0][2] != SAMPLES or wanted <= 0:
        sys.exit("expected one valid error of all samples")
    if abs(errors[0][1] / wanted - 1) > TOLERANCE:
        sys.exit(f"they differ by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
