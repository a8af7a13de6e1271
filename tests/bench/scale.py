#!/usr/bin/env python3
"""Many real ranks whose evaluators sleep: how much of the workers' time is used, and how many trials become
durable in a second.

usage: scale.py SIMULATED_TUNE LPOT_TUNE CONFIGURATION MODEL [RANKS]      (64 ranks by default)

Efficiency: 3,000 trials of about one second each (a search of 20 minutes with trials of 20 s, compressed),
seconds that evaluators were at work (also on the baseline and on completing what was chosen) / (workers x
seconds of search). Rate: trials that cost nothing. Idle:
CPU seconds per second of all processes while one worker evaluates and the others wait."""
import os
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, kill_all, launcher, processes_of, set_options, status_of, text_of  # noqa: E402

SAMPLES = "evaluation.accuracy.dataloader.dataset.shapes.samples=10000"


def options(trials, racing, criterion="-0.3"):
    settings = ["tuning.strategy.name=random", f"tuning.accuracy_criterion.relative={criterion}", SAMPLES,
                f"tuning.exit_policy.max_trials={trials}", f"tuning.racing={racing}",
                "quantization.calibration.sampling_size=10"]
    return set_options(settings)


def start(program, ranks, simulation, workspace, arguments):
    environment = {**ENVIRONMENT, "LPOT_SIMULATION": simulation, "LPOT_SIMULATION_BUSY": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}
    errors = open(f"{workspace}.err", "w")
    job = subprocess.Popen([*launcher(ranks), program, "-w", workspace, "--progress=none", *arguments],
                           env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                           start_new_session=True)
    return job, errors


def cpu_of(session):
    """CPU seconds of all processes of a session that are the program's, and of rank 0 alone."""
    members = [process for process in processes_of(session) if re.search("lpot|simulated", process.name)]
    return (sum(process.cpu_seconds for process in members),
            sum(process.cpu_seconds for process in members if process.rank == 0))


def search(setup, ranks, trials, simulation, racing, criterion="-0.3"):
    program, tune, configuration, model, folder = setup
    workspace = f"{folder}/{trials}-{racing}-{simulation}".replace("=", "_").replace(",", "-")
    job, errors = start(program, ranks, simulation, workspace, options(trials, racing, criterion) + [configuration, model])
    coordinator = 0.0
    while job.poll() is None:
        time.sleep(1)
        coordinator = max(coordinator, cpu_of(job.pid)[1])
    busy = sum(float(value) for value in re.findall(r"busy ([\d.]+) s", text_of(errors.name)))
    view = status_of(tune, workspace)
    seconds = 60 * view["trials"] / view["trials_per_minute"]
    size = os.path.getsize(f"{workspace}/trials.journal")
    print(f"{ranks} ranks, racing {racing}, {simulation}: {view['trials']} trials in {seconds:.1f} s, "
          f"{view['trials'] / seconds:.0f} trials/s; workers busy {busy:.0f} s, "
          f"{100 * busy / (seconds * (ranks - 1)):.1f} % of their time; "
          f"rank 0: {1000 * coordinator / view['trials']:.2f} CPU s per 1,000 trials; journal {size / seconds / 1024:.0f} KiB/s")


def idle(setup, ranks):
    program, _, configuration, model, folder = setup
    job, _ = start(program, ranks, "block=100,compile=0", f"{folder}/idle",
                   options(5, "false") + ["--set", "evaluation.accuracy.dataloader.batch_size=10000", configuration, model])
    time.sleep(40)
    before, began = cpu_of(job.pid)[0], time.monotonic()
    time.sleep(20)
    spent = (cpu_of(job.pid)[0] - before) / (time.monotonic() - began)
    print(f"{ranks} ranks, one at work (asleep): {spent:.2f} CPU seconds per second, all processes together")
    kill_all(job.pid)
    job.wait(30)


def main():
    ranks = int(sys.argv[5]) if len(sys.argv) > 5 else 64
    with tempfile.TemporaryDirectory() as folder:
        setup = [*sys.argv[1:5], folder]
        search(setup, ranks, 3000, "block=0.03,compile=0.02,spread=0.3", "false")
        # Races that last from one block to all of them.
        search(setup, ranks, 3000, "block=0.2,compile=0.1,spread=0.3,lowest=0.03", "true", "0.001")
        search(setup, ranks, 3000, "block=0,compile=0", "true")
        idle(setup, ranks)


if __name__ == "__main__":
    main()
