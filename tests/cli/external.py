#!/usr/bin/env python3
"""The strategy external: programs that propose well, badly, and not at all.

usage: external.py PROGRAM CONF MODEL
       external.py PROGRAM CONF MODEL FOLDER_OF_EXAMPLES PYTHON ...

PYTHON ...: the example for Optuna, by the first of them that has it; else SKIPPED."""
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, trials_of  # noqa: E402

# Proposes the first configuration of every op but one in f32, op after op, and stops after COUNT.
PLAIN = """
import json, sys
space = json.loads(sys.stdin.readline())
json.dump(space, open(sys.argv[2], "w"))
answers = []
for number in range(len(space["trials"]), len(space["trials"]) + int(sys.argv[1])):
    recipe = [0] * len(space["ops"])
    recipe[number] = len(space["ops"][number]["configs"]) - 1
    print(json.dumps({"recipe": recipe}), flush=True)
    answers.append(json.loads(sys.stdin.readline()))
json.dump(answers, open(sys.argv[2] + ".answers", "w"))
print(json.dumps({"stop": True}), flush=True)
"""
SETTINGS = ["evaluation.accuracy.iteration=8", "evaluation.performance.iteration=6",
            "tuning.accuracy_criterion.relative=-0.01", "tuning.strategy.name=external"]


class Test:
    def __init__(self, program, files):
        self.program, self.files = program, files
        self.folder = tempfile.mkdtemp(prefix="lpot-external-")

    def run(self, name, command, settings=(), ranks=1, resume=False, quiet=("-q",)):
        words = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
        words += [self.program, *quiet, "--workspace", f"{self.folder}/{name}"]
        for setting in [*SETTINGS, f"tuning.strategy.command={json.dumps(command)}", *settings]:
            words += ["--set", setting]
        return subprocess.run(words + (["--resume"] if resume else []) + self.files, env=ENVIRONMENT, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=240)

    def expect(self, code, text, done):
        if done.returncode != code or text not in done.stdout:
            sys.exit(f"expected exit code {code} and '{text}', got {done.returncode}:\n{done.stdout}")


def check_plain(test):
    file = f"{test.folder}/plain.json"
    command = ["python3", "-c", PLAIN, "3", file]
    test.expect(5, "", test.run("plain", command))
    with open(file) as first, open(f"{file}.answers") as second:
        space, answers = json.load(first), json.load(second)
    if [answer["id"] for answer in answers] != [1, 2, 3] or len(space["ops"]) < 3 or space["trials"]:
        sys.exit(f"strange talk: {space} {answers}")
    if not all(0 < answer["accuracy"] <= 1 and answer["valid"] for answer in answers):
        sys.exit(f"strange answers: {answers}")
    test.expect(5, "", test.run("plain", command, resume=True))  # three more, behind those recalled
    trials = trials_of(f"{test.folder}/plain")
    test.expect(5, "", test.run("ranks", command, ranks=3))
    if len(trials) != 6 or trials_of(f"{test.folder}/ranks") != trials[:3]:
        sys.exit(f"other trials: {trials} {trials_of(f'{test.folder}/ranks')}")
    with open(file) as first, open(f"{file}.answers") as second:
        if json.load(first)["trials"]:
            sys.exit("a fresh run recalls trials")
    print("plain: proposals, answers, three ranks and resumption")


# Proposes the same ops with each set of corrections.
CORRECTED = """
import json, sys
space = json.loads(sys.stdin.readline())
for number in range(len(space["corrections"])):
    recipe = [len(op["configs"]) - 1 for op in space["ops"]]
    print(json.dumps({"recipe": recipe, "corrections": number}), flush=True)
    sys.stdin.readline()
json.dump(space["corrections"], open(sys.argv[1], "w"))
print(json.dumps({"recipe": recipe, "corrections": len(space["corrections"])}), flush=True)
"""


def check_corrections(test):
    file = f"{test.folder}/corrections.json"
    settings = ["quantization.recipes.bias_correction=[false, true]", "quantization.recipes.cross_layer_equalization=[false, true]"]
    test.expect(1, "key 'corrections': expected 0 to 3, got 4",
                test.run("corrections", ["python3", "-c", CORRECTED, file], settings))
    with open(file) as first:
        names = json.load(first)
    if names != ["none", "cross_layer_equalization", "bias_correction", "bias_correction, cross_layer_equalization"]:
        sys.exit(f"other corrections: {names}")
    print("corrections: a set for each proposal, and one that is not there")


def check_bad(test):
    space = "read -r space; "
    cases = [
        (3, "'/no/such' cannot be started", ["/no/such"]),
        (1, "not JSON", ["sh", "-c", space + "echo hello; sleep 60"]),
        (1, "line '???(hello)': not JSON", ["sh", "-c", space + "printf '\\001\\033\\377(hello)\\n'; sleep 60"]),
        (1, "unknown key 'recipes', expected one of recipe, sampling, corrections, stop",
         ["sh", "-c", space + "echo '{\"recipes\": []}'; sleep 60"]),
        (1, "key 'recipe': expected 21 items, got 1", ["sh", "-c", space + "echo '{\"recipe\": [0]}'; sleep 60"]),
        (1, "ended with exit code 7", ["sh", "-c", "exit 7"]),
        (1, "ended by signal 9", ["sh", "-c", space + "kill -9 $$"]),
        (1, "not answered within 1 seconds", ["sleep", "60"]),
        (1, "has written", ["sh", "-c", "yes | tr -d '\\n'"]),
    ]
    for ranks in (1, 2):
        for number, (code, text, command) in enumerate(cases):
            timeout = ["tuning.strategy.timeout=" + ("1" if command[0] == "sleep" else "60")]
            test.expect(code, text, test.run(f"bad_{ranks}_{number}", command, timeout, ranks))
    print(f"bad programs: {len(cases)} kinds, with one rank and two")


# Proposes the same recipe again and again.
STUBBORN = """
import json, sys
space = json.loads(sys.stdin.readline())
recipe = json.dumps({"recipe": [0] * len(space["ops"])})
while True:
    print(recipe, flush=True)
    if not sys.stdin.readline():
        break
"""


def check_stubborn(test):
    for ranks in (1, 2):
        done = test.run(f"stubborn_{ranks}", ["python3", "-c", STUBBORN], ranks=ranks, quiet=("--progress", "none"))
        test.expect(5, "strategy external: the last 10000 recipes were all tried before: the search ends", done)
        if len(trials_of(f"{test.folder}/stubborn_{ranks}")) != 1:
            sys.exit(f"other trials: {done.stdout}")
    print("stubborn: a recipe that comes again and again ends the search")


def check_optuna(test, examples, pythons):
    for python in pythons:
        if subprocess.run([python, "-c", "import optuna"], stderr=subprocess.DEVNULL).returncode == 0:
            break
    else:
        print("SKIPPED Optuna: none of " + ", ".join(pythons) + " has it")
        return
    command = [python, f"{examples}/optuna_strategy.py"]
    limit = ["tuning.exit_policy.max_trials=12"]
    test.expect(5, "", test.run("optuna", command, ["tuning.exit_policy.max_trials=6"], ranks=3))
    test.expect(5, "", test.run("optuna", command, limit, ranks=2, resume=True))
    trials = trials_of(f"{test.folder}/optuna")
    if len(trials) != 12 or len({trial[1] for trial in trials}) != 12:
        sys.exit(f"Optuna: {trials}")
    print("Optuna: 12 trials, resumed after 6")


def main():
    test = Test(sys.argv[1], sys.argv[2:4])
    if len(sys.argv) > 4:
        check_optuna(test, sys.argv[4], sys.argv[5:])
    else:
        check_plain(test)
        check_corrections(test)
        check_bad(test)
        check_stubborn(test)
    subprocess.run(["rm", "-r", test.folder], check=True)


if __name__ == "__main__":
    main()
