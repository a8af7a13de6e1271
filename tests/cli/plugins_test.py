#!/usr/bin/env python3
"""Plug-ins, compiled with the public header alone: the example's components are as good as lpot's own, those that
misbehave cost an attempt and never the job, and what cannot be loaded is one line with its place.

usage: plugins_test.py LPOT_TUNE LPOT_BENCH CC INCLUDE EXAMPLE.c FAULTY.c     in the folder of the embedded example"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, launcher, set_options  # noqa: E402

PROGRAM, BENCH, CC, INCLUDE, EXAMPLE, FAULTY = sys.argv[1:7]
MODEL = os.path.abspath("shapes.onnx")
FOLDER = tempfile.mkdtemp(prefix="lpot-plugins-")
BATCHES = 40  # of the evaluation set
QUICK = ["evaluation.performance.iteration=2", "tuning.op_times=false"]  # latencies do not matter here
runs = 0


def compile_plugin(source, name, *options):
    command = [CC, "-std=gnu99", "-O1", "-shared", "-fPIC", f"-I{INCLUDE}", *options, "-o", f"{FOLDER}/{name}", source]
    subprocess.run([*command, "-lm"], check=True)


class Command:
    """A command that has to end in time."""

    def __init__(self, *command, cap=120):
        global runs
        runs += 1
        started = time.monotonic()
        try:
            done = subprocess.run(command, env=ENVIRONMENT, timeout=cap, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            sys.exit(f"{command}: no end within {cap} s")
        self.code, self.errors, self.seconds = done.returncode, done.stderr, time.monotonic() - started
        self.lines = [line for line in self.errors.splitlines() if line.startswith("error: ")]
        self.output = done.stdout


class Run(Command):
    """A tuning run."""

    def __init__(self, ranks, configuration, options=(), model=MODEL, workspace=None):
        self.workspace = workspace or f"{FOLDER}/{runs + 1}"
        super().__init__(*launcher(ranks), PROGRAM, "--progress=none", "-w", self.workspace, *set_options(QUICK),
                         *options, configuration, model)

    def outcome(self):
        """Exit code, f32's accuracy and the trials, without latencies."""
        lines = [re.sub(r"(yes|no) .*", r"\1", line.replace("*", " ")).rstrip()
                 for line in self.output.splitlines() if re.match(r"[* ] +\d+  |f32 baseline", line)]
        return self.code, lines


def expect(condition, text, run):
    if not condition:
        sys.exit(f"{text}\nexit code {run.code}\n{run.errors[-3000:]}")


def write_configuration(name, plain, *changes):
    """The example's configuration with texts exchanged, each of which must be there."""
    text = plain
    for old, new in changes:
        if old not in text:
            sys.exit(f"'{old}' is not in the configuration")
        text = text.replace(old, new)
    path = f"{FOLDER}/{name}.yaml"
    with open(path, "w") as file:
        file.write(text)
    return path


PLAIN = open("example.yaml").read()
METRIC = "      topk: 1\n"
RESCALE = re.search(r"        Rescale: \{\}.*\n", PLAIN)[0]


def postprocess(settings):
    return (METRIC, METRIC + f"    postprocess: {{transform: {{plugin: {settings}}}}}\n")


def example_is_as_good_as_built_in():
    plain = Run(0, write_configuration("plain", PLAIN))
    expect(plain.code == 0, "the example", plain)
    path = write_configuration(
        "example", PLAIN,
        (RESCALE, "        plugin: {library: example.so}\n"),
        (METRIC, "      plugin: {library: example.so, name: top1}\n"
                 "    postprocess: {transform: {plugin: {library: ./example.so, name: softmax}}}\n"))
    for ranks in (0, 1, 3, 5):
        run = Run(ranks, path)
        expect(run.code == 0 and run.outcome() == plain.outcome(), f"plug-ins on {ranks} ranks: another result", run)
    report = Command(PROGRAM, "report", run.workspace)
    expect(report.code == 0 and report.errors == "", "report", report)
    export = Command(PROGRAM, "export", run.workspace, "--trial", "1")
    expect(export.code == 0 and os.path.exists(f"{run.workspace}/trial_1/model.onnx"), "export", export)
    brier = Run(3, write_configuration(
        "brier", PLAIN, (METRIC, "      plugin: {library: example.so, name: brier}\n"
                                 "    postprocess: {transform: {plugin: {library: example.so}}}\n")))
    value = re.search(r"f32 baseline: accuracy ([0-9.]+)", brier.output)
    expect(brier.code in (0, 5) and 0 < float(value[1]) < 0.2, "brier", brier)
    loud = Run(1, write_configuration("loud", PLAIN, postprocess("{library: faulty.so, after: 100000}")), ["--json"])
    expect(loud.code == 0 and "a plug-in speaks" in loud.errors and json.loads(loud.output), "it speaks", loud)
    print("example: the same trials as with lpot's own components, on 1, 3 and 5 ranks")


def a_dataset_is_read():
    """1,000 records of 16 x 16 grey squares, one class: every answer is that of one class, or not."""
    sample = subprocess.run([PROGRAM, "--dry-run", f"{FOLDER}/plain.yaml", MODEL], capture_output=True, text=True)
    shape = re.search(r"\[50, (\d+), (\d+), (\d+)\]", sample.stdout + sample.stderr)
    channels, height, width = map(int, shape.groups()) if shape else (3, 32, 32)
    with open(f"{FOLDER}/records.bin", "wb") as file:
        for index in range(200):
            file.write(struct.pack("B", index % 10) + bytes((index * 7 + k) % 256 for k in range(channels * height * width)))
    settings = f"{{library: example.so, path: {FOLDER}/records.bin, channels: {channels}, height: {height}, width: {width}}}"
    with open(f"{FOLDER}/records.yaml", "w") as file:
        file.write(f"""
model: {{name: records, framework: onnxrt_qdqops}}
quantization: {{calibration: {{sampling_size: 20}}}}
evaluation:
  accuracy:
    metric: {{topk: 1}}
    dataloader:
      batch_size: 50
      dataset: {{plugin: {settings}}}
      transform: {{Rescale: {{}}}}
tuning:
  accuracy_criterion: {{absolute: 0.9}}
""")
    outcomes = []
    for ranks in (0, 3):
        run = Run(ranks, f"{FOLDER}/records.yaml")
        expect(run.code == 0, f"dataset on {ranks} ranks", run)
        outcomes.append(run.outcome())
    expect(outcomes[0] == outcomes[1], "dataset: ranks differ", run)
    run = Run(0, f"{FOLDER}/records.yaml", set_options([f"evaluation.accuracy.dataloader.dataset.plugin.path={FOLDER}/none"]))
    expect(run.code == 3 and len(run.lines) == 1 and "cannot be opened" in run.lines[0], "no records", run)
    print("dataset: 200 records, the same on 1 and 3 ranks")


def faults_cost_an_attempt():
    whole = Run(0, f"{FOLDER}/plain.yaml")
    kinds = ["crash", "abort", "exit", "hang", "fail", "lie"]
    for number, kind in enumerate(kinds):
        for ranks in [(1, 2), (3, 5)][number % 2] if kind != "hang" else (1, 2, 3, 5):
            marker = f"{FOLDER}/{kind}{ranks}"
            calls = BATCHES // max(ranks - 1, 1) + 3  # more than the baseline takes
            settings = f"{{library: faulty.so, fault: {kind}, after: {calls}, marker: {marker}}}"
            path = write_configuration(f"{kind}{ranks}", PLAIN, postprocess(settings))
            run = Run(ranks, path, set_options(["tuning.lease_seconds=1"]))
            expect(os.path.exists(marker), f"{kind} on {ranks} ranks: it was not shown", run)
            expect(run.outcome() == whole.outcome(), f"{kind} on {ranks} ranks: another result", run)
    print(f"{', '.join(kinds)}: once in a job, the same trials as without")


def faults_that_stay_end_the_job():
    for ranks in (0, 3):
        for fault, text in (("crash", "signal 11"), ("fail", "no more after"), ("lie", "made a tensor [1, 3] for 50"),
                            ("huge", "with too many elements or a bad axis: 4294967296")):
            path = write_configuration("always", PLAIN, postprocess(f"{{library: faulty.so, fault: {fault}}}"))
            run = Run(ranks, path)
            expect(run.code == 1 and text in run.errors, f"always {fault} on {ranks} ranks", run)
        path = write_configuration("right", PLAIN, (METRIC, "      plugin: {library: faulty.so, name: faulty}\n"))
        run = Run(ranks, path)
        expect(run.code == 1 and "right[0] is 7, expected 0 or 1" in run.errors, f"nonsense on {ranks} ranks", run)
        path = write_configuration("value", PLAIN,
                                   (METRIC, "      plugin: {library: faulty.so, name: sums, fault: abort}\n"))
        run = Run(ranks, path)
        expect(run.code == 1 and "value ended by signal 6" in run.errors, f"value on {ranks} ranks", run)
        for fault, code, text in (("crash", 1, "ended by signal 11"), ("none", 3, "it does not want to")):
            path = write_configuration("open", PLAIN, postprocess(f"{{library: faulty.so, fault: {fault}, where: open}}"))
            run = Run(ranks, path)
            expect(run.code == code and text in run.errors, f"open {fault} on {ranks} ranks", run)
        for fault, text in (("crash", "ended by signal 11"), ("exit", "ended the process with exit code 0")):
            path = write_configuration(
                "metric", PLAIN, (METRIC, f"      plugin: {{library: faulty.so, name: faulty, fault: {fault}, where: open}}\n"))
            run = Run(ranks, path)
            expect(run.code == 1 and text in run.errors, f"open of a metric, {fault}, on {ranks} ranks", run)
    for command in ([PROGRAM, "--dry-run", path, MODEL], [BENCH, path, MODEL]):
        run = Command(*command)
        expect(run.code == 1 and len(run.lines) == 1 and text in run.lines[0], f"{command}: open of a metric", run)
    print("faults that stay: an end with a message, on 1 and 3 ranks")


def what_cannot_be_loaded_is_told():
    with open(f"{FOLDER}/text.so", "w") as file:
        file.write("not a library\n")
    cases = [("{library: none.so}", "there is no file 'none.so'"),
             ("{library: text.so}", "cannot be loaded"),
             ("{library: old.so}", "is of version 99 of lpot/component.h, expected 1"),
             ("{library: empty.so}", "has no function lpot_component_library"),
             ("{library: faulty.so}", "name is missing"),
             ("{library: faulty.so, name: sum}", "sums"),
             ("{library: faulty.so, name: incomplete}", "is not complete"),
             ("{name: top1}", "library"),
             ("example.so", "expected a map")]
    for settings, text in cases:
        path = write_configuration("load", PLAIN, (METRIC, f"      plugin: {settings}\n"))
        for ranks in (0, 3):
            run = Run(ranks, path)
            expect(run.code == 3 and len(run.lines) == 1 and text in run.lines[0] and
                   re.match(r"error: .*load\.yaml:\d+:\d+: ", run.lines[0]), f"{settings} on {ranks} ranks", run)
    key = "evaluation.accuracy.metric"
    for ranks in (0, 3):  # example.so is beside the configuration, which a path by --set is not relative to
        run = Run(ranks, path, set_options([key + "={plugin: {library: example.so, name: top1}}"]))
        expect(run.code == 3 and run.lines == [f"error: --set {key}:1:20: {key}.plugin.library: there is no file "
                                               f"'example.so' in the working directory '{os.getcwd()}'"], "--set", run)
    print(f"{len(cases)} that cannot be loaded: one line each, with its place")


def another_library_is_not_resumed():
    path = write_configuration("resume", PLAIN, (METRIC, "      plugin: {library: example.so, name: top1}\n"))
    first = Run(0, path, set_options(["tuning.exit_policy.max_trials=1"]))
    again = Run(0, path, ["--resume"], workspace=first.workspace)
    expect(again.code == 0, "resumed", again)
    compile_plugin(EXAMPLE, "example.so", "-DOTHER", "-g")
    changed = Run(0, path, ["--resume"], workspace=first.workspace)
    expect(changed.code not in (0, 5) and len(changed.lines) == 1, "resumed with another library", changed)
    print("another library: not resumed")


def main():
    compile_plugin(EXAMPLE, "example.so")
    compile_plugin(FAULTY, "faulty.so")
    compile_plugin(FAULTY, "old.so", "-DVERSION=99")
    with open(f"{FOLDER}/empty.c", "w") as file:
        file.write("int nothing;\n")
    compile_plugin(f"{FOLDER}/empty.c", "empty.so")
    example_is_as_good_as_built_in()
    a_dataset_is_read()
    faults_cost_an_attempt()
    faults_that_stay_end_the_job()
    what_cannot_be_loaded_is_told()
    another_library_is_not_resumed()
    shutil.rmtree(FOLDER)
    print(f"{runs} runs")


if __name__ == "__main__":
    main()
