#!/usr/bin/env python3
"""lpot-bench on the embedded example.

    bench_test.py LPOT_BENCH LPOT_TUNE MPIRUN example.yaml shapes.onnx

Accuracies must be those of lpot-tune, in every form of the tuned network; figures must be whole for
one and for several instances, by themselves and over ranks; what is wrong must be said in one line.
"""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

bench, tune, mpirun, conf, model = sys.argv[1:6]
ITERATIONS = "evaluation.performance.iteration=12"


def run(*arguments, ranks=0, code=0):
    """Standard output and error of lpot-bench, which must end with code."""
    command = [bench, *map(str, arguments)]
    if ranks:
        command = [mpirun, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, (command, done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


def rows(*arguments, ranks=0):
    """The JSON lines of a run."""
    out, _ = run("--json", *arguments, ranks=ranks)
    return [json.loads(line) for line in out.splitlines()]


def check_row(row, runs):
    assert row["runs"] == runs, row
    order = [row[key] for key in ("min_ms", "p50_ms", "p90_ms", "p99_ms", "max_ms")]
    assert 0 < order[0] and order == sorted(order), row
    assert row["min_ms"] <= row["mean_ms"] <= row["max_ms"], row
    assert row["throughput"] > 0 and row["resident_bytes"] > 1 << 20, row


def check_accuracy(folder):
    """The baseline's and the chosen trial's accuracy, as lpot-tune found them."""
    done = subprocess.run([tune, conf, model, "--workspace", folder, "--json", "--progress", "none"],
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    f32, exported, recipe = rows(conf, model, found["model"], "--recipe",
                                 pathlib.Path(folder) / "best_recipe.yaml", "--mode", "accuracy")
    assert f32["accuracy"] == found["baseline_accuracy"], (f32, found)
    assert exported["accuracy"] == found["accuracy"], (exported, found)
    assert recipe["accuracy"] == found["accuracy"], (recipe, found)
    assert recipe["model"].endswith(" + best_recipe.yaml"), recipe
    return found["model"]


def check_instances(int8_model, folder):
    one = rows(conf, model, int8_model, "-s", ITERATIONS)
    assert [row["instance"] for row in one] == [0, 0], one
    assert one[0]["speedup"] is None and one[1]["speedup"] > 0, one
    for row in one:
        check_row(row, 12)
    table = pathlib.Path(folder) / "bench.csv"
    if len(os.sched_getaffinity(0)) < 2:
        return False
    two = "evaluation.performance.configs={num_of_instance: 2, cores_per_instance: 1}"
    hdf5 = pathlib.Path(folder) / "bench.h5"
    out, _ = run(conf, model, "-s", ITERATIONS, "-s", two, "--csv", table, "--hdf5", hdf5)
    dump = subprocess.run(["h5dump", "-d", "/runs/row_1", "-d", "/measures", hdf5], capture_output=True,
                          text=True, timeout=60, check=True).stdout
    assert "SIMPLE { ( 2 ) / ( 2 ) }" in dump and "SIMPLE { ( 12 ) / ( 12 ) }" in dump, dump
    assert len(out.splitlines()) == 4 and "all 2" in out, out
    with open(table, newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["instance"] for line in lines] == ["0", "1", ""], lines
    assert lines[0]["cores"] != lines[1]["cores"], lines
    total = float(lines[0]["throughput"]) + float(lines[1]["throughput"])
    assert abs(float(lines[2]["throughput"]) - total) < 1e-6 * total, lines
    over_ranks = rows(conf, model, "-s", ITERATIONS, "-s",
                      "evaluation.performance.configs.cores_per_instance=1", ranks=2)
    assert [row["instance"] for row in over_ranks] == [0, 1, None], over_ranks
    check_row(over_ranks[2], 24)
    return True


def check_errors(folder):
    missing = pathlib.Path(folder) / "missing.onnx"
    for arguments, code, part in (
        ((conf,), 2, "expected CONF.yaml and MODEL"),
        ((conf, model, "--mode", "speed"), 2, "--mode 'speed': expected performance or accuracy"),
        ((conf, model, "--frob"), 2, "unknown option '--frob'"),
        ((conf, model, "--recipe"), 2, "--recipe: an argument is missing"),
        ((conf, model, "--set", "tuning"), 2, "--set 'tuning': expected KEY.PATH=VALUE"),
        ((conf, model, "--set", "=1"), 2, "--set '=1': expected KEY.PATH=VALUE"),
        ((conf, model, *["--recipe", missing] * 99), 2, "at most"),
        ((conf, *[model] * 99), 2, "models can be measured side by side"),
        ((conf, model, "-s", "evaluation.performance.iteratoin=3"), 3, "did you mean 'iteration'?"),
        ((conf, model, "-s", "evaluation.performance.configs.cores_per_instance=999"), 3,
         "need 999 cores"),
        ((conf, missing), 4, "missing.onnx"),
        ((conf, model, "-s", ITERATIONS, "--csv", "/no/such/folder/bench.csv"), 1, "cannot write '/no/such/folder/bench.csv'"),
        ((conf, model, "--recipe", missing), 3, "missing.onnx"),
    ):
        _, err = run(*arguments, code=code)
        errors = [line for line in err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1 and part in errors[0], (arguments, err)
        _, err = run(*arguments, ranks=2, code=code)
        assert sum(line.startswith("error: ") for line in err.splitlines()) == 1, (arguments, err)


def check_help():
    """Said once, by whichever rank is first."""
    for arguments, part in ((("--help",), "Usage: "), (("--version",), "lpot-bench ")):
        for ranks in (0, 2):
            out, _ = run(*arguments, ranks=ranks)
            assert out.startswith(part) and out.count(part) == 1, out


def main():
    check_help()
    with tempfile.TemporaryDirectory(prefix="lpot-bench-") as folder:
        int8_model = check_accuracy(folder)
        whole = check_instances(int8_model, folder)
        check_errors(folder)
    if not whole:  # Said last: ctest then counts the test as skipped.
        print("SKIPPED several instances: only one core may be used")


main()
