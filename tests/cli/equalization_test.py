#!/usr/bin/env python3
"""Recipes with cross-layer equalization on the example: the same trials, statistics and models with any number of
ranks, resumed, and exported again; beside recipes without it in one job.

usage: equalization_test.py PROGRAM MPIEXEC CONF MODEL"""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, dump_of, launcher, read, rows_of, set_options, trials_of  # noqa: E402

# A part of the set, a criterion that all recipes miss, and weights that have one scale.
SETTINGS = ["evaluation.accuracy.iteration=20", "evaluation.performance.iteration=6",
            "tuning.accuracy_criterion.relative=-0.01", "tuning.strategy.name=basic",
            "quantization.recipes.cross_layer_equalization=[false, true]", "tuning.op_times=false",
            "quantization.model_wise.weight.granularity=per_tensor",
            "quantization.model_wise.activation.algorithm=minmax"]
STATISTICS = ["/calibration/samples_200", "/calibration/samples_200_equalized"]
TRIALS = 8

program, mpiexec, *files = sys.argv[1:]


def call(command):
    done = subprocess.run(command, env=ENVIRONMENT, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=240, check=False)
    if done.returncode not in (0, 5):
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout}")


def tune(ranks, workspace, trials=TRIALS, options=()):
    call([*launcher(ranks, mpiexec), program, "-q", "-w", workspace, *options,
          *set_options([*SETTINGS, f"tuning.exit_policy.max_trials={trials}"]), *files])


def result_of(workspace):
    """All that may not depend on how a run came about. The dumps begin with the name of the file."""
    return (trials_of(workspace), read(f"{workspace}/best_model.onnx"), read(f"{workspace}/best_recipe.yaml"),
            *(rows_of(dump_of(workspace, name)) for name in STATISTICS))


def equalized_trials(workspace):
    """Numbers of the trials whose recipe says so, as they are exported again."""
    found = {}
    for number in range(1, TRIALS + 1):
        folder = f"{workspace}/again_{number}"
        call([program, "export", "-q", "-t", str(number), "-o", folder, workspace])
        equalized = b"cross_layer_equalization: true" in read(f"{folder}/recipe.yaml")
        found.setdefault(equalized, []).append(read(f"{folder}/model.onnx"))
    return found


def main():
    with tempfile.TemporaryDirectory(prefix="lpot-equalization-") as folder:
        tune(0, f"{folder}/alone")
        alone = result_of(f"{folder}/alone")
        if len(alone[0]) != TRIALS or alone[3] == alone[4]:
            sys.exit(f"{len(alone[0])} trials, expected {TRIALS}; or both calibrations saw the same")
        for ranks in (1, 2, 3, 5):
            tune(ranks, f"{folder}/ranks_{ranks}")
            if result_of(f"{folder}/ranks_{ranks}") != alone:
                sys.exit(f"{ranks} ranks find something else")
        tune(1, f"{folder}/resumed", TRIALS - 1)
        tune(3, f"{folder}/resumed", options=["--resume"])
        if result_of(f"{folder}/resumed") != alone:
            sys.exit("the resumed run finds something else")
        models = equalized_trials(f"{folder}/alone")
        if sorted(models) != [False, True] or alone[1] not in models[False] + models[True]:
            sys.exit(f"exported again: {[(key, len(found)) for key, found in models.items()]}, or another model")
        if set(models[False]) & set(models[True]):
            sys.exit("a model with equalized weights is one without")
    print(f"{TRIALS} trials and their models, the same alone, with 1, 2, 3 and 5 ranks, resumed and exported again")


if __name__ == "__main__":
    main()
