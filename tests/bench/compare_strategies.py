#!/usr/bin/env python3
"""What each strategy takes on each of the real networks, and what it finds: a table in Markdown and as CSV.

usage: compare_strategies.py [options] LPOT_TUNE FOLDER
  --networks NAME,NAME    of real_networks.py; default: all
  --strategies NAME,NAME  default: all
  --trials N              at most so many of each search; default 100
  --latency               measure how fast the recipes are, too. What was not to be trusted is measured again, and so is
                          the search of auto where its op times were not: for a quiet machine

FOLDER keeps a workspace and a result of each run, and table.md, table.csv and summary.md, written anew after each.
Started again, it goes on with the runs that are not there. One rank, so that nothing is evaluated that was not demanded.

needs h5py, numpy, onnx, onnxruntime and Pillow. Sets: samples evaluated, those that were sensed included, over the
evaluation set; up to the first recipe that meets the criterion, and in all. Work: share of the multiplications of Conv,
Gemm and MatMul that are done in int8. Faster: latency of f32 over that of the recipe, with its 95 % interval. Recipes
that are equal are measured once."""
import argparse
import csv
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import time

import h5py

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from real_networks import NETWORKS, configuration, model_of, work_of  # noqa: E402
from tune_runs import COMMIT, ENVIRONMENT, SENSE, records_in, sense_of  # noqa: E402

PLAIN = ("basic", "mse", "mse_v2", "conservative", "bayesian", "tpe", "random", "exhaustive")
# The strategy and tuning.op_times of each.
STRATEGIES = {"auto": ("auto", "auto"), "auto_untimed": ("auto", False), **{name: (name, "auto") for name in PLAIN}}
COLUMNS = ("network", "strategy", "met", "first_sets", "sets", "trials", "sensed", "seconds", "cpu_seconds", "int8_ops",
           "ops", "int8_work", "f32_accuracy", "accuracy", "op_times", "faster", "faster_low", "faster_high", "trusted")
SUMMARIES = {"sets": ("Sets", ".1f"), "seconds": ("Seconds", ".0f"), "int8_work": ("Work in int8", ".2f"),
             "faster": ("Times as fast as f32", "")}


def read_json(path):
    """None where there is no such file."""
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return json.load(file)


def write_json(path, value):
    with open(path + ".new", "w") as file:
        json.dump(value, file, indent=1)
    os.replace(path + ".new", path)


def tune(program, workspace, settings, network, options=()):
    """What lpot-tune --json prints, of a workspace that is begun anew."""
    shutil.rmtree(workspace, ignore_errors=True)
    os.makedirs(workspace)
    write_json(f"{workspace}/configuration.json", settings)
    command = [program, "-q", "--json", "-w", workspace, *options, f"{workspace}/configuration.json", model_of(network)]
    job = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=False)
    if job.returncode not in (0, 5):
        sys.exit(f"exit code {job.returncode} of {' '.join(command)}\n{job.stdout}")
    return json.loads(job.stdout)


def processor_seconds():
    """Of all children that have ended, and theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def sets_to_first(journal, trials, whole):
    """None where no trial meets the criterion."""
    sensed = 0
    for kind, payload in records_in(journal):
        if kind == SENSE:
            sensed += sense_of(payload)[2]
        elif kind == COMMIT:
            number, _, _, _, meets = struct.unpack_from("<QBQBB", payload)
            if meets:
                return float(trials["samples"][:number].sum() + sensed) / whole
    return None


def int8_of(history, network):
    """Names of the ops that are int8 in the recipe that is handed out, all ops, and the share of work."""
    int8 = [b"int8" in text.split(b";")[0] for text in history["recipe_legend"][...]]
    recipe = history["recipes"][history.attrs["chosen_trial"] - 1]
    used = [name.decode() for name, index in zip(history["ops"]["name"], recipe) if int8[index]]
    work = work_of(model_of(network))
    return {"int8_ops": len(used), "ops": len(recipe), "int8_work": sum(map(work.get, set(used) & set(work)))
            / sum(work.values())}


def search(program, folder, network, strategy, trials):
    """One run: its row of the table."""
    workspace = f"{folder}/{network}/{strategy}"
    name, op_times = STRATEGIES[strategy]
    settings = configuration(network, folder)
    if strategy != "auto":  # It times the ops, in as many rounds; what is handed out is timed later.
        settings["evaluation"]["performance"] = {"warmup": 0, "iteration": 1}
    settings["tuning"].update(strategy={"name": name}, op_times=op_times, exit_policy={"max_trials": trials})
    began, used = time.time(), processor_seconds()
    result = tune(program, workspace, settings, network)
    row = {"network": network, "strategy": strategy, "met": result["meets"], "seconds": time.time() - began,
           "cpu_seconds": processor_seconds() - used, "f32_accuracy": result["baseline_accuracy"],
           "accuracy": result["accuracy"], "recipe": result["recipe_hash"], "op_times": None}
    journal = f"{workspace}/trials.journal"
    sensed = [sense_of(payload)[2] for kind, payload in records_in(journal) if kind == SENSE]
    with h5py.File(f"{workspace}/history.h5") as history:
        tried, whole = history["trials"][...], history["baseline"].attrs["samples"]
        row.update(trials=len(tried), sensed=len(sensed), sets=float(tried["samples"].sum() + sum(sensed)) / whole,
                   first_sets=sets_to_first(journal, tried, whole))
        if history.attrs["chosen_trial"] > 0:
            row.update(int8_of(history, network))
        if "op_times" in history:
            row["op_times"] = "trusted" if history["op_times"].attrs["trusted"] else "untrusted"
    return row


def measure(program, folder, row):
    """How fast the recipe of a row is."""
    network = row["network"]
    settings = configuration(network, folder)
    recipe = f"{folder}/{network}/{row['strategy']}/best_recipe.yaml"
    found = tune(program, f"{folder}/{network}/recipe_{row['recipe']}", settings, network, ["--recipe", recipe])
    return {"faster": found["speedup"], "faster_low": found["speedup_low"], "faster_high": found["speedup_high"],
            "trusted": found["latency_trusted"]}


# ---- the table ----


def faster_of(row):
    interval = f"{row['faster']:.2f} [{row['faster_low']:.2f}, {row['faster_high']:.2f}]"
    return interval + ("" if row["trusted"] else " not trusted")


def text_of(row):
    """The cells of a row in Markdown."""
    def number(name, form):
        return "-" if row.get(name) is None else format(row[name], form)
    times = {"trusted": " (op times measured)", "untrusted": " (op times not trusted)"}.get(row["op_times"], "")
    int8 = f"{row['int8_ops']} of {row['ops']}" if row.get("ops") else "-"
    return [row["network"], row["strategy"] + times, "yes" if row["met"] else "no", number("first_sets", ".1f"),
            number("sets", ".1f"), number("trials", "d"), number("sensed", "d"), number("seconds", ".0f"),
            number("cpu_seconds", ".0f"), int8, number("int8_work", ".2f"), number("accuracy", ".4f"),
            faster_of(row) if row.get("faster") is not None else "-"]


def cell_of(row, name):
    """Of a summary: in parentheses where the criterion is not met."""
    if row is None:
        return ""
    if row.get(name) is None:
        return "-"
    text = faster_of(row) if name == "faster" else format(row[name], SUMMARIES[name][1])
    return text if row["met"] else f"({text})"


def write_summary(file, name, rows):
    """One figure of all runs: a line for each network, a column for each strategy."""
    found = {(row["network"], row["strategy"]): row for row in rows}
    strategies = [strategy for strategy in STRATEGIES if any(row["strategy"] == strategy for row in rows)]
    print(f"\n{SUMMARIES[name][0]}\n", file=file)
    for cells in (["network", *strategies], ["---"] * (1 + len(strategies))):
        print("| " + " | ".join(cells) + " |", file=file)
    for network in NETWORKS:
        cells = [cell_of(found.get((network, strategy)), name) for strategy in strategies]
        if any(cells):
            print("| " + " | ".join([network, *cells]) + " |", file=file)


def write_tables(folder, rows):
    heads = ["network", "strategy", "met", "sets to the first", "sets", "trials", "sensed", "seconds", "CPU s",
             "int8 ops", "int8 work", "accuracy", "faster than f32"]
    with open(f"{folder}/table.md", "w") as file:
        for cells in (heads, ["---"] * len(heads), *map(text_of, rows)):
            print("| " + " | ".join(cells) + " |", file=file)
    with open(f"{folder}/summary.md", "w") as file:
        for name in SUMMARIES:
            write_summary(file, name, rows)
    with open(f"{folder}/table.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def collect(folder):
    """All rows that are there, in the order of the lists, with the latencies that are."""
    rows = []
    for network in NETWORKS:
        for strategy in STRATEGIES:
            row = read_json(f"{folder}/{network}/{strategy}/result.json")
            if row is not None:
                row.update(read_json(f"{folder}/{network}/recipe_{row['recipe']}/latency.json") or {})
                rows.append(row)
    return rows


# ---- what is to be done ----


def searches_of(arguments):
    """Runs that are not there: (what, where its result goes, how it is made)."""
    for network in arguments.networks:
        for strategy in arguments.strategies:
            path = f"{arguments.folder}/{network}/{strategy}/result.json"
            known = read_json(path)
            if known is None or (arguments.latency and known["op_times"] == "untrusted"):
                yield (f"{network} {strategy}", path, lambda network=network, strategy=strategy: search(
                    arguments.program, arguments.folder, network, strategy, arguments.trials))


def latencies_of(arguments):
    """The same of recipes that meet the criterion and were not timed, each once."""
    seen = set()
    for row in collect(arguments.folder):
        key = (row["network"], row["recipe"])
        asked = row["network"] in arguments.networks and row["strategy"] in arguments.strategies
        if not asked or not row["met"] or row.get("trusted") or key in seen:
            continue
        seen.add(key)
        yield (f"{row['network']} latency, recipe of {row['strategy']}",
               f"{arguments.folder}/{row['network']}/recipe_{row['recipe']}/latency.json",
               lambda row=row: measure(arguments.program, arguments.folder, row))


def do_all(folder, tasks):
    """Runs them, with a line for each."""
    began = time.time()
    for number, (what, path, run) in enumerate(tasks, 1):
        started = time.time()
        write_json(path, run())
        write_tables(folder, collect(folder))
        now = time.time()
        left = (now - began) / number * (len(tasks) - number) / 60
        print(f"{number}/{len(tasks)} {what}: {now - started:.0f} s; about {left:.0f} min left", flush=True)


def names_in(known):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"expected one of {', '.join(known)}, found '{name}'")
        return names
    return parse


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ", 1)[1].split("\n\n", 1)[0])
    parser.add_argument("--networks", type=names_in(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--strategies", type=names_in(STRATEGIES), default=list(STRATEGIES))
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("program")
    parser.add_argument("folder")
    arguments = parser.parse_args()
    if "LPOT_TEST_DATA" not in os.environ:
        sys.exit("LPOT_TEST_DATA must name the folder of the networks and their data")
    arguments.folder = os.path.abspath(arguments.folder)
    os.makedirs(arguments.folder, exist_ok=True)
    do_all(arguments.folder, list(searches_of(arguments)))
    if arguments.latency:
        do_all(arguments.folder, list(latencies_of(arguments)))
    write_tables(arguments.folder, collect(arguments.folder))


if __name__ == "__main__":
    main()
