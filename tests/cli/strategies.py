#!/usr/bin/env python3
"""Every strategy on the example: the same trials alone, with three ranks, and stopped and resumed; auto with a fixed
table of costs, also with other numbers of ranks.

usage: strategies.py PROGRAM CONF MODEL NAME[:KEY=VALUE] ..."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, dump_of, read, rows_of, trials_of  # noqa: E402

# A part of the set, and a criterion that the uniform recipes miss.
SETTINGS = ["evaluation.accuracy.iteration=20", "evaluation.performance.iteration=6",
            "tuning.accuracy_criterion.relative=-0.01"]


def run(program, files, settings, workspace, ranks, trials, options=()):
    command = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
    command += [program, "-q", "--workspace", workspace]
    for setting in SETTINGS + settings + [f"tuning.exit_policy.max_trials={trials}"]:
        command += ["--set", setting]
    done = subprocess.run(command + [*options, *files], env=ENVIRONMENT, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=240)
    if done.returncode not in (0, 5):
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout}")


def check_sensitivity(workspace):
    """What was sensed is in the history and in the report, for more than a few ops."""
    rows = rows_of(dump_of(workspace, "/sensitivity"))
    known = [row for row in rows if "nan" not in row[2] or "nan" not in row[3]]
    if len(known) < 10 or b"Damage that ops do to the outputs" not in read(f"{workspace}/report.html"):
        sys.exit(f"{workspace}: sensitivities of {len(known)} ops:\n{rows}")


def check_chosen(settings, workspace):
    """Where none meets the criterion the best is handed out, in the metric's sense: seen where none was cut short."""
    rows = rows_of(dump_of(workspace))
    if any(row[3] != "DONE" or row[7] == "1" for row in rows):
        return
    lower = "tuning.accuracy_criterion.higher_is_better=false" in settings
    best = (min if lower else max)(float(row[4]) for row in rows)
    told = subprocess.run(["h5dump", "-a", "/chosen_trial", f"{workspace}/history.h5"], check=True, capture_output=True,
                          text=True).stdout
    chosen = int(re.search(r"\(0\): (\d+)", told)[1])
    found = [float(row[4]) for row in rows if int(row[0]) == chosen]
    if found != [best]:
        sys.exit(f"{settings}: trial {chosen} with {found} is handed out, the best is {best}")


def check(program, files, settings, folder, trials):
    options, numbers = [], (3,)
    if settings[0].endswith("=auto"):
        run(program, files, settings + ["tuning.op_times=true"], f"{folder}/costs", 1, trials)
        options, numbers = ["--cost-table", f"{folder}/costs/op_times.yaml"], (2, 3, 5, 8)
    run(program, files, settings, f"{folder}/alone", 1, trials, options)
    for ranks in numbers:
        run(program, files, settings, f"{folder}/{ranks}", ranks, trials, options)
    run(program, files, settings, f"{folder}/resumed", 1, trials // 2, options)
    run(program, files, settings, f"{folder}/resumed", 2, trials, [*options, "--resume"])
    alone = trials_of(f"{folder}/alone")
    check_chosen(settings, f"{folder}/alone")
    for other in (*numbers, "resumed"):
        if trials_of(f"{folder}/{other}") != alone:
            sys.exit(f"{settings}: other trials ({other}):\n{trials_of(f'{folder}/{other}')}\n{alone}")
        if read(f"{folder}/{other}/best_recipe.yaml") != read(f"{folder}/alone/best_recipe.yaml"):
            sys.exit(f"{settings}: another recipe ({other})")
    if settings[0].endswith(("=mse", "=mse_v2")):
        check_sensitivity(f"{folder}/alone")
    return len(alone)


def main():
    program, files = sys.argv[1], sys.argv[2:4]
    for text in sys.argv[4:]:
        name, *settings = text.split(":")
        folder = tempfile.mkdtemp(prefix="lpot-strategy-")
        count = check(program, files, [f"tuning.strategy.name={name}"] + settings, folder, 12)
        print(f"{name}: {count} trials, the same alone, with other numbers of ranks and resumed")
        if count < 4:
            sys.exit(f"{name}: too few trials to tell")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
