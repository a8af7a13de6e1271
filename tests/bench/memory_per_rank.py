#!/usr/bin/env python3
"""Resident memory of a tuning job by process: what a further rank on a node costs.

usage: memory_per_rank.py PROGRAM MODEL SHAPE [RANKS ...]      SHAPE of a sample, such as 3,224,224

The job evaluates int8 recipes of MODEL on 128 samples of a mapped npy file until it is looked at and ended. PSS (a
page that n processes share counts 1/n in each) is summed over the processes of each kind; private memory is shown too,
and the largest peak of any evaluator. Memory files that evaluators share (base/mapping_shared.h) count once, as a
whole, and not in the processes' PSS."""
import array
import os
import random
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
    dataloader: {{batch_size: 1, dataset: {{npy: {{inputs: {folder}/inputs.npy, labels: {folder}/labels.npy}}}}}}
tuning:
  strategy: {{name: random}}
  accuracy_criterion: {{absolute: -0.5}}
  racing: false
  exit_policy: {{max_trials: 1000}}
  workspace: {{path: {folder}/workspace}}
"""
SAMPLES = 128


def write_npy(path, kind, shape, row):
    """An array of SAMPLES equal rows, as numpy.save writes it."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({', '.join(map(str, [SAMPLES, *shape]))},), }}"
    header = header.ljust(117 + 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
        for _ in range(SAMPLES):
            file.write(row.tobytes())


def write_data(folder, shape):
    count = 1
    for size in shape:
        count *= size
    write_npy(f"{folder}/inputs.npy", "<f4", shape, array.array("f", [random.gauss(0, 1) for _ in range(count)]))
    write_npy(f"{folder}/labels.npy", "<i8", [], array.array("q", [0]))


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
    """PSS and private MiB of what is not a shared memory file, and the peak of the resident size."""
    pss, private, is_shared = 0, 0, False
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            if re.match(r"[0-9a-f]+-", line):
                is_shared = "/memfd:lpot-" in line
            elif not is_shared:
                name, figure = line.split()[:2]
                pss += int(figure) if name == "Pss:" else 0
                private += int(figure) if name in ("Private_Clean:", "Private_Dirty:") else 0
    with open(f"/proc/{pid}/status") as file:
        peak = int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])
    return pss / 1024, private / 1024, peak / 1024


def shared_mib(pids):
    sizes = {}
    for pid in pids:
        for name in os.listdir(f"/proc/{pid}/fd"):
            path = f"/proc/{pid}/fd/{name}"
            if os.readlink(path).startswith("/memfd:lpot-"):
                information = os.stat(path)
                sizes[information.st_ino] = information.st_blocks * 512
    return sum(sizes.values()) / 2**20


def look(session):
    """By kind: count, PSS, private, largest peak, least and most private; and the memory files."""
    kinds, totals = kinds_of(session), {}
    for kind, pids in kinds.items():
        pss, private, peaks = zip(*map(memory_of, pids))
        totals[kind] = (len(pids), sum(pss), sum(private), max(peaks), min(private), max(private))
    return totals, shared_mib([pid for pids in kinds.values() for pid in pids])


def measure(program, model, shape, ranks):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/conf.yaml"
        with open(path, "w") as file:
            file.write(CONFIGURATION.format(folder=folder))
        write_data(folder, [int(text) for text in shape.split(",")])
        job = subprocess.Popen([*launcher(ranks), program, "--progress=none", path, model],
                               env=ENVIRONMENT, start_new_session=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 300
        totals, shared, last = {}, 0, 0
        try:
            # All evaluators have a compiled recipe when trials are done, none is much smaller than another and memory
            # stands still.
            while time.monotonic() < deadline and job.poll() is None:
                time.sleep(5)
                try:
                    totals, shared = look(job.pid)
                except OSError:  # A process came or went meanwhile.
                    continue
                now = sum(entry[1] for entry in totals.values()) + shared
                count, _, _, _, least, most = totals.get("evaluator", [0] * 6)
                is_searching = os.path.exists(f"{folder}/workspace/history.h5")
                if is_searching and count == max(ranks - 1, 1) and 2 * least > most and abs(now - last) < 0.03 * now:
                    break
                last = now
        finally:
            kill_all(job.pid)
            job.wait(60)
        return totals, shared


def main():
    program, model, shape = sys.argv[1:4]
    counts = [int(text) for text in sys.argv[4:]] or [2, 5, 17]
    print(f"{os.path.basename(model)}, {os.path.getsize(model) / 2**20:.0f} MiB; MiB of PSS (private)")
    sums = []
    for ranks in counts:
        totals, shared = measure(program, model, shape, ranks)
        sums.append(sum(entry[1] for entry in totals.values()) + shared)
        print(f"{ranks:3} ranks: {sums[-1]:7.0f}   " + ", ".join(
            f"{count} {kind}{'s' * (count > 1)} {pss:.0f} ({private:.0f})"
            for kind, (count, pss, private, *_) in sorted(totals.items()))
            + f", memory files {shared:.0f}; peak of an evaluator {totals['evaluator'][3]:.0f}")
    if len(counts) > 1:
        print(f"a further rank: {(sums[-1] - sums[0]) / (counts[-1] - counts[0]):.1f} MiB")


if __name__ == "__main__":
    main()
