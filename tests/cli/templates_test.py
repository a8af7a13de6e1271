#!/usr/bin/env python3
"""The templates ptq, bf16, dynamic and benchmark of configs/ as they stand, with real networks and data.

    templates_test.py LPOT_TUNE LPOT_BENCH MPIEXEC CONFIGS

Only what the templates leave to the user is set: paths; and how often latency is measured. Baselines
are those of ONNX Runtime. What a run has chosen must have the same accuracy in lpot-bench. detection.yaml
and bert.yaml have tests of their own: detection_test.sh, language_test.py.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

tune, bench, mpiexec, configs = sys.argv[1:5]
data = os.environ.get("LPOT_TEST_DATA")
if not data:
    print("SKIPPED program: LPOT_TEST_DATA is not set")
    sys.exit(0)

ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
DATASET = "evaluation.accuracy.dataloader.dataset."
CIFAR10 = [DATASET + f"CIFAR10.root={data}/cifar10"]
KEY_WORDS = [DATASET + f"npy.inputs={data}/kws/features.npy", DATASET + f"npy.labels={data}/kws/labels.npy"]
ITERATIONS = "evaluation.performance.iteration=6"


def model(name):
    return f"{data}/models/{name}.onnx"


def template(name):
    return os.path.join(configs, name + ".yaml")


def run(folder, *command, ranks=0):
    """Standard output and error; the run must end well."""
    launcher = [mpiexec, "--oversubscribe", "-n", str(ranks)] if ranks else []
    done = subprocess.run([*launcher, *command], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, (command, done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


def options(settings):
    return [part for setting in settings for part in ("--set", setting)]


def search(folder, name, network, settings, ranks=1, warnings=0):
    """What lpot-tune has found with the template. It must meet the criterion, and warn so many times."""
    workspace = f"{name}-{ranks}"
    out, err = run(folder, tune, "--json", "--progress", "none", "-w", workspace,
                   *options([*settings, ITERATIONS]), template(name), network, ranks=ranks)
    found = json.loads(out)
    assert found["meets"], found
    assert err.count("warning:") == warnings, err
    return found


def check_accuracy(folder, name, network, settings, found):
    """lpot-bench with the same template: the network, and what was made of it."""
    recipe = os.path.join(os.path.dirname(found["model"]), "best_recipe.yaml")
    out, _ = run(folder, bench, "--json", "--mode", "accuracy", *options(settings), "--recipe", recipe,
                 template(name), network, found["model"])
    f32, exported, again = (json.loads(line) for line in out.splitlines())
    assert f32["accuracy"] == found["baseline_accuracy"], (f32, found)
    expected = found["accuracy"] if found["exported_accuracy"] is None else found["exported_accuracy"]
    assert exported["accuracy"] == expected, (exported, found)
    assert again["accuracy"] == found["accuracy"], (again, found)


def nodes_of(folder, path):
    """How many nodes of each type lpot-tune's exported file names."""
    with open(os.path.join(folder, path), "rb") as file:
        return re.findall(rb"QuantizeLinear|MatMulInteger", file.read())


def check_ptq(folder):
    network = model("resnet8_cifar10")
    found = search(folder, "ptq", network, CIFAR10)
    assert abs(found["baseline_accuracy"] - 0.8719) < 1e-12, found
    assert b"QuantizeLinear" in nodes_of(folder, found["model"])
    check_accuracy(folder, "ptq", network, CIFAR10, found)
    three = search(folder, "ptq", network, CIFAR10, ranks=3)
    for key in ("baseline_accuracy", "accuracy", "trials", "recipe_hash"):
        assert three[key] == found[key], (key, found, three)
    return found["model"]


def check_bf16(folder):
    with open("/proc/cpuinfo") as file:
        if not re.search(r"\b(avx512_bf16|amx_bf16)\b", file.read()):
            print("SKIPPED bf16.yaml: this processor has no bfloat16")
            return
    network = model("resnet8_cifar10")
    settings = [*CIFAR10, "evaluation.accuracy.iteration=10"]
    found = search(folder, "bf16", network, settings, warnings=2)  # Add and AveragePool stay in f32.
    assert not nodes_of(folder, found["model"]), "int8 in a search for bf16"
    check_accuracy(folder, "bf16", network, settings, found)
    assert found["trials"] == 1, found  # All in bf16, as lpot-bench has it.
    out, _ = run(folder, bench, "--json", "--mode", "accuracy", "--bf16", *options(settings), template("bf16"), network)
    f32, bf16 = (json.loads(line) for line in out.splitlines())
    assert bf16["model"] == "resnet8_cifar10.onnx in bf16", bf16
    assert bf16["accuracy"] == found["accuracy"] != f32["accuracy"], (f32, bf16, found)


def check_dynamic(folder):
    network = model("dscnn_kws")
    found = search(folder, "dynamic", network, KEY_WORDS)
    assert abs(found["baseline_accuracy"] - 0.913) < 1e-12, found
    assert b"MatMulInteger" in nodes_of(folder, found["model"])
    check_accuracy(folder, "dynamic", network, KEY_WORDS, found)


def check_benchmark(folder, int8):
    """As long as the template says, three seconds; then two ranks, each with an instance."""
    network = model("resnet8_cifar10")
    out, err = run(folder, bench, "--json", template("benchmark"), network, int8)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["model"] for row in rows] == ["resnet8_cifar10.onnx", "best_model.onnx"], rows
    assert all(row["runs"] >= 100 and row["p50_ms"] > 0 for row in rows) and rows[1]["speedup"] > 0, rows
    assert "warning:" not in err, err
    if len(os.sched_getaffinity(0)) < 2:
        print("SKIPPED several instances: one core only")
        return
    out, _ = run(folder, bench, "--json", *options([ITERATIONS]), template("benchmark"), network, ranks=2)
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["instance"] for row in rows} >= {0, 1}, rows


def main():
    with tempfile.TemporaryDirectory() as folder:
        int8 = check_ptq(folder)
        check_bf16(folder)
        check_dynamic(folder)
        check_benchmark(folder, int8)
    print("all passed")


main()
