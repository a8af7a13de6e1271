#!/usr/bin/env python3
"""What each op's quantization costs, from the history of a run, as a table for simulate_strategy --table.

usage: record_damage.py WORKSPACE/history.h5 > TABLE      (needs h5py and numpy)

The drop of a recipe against f32, in points, is taken as the sum of the damages of its int8 ops: least squares
over all trials that were evaluated on the whole set, ridge 1e-3. A run of the strategy basic that nothing
satisfies (tuning.accuracy_criterion.relative: -0.9) has every op alone in f32, and all sums. Histories have no
times of ops: every op counts 1. The residual is told on standard error."""
import sys

import h5py
import numpy as np


def main():
    with h5py.File(sys.argv[1]) as file:
        trials, recipes = file["trials"][...], file["recipes"][...]
        legend = [text.decode() for text in file["recipe_legend"][...]]
        ops = file["ops"][...]
        baseline = file["baseline"].attrs["accuracy"]
        done = h5py.check_enum_dtype(file["trials"].dtype["status"])["DONE"]
    whole = trials["status"] == done
    int8 = np.array([text.startswith(("activation uint8", "activation int8")) for text in legend])
    used = int8[recipes[whole]].astype(float)
    drop = 100 * (baseline - trials["accuracy"][whole])
    damage = np.linalg.solve(used.T @ used + 1e-3 * np.eye(len(ops)), used.T @ drop)
    residual = np.sqrt(np.mean((used @ damage - drop) ** 2))
    print(f"{whole.sum()} trials, f32 {baseline:.4f}, residual {residual:.3f} points", file=sys.stderr)
    print(f"# {whole.sum()} trials, f32 {baseline:.4f}, residual {residual:.3f} points")
    for op, value in zip(ops, damage):
        print("op", op["name"].decode().replace(" ", "_"), op["type"].decode(), f"{value:.4f}", 1)


if __name__ == "__main__":
    main()
