#!/usr/bin/env python3
"""Kills a whole tuning job with SIGKILL at random moments and resumes it until it ends.

usage: kill_and_resume.py PROGRAM TIMES RANKS SEED -- ARGUMENTS OF lpot-tune (without --workspace)

Checks after every kill: history.h5, where it exists, opens with h5dump. At the end: the trials are
those of an undisturbed run (ids, recipe hashes, accuracies), each once; every trial that was reported
before a kill is there; the chosen recipe is the same file."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, check_readable, kill_all, launcher, read, reported, trials_of  # noqa: E402


def start(program, ranks, workspace, arguments):
    command = launcher(ranks if ranks > 1 else 0)
    command += [program, "--workspace", workspace, "--progress=line", "--resume"] + arguments
    return subprocess.Popen(command, env=ENVIRONMENT, start_new_session=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def main():
    split = sys.argv.index("--")
    program, times, ranks, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    arguments = sys.argv[split + 1:]
    rng = random.Random(seed)
    folder = tempfile.mkdtemp(prefix="lpot-kill-")
    began = time.time()
    job = start(program, ranks, f"{folder}/whole", arguments)
    output = job.communicate()[0]
    whole_seconds = time.time() - began
    if job.returncode not in (0, 5):
        sys.exit(f"undisturbed run ended with {job.returncode}:\n{output}")
    whole = trials_of(f"{folder}/whole")
    print(f"undisturbed: {len(whole)} trials in {whole_seconds:.1f} s")
    workspace, kills, acknowledged, finished = f"{folder}/killed", 0, 0, False
    while kills < times:
        job = start(program, ranks, workspace, arguments)
        try:
            output = job.communicate(timeout=rng.uniform(0.05, whole_seconds * 0.9))[0]
            finished = True
        except subprocess.TimeoutExpired:
            kill_all(job.pid)
            output = job.communicate()[0]
            kills += 1
        acknowledged = max(acknowledged, reported(output))
        check_readable(workspace)
        if finished:  # begin again: more kills are wanted
            check_same(folder, workspace, whole, acknowledged)
            shutil.rmtree(workspace)
            acknowledged, finished = 0, False
    job = start(program, ranks, workspace, arguments)
    output = job.communicate()[0]
    if job.returncode not in (0, 5):
        sys.exit(f"last resume ended with {job.returncode}:\n{output}")
    check_same(folder, workspace, whole, max(acknowledged, reported(output)))
    shutil.rmtree(folder)
    print(f"{kills} kills: nothing lost, nothing repeated, the same recipe")


def check_same(folder, workspace, whole, acknowledged):
    rows = trials_of(workspace)
    if rows != whole:
        sys.exit(f"trials differ:\n{rows}\nexpected\n{whole}")
    if acknowledged > len(rows):
        sys.exit(f"trial {acknowledged} was reported, but only {len(rows)} are in the history")
    if read(f"{workspace}/best_recipe.yaml") != read(f"{folder}/whole/best_recipe.yaml"):
        sys.exit("the chosen recipe differs")
    if read(f"{workspace}/best_model.onnx") != read(f"{folder}/whole/best_model.onnx"):
        sys.exit("the exported model differs")


if __name__ == "__main__":
    main()
