#!/usr/bin/env python3
"""Kills a whole rank (relay, spawner and evaluator) in the middle of a job that the launcher is told to keep
going. Without a worker the others finish with the result of an undisturbed run; without the coordinator they
end, and the resumed run has that result.

usage: rank_deaths.py SIMULATED_TUNE MPIEXEC CONFIGURATION MODEL workers|coordinators [KILLS]

Open MPI 5 tells of the loss (mpirun --with-ft ulfm): the job ends by itself with its own exit code. Open MPI 4
does not (mpirun --enable-recovery): the ranks of the same host, or else a lease, find it out, and the launcher has
to be ended, with exit code 1; the same command line with --resume then says at once what the result is."""
import os
import random
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import (ENVIRONMENT, kill, kill_all, launcher, left_of, processes_of, reported, set_options,  # noqa: E402
                       text_of)
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


def kill_rank(setup, survival, name, rng, victim):
    """Kills a rank of a job when some trials are done; the run, once it has ended by itself."""
    workspace = f"{setup.folder}/{name}"
    job, output, errors = start(setup, survival, workspace)
    began = time.monotonic()
    try:
        wanted = 3 + rng.randrange(20)
        while reported(text_of(errors.name)) < wanted:
            if job.poll() is not None or time.monotonic() - began > 60:
                sys.exit(f"the run ended before it was disturbed:\n{text_of(errors.name)[-2000:]}")
            time.sleep(0.02)
        began = time.monotonic()
        kill(process.pid for process in processes_of(job.pid) if process.rank == victim)
        code = job.wait(90)
        left = left_of(job.pid)
    except subprocess.TimeoutExpired:
        sys.exit(f"rank {victim} killed: no end within 90 s\n{text_of(errors.name)[-3000:]}")
    finally:
        kill_all(job.pid)
        job.wait()
    if left:
        sys.exit(f"rank {victim} killed: processes {left} are left")
    done = subprocess.CompletedProcess([], code, text_of(output.name), text_of(errors.name))
    return Run(done, workspace, time.monotonic() - began)


def kill_worker(setup, survival, number, rng, whole):
    victim = 1 + rng.randrange(RANKS - 1)
    run = kill_rank(setup, survival, f"kill{number}", rng, victim)
    if f"rank {victim} on" not in run.errors or "is lost: 2 of 3 workers are left" not in run.errors:
        sys.exit(f"rank {victim} killed: its loss is not told:\n{run.errors[-3000:]}")
    if "--enable-recovery" in survival:
        if run.code != 1:
            sys.exit(f"exit code {run.code}, expected 1 of a launcher that was ended")
        again = setup.run(0, SIMULATION, SETTINGS, ("--resume",), workspace=run.workspace)
        expect_same(f"rank {victim} killed, told again", again, whole)
        run.code = whole.code
    expect_same(f"rank {victim} killed", run, whole)
    return run.seconds


def kill_coordinator(setup, survival, number, rng, whole):
    """The others cannot go on, and end; what was reported is there, and a resumed run has the same result."""
    run = kill_rank(setup, survival, f"coordinator{number}", rng, 0)
    if run.code in (0, 5, 6) or "the coordinator has died" not in run.errors:
        sys.exit(f"rank 0 killed: exit code {run.code}, or the cause is not told:\n{run.errors[-3000:]}")
    told, again = reported(run.errors), setup.run(RANKS, SIMULATION, SETTINGS, ("--resume",), workspace=run.workspace)
    found = re.search(r"resuming: (\d+) trials are in the journal", again.errors)
    if not found or int(found[1]) < told:
        sys.exit(f"rank 0 killed: trial {told} was reported, but not all are there:\n{again.errors[-2000:]}")
    expect_same("rank 0 killed, resumed", again, whole)
    return run.seconds


def main():
    setup = Setup(*sys.argv[1:5])
    kill_some = {"workers": kill_worker, "coordinators": kill_coordinator}[sys.argv[5]]
    kills = int(sys.argv[6]) if len(sys.argv) > 6 else 3
    version = subprocess.run([setup.mpiexec, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"(?:Open MPI\)|OpenRTE\)|PRRTE\)|Open MPI) (\d+)\.", version)
    if not found:
        print(f"SKIPPED program: {setup.mpiexec} is not Open MPI's")
        return
    survival = ["--with-ft", "ulfm"] if int(found[1]) >= 5 else ["--enable-recovery"]
    rng = random.Random(1)
    whole = setup.run(0, SIMULATION, SETTINGS)
    seconds = [kill_some(setup, survival, number, rng, whole) for number in range(kills)]
    print(f"Open MPI {found[1]}, {' '.join(survival)}: {kills} {sys.argv[5]} killed, each time the same "
          f"{len(whole.trials)} trials; the end came after {min(seconds):.1f} to {max(seconds):.1f} s")


if __name__ == "__main__":
    main()
