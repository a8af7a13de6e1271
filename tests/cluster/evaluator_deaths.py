#!/usr/bin/env python3
"""Lets evaluators die in the middle of tuning jobs: the job goes on, and nothing of its result changes.

usage: evaluator_deaths.py PROGRAM SHIM MPIEXEC CONFIGURATION MODEL [memory]

SHIM is the library made of tests/support/fault_preload.c. Checked for each job: exit code, best_recipe.yaml
and table of trials are those of an undisturbed run, an evaluator did die, the death is told with its
signal, and no process is left. With "memory" the kernel ends evaluators that take all memory of a control group in
which the whole job lives; it ends nobody else."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from memory_group import MemoryGroup, NoGroup  # noqa: E402
from tune_runs import ENVIRONMENT, dump_of, kill_all, launcher, left_of, read, rows_of  # noqa: E402

KINDS = {"segv": "signal 11 (SIGSEGV)", "kill": "signal 9 (SIGKILL)", "abort": "signal 6 (SIGABRT)",
         "limit": "signal 6 (SIGABRT)"}
PLACES = [0.0, 0.1, 0.3, 0.5]  # share of the rank's calls of the engine that come before the death
BOUND_SECONDS = 180
GROUP_BYTES = 400 << 20
# As many calls of the engine in each run, most of them of trials.
OPTIONS = ["--progress=none", "--set", "evaluation.performance.iteration=5", "--set", "tuning.strategy.name=basic"]


class Job:
    """One run of the program; the shim is told by environment variables."""

    def __init__(self, setup, ranks, name, fault=None, launched=True, command=None, group=None):
        self.workspace = f"{setup.folder}/{name}"
        self.faults = f"{setup.folder}/{name}.faults"
        os.mkdir(self.faults)
        given = {"LD_PRELOAD": setup.shim, "LPOT_FAULT_FOLDER": self.faults}
        given.update({f"LPOT_FAULT_{key}": str(value) for key, value in (fault or {}).items()})
        front = ["env"] + [f"{key}={value}" for key, value in given.items()]
        if launched:
            front = launcher(ranks, setup.mpiexec) + front
        command = command or front + [setup.program, "--workspace", self.workspace, *OPTIONS,
                                      setup.configuration, setup.model]
        command = group.enter(command) if group else command
        process = subprocess.Popen(command, env=ENVIRONMENT, start_new_session=True, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self.output, self.errors = process.communicate(timeout=BOUND_SECONDS)
        except subprocess.TimeoutExpired:
            kill_all(process.pid)
            process.communicate()
            sys.exit(f"{name}: no end within {BOUND_SECONDS} s")
        self.code = process.returncode
        left = left_of(process.pid)
        if left:
            sys.exit(f"{name}: processes {left} are left")

    def deaths(self):
        return sum(entry.startswith("death.") for entry in os.listdir(self.faults))

    def calls(self):
        with open(f"{self.faults}/calls", "rb") as file:
            return int.from_bytes(file.read(), "little")

    def trials(self):
        """Rows (id, stage, hash, status, accuracy) of the table of trials."""
        return [row[:5] for row in rows_of(dump_of(self.workspace))]

    def recipe(self):
        return read(f"{self.workspace}/best_recipe.yaml")


class Setup:
    def __init__(self, arguments):
        self.program, self.shim, self.mpiexec, self.configuration, self.model = arguments
        self.folder = tempfile.mkdtemp(prefix="lpot-deaths-")
        self.total = 0

    def check_same(self, job, name, whole, deaths=None):
        if job.code != whole.code:
            sys.exit(f"{name}: exit code {job.code}, expected {whole.code}:\n{job.errors}")
        if job.trials() != whole.trials():
            sys.exit(f"{name}: trials differ:\n{job.trials()}\nexpected\n{whole.trials()}\n{job.errors}")
        if job.recipe() != whole.recipe():
            sys.exit(f"{name}: the chosen recipe differs")
        if deaths is not None and job.deaths() != deaths:
            sys.exit(f"{name}: {job.deaths()} deaths, expected {deaths}:\n{job.errors}")
        self.total += job.deaths()


def expect(condition, name, job):
    if not condition:
        sys.exit(f"{name}: exit code {job.code}, {job.deaths()} deaths:\n{job.output}{job.errors}")


def die_once(setup, whole):
    """Each kind of death with each number of ranks, at places that take turns."""
    turn = 0
    for ranks, launched in [(1, False), (1, True), (2, True), (3, True), (5, True)]:
        rank = 0 if ranks == 1 else 1 if ranks == 2 else ranks - 2
        counted = Job(setup, ranks, f"count_{ranks}_{launched}", {"RANK": rank}, launched=launched)
        setup.check_same(counted, f"{ranks} ranks undisturbed", whole, 0)
        for kind, words in KINDS.items():
            place = PLACES[turn % len(PLACES)]
            turn += 1
            name = f"{kind}_{ranks}_{launched}_{place}"
            call = 1 + int(place * counted.calls())
            job = Job(setup, ranks, name, {"KIND": kind, "RANK": rank, "CALL": max(call, 1)}, launched=launched)
            while job.deaths() == 0 and call > 1:  # the other workers were faster this time
                call //= 4
                name += "_earlier"
                job = Job(setup, ranks, name, {"KIND": kind, "RANK": rank, "CALL": max(call, 1)}, launched=launched)
            setup.check_same(job, name, whole, 1)
            expect(words in job.errors, name, job)
        turn += 1
        print(f"{ranks} ranks{'' if launched else ' without a launcher'}: {counted.calls()} calls on rank {rank}, "
              f"{len(KINDS)} deaths")


def die_again(setup, whole):
    """A worker whose evaluators die at each task does no harm where another can do its tasks."""
    job = Job(setup, 3, "always", {"KIND": "segv", "RANK": 1, "TIMES": 1000})
    setup.check_same(job, "always", whole)
    expect(job.deaths() > 2, "always", job)
    print(f"{job.deaths()} deaths of one worker of two")
    crash_a_trial(setup, whole)
    # What a run cannot do without is tried three times.
    job = Job(setup, 1, "baseline", {"KIND": "abort", "RANK": 0, "TIMES": 2})
    setup.check_same(job, "baseline", whole, 2)
    job = Job(setup, 1, "hopeless", {"KIND": "abort", "RANK": 0, "TIMES": 1000})
    expect(job.code == 1 and job.deaths() == 3, "hopeless", job)
    expect("the f32 baseline failed 3 times" in job.errors, "hopeless", job)
    print("a baseline that crashes three times ends the run")


def crash_a_trial(setup, whole, kind="segv", words=KINDS["segv"], group=None):
    """A recipe that kills twice is filed as crashed, with the cause, and the search goes on."""
    # Somewhere behind baseline and calibration, which have more attempts, and before latency, which takes the more calls
    # the faster the machine is at that moment.
    for percent in (50, 45, 40, 36, 32, 28, 25, 22, 19, 16, 14, 12, 10, 8, 7, 6, 5, 60, 70, 80, 90):
        name = f"twice_{percent}"
        fault = {"KIND": kind, "RANK": 0, "TIMES": 2, "CALL": 1 + whole.calls() * percent // 100}
        job = Job(setup, 1, name, fault, group=group)
        if job.deaths() == 0:  # this time latency took fewer calls
            continue
        expect(job.code in (0, 5) and job.deaths() == 2, name, job)
        setup.total += job.deaths()
        crashed = [row for row in job.trials() if row[3] == "CRASHED"]
        if crashed:
            expect(len(crashed) == 1 and f"ended by {words}" in dump_of(job.workspace), name, job)
            print(f"trial {crashed[0][0]} of {len(job.trials())} is CRASHED after two deaths")
            return
    sys.exit("no trial was hit")


def run_out_of_memory(setup, whole):
    """The kernel has to choose whom to end: an evaluator, never mpirun, a rank or a spawner."""
    with MemoryGroup(GROUP_BYTES) as group:
        for ranks, rank in [(1, 0), (3, 1), (3, 2)]:
            name = f"memory_{ranks}_{rank}"
            fault = {"KIND": "eat", "RANK": rank, "CALL": 1 + whole.calls() // (4 * ranks)}
            job = Job(setup, ranks, name, fault, group=group)
            setup.check_same(job, name, whole)
            # Another worker may have been faster.
            expect(job.deaths() == job.errors.count("ended by signal 9 (SIGKILL), having used"), name, job)
        crash_a_trial(setup, whole, "eat", KINDS["kill"], group)
        if setup.total < 4 or group.kills() != setup.total:
            sys.exit(f"{setup.total} evaluators died, the kernel ended {group.kills()} processes")
    print(f"{setup.total} evaluators ended by the kernel for want of memory, and nobody else")


def fail_to_start(setup):
    """A file that one rank cannot read is found at the start, with rank and host."""
    choose = 'if [ "$OMPI_COMM_WORLD_RANK" = 2 ]; then exec "$@" absent.onnx; fi; exec "$@" "$0"'
    job = Job(setup, 3, "start", command=[
        *launcher(3, setup.mpiexec), "sh", "-c", choose, setup.model, setup.program, "--workspace",
        f"{setup.folder}/start", setup.configuration])
    expect(job.code == 4 and f"rank 2 on {socket.gethostname()}: " in job.errors, "start", job)
    print("an unreadable model of one rank is told at the start")


def main():
    if shutil.which("h5dump") is None:
        print("SKIPPED program: h5dump is not installed")
        return
    setup = Setup(sys.argv[1:6])
    whole = Job(setup, 1, "whole", launched=False)
    expect(whole.code == 0 and len(whole.trials()) > 1, "whole", whole)
    if sys.argv[6:] == ["memory"]:
        try:
            run_out_of_memory(setup, whole)
        except NoGroup as reason:
            print(f"SKIPPED program: {reason}")
    else:
        die_once(setup, whole)
        die_again(setup, whole)
        fail_to_start(setup)
    shutil.rmtree(setup.folder)
    print(f"{setup.total} deaths survived: the same trials and the same recipe")


if __name__ == "__main__":
    main()
