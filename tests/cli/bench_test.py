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
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import kill_all, left_of, processes_of, rows_of  # noqa: E402

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
    assert row["crowded"] is None or 0 <= row["crowded"] <= 1, row


def check_accuracy(folder):
    """The baseline's and the chosen trial's accuracy, as lpot-tune found them."""
    done = subprocess.run([tune, conf, model, "--workspace", folder, "--json", "--progress", "none",
                           "-s", "evaluation.performance.iteration=2"], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    f32, exported, recipe = rows(conf, model, found["model"], "--recipe",
                                 pathlib.Path(folder) / "best_recipe.yaml", "--mode", "accuracy")
    assert f32["accuracy"] == found["baseline_accuracy"], (f32, found)
    assert exported["accuracy"] == found["accuracy"], (exported, found)
    assert recipe["accuracy"] == found["accuracy"], (recipe, found)
    assert recipe["model"].endswith(" + best_recipe.yaml"), recipe
    assert f32["p50_ms"] is None and f32["throughput"] is None, f32  # What was not measured is not 0.
    # One process evaluates, however many cores the configuration asks for and ranks there are.
    [again] = rows(conf, model, "--mode", "accuracy", "-s",
                   "evaluation.performance.configs.cores_per_instance=999", ranks=3)
    assert again["accuracy"] == f32["accuracy"], again
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
    def dump(name):
        return subprocess.run(["h5dump", "-m", "%.17g", "-d", name, hdf5], capture_output=True, text=True, timeout=60,
                              check=True).stdout
    assert "SIMPLE { ( 12 ) / ( 12 ) }" in dump("/runs/row_1")
    assert len(out.splitlines()) == 4 and "all 2" in out, out
    with open(table, newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["instance"] for line in lines] == ["0", "1", ""], lines
    assert lines[0]["cores"] != lines[1]["cores"], lines
    total = float(lines[0]["throughput"]) + float(lines[1]["throughput"])
    assert abs(float(lines[2]["throughput"]) - total) < 1e-12 * total, lines
    # The other form says the same, to the last digit.
    shared = ("batch", "runs", "mean_ms", "min_ms", "p50_ms", "p90_ms", "p99_ms", "max_ms", "throughput")
    for name, first, wanted in (("/measures", 5, lines[:2]), ("/models", 2, lines[2:])):
        found = [[float(field) for field in row[first:first + len(shared)]] for row in rows_of(dump(name))]
        assert found == [[float(line[key]) for key in shared] for line in wanted], (name, found, lines)
    over_ranks = rows(conf, model, "-s", ITERATIONS, "-s",
                      "evaluation.performance.configs.cores_per_instance=1", ranks=2)
    assert [row["instance"] for row in over_ranks] == [0, 1, None], over_ranks
    assert over_ranks[0]["cores"] != over_ranks[1]["cores"], over_ranks
    check_row(over_ranks[2], 24)
    cores = len(os.sched_getaffinity(0))
    _, err = run(conf, model, "-s", f"evaluation.performance.configs.cores_per_instance={cores}", ranks=2, code=3)
    assert f"2 x 1 instances with {cores} cores each need {2 * cores} cores" in err, err
    return True


def check_errors(folder):
    missing = pathlib.Path(folder) / "missing.onnx"
    bare = pathlib.Path(folder) / "bare.yaml"
    bare.write_text("model: {name: net, framework: onnxrt_qdqops}\n"
                    "evaluation: {performance: {dataloader: {dataset: {shapes: {samples: 60}}}}}\n")
    before = sorted(os.listdir(folder))
    for arguments, code, part in (
        ((conf,), 2, "expected CONF.yaml and MODEL"),
        ((conf, model, "--mode", "speed"), 2, "--mode 'speed': expected performance or accuracy"),
        ((conf, model, "--frob"), 2, "unknown option '--frob'"),
        ((conf, model, "--json", "-jzh"), 2, "unknown option '-z'"),
        ((conf, model, "-jm"), 2, "-m: an argument is missing"),
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
        ((conf, model, "-s", ITERATIONS, "--csv", folder), 1, f"cannot write '{folder}': Is a directory"),
        ((conf, model, "-s", ITERATIONS, "--hdf5", "/no/such/folder/bench.h5"), 1, "/no/such/folder/bench.h5"),
        ((conf, model, "-s", ITERATIONS, "--hdf5", folder), 1, f"cannot write '{folder}': Is a directory"),
        ((bare, model, "--recipe", missing), 3, "evaluation.accuracy.metric: missing: lpot-bench needs it"),
        ((bare, model, "--mode", "accuracy"), 3, "evaluation.accuracy.metric: missing: lpot-bench needs it"),
        ((conf, model, "--recipe", missing), 3, "missing.onnx"),
    ):
        out, err = run(*arguments, code=code)
        assert out == "", (arguments, out)  # nothing was measured
        errors = [line for line in err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1 and part in errors[0], (arguments, err)
        _, err = run(*arguments, ranks=2, code=code)
        assert sum(line.startswith("error: ") for line in err.splitlines()) == 1, (arguments, err)
    os.environ["LPOT_ENGINE"] = "onednm"
    for ranks in (0, 2):
        _, err = run(conf, model, ranks=ranks, code=2)
        assert err.splitlines()[0] == ("error: LPOT_ENGINE: engine 'onednm' is unknown, expected onednn or reference "
                                       "(did you mean 'onednn'?)"), err
    del os.environ["LPOT_ENGINE"]
    assert sorted(os.listdir(folder)) == before, os.listdir(folder)
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([bench, conf, model, "--json", "-s", "evaluation.performance.iteration=1000000"],
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
    assert done.returncode == 1 and "standard output cannot be written" in done.stderr, done


def begin_long():
    """lpot-bench in the middle of a long measurement, and the process of its instance."""
    command = [bench, conf, model, "-s", "evaluation.performance.iteration=1000000"]
    job = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                           text=True, start_new_session=True)
    for _ in range(600):
        instances = [process.pid for process in processes_of(job.pid)
                     if process.name == "lpot-bench" and process.parent == job.pid and process.cpu_seconds > 0.3]
        if instances:
            return job, instances[0]
        time.sleep(0.1)
    kill_all(job.pid)
    sys.exit("no instance measures")


def check_ends():
    """An instance that dies, a signal and the program's own death: an end, and nobody is left."""
    cases = ((signal.SIGKILL, True, 1, ") was ended by signal 9 (Killed)"),
             (signal.SIGTERM, False, 6, "the benchmark was interrupted"),
             (signal.SIGUSR1, False, 6, "the benchmark was interrupted"),
             (signal.SIGKILL, False, -9, None))
    for number, to_instance, code, text in cases:
        job, instance = begin_long()
        os.kill(instance if to_instance else job.pid, number)
        try:
            _, err = job.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            kill_all(job.pid)
            sys.exit(f"signal {number}: no end")
        errors = [line for line in err.splitlines() if line.startswith("error: ")]
        assert job.returncode == code, (number, job.returncode, err)
        assert len(errors) == (text is not None) and (text is None or text in errors[0]), (number, err)
        assert not left_of(job.pid), (number, left_of(job.pid))


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
        check_ends()
    if not whole:  # Said last: ctest then counts the test as skipped.
        print("SKIPPED several instances: only one core may be used")


main()
