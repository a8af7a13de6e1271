#!/usr/bin/env python3
"""What each op's quantization costs, from the history of a run, as a table for simulate_strategy --table.

usage: record_damage.py WORKSPACE/history.h5 > TABLE      (needs h5py and numpy)

The drop of a recipe against f32, in points, is taken as the sum of the damages of its int8 ops: least squares
over all trials that were evaluated on the whole set, ridge 1e-3. A run of the strategy basic that nothing
satisfies (tuning.accuracy_criterion.relative: -0.9) has every op alone in f32, and all sums. With tuning.op_times: true
the history has the times of the ops in f32 and int8, too; else every op counts 1, and int8 a third. The recorded answers
tell how many samples a recipe answers otherwise than f32: least squares of a constant and a multiple of its drop. The
residual is told on standard error."""
import sys

import h5py
import numpy as np


def times_of(file, num_ops):
    """Of each op, as text. What cannot be int8 takes as long as in f32."""
    if "op_times" not in file:
        return ["1"] * num_ops
    return [f"{row['f32_us']:.4f} {row['f32_us'] if np.isnan(row['int8_us']) else row['int8_us']:.4f}"
            for row in file["op_times"][...]]


def line_of_races(correct, whole, samples, drop, baseline):
    """Where the metric tells right from wrong: what a race has to tell apart."""
    bits = np.unpackbits(correct, axis=1, bitorder="little")[:, :samples]
    if not bits.any():
        return ""
    changed = (bits[1:][whole] != bits[0]).mean(axis=1)
    terms = np.stack([np.ones(len(drop)), np.abs(drop) / 100], axis=1)
    constant, slope = np.linalg.lstsq(terms, changed, rcond=None)[0]
    return f"network {samples} {100 * baseline:.4f} {max(constant, 0):.5f} {max(slope, 0):.5f}\n"


def main():
    with h5py.File(sys.argv[1]) as file:
        trials, recipes = file["trials"][...], file["recipes"][...]
        legend = [text.decode() for text in file["recipe_legend"][...]]
        ops = file["ops"][...]
        baseline = file["baseline"].attrs["accuracy"]
        times = times_of(file, len(ops))
        correct, samples = file["correct"][...], int(file["baseline"].attrs["samples"])
        done = h5py.check_enum_dtype(file["trials"].dtype["status"])["DONE"]
    whole = trials["status"] == done
    int8 = np.array([text.startswith(("activation uint8", "activation int8")) for text in legend])
    used = int8[recipes[whole]].astype(float)
    drop = 100 * (baseline - trials["accuracy"][whole])
    damage = np.linalg.solve(used.T @ used + 1e-3 * np.eye(len(ops)), used.T @ drop)
    residual = np.sqrt(np.mean((used @ damage - drop) ** 2))
    print(f"{whole.sum()} trials, f32 {baseline:.4f}, residual {residual:.3f} points", file=sys.stderr)
    print(f"# {whole.sum()} trials, f32 {baseline:.4f}, residual {residual:.3f} points")
    print(end=line_of_races(correct, whole, samples, drop, baseline))
    for op, value, time in zip(ops, damage, times):
        print("op", op["name"].decode().replace(" ", "_"), op["type"].decode(), f"{value:.4f}", time)


if __name__ == "__main__":
    main()
