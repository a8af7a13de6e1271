#!/usr/bin/env python3
"""One search on different numbers of ranks, with random delays and with recipes that crash, hang, lie or
cannot be compiled: always the same trials and the same recipe, and always an end.

usage: schedules.py SIMULATED_TUNE MPIEXEC CONFIGURATION MODEL [RANKS,RANKS,... [ROUNDS]]

SIMULATED_TUNE is lpot-tune with evaluators that sleep (tests/bench/simulated_tune.c): coordinator,
relays, evaluator processes, journal and strategies are the real ones."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, launcher, set_options  # noqa: E402

BOUND_SECONDS = 150


class Setup:
    def __init__(self, program, mpiexec, configuration, model):
        self.program, self.mpiexec, self.configuration, self.model = program, mpiexec, configuration, model
        self.folder = tempfile.mkdtemp(prefix="lpot-schedules-")
        self.runs = 0

    def run(self, ranks, simulation, settings, options=(), cap=BOUND_SECONDS, workspace=None):
        """Exit code, table of trials, chosen recipe, messages and seconds of one run."""
        self.runs += 1
        workspace = workspace or tempfile.mkdtemp(dir=self.folder)
        command = [*launcher(ranks, self.mpiexec), self.program, "-w", workspace, "--progress=none", *options,
                   *set_options(settings), self.configuration, self.model]
        started = time.monotonic()
        try:
            done = subprocess.run(command, env={**ENVIRONMENT, "LPOT_SIMULATION": simulation}, timeout=cap,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            sys.exit(f"{ranks} ranks, {simulation}, {settings}: no end within {cap} s")
        return Run(done, workspace, time.monotonic() - started)


class Run:
    def __init__(self, done, workspace, seconds):
        self.code, self.errors, self.seconds, self.workspace = done.returncode, done.stderr, seconds, workspace
        lines = [re.sub(r"(yes|no) .*", r"\1", line.replace("*", " ")).rstrip()
                 for line in done.stdout.splitlines() if re.match(r"[* ] +\d+  ", line)]
        # Which worker a recipe crashed on, and last, is told but does not matter.
        self.trials = [re.sub(r"(CRASHED|TIMEOUT): .*", r"\1", line) for line in lines]
        path = f"{workspace}/best_recipe.yaml"
        self.recipe = open(path).read() if os.path.exists(path) else None

    def same_as(self, other):
        return self.code == other.code and self.trials == other.trials and self.recipe == other.recipe


def expect_same(name, run, whole):
    if not run.same_as(whole):
        print("\n".join(whole.trials), "\n--- but", name, "\n", "\n".join(run.trials), "\n", run.errors[-2000:])
        sys.exit(f"{name}: exit code {run.code}, expected {whole.code}, or other trials")


SEARCHES = {
    "auto": ["tuning.strategy.name=auto", "tuning.accuracy_criterion.relative=0.001"],
    "random": ["tuning.strategy.name=random", "tuning.exit_policy.max_trials=40",
               "tuning.accuracy_criterion.relative=0.004"],
    "random, unraced": ["tuning.strategy.name=random", "tuning.exit_policy.max_trials=15", "tuning.racing=false",
                        "tuning.accuracy_criterion.relative=0.004"],
    "basic": ["tuning.strategy.name=basic", "tuning.exit_policy.max_trials=60",
              "tuning.accuracy_criterion.relative=-0.1"],
}


def same_on_any_ranks(setup, all_ranks, rounds):
    for name, settings in SEARCHES.items():
        whole = setup.run(0, "block=0.002,compile=0.002", settings)
        if not whole.trials:
            sys.exit(f"{name}: no trials: {whole.errors}")
        for ranks in all_ranks:
            for number in range(rounds):
                simulation = f"block=0.002,compile=0.002,spread=1,delay={0.02 * (1 + number)}"
                run = setup.run(ranks, simulation, settings)
                expect_same(f"{name}, {ranks} ranks, round {number}", run, whole)
        print(f"{name}: {len(whole.trials)} trials, the same on {all_ranks} ranks, {rounds} times each")


def resumed_as_it_began(setup):
    """Trials that fell back by damage alone are not replayed by times that could be measured only now."""
    settings = [*SEARCHES["auto"], "tuning.op_times=false"]
    whole = setup.run(0, "block=0.002,compile=0.002", settings)
    begun = setup.run(0, "block=0.002,compile=0.002", [*settings, "tuning.exit_policy.max_trials=5"])
    if len(begun.trials) != 5 or len(whole.trials) <= 5 or "fallback" not in begun.trials[4]:
        sys.exit(f"auto, resumed: no trial of a path to go on from:\n{whole.trials}\n{begun.trials}")
    table = setup.run(0, "block=0.002,compile=0.002", SEARCHES["auto"]).workspace + "/op_times.yaml"
    for name, wanted, options in (("may be measured", [], []), ("are measured", ["tuning.op_times=true"], []),
                                  ("are given", [], ["--cost-table", table])):
        workspace = f"{begun.workspace}-{name.replace(' ', '-')}"
        shutil.copytree(begun.workspace, workspace)
        for again in ("", " again"):  # the journal has the times now
            run = setup.run(0, "block=0.002,compile=0.002", SEARCHES["auto"] + wanted, [*options, "--resume"],
                            workspace=workspace)
            expect_same(f"auto, resumed{again} where times {name}", run, whole)
            if ("5 trials were made before it was known" in run.errors) != bool(wanted or options):
                sys.exit(f"auto, resumed{again} where times {name}: what is told: {run.errors}")
    print(f"auto: {len(whole.trials)} trials, the same where five were made before times were wanted")


def faults(setup):
    """Recipes with a fault by their hash, so that it is the same one everywhere."""
    settings = SEARCHES["random"] + ["tuning.lease_seconds=1"]
    for fault, word in [("crash=4:1", "CRASHED"), ("hang=16:1", "TIMEOUT"), ("invalid=4:1", "INVALID"),
                        ("lie=4:1", "CRASHED"), ("miscount=4:1", "CRASHED")]:
        simulation = f"block=0.002,compile=0.002,{fault}"
        whole = setup.run(0, simulation, settings)
        hit = sum(word in line for line in whole.trials)
        if hit == 0:
            sys.exit(f"{fault}: no trial is {word}:\n{whole.trials}\n{whole.errors}")
        # Runs with a recipe that hangs mostly wait: all at once.
        with concurrent.futures.ThreadPoolExecutor(3 if word == "TIMEOUT" else 1) as pool:
            runs = pool.map(lambda ranks: setup.run(ranks, simulation, settings), (2, 3, 5))
            for ranks, run in zip((2, 3, 5), runs):
                expect_same(f"{fault}, {ranks} ranks", run, whole)
        print(f"{fault}: {hit} of {len(whole.trials)} trials are {word}, the same on 1, 2, 3 and 5 ranks")


def distributed_searches_that_hung_elsewhere(setup):
    """Four cases in which another distributed tuner is known to wait for ever."""
    quick = "block=0.002,compile=0.002"
    base = ["tuning.strategy.name=random", "tuning.accuracy_criterion.relative=-0.2", "tuning.lease_seconds=1"]
    run = setup.run(5, quick, base + ["tuning.exit_policy.max_trials=2"], cap=30)
    if run.code != 5 or len(run.trials) != 2:
        sys.exit(f"fewer trials than workers: exit code {run.code}\n{run.errors}")
    # Every recipe of trial 1 dies, wherever it is evaluated.
    first = run.trials[0].split()[2]
    run = setup.run(5, f"{quick},crash=1000003:{int(first, 16) % 1000003}",
                    base + ["tuning.exit_policy.max_trials=4"], cap=30)
    if run.code != 5 or "CRASHED" not in run.trials[0]:
        sys.exit(f"dies in the first evaluation: exit code {run.code}\n{run.trials}\n{run.errors}")
    # An earlier candidate hangs while a later one meets the criterion.
    generous = [base[0], "tuning.accuracy_criterion.relative=0.5", base[2]]
    run = setup.run(5, f"{quick},hang=1000003:{int(first, 16) % 1000003}", generous, cap=60)
    if run.code != 0 or len(run.trials) != 2 or "TIMEOUT" not in run.trials[0]:
        sys.exit(f"lost while a later one is accepted: exit code {run.code}\n{run.trials}\n{run.errors}")
    run = setup.run(5, "block=0.05,compile=0.05", base + ["tuning.exit_policy.timeout=2"], cap=30)
    if run.code != 5 or run.seconds > 20:
        sys.exit(f"timeout: exit code {run.code} after {run.seconds:.1f} s\n{run.errors}")
    print("four cases in which other tuners hang: each ended")


def main():
    setup = Setup(*sys.argv[1:5])
    all_ranks = [int(text) for text in sys.argv[5].split(",")] if len(sys.argv) > 5 else [1, 2, 3, 5, 9]
    rounds = int(sys.argv[6]) if len(sys.argv) > 6 else 1
    same_on_any_ranks(setup, all_ranks, rounds)
    resumed_as_it_began(setup)
    faults(setup)
    distributed_searches_that_hung_elsewhere(setup)
    shutil.rmtree(setup.folder)
    print(f"{setup.runs} runs")


if __name__ == "__main__":
    main()
