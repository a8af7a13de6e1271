#!/usr/bin/env python3
"""Holds the outputs of our f32 engine against ONNX Runtime's on 100 samples of every model in
$LPOT_TEST_DATA/models: max |a - b| <= 1e-3 max |b| for each output tensor.

usage: compare_outputs.py RUN_MODEL_PROGRAM
Needs Python packages numpy and onnxruntime; prints SKIPPED and why when something is absent."""
import glob
import os
import subprocess
import sys
import tempfile

SAMPLES = 100
LIMIT = 1e-3


def skip(why):
    print(f"SKIPPED program compare_outputs: {why}")
    sys.exit(0)


data = os.environ.get("LPOT_TEST_DATA")
if not data:
    skip("LPOT_TEST_DATA is not set")
try:
    import numpy as np
    import onnxruntime as ort
except ImportError as error:
    skip(str(error))


def samples_for(shape, name):
    """Real CIFAR-10 images where the model takes them, else seeded noise of the input's range."""
    count = int(np.prod(shape))
    if shape == [3, 32, 32]:
        raw = np.fromfile(f"{data}/cifar10/test_batch.bin", np.uint8, SAMPLES * 3073)
        images = raw.reshape(SAMPLES, 3073)[:, 1:].astype(np.float32)
        if "resnet8" not in name:
            images = (images - 120.0) / 64.0
        return images
    if shape == [1, 49, 10]:
        return np.load(f"{data}/kws/features.npy")[:SAMPLES].reshape(SAMPLES, -1).astype(np.float32)
    scale = 60.0 if count > 100000 or "mnist" in name else 1.0
    return np.random.default_rng(1).normal(0, scale, (SAMPLES, count)).astype(np.float32)


def compare(path, program, folder):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    value = session.get_inputs()[0]
    shape = [int(d) for d in value.shape[1:]]
    inputs = np.ascontiguousarray(samples_for(shape, os.path.basename(path)))
    inputs.tofile(f"{folder}/input.f32")
    subprocess.run([program, path, f"{folder}/input.f32", f"{folder}/output", str(SAMPLES)], check=True,
                   env={**os.environ, "OMP_NUM_THREADS": "1"})
    rows = [session.run(None, {value.name: inputs[i].reshape([1] + shape)}) for i in range(SAMPLES)]
    worst = 0.0
    for index in range(len(rows[0])):
        theirs = np.stack([np.ravel(row[index]) for row in rows])
        ours = np.fromfile(f"{folder}/output.{index}.f32", np.float32).reshape(theirs.shape)
        worst = max(worst, float(np.abs(ours - theirs).max() / np.abs(theirs).max()))
    print(f"{os.path.basename(path):32s} {len(rows[0])} outputs, worst ratio {worst:.2e}")
    return worst <= LIMIT


print(f"onnxruntime {ort.__version__}")
failed = 0
for model in sorted(glob.glob(f"{data}/models/*.onnx")):
    with tempfile.TemporaryDirectory() as temporary:
        failed += not compare(model, sys.argv[1], temporary)
sys.exit(1 if failed else 0)
