#!/usr/bin/env python3
"""A program's own functions (api_functions): an evaluation in one piece gives the trials of the same metric over the
same dataset, with any number of ranks; where it dies or fails that costs the trial, not the job.

usage: functions_test.py PROGRAM MPIRUN        in the folder of the embedded example"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, dump_of, launcher, rows_of, trials_of  # noqa: E402

PROGRAM, MPIRUN = sys.argv[1:3]
MODEL = os.path.abspath("shapes.onnx")
FOLDER = tempfile.mkdtemp(prefix="lpot-functions-")
COUNT = 130  # images; batches of 20 and a smaller one
VARIABLES = {**ENVIRONMENT, "API_FUNCTIONS_MODEL": MODEL, "API_FUNCTIONS_COUNT": str(COUNT)}
COMPONENT = f"plugin: {{library: program, name: %s, model: '{MODEL}', count: {COUNT}%s}}"
IMAGES = COMPONENT % ("images", "")
runs = 0


def configuration(metric, dataset="", calibration=IMAGES, tuning=""):
    calibration = calibration and f"dataloader: {{shuffle: false, dataset: {{{calibration}}}}}"
    dataset = dataset and f"    dataloader: {{batch_size: 20, shuffle: false, dataset: {{{dataset}}}}}\n"
    return (f"model: {{name: functions, framework: onnxrt_qdqops}}\n"
            f"quantization: {{calibration: {{sampling_size: 30, {calibration}}}}}\n"
            f"evaluation:\n  performance: {{iteration: 2}}\n  accuracy:\n    metric: {{{metric}}}\n{dataset}"
            f"tuning: {{strategy: {{name: basic}}, accuracy_criterion: {{absolute: 0}},\n"
            f"  exit_policy: {{max_trials: 4}}, racing: false, op_times: false, {tuning}}}\n")


class Run:
    def __init__(self, text, ranks=0, cap=200):
        global runs
        runs += 1
        self.workspace = f"{FOLDER}/{runs}"
        path = f"{FOLDER}/{runs}.yaml"
        with open(path, "w") as file:
            file.write(text)
        done = subprocess.run([*launcher(ranks, MPIRUN), PROGRAM, path, MODEL, self.workspace], env=VARIABLES,
                              timeout=cap, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.code, self.output, self.errors = done.returncode, done.stdout, done.stderr
        self.trials = trials_of(self.workspace) if os.path.exists(f"{self.workspace}/history.h5") else None

    def accuracies(self):
        """Of the trial that is handed out, of the exported model, of f32."""
        found = re.search(r"^accuracy (\S+), exported (\S+), f32 (\S+)$", self.output, re.M)
        return tuple(map(float, found.groups())) if found else None


def expect(condition, text, run):
    if not condition:
        sys.exit(f"{text}\nexit code {run.code}\n{run.output}\n{run.trials}\n{run.errors[-3000:]}")


def whole(extra=""):
    return COMPONENT % ("whole", extra)


def one_piece_is_as_good_as_a_dataset():
    plain = Run(configuration("plugin: {library: program, name: right}", IMAGES))
    expect(plain.code in (0, 5) and plain.trials, "dataset and metric", plain)
    handed, exported, f32 = plain.accuracies()
    expect(f32 == 1 and 0.5 < handed == exported, "what is handed out", plain)
    expect(any(float(trial[2]) < 1 for trial in plain.trials), "a trial that is not f32's equal: else nothing is seen",
           plain)
    for ranks in (0, 1, 3):
        run = Run(configuration(whole()), ranks)
        expect(run.code == plain.code and run.trials == plain.trials and run.accuracies() == plain.accuracies(),
               f"in one piece, {ranks} ranks: not {plain.trials}", run)
        expect(re.search(r"f32 baseline: whole 1$", run.errors, re.M), "the baseline is told of", run)
    raced = Run(configuration(whole()).replace("racing: false", "racing: true"))
    expect(raced.trials == plain.trials and "its metric evaluates by itself" in raced.errors, "it is not raced", raced)
    print(f"evaluate: {len(plain.trials)} trials as with a dataset and a metric, on 1 and 3 ranks")
    return plain


def other_strategies_work():
    """auto and mse_v2 compare recipes on samples of the calibration; performance's come first."""
    for name, performance in (("auto", ""), ("mse_v2", f", dataloader: {{dataset: {{{IMAGES}}}}}")):
        text = configuration(whole()).replace("name: basic", f"name: {name}")
        outcomes = set()
        for ranks in (0, 3):
            run = Run(text.replace("iteration: 2", "iteration: 2" + performance), ranks)
            expect(run.code in (0, 5) and run.trials, name, run)
            outcomes.add(str(run.trials))
        expect(len(outcomes) == 1, f"{name}: other trials on 3 ranks: {outcomes}", run)
    print("evaluate: auto and mse_v2 run with samples of the calibration")


def causes(run):
    return [row for row in rows_of(dump_of(run.workspace)) if row]


def faults_cost_trials(plain):
    for ranks in (0, 3):
        flag = f"{FOLDER}/flag{ranks}"
        run = Run(configuration(whole(f", fault: once, flag: '{flag}'")), ranks)
        expect(os.path.exists(flag) and run.trials == plain.trials and run.code == plain.code,
               f"a crash, {ranks} ranks: trials are not {plain.trials}", run)
        for fault, status, text in (("crash", "CRASHED", "signal 11"),
                                    ("refuse", "CRASHED", "it does not like the candidate"),
                                    ("nan", "INVALID", "metric whole: its accuracy is NaN or infinite")):
            run = Run(configuration(whole(f", fault: {fault}"), tuning="exit_policy: {max_trials: 2}")
                      .replace("exit_policy: {max_trials: 4}, ", ""), ranks)
            found = str(causes(run))
            expect(run.code == 5 and len(run.trials) == 2 and found.count(status) == 2 and text in found,
                   f"{fault}, {ranks} ranks: {found}", run)
    run = Run(configuration(whole(", fault: misuse")), 3)
    expect(run.code == 1 and "input 'image'" in run.errors, "f32 cannot be evaluated", run)
    print("evaluate: a crash is tried again, and a candidate that always fails costs a trial, on 1 and 3 ranks")


def what_makes_no_sense_is_told():
    for text, code, message in (
            (configuration(whole(), calibration=""), 3,
             r"\d+\.yaml:\d+:\d+: quantization\.calibration\.dataloader\.dataset: missing: recipes are compared and "
             r"timed on samples"),
            (configuration(whole(), tuning="holdout: 0.2"), 3,
             r"\d+\.yaml:\d+:\d+: tuning\.holdout: the metric evaluates by itself"),
            (configuration("plugin: {library: program, name: both}", IMAGES), 3, r"metric 'both' of .* is not complete"),
            (configuration("plugin: {library: program, name: right}"), 3, r"evaluation\.accuracy\.dataloader: missing")):
        for ranks in (0, 3):
            run = Run(text, ranks)
            lines = [line for line in run.errors.splitlines() if line.startswith("error: ")]
            expect(run.code == code and len(lines) == 1 and re.search(message, lines[0]), message, run)
    run = Run(configuration(whole()).replace("  accuracy:\n", "  accuracy:\n    iteration: 3\n"))
    expect("iteration: ignored: the metric evaluates by itself" in run.errors, "what has no effect is told", run)
    print("evaluate: what it cannot be combined with is one line")


plain = one_piece_is_as_good_as_a_dataset()
other_strategies_work()
faults_cost_trials(plain)
what_makes_no_sense_is_told()
shutil.rmtree(FOLDER)
