#!/usr/bin/env python3
"""What a neighbour that streams through memory does to the latency verdict: it must be within 5 % of
the quiet one, or UNTRUSTED.

    latency_neighbour.py MEASURE_LATENCY MEMORY_BURNER CONF MODEL.onnx [KEY.PATH=VALUE ...]
                         [--runs 20] [--wait SECONDS] [--check]

First measures on the machine as it is, each time after waiting (at most --wait seconds) until others
leave its processors alone; the median of the trusted ratios is the reference. Then measures beside a
burner that streams all the time, and beside one that pauses every 0.2 seconds: every time in a new
process, which knows nothing of quieter moments, and again in one process that has measured in quiet.
The burner has the highest processor that this process may use, and 256 MiB.

Prints a line for each case; a run is WRONG when it is trusted and more than 5 % off. Exit code 1 when
one is. --check is for a test: two of the cases, and "SKIPPED program" where there is no reference to compare
with."""
import argparse
import os
import statistics
import subprocess
import sys
import time

ALLOWED = 0.05


class Run:
    def __init__(self, line):
        words = line.split(maxsplit=11)
        self.trusted = words[0] == "1"
        self.speedup, self.low, self.high, self.f32_ms, self.recipe_ms = map(float, words[1:6])
        self.attempts = int(words[8])
        self.seconds = float(words[9])
        self.reason = words[11].strip() if len(words) > 11 else ""


class Meter:
    """One process that measures whenever it is asked."""

    def __init__(self, given):
        self.process = subprocess.Popen(
            [given.measure, given.conf, given.model, "0", *given.settings],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit("measure_latency did not start")

    def measure(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("measure_latency has ended")
        return Run(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Burner:
    def __init__(self, given, period):
        cpu = max(os.sched_getaffinity(0))
        self.process = subprocess.Popen([given.burner, "3600", str(cpu), "256", str(period)], text=True,
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def close(self):
        self.process.kill()
        self.process.wait()


def busy_ticks():
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(word) for word in file.readline().split()[1:]]
    return sum(fields[:3]) + sum(fields[5:7])


def wait_for_quiet(seconds):
    """Waits until nothing runs for a second; True when that has come."""
    end = time.monotonic() + seconds
    while True:
        before = busy_ticks()
        time.sleep(1)
        if busy_ticks() - before <= 8:
            return True
        if time.monotonic() > end:
            return False


def quiet_runs(given, meter):
    runs = []
    for _ in range(given.runs):
        wait_for_quiet(given.wait)
        runs.append(meter.measure())
    return runs


def noisy_runs(given, meter, period):
    runs = []
    for _ in range(given.runs):
        fresh = meter if meter is not None else Meter(given)
        burner = Burner(given, period)
        time.sleep(0.2)
        runs.append(fresh.measure())
        burner.close()
        if meter is None:
            fresh.close()
    return runs


def tell(name, runs, reference):
    """Prints the line of a case; returns the number of wrong runs."""
    trusted = [run.speedup for run in runs if run.trusted]
    every = [run.speedup for run in runs]
    wrong = 0
    if reference is not None:
        wrong = sum(abs(ratio / reference - 1) > ALLOWED for ratio in trusted)
    spread = f"{min(trusted):.3f} to {max(trusted):.3f}" if trusted else "-"
    seconds = statistics.median(run.seconds for run in runs)
    print(f"{name:34} {len(trusted):3} of {len(runs):3}  {spread:16}  {min(every):.3f} to {max(every):.3f}  "
          f"{seconds:7.2f}  {wrong}")
    reasons = {}
    for run in runs:
        if not run.trusted:
            key = " ".join(word for word in run.reason.split() if not any(c.isdigit() for c in word))
            reasons[key] = reasons.get(key, 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        print(f"    {count:3} x {reason}")
    sys.stdout.flush()
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure")
    parser.add_argument("burner")
    parser.add_argument("conf")
    parser.add_argument("model")
    parser.add_argument("settings", nargs="*", default=[])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--wait", type=float, default=60)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_intermixed_args()
    print(f"{'case':34} trusted     their ratios      all ratios        seconds  wrong")
    meter = Meter(given)
    runs = quiet_runs(given, meter)
    trusted = [run.speedup for run in runs if run.trusted]
    reference = statistics.median(trusted) if trusted else None
    wrong = tell("quiet", runs, reference)
    unsure = 0
    cases = (("burner, new process", None, 0), ("burner in turns, quiet was seen", meter, 0.2),
             ("burner, quiet was seen", meter, 0), ("burner in turns, new process", None, 0.2))
    for name, known, period in cases[:2] if given.check else cases:
        runs = noisy_runs(given, known, period)
        wrong += tell(name, runs, reference)
        unsure += sum(run.trusted for run in runs) if reference is None else 0
    meter.close()
    if reference is None:
        print("no quiet measurement was trusted: there is no reference")
    else:
        print(f"reference: {reference:.3f}; {wrong} wrong")
    if unsure > 0 and given.check:
        print("SKIPPED program: the machine is too busy for a reference")
    return 1 if wrong > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
