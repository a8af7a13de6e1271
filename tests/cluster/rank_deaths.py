#!/usr/bin/env python3
"""Kills a whole rank (relay, spawner and evaluator) in the middle of a job that the launcher is told to keep
going: the others finish with the result of an undisturbed run.

usage: rank_deaths.py SIMULATED_TUNE MPIEXEC CONFIGURATION MODEL [KILLS]

Open MPI 5 tells of the loss (mpirun --with-ft ulfm): the job ends by itself with its own exit code. Open MPI 4
does not (mpirun --enable-recovery): a lease finds it out, and the launcher has to be ended, with exit code 1;
the same command line with --resume then says at once what the result is."""
import os
import random
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, kill, kill_all, launcher, processes_of, set_options, text_of  # noqa: E402
from schedules import Run, Setup, expect_same  # noqa: E402

SETTINGS = ["tuning.strategy.name=random", "tuning.accuracy_criterion.relative=-0.2",
            "tuning.exit_policy.max_trials=60", "tuning.lease_seconds=1", "tuning.racing=false"]
SIMULATION = "block=0.01,compile=0.01"
RANKS = 4


def start(setup, survival, workspace):
    command = [*launcher(RANKS, setup.mpiexec, survival), setup.program, "-w", workspace, "--progress=line", "--resume",
               *set_options(SETTINGS), setup.configuration, setup.model]
    output = open(f"{workspace}.out", "w")
    errors = open(f"{workspace}.err", "w")
    job = subprocess.Popen(command, env={**ENVIRONMENT, "LPOT_SIMULATION": SIMULATION}, text=True,
                           stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True)
    return job, output, errors


def kill_one(setup, survival, number, rng, whole):
    workspace = f"{setup.folder}/kill{number}"
    began = time.monotonic()
    job, output, errors = start(setup, survival, workspace)
    victim = 1 + rng.randrange(RANKS - 1)
    try:
        while len(re.findall(r"^trial \d+/", text_of(errors.name), re.M)) < 3 + rng.randrange(20):
            if job.poll() is not None or time.monotonic() - began > 60:
                sys.exit(f"the run ended before it was disturbed:\n{text_of(errors.name)[-2000:]}")
            time.sleep(0.02)
        kill(process.pid for process in processes_of(job.pid) if process.rank == victim)
        code = job.wait(90)
    except subprocess.TimeoutExpired:
        sys.exit(f"rank {victim} killed: no end within 90 s\n{text_of(errors.name)[-3000:]}")
    finally:
        kill_all(job.pid)
        job.wait()
    told = text_of(errors.name)
    if f"rank {victim} on" not in told or "is lost: 2 of 3 workers are left" not in told:
        sys.exit(f"rank {victim} killed: its loss is not told:\n{told[-3000:]}")
    done = subprocess.CompletedProcess([], code, text_of(output.name), told)
    run = Run(done, workspace, time.monotonic() - began)
    if "--enable-recovery" in survival:
        if run.code != 1:
            sys.exit(f"exit code {run.code}, expected 1 of a launcher that was ended")
        again = setup.run(0, SIMULATION, SETTINGS, ("--resume",), workspace=workspace)
        expect_same(f"rank {victim} killed, told again", again, whole)
        run.code = whole.code
    expect_same(f"rank {victim} killed", run, whole)
    return run.seconds


def main():
    setup = Setup(*sys.argv[1:5])
    kills = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    version = subprocess.run([setup.mpiexec, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"(?:Open MPI\)|OpenRTE\)|PRRTE\)|Open MPI) (\d+)\.", version)
    if not found:
        print(f"SKIPPED program: {setup.mpiexec} is not Open MPI's")
        return
    survival = ["--with-ft", "ulfm"] if int(found[1]) >= 5 else ["--enable-recovery"]
    rng = random.Random(1)
    whole = setup.run(0, SIMULATION, SETTINGS)
    seconds = [kill_one(setup, survival, number, rng, whole) for number in range(kills)]
    print(f"Open MPI {found[1]}, {' '.join(survival)}: {kills} ranks killed, each time the same {len(whole.trials)} "
          f"trials; {min(seconds):.1f} to {max(seconds):.1f} s")


if __name__ == "__main__":
    main()
