#!/usr/bin/env python3
"""Jobs with workers of two numeric classes, as oneDNN makes them of one processor: refused by name, or, with
tuning.mixed_isa: allow, run with weights of 7 bits, which give the same accuracies with and without VNNI.

usage: mixed_isa.py PROGRAM MPIEXEC CONFIGURATION MODEL"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, dump_of, read, rows_of, set_options, status_of  # noqa: E402

SAMPLES = 500
# Trials of uint8 activations only: beside int8 ones oneDNN without VNNI rounds weights itself.
SETTINGS = ["tuning.strategy.name=basic", "tuning.accuracy_criterion.relative=-0.5", "tuning.exit_policy.max_trials=4",
            "quantization.model_wise.activation.dtype=uint8", "evaluation.performance.iteration=2",
            f"evaluation.accuracy.dataloader.dataset.shapes.samples={SAMPLES}"]
ALLOW = ["tuning.mixed_isa=allow"]
# Ranks from $0 on compute without VNNI. (Two programs with ":" between them: Open MPI 5.0.7's mpirun dies of that.)
OTHERS = '[ "$OMPI_COMM_WORLD_RANK" -lt "$0" ] || export ONEDNN_MAX_CPU_ISA=AVX2; exec "$@"'


class Setup:
    def __init__(self, program, mpiexec, configuration, model):
        self.program, self.mpiexec, self.configuration, self.model = program, mpiexec, configuration, model
        self.folder = tempfile.mkdtemp(prefix="lpot-mixed-")

    def run(self, name, ranks, others, settings=(), options=("--resume",)):
        """ranks that compute as the processor does, and behind them some without VNNI."""
        command = [self.program, "-w", f"{self.folder}/{name}", "--progress=none", *options,
                   *set_options([*SETTINGS, *settings]), self.configuration, self.model]
        front = [self.mpiexec, "--oversubscribe", "-n", str(ranks + others), "sh", "-c", OTHERS, str(ranks)]
        return subprocess.run([*front, *command], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)

    def accuracies(self, name):
        return [float(row[4]) for row in rows_of(dump_of(f"{self.folder}/{name}"))]


def expect(condition, text, job):
    if not condition:
        sys.exit(f"{text}: exit code {job.returncode}\n{job.stdout}{job.stderr}")


def expect_refused(job, words, text):
    lines = [line for line in job.stderr.splitlines() if line.startswith("error:")]
    expect(job.returncode == 2 and len(lines) == 1 and re.search(words, lines[0]), text, job)


def refuse(setup):
    expect_refused(setup.run("refused", 2, 1), r"rank 2 on \S+ computes as '.*avx2', rank 1 on \S+ as '.*'",
                   "a third rank of another class")
    job = setup.run("plain", 2, 0)
    expect(job.returncode == 5, "one class", job)
    expect_refused(setup.run("plain", 1, 1), r"workers that compute as '.*', these are '.*avx2'",
                   "two ranks, the journal's class is another")
    print("refused by default: another worker, and another class than the journal's")


def allow(setup):
    """The classes are told by name, and no worker saturates."""
    job = setup.run("mixed", 2, 1, ALLOW)
    expect(job.returncode == 5, "allowed", job)
    told = re.findall(r"rank 2 on \S+, one of 1 such workers, computes as '.*avx2', not as", job.stderr)
    expect(len(told) == 1 and "bit equality is off" in job.stdout, "the class is told once", job)
    status = status_of(setup.program, f"{setup.folder}/mixed")
    expect(status["reduce_range"] and not status["bit_equality"], f"status {status}", job)
    expect(b"reduce_range: true\n" in read(f"{setup.folder}/mixed/best_recipe.yaml"), "the recipe", job)
    slow = setup.run("slow", 1, 1, ALLOW)
    saturating = setup.run("saturating", 1, 1)
    expect(slow.returncode == 5 and saturating.returncode == 5, "without VNNI", slow)
    mixed, slow, saturated, plain = (setup.accuracies(name) for name in ("mixed", "slow", "saturating", "plain"))
    differences = [max(abs(a - b) for a, b in zip(*pair)) for pair in ((mixed, slow), (saturated, plain))]
    if len(mixed) != 4 or differences[0] > 2 / SAMPLES or differences[1] < 5 / SAMPLES:
        sys.exit(f"7 bits: {mixed} and {slow} without VNNI; 8 bits: {plain} and {saturated}")
    print(f"accuracies with and without VNNI differ by at most {differences[0]:.4f} (7 bits), {differences[1]:.4f} (8 bits)")


def resume(setup):
    """What was decided at the first start stays."""
    job = setup.run("eight", 3, 0, ALLOW)
    expect(job.returncode == 5 and status_of(setup.program, f"{setup.folder}/eight")["reduce_range"] is False,
           "all have VNNI", job)
    expect_refused(setup.run("eight", 2, 1, ALLOW), r"rank 2 on \S+ computes as '.*avx2', without VNNI, but the journal",
                   "a worker without VNNI comes later")
    more = ["tuning.exit_policy.max_trials=5"]
    job = setup.run("mixed", 2, 0, ALLOW + more)
    expect(job.returncode == 5 and len(setup.accuracies("mixed")) == 5 and "weights have 7 bits" in job.stderr,
           "7 bits stay", job)
    expect_refused(setup.run("mixed", 1, 1, ALLOW + more), r"workers that compute as '.*', these are '.*avx2'",
                   "no worker of the journal's class")
    print("resumed: the decision stays, who does not fit it is refused by name")


def main():
    began = time.monotonic()
    setup = Setup(*sys.argv[1:5])
    plan = subprocess.run([setup.program, "--dry-run", setup.configuration, setup.model], capture_output=True, text=True,
                          env=ENVIRONMENT, check=True).stdout
    own = re.search(r"^f32 plan \((.*)\):", plan, re.M)
    if not own or not re.search("vnni|bf16|amx", own[1]):
        print(f"SKIPPED program: this machine computes as '{own[1] if own else 'unknown'}', without VNNI")
        return
    refuse(setup)
    allow(setup)
    resume(setup)
    shutil.rmtree(setup.folder)
    print(f"{time.monotonic() - began:.0f} seconds")


if __name__ == "__main__":
    main()
