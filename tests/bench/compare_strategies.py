#!/usr/bin/env python3
"""What each strategy takes on a real network until it ends: a row of a Markdown table each.

usage: compare_strategies.py LPOT_TUNE STRATEGY,STRATEGY... ARGUMENTS OF lpot-tune (without --workspace)

needs h5py. Sets: evaluated samples of the trials and of what was sensed, over the evaluation set. int8: ops of
the recipe that is handed out."""
import json
import os
import subprocess
import sys
import tempfile
import time

import h5py

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import sensed_in  # noqa: E402


def row(program, strategy, arguments):
    with tempfile.TemporaryDirectory(prefix="lpot-strategy-") as folder:
        command = [program, "-q", "--json", "-w", folder, "--set", f"tuning.strategy.name={strategy}", *arguments]
        began = time.time()
        job = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        seconds = time.time() - began
        if job.returncode not in (0, 5):
            sys.exit(f"{strategy}: exit code {job.returncode}\n{job.stdout}")
        result = json.loads(job.stdout)
        sensed = [samples for _, _, samples in sensed_in(f"{folder}/trials.journal")]
        with h5py.File(f"{folder}/history.h5") as file:
            trials, recipes = file["trials"][...], file["recipes"][...]
            int8 = [b"int8" in text.split(b";")[0] for text in file["recipe_legend"][...]]
            whole = file["baseline"].attrs["samples"]
            chosen = file.attrs["chosen_trial"]
    used = sum(int8[index] for index in recipes[chosen - 1])
    sets = (trials["samples"].sum() + sum(sensed)) / whole
    print(f"| {strategy} | {'yes' if result['meets'] else 'no'} | {len(trials)} | {len(sensed)} | {sets:.1f} | "
          f"{result['accuracy']:.4f} | {used} of {recipes.shape[1]} | {seconds:.0f} |", flush=True)


def main():
    print("| strategy | met | trials | sensed | sets | accuracy | int8 | seconds |\n|---|---|---|---|---|---|---|---|")
    for strategy in sys.argv[2].split(","):
        row(sys.argv[1], strategy, sys.argv[3:])


if __name__ == "__main__":
    main()
