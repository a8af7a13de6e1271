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
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from schedules import Run, Setup, expect_same  # noqa: E402

SETTINGS = ["tuning.strategy.name=random", "tuning.accuracy_criterion.relative=-0.2",
            "tuning.exit_policy.max_trials=60", "tuning.lease_seconds=1", "tuning.racing=false"]
SIMULATION = "block=0.01,compile=0.01"
RANKS = 4


def processes(session):
    """Rank of each process of a session that belongs to one, by its environment."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            with open(f"/proc/{name}/environ", "rb") as file:
                rank = re.search(rb"OMPI_COMM_WORLD_RANK=(\d+)", file.read())
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append((int(name), int(rank[1]) if rank else None))
    return found


def start(setup, launcher, workspace):
    command = [setup.mpiexec, "--oversubscribe", *launcher, "-n", str(RANKS), setup.program, "-w", workspace,
               "--progress=line", "--resume"]
    for setting in SETTINGS:
        command += ["--set", setting]
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                   "LPOT_SIMULATION": SIMULATION}
    output = open(f"{workspace}.out", "w+")
    errors = open(f"{workspace}.err", "w+")
    job = subprocess.Popen(command + [setup.configuration, setup.model], env=environment, text=True,
                           stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True)
    return job, output, errors


def text_of(file):
    file.flush()
    file.seek(0)
    return file.read()


def kill_one(setup, launcher, number, rng, whole):
    workspace = f"{setup.folder}/kill{number}"
    began = time.monotonic()
    job, output, errors = start(setup, launcher, workspace)
    victim = 1 + rng.randrange(RANKS - 1)
    try:
        while len(re.findall(r"^trial \d+/", text_of(errors), re.M)) < 3 + rng.randrange(20):
            if job.poll() is not None or time.monotonic() - began > 60:
                sys.exit(f"the run ended before it was disturbed:\n{text_of(errors)[-2000:]}")
            time.sleep(0.02)
        for pid, rank in processes(job.pid):
            if rank == victim:
                os.kill(pid, signal.SIGKILL)
        code = job.wait(90)
    except subprocess.TimeoutExpired:
        sys.exit(f"rank {victim} killed: no end within 90 s\n{text_of(errors)[-3000:]}")
    finally:
        for pid, _ in processes(job.pid):
            os.kill(pid, signal.SIGKILL)
        job.wait()
    told = text_of(errors)
    if f"rank {victim} on" not in told or "is lost: 2 of 3 workers are left" not in told:
        sys.exit(f"rank {victim} killed: its loss is not told:\n{told[-3000:]}")
    done = subprocess.CompletedProcess([], code, text_of(output), told)
    run = Run(done, workspace, time.monotonic() - began)
    if "--enable-recovery" in launcher:
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
    launcher = ["--with-ft", "ulfm"] if int(found[1]) >= 5 else ["--enable-recovery"]
    rng = random.Random(1)
    whole = setup.run(0, SIMULATION, SETTINGS)
    seconds = [kill_one(setup, launcher, number, rng, whole) for number in range(kills)]
    print(f"Open MPI {found[1]}, {' '.join(launcher)}: {kills} ranks killed, each time the same {len(whole.trials)} "
          f"trials; {min(seconds):.1f} to {max(seconds):.1f} s")


if __name__ == "__main__":
    main()
