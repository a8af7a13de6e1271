#!/usr/bin/env python3
"""Throughput of two pinned one-thread processes over that of one: what ranks on one node lose to each other.

    two_processes.py BENCH_ENGINE MODEL.onnx [--rounds N] [--batch N] [--cpus A,B]

A round runs each process alone, both together, and each alone again. Prints, for f32 and int8, the
samples per second of one and of both, and the ratio of each round (median, 10 % and 90 % quantiles):
2 is ideal. Memory bandwidth and shared caches lower it, so do cpus that are siblings of one core."""
import argparse
import os
import subprocess

import numpy as np


class Rank:
    def __init__(self, program, model, batch, cpu):
        self.process = subprocess.Popen([program, "--serve", model, str(batch)], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        if not self.process.stdout.readline().startswith("ready"):
            raise SystemExit(f"{program} did not start")

    def ask(self, side, runs):
        self.process.stdin.write(f"{side} {runs}\n")
        self.process.stdin.flush()

    def answer(self):
        return float(self.process.stdout.readline().split()[0])

    def time(self, side, runs):
        self.ask(side, runs)
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def one_round(ranks, side, runs):
    """(runs per second of one alone, runs per second of two together)."""
    alone = [rank.time(side, runs) for rank in ranks]
    for rank in ranks:
        rank.ask(side, runs)
    together = [rank.answer() for rank in ranks]
    alone += [rank.time(side, runs) for rank in ranks]
    return np.mean(runs / np.array(alone)), np.sum(runs / np.array(together))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--cpus", default=",".join(str(c) for c in sorted(os.sched_getaffinity(0))[:2]))
    given = parser.parse_args()
    cpus = [int(cpu) for cpu in given.cpus.split(",")]
    if len(cpus) != 2:
        raise SystemExit(f"expected two cpus, found '{given.cpus}'")
    ranks = [Rank(given.program, given.model, given.batch, cpu) for cpu in cpus]
    for side in ("f32", "int8"):
        runs = max(1, int(given.seconds / ranks[0].time(side, 3) * 3))
        rounds = np.array([one_round(ranks, side, runs) for _ in range(given.rounds)])
        samples = np.median(rounds, axis=0) * given.batch
        low, middle, high = np.quantile(rounds[:, 1] / rounds[:, 0], [0.1, 0.5, 0.9])
        print(f"{os.path.basename(given.model)} {side:4} one {samples[0]:.1f}/s, "
              f"two {samples[1]:.1f}/s: {middle:.3f} [{low:.3f}, {high:.3f}] times")
    for rank in ranks:
        rank.close()


if __name__ == "__main__":
    main()
