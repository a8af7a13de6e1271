#!/usr/bin/env python3
"""Objectives and the Pareto front, in whole runs of the embedded example.

Usage: objectives_test.py LPOT_TUNE MPIEXEC FOLDER_OF_THE_EXAMPLE
"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

FOOTPRINT = 13
HEAD = 28

program, mpiexec, example = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
failures = []


def expect(condition, text):
    """Notes a failure."""
    if not condition:
        print("FAILED:", text)
        failures.append(text)


def run(ranks, *options, code=0):
    """Runs the example with settings KEY=VALUE and other options; standard output and error."""
    command = [program, "--progress", "none", "--set", "evaluation.performance.iteration=6"]
    for option in options:
        command += ["--set", option] if "=" in option else [option]
    command += [str(example / "example.yaml"), str(example / "shapes.onnx")]
    if ranks > 1:
        command = [mpiexec, "--oversubscribe", "-n", str(ranks)] + command
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    expect(done.returncode == code,
           f"{options} on {ranks} ranks: exit code {done.returncode}, expected {code}: {done.stderr}")
    return done.stdout, done.stderr


def tune(ranks, workspace, *options):
    """The result and what was printed on standard error."""
    out, err = run(ranks, "--json", "-w", str(workspace), *options)
    return json.loads(out), err


def footprints_of(workspace):
    """The trials (0: f32) of the journal's records of memory."""
    data = (workspace / "trials.journal").read_bytes()
    found = []
    at = 0
    while at + HEAD <= len(data):
        _, kind, _, length, _, _ = struct.unpack_from("<IHHIQQ", data, at)
        if kind == FOOTPRINT:
            found.append(struct.unpack_from("<QQQ", data, at + HEAD))
        at += HEAD + length
    return found


def dump(workspace, *objects):
    """Objects of history.h5 as text, without the line that names the file."""
    options = [word for name in objects for word in ("-d", name)]
    done = subprocess.run(["h5dump", "-m", "%.17g", *options, str(workspace / "history.h5")],
                          capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.partition("\n")[2]


def most_accurate(folder):
    """The search goes on after the first success, and the result is that of a single rank."""
    known = None
    for ranks in (1, 2, 3, 5):
        result, err = tune(ranks, folder / f"accuracy{ranks}", "tuning.objective=accuracy",
                           "tuning.exit_policy.max_trials=12", "tuning.accuracy_criterion.relative=0.9",
                           "tuning.strategy.name=basic")
        expect(result["trials"] == 12, f"accuracy on {ranks} ranks: {result['trials']} trials")
        expect("objective" not in err, f"accuracy: {err}")
        kept = (result["accuracy"], result["recipe_hash"], [row["trial"] for row in result["pareto"]])
        expect(known in (None, kept), f"accuracy on {ranks} ranks: {kept}, with 1 rank {known}")
        known = kept
        expect(result["accuracy"] == max(row["accuracy"] for row in result["pareto"]), f"accuracy: {result}")
        expect(len(result["pareto"]) > 1, f"accuracy: {result['pareto']}")
        expect(all(row["latency_ms"] is not None for row in result["pareto"] if row["meets"]),
               f"accuracy: {result['pareto']}")
        expect(len(footprints_of(folder / f"accuracy{ranks}")) == 0, "accuracy: memory was measured")


def least_memory(folder):
    """Memory is measured once for f32 and each recipe that meets, kept, and not measured again."""
    for ranks in (1, 3):
        workspace = folder / f"footprint{ranks}"
        options = ("tuning.objective=footprint", "tuning.exit_policy.timeout=120", "tuning.exit_policy.max_trials=4")
        result, err = tune(ranks, workspace, *options)
        expect("warning" not in err.lower(), f"footprint: {err}")
        records = footprints_of(workspace)
        expect([trial for trial, _, _ in records][0] == 0, f"footprint: {records}")
        expect(len({trial for trial, _, _ in records}) == len(records) >= 2, f"footprint: {records}")
        bytes_of = {trial: size for trial, size, _ in records}
        expect(result["baseline_footprint_bytes"] == bytes_of[0], f"footprint: {result}")
        expect(0 < result["footprint_bytes"] <= min(bytes_of[trial] for trial in bytes_of if trial > 0) + 131072,
               f"footprint: {result}, {records}")
        for row in result["pareto"]:
            expect(row["footprint_bytes"] == bytes_of.get(row["trial"]), f"footprint: {row}, {records}")
        text = dump(workspace, "/trials", "/pareto")
        again, _ = tune(ranks, workspace, "--resume", *options)
        expect(footprints_of(workspace) == records, "footprint: a resumed run measured again")
        expect(again["recipe_hash"] == result["recipe_hash"], f"footprint: {again}")
        subprocess.run([program, "rebuild", str(workspace)], check=True, capture_output=True, timeout=60)
        expect(dump(workspace, "/trials", "/pareto") == text, "footprint: rebuild makes another history.h5")
        status = subprocess.run([program, "status", "--json", str(workspace)], check=True, capture_output=True,
                                timeout=60)
        expect(json.loads(status.stdout)["pareto"] == result["pareto"], "footprint: status tells another front")


def cost_of(row, result, weights):
    """The formula of configs/README.md; what misses the criterion is not in the running."""
    size = row["size_bytes"] / os.path.getsize(example / "shapes.onnx")
    loss = (result["baseline_accuracy"] - row["accuracy"]) / result["baseline_accuracy"]
    return weights["modelsize"] * size + weights["accuracy"] * (1 + loss) if row["meets"] else float("inf")


def weighted(folder):
    """The chosen recipe has the lowest cost; the weights decide which one that is."""
    chosen = {}
    for name, setting, weights in (
            ("accurate", "tuning.objective={modelsize: 1, accuracy: 30}", {"modelsize": 1, "accuracy": 30}),
            ("small", "tuning.objective={modelsize: 30, accuracy: 1}", {"modelsize": 30, "accuracy": 1}),
            ("lists", "tuning.multi_objectives={objective: [modelsize, accuracy], weight: [15, 0.5], "
                      "higher_is_better: [false, true]}", {"modelsize": 30, "accuracy": 1})):
        result, err = tune(2, folder / name, setting, "tuning.exit_policy.timeout=120",
                           "tuning.exit_policy.max_trials=12", "tuning.accuracy_criterion.relative=0.9",
                           "tuning.strategy.name=basic")
        expect("objective" not in err, f"weighted: {err}")
        costs = {row["accuracy"]: cost_of(row, result, weights) for row in result["pareto"]}
        expect(len(costs) > 1, f"weighted: {result['pareto']}")
        expect(costs[result["accuracy"]] == min(costs.values()), f"weighted: {result['accuracy']} of {costs}")
        chosen[name] = result["recipe_hash"]
    expect(chosen["small"] == chosen["lists"] != chosen["accurate"], f"weighted: {chosen}")


def told(folder):
    """What is wrong, contradictory, or in force."""
    _, err = run(3, "tuning.objective=footprnt", code=3)
    expect("tuning.objective: expected one of performance, modelsize, footprint, accuracy, got 'footprnt' "
           "(did you mean 'footprint'?)" in err, err)
    _, err = run(1, "tuning.objective={performance: 1, acuracy: 1}", code=3)
    expect("'accuracy'" in err, err)
    out, err = run(1, "--dry-run", "tuning.objective={footprint: 2, performance: 1}")
    expect("\n  objective: {performance: 1, footprint: 2}\n" in out, out)
    expect("it has no effect beside exit_policy.timeout 0" in err, err)
    result, _ = tune(1, folder / "plain")
    expect(result["footprint_bytes"] is None and len(result["pareto"]) == 1, f"plain: {result}")


def latency_of_cold_weights(folder):
    """Caches are swept before each timing where that is asked for, and the history says so."""
    for setting, swept in (("true", True), ("false", False)):
        workspace = folder / f"cold_{setting}"
        tune(1, workspace, f"evaluation.performance.configs.cold_weights={setting}")
        done = subprocess.run(["h5dump", "-A", "-g", "/latency", str(workspace / "history.h5")], capture_output=True,
                              text=True, timeout=60, check=True)
        expect("ABBA median" in done.stdout and ("swept caches" in done.stdout) == swept, done.stdout)


with tempfile.TemporaryDirectory() as name:
    latency_of_cold_weights(pathlib.Path(name))
    most_accurate(pathlib.Path(name))
    least_memory(pathlib.Path(name))
    weighted(pathlib.Path(name))
    told(pathlib.Path(name))
sys.exit(1 if failures else 0)
