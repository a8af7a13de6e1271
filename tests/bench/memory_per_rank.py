#!/usr/bin/env python3
"""Resident memory of a tuning job by process: what a further rank on a node costs.

usage: memory_per_rank.py PROGRAM MODEL SHAPE [RANKS ...]      SHAPE of a sample, such as 3,224,224

The job evaluates int8 recipes of MODEL on random data until it is looked at and ended. PSS (a page that n
processes share counts 1/n in each) is summed over the processes of each kind; private memory is shown too."""
import os
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, kill_all, launcher, processes_of  # noqa: E402

CONFIGURATION = """
model: {{name: memory, framework: onnxrt_qdqops}}
quantization: {{calibration: {{sampling_size: 2}}}}
evaluation:
  accuracy:
    metric: {{topk: 1}}
    dataloader: {{batch_size: 1, dataset: {{dummy: {{shape: [400, {shape}], label: true}}}}}}
tuning:
  strategy: {{name: random}}
  accuracy_criterion: {{absolute: -0.5}}
  racing: false
  exit_policy: {{max_trials: 1000}}
  workspace: {{path: {folder}/workspace}}
"""


def kinds_of(session):
    """Processes of a session by kind: the program forks a spawner, which forks an evaluator."""
    members = {process.pid: process for process in processes_of(session) if process.name.startswith("lpot-")}
    kinds = {}
    for process in members.values():
        depth, parent = 0, process.parent
        while parent in members:
            parent, depth = members[parent].parent, depth + 1
        kind = ["relay" if process.rank else "coordinator", "spawner", "evaluator"][depth]
        kinds.setdefault(kind, []).append(process.pid)
    return kinds


def memory_of(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        figures = dict(re.findall(r"^(\w+):\s+(\d+) kB", file.read(), re.M))
    return int(figures["Pss"]) / 1024, (int(figures["Private_Clean"]) + int(figures["Private_Dirty"])) / 1024


def measure(program, model, shape, ranks):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/conf.yaml"
        with open(path, "w") as file:
            file.write(CONFIGURATION.format(shape=shape, folder=folder))
        job = subprocess.Popen([*launcher(ranks), program, "--progress=none", path, model],
                               env=ENVIRONMENT, start_new_session=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 150
        totals, last = None, 0
        try:
            # All evaluators have a compiled recipe when the memory stands still.
            while time.monotonic() < deadline and job.poll() is None:
                time.sleep(10)
                kinds = kinds_of(job.pid)
                totals = {kind: (len(pids), *map(sum, zip(*map(memory_of, pids)))) for kind, pids in kinds.items()}
                now = sum(entry[1] for entry in totals.values())
                if len(kinds.get("evaluator", [])) == max(ranks - 1, 1) and abs(now - last) < 0.01 * now:
                    break
                last = now
        finally:
            kill_all(job.pid)
            job.wait(60)
        return totals


def main():
    program, model, shape = sys.argv[1:4]
    counts = [int(text) for text in sys.argv[4:]] or [2, 5, 17]
    print(f"{os.path.basename(model)}, {os.path.getsize(model) / 2**20:.0f} MiB; MiB of PSS (private)")
    sums = []
    for ranks in counts:
        totals = measure(program, model, shape, ranks)
        sums.append(sum(entry[1] for entry in totals.values()))
        print(f"{ranks:3} ranks: {sums[-1]:7.0f}   " + ", ".join(
            f"{count} {kind}{'s' * (count > 1)} {pss:.0f} ({private:.0f})"
            for kind, (count, pss, private) in sorted(totals.items())))
    if len(counts) > 1:
        print(f"a further rank: {(sums[-1] - sums[0]) / (counts[-1] - counts[0]):.1f} MiB")


if __name__ == "__main__":
    main()
