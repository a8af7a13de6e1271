#!/usr/bin/env python3
"""What the ops cost, in whole runs of the embedded example: measured once, kept, given by --cost-table.

Usage: op_times_test.py LPOT_TUNE MPIEXEC FOLDER_OF_THE_EXAMPLE
"""
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

OP_TIMES = 11
HEAD = 28
QUICK = ["--set", "evaluation.performance.iteration=6", "--set", "evaluation.performance.warmup=1"]
MEASURED = ["--set", "tuning.op_times=true"]

program, mpiexec, example = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
failures = []


def expect(condition, text):
    """Notes a failure."""
    if not condition:
        print("FAILED:", text)
        failures.append(text)


def tune(ranks, workspace, *options, code=0):
    """Runs the example; what it printed on standard error."""
    command = [program, "--progress", "none", "-w", str(workspace), *QUICK, *options,
               str(example / "example.yaml"), str(example / "shapes.onnx")]
    if ranks > 0:
        command = [mpiexec, "--oversubscribe", "-n", str(ranks)] + command
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    expect(done.returncode == code,
           f"{' '.join(options)} on {ranks} ranks: exit code {done.returncode}, expected {code}: {done.stderr}")
    return done.stderr


def op_times_of(workspace):
    """The payloads of the journal's records of this kind."""
    data = (workspace / "trials.journal").read_bytes()
    found = []
    at = 0
    while at + HEAD <= len(data):
        _, kind, _, length, _, _ = struct.unpack_from("<IHHIQQ", data, at)
        if kind == OP_TIMES:
            found.append(data[at + HEAD : at + HEAD + length])
        at += HEAD + length
    return found


def dump(workspace, *options):
    """history.h5 as text, without the line that names the file."""
    done = subprocess.run(["h5dump", "-m", "%.17g", *options, str(workspace / "history.h5")],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.partition("\n")[2]


def names_of(workspace):
    """The lines of a table that name an op."""
    return [line for line in (workspace / "op_times.yaml").read_text().splitlines() if "name: " in line]


def measure(work):
    """Measured with one rank and with three, once each, whatever is resumed."""
    for ranks in (0, 3):
        workspace = work / f"measured_{ranks}"
        tune(ranks, workspace, *MEASURED)
        records = op_times_of(workspace)
        table = (workspace / "op_times.yaml").read_bytes()
        expect(len(records) == 1, f"{ranks} ranks: {len(records)} records of op times")
        tune(ranks, workspace, *MEASURED, "--resume")
        expect(op_times_of(workspace) == records, f"{ranks} ranks: resumed, they were measured again")
        expect((workspace / "op_times.yaml").read_bytes() == table, f"{ranks} ranks: resumed, another table")
        before = dump(workspace)
        expect('DATASET "op_times"' in before, f"{ranks} ranks: the history has no op times")
        subprocess.run([program, "rebuild", str(workspace)], check=True, timeout=60)
        expect(dump(workspace) == before, f"{ranks} ranks: rebuild gives another history")
    expect(names_of(work / "measured_0") == names_of(work / "measured_3"), "3 ranks: other ops")
    expect(len(names_of(work / "measured_0")) > 0, "the table has no ops")


def give(work):
    """Given: the same record, by any number of ranks; another table is refused."""
    source = work / "measured_0"
    table = source / "op_times.yaml"
    for ranks in (0, 3):
        workspace = work / f"given_{ranks}"
        tune(ranks, workspace, *MEASURED, "--cost-table", str(table))
        expect(op_times_of(workspace) == op_times_of(source), f"{ranks} ranks: the given table is another record")
        expect((workspace / "op_times.yaml").read_bytes() == table.read_bytes(), f"{ranks} ranks: another table")
        expect(dump(workspace, "-d", "/op_times") == dump(source, "-d", "/op_times"), f"{ranks} ranks: another history")
    tune(0, work / "given_0", "--resume", "--cost-table", str(table))
    tune(0, work / "given_0", "--resume")
    other = work / "measured_3" / "op_times.yaml"
    error = tune(3, work / "given_0", "--resume", "--cost-table", str(other), code=2)
    expect("another cost table" in error, f"another table: {error}")
    expect(op_times_of(work / "given_0") == op_times_of(source), "the refused table is in the journal")


def ask_later(work):
    """A strategy that wants them has them measured; a journal without them is resumed, and they are added when they are
    wanted."""
    tune(0, work / "wanted")
    expect(len(op_times_of(work / "wanted")) == 1, "op times were not measured that auto wants")
    tune(0, work / "forbidden", "--set", "tuning.op_times=false")
    expect(op_times_of(work / "forbidden") == [], "op times were measured against the configuration")
    workspace = work / "later"
    basic = ["--set", "tuning.strategy.name=basic"]
    tune(0, workspace, *basic)
    expect(op_times_of(workspace) == [], "op times were measured that nobody wanted")
    expect(not (workspace / "op_times.yaml").exists(), "a table that nobody wanted")
    expect('DATASET "op_times"' not in dump(workspace), "the history has op times that nobody wanted")
    tune(2, workspace, *basic, *MEASURED, "--resume")
    expect(len(op_times_of(workspace)) == 1, "op times were not measured when they were wanted")


def leave(work):
    """What the table says is faster in f32 is not tried in int8, unless memory is the objective."""
    text = (work / "measured_0" / "op_times.yaml").read_text()
    for key, value in {"trusted": "true", "reason": '""', "f32_us": "10", "int8_us": "5", "quantize_us": "0",
                       "dequantize_us": "0", "spread": "0"}.items():
        text = re.sub(rf"^( *{key}): .*", rf"\1: {value}", text, flags=re.MULTILINE)
    table = work / "slow.yaml"
    table.write_text(text.replace("int8_us: 5", "int8_us: 50", 1))
    for options, precision in (([], "fp32"), (["--set", "tuning.objective=modelsize"], "uint8")):
        workspace = work / f"left_{precision}"
        tune(0, workspace, "--cost-table", str(table), *options)
        recipe = (workspace / "best_recipe.yaml").read_text()
        first = re.search(r"activation: {dtype: (\w+)", recipe).group(1)
        expect(first == precision, f"{options}: the op that is slow in int8 is {first}, expected {precision}")


def refuse(work):
    """Bad tables: one line, with its place, whatever the number of ranks."""
    table = (work / "measured_0" / "op_times.yaml").read_text()
    name = names_of(work / "measured_0")[0].split('"')[1]
    cases = {
        "unknown": (table.replace(f'"{name}"', f'"{name}x"'), f"did you mean '{name}'?"),
        "short": (table[: table.rindex("  - name")], "is missing"),
        "negative": (table.replace("f32_us: ", "f32_us: -", 1), "expected a number of at least 0"),
        "torn": (table[: table.rindex('"')], ""),
        "none": (None, ""),
    }
    for case, (text, message) in cases.items():
        path = work / f"{case}.yaml"
        if text is not None:
            path.write_text(text)
        for ranks in (0, 3):
            error = tune(ranks, work / "refused", "--cost-table", str(path), code=3)
            lines = [line for line in error.splitlines() if line.startswith("error: ")]
            expect(len(lines) == 1 and str(path) in lines[0] and message in lines[0], f"{case}: {error}")
    expect(not (work / "refused").exists(), "a refused run has made its workspace")
    error = tune(0, work / "refused", "--dry-run", "--cost-table", "x", code=2)
    expect("--cost-table has no effect with" in error, f"with --dry-run: {error}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        measure(work)
        give(work)
        ask_later(work)
        leave(work)
        refuse(work)
    print("all passed" if not failures else f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
