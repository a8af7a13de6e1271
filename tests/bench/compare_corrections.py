#!/usr/bin/env python3
"""What thresholds and corrections do to the accuracy of uniform recipes on real networks: the tables of
configs/README.md, in Markdown.

usage: compare_corrections.py [options] LPOT_TUNE FOLDER
  --networks NAME,NAME  of real_networks.py; default: resnet8, dscnn, mobilenet, vit
  --correction NAME     a key of quantization.recipes; default bias_correction
  --errors              mean squared error of the outputs against f32's, in place of top-1 in %

A row for each kind of activation and of weight scale, a column for each algorithm, without / with the correction; every op
in int8. FOLDER keeps a workspace of each row, made anew; all are evaluated on the whole set by one rank. Needs
LPOT_TEST_DATA, h5py, numpy, onnx, onnxruntime and Pillow."""
import argparse
import os
import sys

import h5py

sys.dont_write_bytecode = True
from compare_strategies import tune  # noqa: E402
from real_networks import configuration  # noqa: E402

ALGORITHMS = ("minmax", "percentile", "kl", "mse")
KINDS = (("uint8", "asym"), ("int8", "sym"))


def settings_of(network, folder, kind, granularity, arguments):
    """All uniform recipes of this kind and no more: a criterion that none meets."""
    settings = configuration(network, folder)
    settings["quantization"].update(
        recipes={arguments.correction: [False, True]},
        model_wise={"activation": {"dtype": kind[0], "scheme": kind[1], "algorithm": list(ALGORITHMS)},
                    "weight": {"granularity": granularity}})
    settings["evaluation"]["performance"] = {"warmup": 0, "iteration": 1}
    if arguments.errors:
        settings["evaluation"]["accuracy"]["metric"] = {"MSE": {"compare_label": False}}
    settings["tuning"].update(accuracy_criterion={"absolute": -1}, strategy={"name": "basic"}, op_times=False,
                              exit_policy={"max_trials": 2 * len(ALGORITHMS)})
    return settings


def accuracies_of(workspace, correction):
    """By algorithm and whether the recipe is corrected."""
    with h5py.File(f"{workspace}/history.h5") as history:
        legend = [text.decode() for text in history["recipe_legend"][...]]
        found = {}
        for trial, recipe in zip(history["trials"][...], history["recipes"][...]):
            words = {legend[index].split(";")[0].split()[-1] for index in recipe if "int8" in legend[index]}
            found[words.pop(), bool(trial[correction])] = trial["accuracy"]
            assert not words, f"{workspace}: a recipe is not uniform: {words}"
        return history["baseline"].attrs["accuracy"], found


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ", 1)[1].split("\n\n", 1)[0])
    parser.add_argument("--networks", default="resnet8,dscnn,mobilenet,vit")
    parser.add_argument("--correction", choices=("bias_correction", "cross_layer_equalization"),
                        default="bias_correction")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("program")
    parser.add_argument("folder")
    arguments = parser.parse_args()
    if "LPOT_TEST_DATA" not in os.environ:
        sys.exit("LPOT_TEST_DATA must name the folder of the networks and their data")
    os.makedirs(arguments.folder, exist_ok=True)
    print("| network | recipe |", " | ".join(ALGORITHMS), "|\n|---|---|" + "---|" * len(ALGORITHMS))
    for network in arguments.networks.split(","):
        for granularity in ("per_channel", "per_tensor"):
            for kind in KINDS:
                workspace = f"{arguments.folder}/{network}_{kind[0]}_{granularity}"
                tune(arguments.program, workspace,
                     settings_of(network, os.path.abspath(arguments.folder), kind, granularity, arguments), network)
                f32, found = accuracies_of(workspace, arguments.correction)
                cells = [" / ".join(f"{found[algorithm, corrected]:.2g}" if arguments.errors
                                    else f"{100 * found[algorithm, corrected]:.2f}" for corrected in (False, True))
                         for algorithm in ALGORITHMS]
                name = network if arguments.errors else f"{network} (f32 {100 * f32:.2f})"
                print(f"| {name} | {' '.join(kind)}, {granularity} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
