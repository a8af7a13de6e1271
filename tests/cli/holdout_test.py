#!/usr/bin/env python3
"""A part of the evaluation set held out: the search does not see it, and it is reported on.

usage: holdout_test.py PROGRAM MPIEXEC CONF MODEL

The same with 1, 2, 3 and 5 ranks; both parts together are the whole set; resumed from a journal that is cut
anywhere; rebuilt byte by byte; a criterion that holds on one part only; what is wrong is said."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, dump_of, launcher, read, rows_of, set_options, trials_of  # noqa: E402

PROGRAM, MPIEXEC, FILES = sys.argv[1], sys.argv[2], sys.argv[3:5]
QUICK = ["evaluation.performance.iteration=2", "tuning.op_times=false"]
HELD_OUT = ["tuning.holdout=20%"] + QUICK
CUTS = 12


def run(workspace, settings, ranks=0, options=(), wanted=(0, 5)):
    """The run's JSON, and its messages."""
    command = launcher(ranks, MPIEXEC) + [PROGRAM, "--progress=none", "--json", "--workspace", workspace]
    done = subprocess.run(command + set_options(settings) + list(options) + FILES, env=ENVIRONMENT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=240)
    if done.returncode not in wanted:
        sys.exit(f"{' '.join(command)} {settings}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout) if done.stdout else None, done.stderr


def held_out(workspace):
    """Rows of /holdout without what depends on time and place."""
    return [row[:11] for row in rows_of(dump_of(workspace, "/holdout"))]


def check_same(folder, other):
    first = f"{folder}/alone"
    assert trials_of(other) == trials_of(first), (trials_of(other), trials_of(first))
    assert held_out(other) == held_out(first), (held_out(other), held_out(first))
    assert read(f"{other}/best_recipe.yaml") == read(f"{first}/best_recipe.yaml")


def check_parts(folder):
    """What is right of 1600 and of 400 samples is right of 2000."""
    parts, _ = run(f"{folder}/alone", HELD_OUT)
    recipe = ["--recipe", f"{folder}/alone/best_recipe.yaml"]
    whole, _ = run(f"{folder}/whole", QUICK, options=recipe)
    assert whole["holdout"] is None and whole["holdout_meets"] is None and whole["holdout_accuracy"] is None, whole
    assert parts["holdout"] == "DONE" and parts["holdout_samples"] == 400, parts
    for key in ("baseline_accuracy", "accuracy"):
        right = round(parts[key] * 1600) + round(parts["holdout_" + key] * 400)
        assert right == round(whole[key] * 2000), (key, parts, whole)
    assert parts["holdout_right_loss_low"] < parts["holdout_right_loss"] < parts["holdout_right_loss_high"]
    loss = parts["holdout_baseline_accuracy"] - parts["holdout_accuracy"]
    assert abs(parts["holdout_right_loss"] - loss) < 1e-12, parts


def check_ranks(folder):
    for ranks in (2, 3, 5):
        run(f"{folder}/ranks{ranks}", HELD_OUT, ranks)
        check_same(folder, f"{folder}/ranks{ranks}")


def check_resumed(folder):
    """The records of the end are those of the part held out: the journal is cut there, as by a crash."""
    journal = read(f"{folder}/alone/trials.journal")
    missing = 0
    for i in range(CUTS):
        workspace = f"{folder}/cut{i}"
        os.mkdir(workspace)
        with open(f"{workspace}/trials.journal", "wb") as file:
            file.write(journal[:len(journal) - 1 - i * len(journal) // (3 * CUTS)])
        subprocess.run([PROGRAM, "rebuild", workspace], check=True, stdout=subprocess.DEVNULL)
        before = subprocess.run(["h5dump", "-H", f"{workspace}/history.h5"], capture_output=True, text=True).stdout
        missing += "/holdout" not in before and '"holdout"' not in before
        run(workspace, HELD_OUT, 2 if i % 2 else 0, ["--resume"])
        check_same(folder, workspace)
    assert 0 < missing < CUTS, missing


def check_rebuilt(folder):
    before = read(f"{folder}/alone/history.h5")
    time.sleep(1.1)  # HDF5 could note when an object was made
    os.remove(f"{folder}/alone/history.h5")
    subprocess.run([PROGRAM, "rebuild", f"{folder}/alone"], check=True, stdout=subprocess.DEVNULL)
    assert read(f"{folder}/alone/history.h5") == before


def check_criterion(folder):
    """Of some permutations the recipe loses more on the part held out: a criterion between the two losses."""
    recipe = ["--recipe", f"{folder}/alone/best_recipe.yaml"]
    for seed in range(1, 12):
        settings = HELD_OUT + [f"tuning.random_seed={seed}"]
        told, messages = run(f"{folder}/seed{seed}", settings, options=recipe)
        low, high = told["relative_loss"], told["holdout_relative_loss"]
        if low < high - 1e-4:
            break
    else:
        sys.exit("no permutation has a larger loss on the part held out")
    settings.append(f"tuning.accuracy_criterion.relative={(low + high) / 2}")
    told, messages = run(f"{folder}/missed", settings, options=recipe, wanted=(0,))
    assert told["verdict"] == "met" and told["meets"] and not told["holdout_meets"], told
    assert "WARNING" in messages.upper() and "does NOT hold" in messages, messages
    text = subprocess.run([PROGRAM, "--resume", "--workspace", f"{folder}/missed"] + set_options(settings) + recipe +
                          FILES, env=ENVIRONMENT, text=True, capture_output=True, check=True).stdout
    assert "Verdict: the criterion is met" in text and "the criterion does NOT hold there" in text, text


def check_errors(folder):
    for part, words in (("0.01", "of 2000 evaluation samples"), ("1", "above 0 and below 1")):
        _, messages = run(f"{folder}/bad", [f"tuning.holdout={part}"] + QUICK, wanted=(3,), ranks=2)
        assert words in messages and "tuning.holdout" in messages, messages
    _, messages = run(f"{folder}/alone", ["tuning.holdout=0.3"] + QUICK, options=["--resume"], wanted=(2,))
    assert "holdout" in messages, messages
    dry = subprocess.run([PROGRAM, "--dry-run"] + set_options(HELD_OUT) + FILES, env=ENVIRONMENT, text=True,
                         capture_output=True, check=True).stdout
    assert "the first 1600 to search with and the last 400 held out" in dry and "holdout: 0.2" in dry, dry


def main():
    folder = tempfile.mkdtemp(prefix="lpot-holdout-")
    for check in (check_parts, check_ranks, check_resumed, check_rebuilt, check_criterion, check_errors):
        check(folder)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
