#!/usr/bin/env python3
"""A strategy external: Optuna's TPE proposes recipes. Any sampler of Optuna's serves as well.

  tuning:
    strategy:
      name: external
      command: [python3, optuna_strategy.py]

The protocol is in configs/README.md. SIDE proposals are on the way at once, so that more than one rank
has something to do."""
import json
import sys
from collections import deque

import optuna
from optuna.distributions import IntDistribution

SIDE = 4


def loss_of(result, space):
    """Accuracy below the target first, then speed: the share of int8 where it was not measured."""
    if not result["valid"]:
        return 1e3
    missing = space["target"] - result["accuracy"]
    return (missing if space["higher_is_better"] else -missing) if not result["meets"] else -1.0


def main():
    space = json.loads(sys.stdin.readline())
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=space["seed"] % 2**32))
    axes = {f"{number}:{op['name']}": IntDistribution(0, len(op["configs"]) - 1)
            for number, op in enumerate(space["ops"])}
    for trial in space["trials"]:  # of an earlier run
        study.add_trial(optuna.trial.create_trial(
            params=dict(zip(axes, trial["recipe"])), distributions=axes, value=loss_of(trial, space)))
    waiting = deque()

    def propose():
        trial = study.ask(axes)
        waiting.append(trial)
        print(json.dumps({"recipe": [trial.params[name] for name in axes]}), flush=True)

    for _ in range(SIDE):
        propose()
    for line in sys.stdin:
        study.tell(waiting.popleft(), loss_of(json.loads(line), space))
        propose()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        pass
