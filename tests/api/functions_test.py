#!/usr/bin/env python3
"""A program's own functions (api_functions): an evaluation in one piece gives the trials of the same metric over the
same dataset, and a calibration those of the same samples, with any number of ranks; where an evaluation dies or fails
that costs the trial, not the job.

inside: the same where MPI or a thread is there before lpot_start, so that evaluators are threads of the program, and
what that cannot do. resume: a run that is interrupted is resumed by the same program in the same session. library: the
functions come from a plug-in.

usage: functions_test.py PROGRAM MPIRUN evaluate|calibrate|stream|library|inside|resume PLUGIN
in the folder of the embedded example"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, dump_of, launcher, rows_of, trials_of  # noqa: E402

PROGRAM, MPIRUN, PART, PLUGIN = sys.argv[1:5]
MODEL = os.path.abspath("shapes.onnx")
FOLDER = tempfile.mkdtemp(prefix="lpot-functions-")
COUNT = 130  # images; batches of 20 and a smaller one
VARIABLES = {**ENVIRONMENT, "API_FUNCTIONS_MODEL": MODEL, "API_FUNCTIONS_COUNT": str(COUNT)}
COMPONENT = f"plugin: {{library: program, name: %s, model: '{MODEL}', count: {COUNT}%s}}"
RIGHT = "plugin: {library: program, name: right}"
IMAGES = COMPONENT % ("images", "")
runs = 0


def configuration(metric, dataset="", calibration=IMAGES, tuning=""):
    if "name: feed" in calibration:
        calibration = f"q_func: {{{calibration}}}"
    elif calibration:
        calibration = f"dataloader: {{shuffle: false, dataset: {{{calibration}}}}}"
    dataset = dataset and f"    dataloader: {{batch_size: 20, shuffle: false, dataset: {{{dataset}}}}}\n"
    return (f"model: {{name: functions, framework: onnxrt_qdqops}}\n"
            f"quantization: {{calibration: {{sampling_size: 30, {calibration}}}}}\n"
            f"evaluation:\n  performance: {{iteration: 2}}\n  accuracy:\n    metric: {{{metric}}}\n{dataset}"
            f"tuning: {{strategy: {{name: basic}}, accuracy_criterion: {{absolute: 0}},\n"
            f"  exit_policy: {{max_trials: 4}}, racing: false, op_times: false, {tuning}}}\n")


class Run:
    def __init__(self, text, ranks=0, cap=200, disturb=None, **variables):
        """disturb(process) is called while it runs."""
        global runs
        runs += 1
        self.workspace = f"{FOLDER}/{runs}"
        path = f"{FOLDER}/{runs}.yaml"
        with open(path, "w") as file:
            file.write(text)
        process = subprocess.Popen([*launcher(ranks, MPIRUN), PROGRAM, path, MODEL, self.workspace],
                                   env={**VARIABLES, **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        if disturb:
            disturb(process)
        try:
            self.output, self.errors = process.communicate(timeout=cap)
        except subprocess.TimeoutExpired:
            process.kill()
            sys.exit(f"no end within {cap} s\n{process.communicate()[1]}")
        self.code = process.returncode
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


def dataset_and_metric():
    plain = Run(configuration(RIGHT, IMAGES))
    expect(plain.code in (0, 5) and plain.trials, "dataset and metric", plain)
    return plain


def one_piece_is_as_good_as_a_dataset(plain):
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
        run = Run(configuration(whole(f", fault: crash, flag: '{flag}'")), ranks)
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


def feed(extra=""):
    return COMPONENT % ("feed", extra)


def a_function_calibrates(plain):
    for ranks in (0, 1, 3):
        run = Run(configuration(RIGHT, IMAGES, feed()), ranks)
        expect(run.trials == plain.trials and run.accuracies() == plain.accuracies(),
               f"q_func, {ranks} ranks: not the trials of the dataset {plain.trials}", run)
    performance = f"iteration: 2, dataloader: {{dataset: {{{IMAGES}}}}}"
    both = [Run(configuration(whole(), calibration=feed(", batch: 7")).replace("iteration: 2", performance), ranks)
            for ranks in (0, 3)]
    expect(both[0].trials and both[0].trials == both[1].trials, f"both functions: not {both[0].trials}", both[1])
    two = Run(configuration(RIGHT, IMAGES, feed()).replace("size: 30", "size: [5, 30]"))
    expect({trial[1] for trial in two.trials} - {trial[1] for trial in plain.trials}, "two sampling sizes", two)
    print("q_func: the trials of a dataset, on 1 and 3 ranks")


def a_calibration_that_fails_ends_the_run(plain):
    for ranks in (0, 3):
        flag = f"{FOLDER}/calibration{ranks}"
        run = Run(configuration(RIGHT, IMAGES, feed(f", fault: crash, flag: '{flag}'")), ranks)
        expect(os.path.exists(flag) and run.trials == plain.trials, f"a crash: not {plain.trials}", run)
        for fault, message in (("crash", "signal 11"), ("refuse", "it does not like the candidate"),
                               ("idle", "calibration feed has not run the model")):
            run = Run(configuration(RIGHT, IMAGES, feed(f", fault: {fault}")), ranks)
            lines = [line for line in run.errors.splitlines() if line.startswith("error: ")]
            expect(run.code == 1 and len(lines) == 1 and message in lines[0], fault, run)
    print("q_func: a crash is tried again, a failure is one line, on 1 and 3 ranks")


def calibrations_that_make_no_sense_are_told():
    for text, message in (
            (configuration(whole(), IMAGES, feed()).replace(
                "quantization: {", "quantization: {approach: quant_aware_training, "),
             r"\d+\.yaml:\d+:\d+: quantization\.approach: .*not supported yet"),
            (configuration(whole(), calibration=feed()), "recipes are compared and timed on samples"),
            (configuration(RIGHT, IMAGES, "").replace("size: 30", "size: 30, q_func: {library: program}"),
             r"calibration\.q_func: expected 'q_func: \{plugin: \{library: FILE, name: NAME\}\}'"),
            (configuration(RIGHT, IMAGES, "").replace("size: 30", "size: 30, q_func: {plugin: {library: program, "
                                                                  "name: fed}}"), "'feed'")):
        for ranks in (0, 3):
            run = Run(text, ranks)
            lines = [line for line in run.errors.splitlines() if line.startswith("error: ")]
            expect(run.code == 3 and len(lines) == 1 and re.search(message, lines[0]), message, run)
    print("q_func: what it cannot be combined with is one line")


def what_makes_no_sense_is_told():
    for text, code, message in (
            (configuration(whole(), calibration=""), 3,
             r"\d+\.yaml:\d+:\d+: quantization\.calibration\.dataloader\.dataset: missing: recipes are compared and "
             r"timed on samples"),
            (configuration(whole(), tuning="holdout: 0.2"), 3,
             r"\d+\.yaml:\d+:\d+: tuning\.holdout: the metric evaluates by itself"),
            (configuration("plugin: {library: program, name: both}", IMAGES), 3, r"metric 'both' of .* is not complete"),
            (configuration(RIGHT), 3, r"evaluation\.accuracy\.dataloader: missing")):
        for ranks in (0, 3):
            run = Run(text, ranks)
            lines = [line for line in run.errors.splitlines() if line.startswith("error: ")]
            expect(run.code == code and len(lines) == 1 and re.search(message, lines[0]), message, run)
    run = Run(configuration(whole()).replace("  accuracy:\n", "  accuracy:\n    iteration: 3\n"))
    expect("iteration: ignored: the metric evaluates by itself" in run.errors, "what has no effect is told", run)
    print("evaluate: what it cannot be combined with is one line")


def a_stream_is_as_good_as_an_index(plain):
    def stream(extra=""):
        return COMPONENT % ("stream", extra)
    for ranks in (0, 1, 3):
        run = Run(configuration(RIGHT, stream(), stream()), ranks)
        expect(run.trials == plain.trials and run.accuracies() == plain.accuracies(),
               f"a stream, {ranks} ranks: not {plain.trials}", run)
    shuffled = [Run(configuration(RIGHT, data, data).replace("shuffle: false, ", ""), 3) for data in (IMAGES, stream())]
    expect(shuffled[0].trials == shuffled[1].trials, f"drawn by seed: not {shuffled[0].trials}", shuffled[1])
    for data, message in ((stream(", fault: endless"), "did not come to an end"),
                          (stream(", fault: refuse"), "dataset stream of '.*': it does not like the candidate"),
                          (stream(", fault: empty"), "dataset stream has 0 samples"),
                          (COMPONENT % ("mixed", ""), "dataset 'mixed' of .* is not complete")):
        for ranks in (0, 3):
            run = Run(configuration(RIGHT, data), ranks)
            lines = [line for line in run.errors.splitlines() if line.startswith("error: ")]
            expect(run.code == 3 and len(lines) == 1 and re.search(r"\d+\.yaml:\d+:\d+: .*" + message, lines[0]),
                   message, run)
    print("next: the trials of a dataset with an index, on 1 and 3 ranks; what does not end is one line")


def a_plugin_brings_the_same_functions(plain):
    def of_plugin(text):
        expect(text.count("library: program") == 3, "all three components are replaced", plain)
        return text.replace("library: program", f"library: '{PLUGIN}'")
    performance = f"iteration: 2, dataloader: {{dataset: {{{IMAGES}}}}}"
    for ranks in (0, 3):
        run = Run(of_plugin(configuration(whole(), calibration=feed()).replace("iteration: 2", performance)), ranks)
        expect(run.code == plain.code and run.trials == plain.trials and run.accuracies() == plain.accuracies(),
               f"evaluate and calibrate, {ranks} ranks: not {plain.trials}", run)
        for part, text in (("evaluate", configuration(whole(f", fault: crash, flag: '{FOLDER}/evaluate{ranks}'"),
                                                      calibration=feed())),
                           ("calibrate", configuration(whole(), calibration=feed(
                               f", fault: crash, flag: '{FOLDER}/calibrate{ranks}'")))):
            run = Run(of_plugin(text.replace("iteration: 2", performance)), ranks)
            expect(os.path.exists(f"{FOLDER}/{part}{ranks}") and run.trials == plain.trials,
                   f"a crash in {part}, {ranks} ranks: not {plain.trials}", run)
    print("library: evaluate and calibrate of a plug-in give the same trials, on 1 and 3 ranks, also where they crash once")


# ---- evaluators inside the program ----

WARNING = "evaluators run inside this program"


def inside(text, ranks, first="mpi", **others):
    run = Run(text, ranks, API_FUNCTIONS_FIRST=first, **others)
    reason = "MPI runs already" if "mpi" in first else "there are threads already"
    lines = [line for line in run.errors.splitlines() if WARNING in line]
    expect(len(lines) == 1 and lines[0].startswith(f"warning: {reason}: ") and "lpot_start comes before" in lines[0],
           f"{first}, {ranks} ranks: one line of warning, not {lines}", run)
    return run


def error_lines(run):
    return [line for line in run.errors.splitlines() if line.startswith("error: ")]


def it_is_the_same_inside_the_program(plain):
    expect(WARNING not in plain.errors, "no warning where lpot_start comes first", plain)
    for first, ranks in (("thread", 0), ("mpi", 0), ("mpi", 1), ("mpi", 3), ("thread", 3), ("mpi,thread", 3)):
        run = inside(configuration(RIGHT, IMAGES), ranks, first)
        expect(run.code == plain.code and run.trials == plain.trials and run.accuracies() == plain.accuracies(),
               f"{first}, {ranks} ranks: not {plain.trials}", run)
    for ranks in (0, 3):
        run = inside(configuration(whole(), calibration=feed()).replace(
            "iteration: 2", f"iteration: 2, dataloader: {{dataset: {{{IMAGES}}}}}"), ranks)
        expect(run.trials == plain.trials and run.accuracies() == plain.accuracies(),
               f"both functions, {ranks} ranks: not {plain.trials}", run)
        run = inside(configuration(RIGHT, COMPONENT % ("stream", ""), COMPONENT % ("stream", "")), ranks, "thread")
        expect(run.trials == plain.trials, f"a stream, {ranks} ranks: not {plain.trials}", run)
        run = inside(configuration(whole(", fault: refuse"), tuning="exit_policy: {max_trials: 2}")
                     .replace("exit_policy: {max_trials: 4}, ", ""), ranks)
        expect(run.code == 5 and str(causes(run)).count("CRASHED") == 2, f"refuse, {ranks} ranks: {causes(run)}", run)
    print("inside: the trials of evaluators that are processes, on 1 and 3 ranks")


def what_is_not_contained_ends_the_run(plain):
    text = configuration(whole(", fault: crash"))
    run = inside(text, 0)
    expect(run.code == -signal.SIGSEGV, "a crash ends the program", run)
    run = inside(text, 3)
    expect(run.code not in (0, 5), "a crash ends the job", run)
    for ranks in (0, 3):
        run = inside(configuration(whole(", fault: hang"), tuning="lease_seconds: 1"), ranks, cap=120)
        lines = error_lines(run)
        expect(run.code == 1 and len(lines) == 1 and "cannot be killed: call lpot_start first" in lines[0] and
               "it is left behind" in run.errors, f"a hang, {ranks} ranks: {lines}", run)
        run = inside(configuration(whole(f", fault: late, flag: '{FOLDER}/late{ranks}'"), tuning="lease_seconds: 1"),
                     ranks, cap=120)
        expect(run.code == plain.code and run.trials == plain.trials and "does not answer in time" in run.errors,
               f"a late answer, {ranks} ranks: not {plain.trials}", run)
        run = inside(configuration(RIGHT, IMAGES, tuning="objective: footprint"), ranks)
        lines = error_lines(run)
        expect(run.code == 3 and len(lines) == 1 and "the objective footprint needs evaluators that are processes" in
               lines[0], f"footprint, {ranks} ranks: {lines}", run)
    run = inside(configuration(whole(f", fault: hang, flag: '{FOLDER}/hang'"), tuning="lease_seconds: 1"), 3, cap=120)
    expect(run.code == plain.code and run.trials == plain.trials, f"a hang of one of two: not {plain.trials}", run)
    print("inside: a crash ends the program, a hang the run, on 1 and 3 ranks; another rank takes the work over")


# ---- interrupted and resumed ----


def interrupt(flag):
    def disturb(process):
        for _ in range(1200):
            if os.path.exists(flag) or process.poll() is not None:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGUSR1)
    return disturb


def an_interrupted_run_goes_on_in_the_same_session(plain):
    for first, ranks in (("", 0), ("", 3), ("mpi", 0), ("mpi", 3)):
        flag = f"{FOLDER}/interrupt{first}{ranks}"
        run = Run(configuration(whole(f", fault: late, flag: '{flag}'")), ranks, disturb=interrupt(flag),
                  API_FUNCTIONS_FIRST=first, API_FUNCTIONS_TWICE="1")
        expect(re.search(r"^first .*interrupted", run.output, re.M) and "interrupted by a signal" in run.errors,
               f"{first}, {ranks} ranks: the first run is interrupted", run)
        expect(run.code == plain.code and run.trials == plain.trials and run.accuracies() == plain.accuracies(),
               f"{first}, {ranks} ranks: resumed, not {plain.trials}", run)
    print("resume: an interrupted run goes on in the same session to the same trials, on 1 and 3 ranks")


plain = dataset_and_metric()
if PART == "evaluate":
    one_piece_is_as_good_as_a_dataset(plain)
    other_strategies_work()
    faults_cost_trials(plain)
    what_makes_no_sense_is_told()
elif PART == "stream":
    a_stream_is_as_good_as_an_index(plain)
elif PART == "library":
    a_plugin_brings_the_same_functions(plain)
elif PART == "inside":
    it_is_the_same_inside_the_program(plain)
    what_is_not_contained_ends_the_run(plain)
elif PART == "resume":
    an_interrupted_run_goes_on_in_the_same_session(plain)
else:
    a_function_calibrates(plain)
    a_calibration_that_fails_ends_the_run(plain)
    calibrations_that_make_no_sense_are_told()
shutil.rmtree(FOLDER)
