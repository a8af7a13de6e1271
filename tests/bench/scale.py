#!/usr/bin/env python3
"""Many real ranks whose evaluators sleep: how much of the workers' time is used, and how many trials become
durable in a second.

usage: scale.py SIMULATED_TUNE LPOT_TUNE CONFIGURATION MODEL [RANKS]      (64 ranks by default)

Efficiency: 3,000 trials of about one second each (a search of 20 minutes with trials of 20 s, compressed),
seconds that evaluators were at work (also on the baseline and on completing what was chosen) / (workers x
seconds of search). Rate: trials that cost nothing. Idle:
CPU seconds per second of all processes while one worker evaluates and the others wait."""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

SAMPLES = "evaluation.accuracy.dataloader.dataset.shapes.samples=10000"


def options(trials, racing, criterion="-0.3"):
    settings = ["tuning.strategy.name=random", f"tuning.accuracy_criterion.relative={criterion}", SAMPLES,
                f"tuning.exit_policy.max_trials={trials}", f"tuning.racing={racing}",
                "quantization.calibration.sampling_size=10"]
    return [part for setting in settings for part in ("--set", setting)]


def start(program, ranks, simulation, workspace, arguments):
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                   "LPOT_SIMULATION": simulation, "LPOT_SIMULATION_BUSY": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}
    errors = open(f"{workspace}.err", "w+")
    job = subprocess.Popen(["mpirun", "--oversubscribe", "-n", str(ranks), program, "-w", workspace, "--progress=none",
                            *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=errors, start_new_session=True)
    return job, errors


def cpu_of(session, comm="lpot|simulated"):
    """CPU seconds of all processes of a session, and of rank 0 alone."""
    total, coordinator = 0.0, 0.0
    tick = os.sysconf("SC_CLK_TCK")
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                text = file.read()
            with open(f"/proc/{name}/environ", "rb") as file:
                first = b"OMPI_COMM_WORLD_RANK=0\0" in file.read()
        except OSError:
            continue
        fields = text.rsplit(")", 1)[1].split()
        if int(fields[3]) == session and re.search(comm, text.split("(", 1)[1][:20]):
            seconds = (int(fields[11]) + int(fields[12])) / tick
            total += seconds
            coordinator += seconds if first else 0
    return total, coordinator


def search(setup, ranks, trials, simulation, racing, criterion="-0.3"):
    program, tune, configuration, model, folder = setup
    workspace = f"{folder}/{trials}-{racing}-{simulation}".replace("=", "_").replace(",", "-")
    job, errors = start(program, ranks, simulation, workspace, options(trials, racing, criterion) + [configuration, model])
    coordinator = 0.0
    while job.poll() is None:
        time.sleep(1)
        coordinator = max(coordinator, cpu_of(job.pid)[1])
    errors.seek(0)
    text = errors.read()
    busy = sum(float(value) for value in re.findall(r"busy ([\d.]+) s", text))
    view = json.loads(subprocess.run([tune, "status", "--json", workspace], check=True, capture_output=True,
                                     text=True).stdout)
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
    job.terminate()
    try:
        job.wait(30)
    except subprocess.TimeoutExpired:
        job.kill()


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
