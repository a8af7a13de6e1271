#!/usr/bin/env python3
"""Lets lpot-tune die or fail at each of its calls that write below the workspace, and resumes it.

usage: crash_every_write.py PROGRAM PRELOAD [--every N] [--seed S] [--modes kill,half,...] -- ARGUMENTS OF lpot-tune

PRELOAD is the library of tests/support/crash_preload.c, which names the modes. For each mode and each
k (with --every N one in N of them, from an offset drawn by seed) the k-th call goes wrong, until a run
has fewer than k of them.

Checks: after a death nothing that a progress line told is missing from the journal, and the files with
final names can be read; a call that fails ends the run with exit code 1 and one line of error (only a folder's
sync may fail, and a short write is gone on with or an error); and after --resume trials, recipe, model and files are those of an
undisturbed run, with no result evaluated twice."""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, check_readable, read, reported, status_of, trials_of  # noqa: E402

DEADLY = ("kill", "half")
MODES = DEADLY + ("short", "enospc", "eio", "full")
FINAL_FILES = ("best_model.onnx", "best_recipe.yaml", "deploy.yaml")
RUN_SECONDS = 120


class Wrong(Exception):
    pass


def run(options, workspace, fault=None):
    """One run with --resume; fault is (k, mode, log)."""
    environment = dict(ENVIRONMENT)
    if fault:
        environment |= {"LD_PRELOAD": options.preload, "LPOT_CRASH_FOLDER": workspace, "LPOT_CRASH_AT": str(fault[0]),
                        "LPOT_CRASH_MODE": fault[1], "LPOT_CRASH_LOG": fault[2]}
    command = [options.program, "--workspace", workspace, "--progress=line", "--resume"] + options.arguments
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=RUN_SECONDS)


def error_lines(job):
    return [line for line in job.stderr.splitlines() if line.startswith("error:")]


def tail(job):
    return "\n".join(job.stderr.splitlines()[-5:])


def check_after_death(options, job, workspace, whole):
    if job.returncode != -signal.SIGKILL:
        raise Wrong(f"exit code {job.returncode} in place of death:\n{tail(job)}")
    status = status_of(options.program, workspace)
    acknowledged = reported(job.stderr)
    recorded = 0 if status is None else status["trials"]
    if recorded < acknowledged:
        raise Wrong(f"trial {acknowledged} was reported, {recorded} are in the journal")
    if status is not None and status["running"]:
        raise Wrong("status says that a dead job runs")
    for name in FINAL_FILES:
        path = f"{workspace}/{name}"
        if os.path.exists(path) and read(path) != read(f"{whole}/{name}"):
            raise Wrong(f"{name} is not whole")


def check_after_failure(job, mode, call, workspace, whole_code):
    errors = error_lines(job)
    may_fail = mode == "short" or call == f"fsync {workspace}"  # Not every file system can sync a folder.
    if may_fail and job.returncode == whole_code and not errors:
        return
    # What is made from the journal does not cost the verdict.
    again = {"history.h5": "lpot-tune rebuild", "report.html": "lpot-tune report"}
    for name, command in again.items():
        if name in call and job.returncode == whole_code and not errors:
            if f"{command} {workspace}" not in job.stderr:
                raise Wrong(f"it is not said that {name} could not be written:\n{tail(job)}")
            return
    if job.returncode != 1 or len(errors) != 1:
        raise Wrong(f"exit code {job.returncode}, {len(errors)} lines of error:\n{tail(job)}")


def check_end(options, job, workspace, whole, whole_code):
    if job.returncode != whole_code:
        raise Wrong(f"the resumed run ended with {job.returncode}:\n{tail(job)}")
    if trials_of(workspace) != trials_of(whole):
        raise Wrong(f"trials differ: {trials_of(workspace)}, expected {trials_of(whole)}")
    for name in FINAL_FILES:
        if read(f"{workspace}/{name}") != read(f"{whole}/{name}"):
            raise Wrong(f"{name} differs")
    if sorted(os.listdir(workspace)) != sorted(os.listdir(whole)):
        raise Wrong(f"files are {sorted(os.listdir(workspace))}, expected {sorted(os.listdir(whole))}")
    status, expected = status_of(options.program, workspace), status_of(options.program, whole)
    for key in ("trials", "done", "speculative_results", "baseline_accuracy", "verdict", "chosen_trial"):
        if status[key] != expected[key]:
            raise Wrong(f"{key} is {status[key]}, expected {expected[key]}")


def try_one(options, folder, k, mode, whole, whole_code):
    """The name of the call that went wrong; None when the run has fewer than k."""
    workspace, log = f"{folder}/work", f"{folder}/log"
    for path in (workspace, log):
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.remove(path)
    job = run(options, workspace, (k, mode, log))
    if not os.path.exists(log):
        check_end(options, job, workspace, whole, whole_code)
        return None
    call = read(log).decode().splitlines()[0]
    try:
        if mode in DEADLY:
            check_after_death(options, job, workspace, whole)
        else:
            check_after_failure(job, mode, call, workspace, whole_code)
        check_readable(workspace)
        check_end(options, run(options, workspace), workspace, whole, whole_code)
    except (Wrong, subprocess.SubprocessError) as error:
        raise Wrong(f"{mode} at call {k} ({call}): {error}") from error
    return call


def sweep(options, folder, mode, rng, whole, whole_code):
    """Tries k after k; returns (number tried, complaints)."""
    k, tried, complaints = 1 + rng.randrange(options.every), 0, []
    while True:
        try:
            if try_one(options, folder, k, mode, whole, whole_code) is None:
                return tried, complaints
        except Wrong as error:
            complaints.append(str(error))
        tried += 1
        k += options.every


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("preload")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("arguments", nargs="+")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    began = time.time()
    with tempfile.TemporaryDirectory(prefix="lpot-crash-") as folder:
        whole = f"{folder}/whole"
        job = run(options, whole)
        if job.returncode not in (0, 5):
            sys.exit(f"the undisturbed run ended with {job.returncode}:\n{tail(job)}")
        print(f"undisturbed: {len(trials_of(whole))} trials, exit code {job.returncode}", flush=True)
        complaints, total = [], 0
        for mode in options.modes.split(","):
            tried, found = sweep(options, folder, mode, rng, whole, job.returncode)
            print(f"{mode}: {tried} calls tried, {len(found)} complaints, {time.time() - began:.0f} s", flush=True)
            total += tried
            complaints += found
            if tried == 0:
                complaints.append(f"{mode}: no call was counted")
    for text in complaints[:20]:
        print(text)
    if complaints:
        sys.exit(1)
    print(f"{total} faults: nothing lost, nothing repeated, the same end")


if __name__ == "__main__":
    main()
