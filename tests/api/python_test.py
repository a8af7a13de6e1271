#!/usr/bin/env python3
"""A program in another language that loads liblpot.so late, by ctypes, and whose metric is a Python function: with a
thread of its own before lpot_start evaluators run inside it, without one they are forked, and the trials are the same.

usage: python_test.py LIBLPOT              in the folder of the embedded example
       python_test.py LIBLPOT alone|thread WORKSPACE           (by itself) prints the accuracy as the function has it"""
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tune_runs import ENVIRONMENT, trials_of  # noqa: E402

CLASSES = 10
SETTINGS = ("evaluation.accuracy.dataloader.dataset.shapes.samples=200", "quantization.calibration.sampling_size=50",
            "evaluation.performance.iteration=2", "tuning.strategy.name=basic", "tuning.exit_policy.max_trials=3",
            "tuning.accuracy_criterion.relative=0", "tuning.op_times=false", "tuning.racing=false")


class Tensor(ctypes.Structure):
    _fields_ = [("dtype", ctypes.c_int32), ("rank", ctypes.c_int32), ("dims", ctypes.c_int64 * 8),
                ("data", ctypes.c_void_p), ("size_bytes", ctypes.c_size_t)]


class Batch(ctypes.Structure):
    _fields_ = [("count", ctypes.c_int64), ("num_outputs", ctypes.c_size_t), ("outputs", ctypes.POINTER(Tensor)),
                ("labels", ctypes.POINTER(Tensor))]


IS_RIGHT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Batch), ctypes.POINTER(ctypes.c_uint8),
                            ctypes.c_void_p)


class Metric(ctypes.Structure):
    """As lpot_component_metric was at first, without evaluate."""
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p), ("open", ctypes.c_void_p),
                ("close", ctypes.c_void_p), ("lower_is_better", ctypes.c_int32), ("is_right", IS_RIGHT),
                ("num_sums", ctypes.c_size_t), ("add", ctypes.c_void_p), ("value", ctypes.c_void_p)]


class List(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("version", ctypes.c_int32), ("datasets", ctypes.c_void_p),
                ("transforms", ctypes.c_void_p), ("metrics", ctypes.POINTER(ctypes.POINTER(Metric))),
                ("postprocesses", ctypes.c_void_p), ("calibrations", ctypes.c_void_p)]


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("file", ctypes.c_char_p), ("line", ctypes.c_int),
                ("message", ctypes.c_char * 512), ("rest", ctypes.c_char * 512)]


@IS_RIGHT
def is_right(_object, batch, right, _error):
    outputs, labels = batch[0].outputs[0], batch[0].labels[0]
    scores = ctypes.cast(outputs.data, ctypes.POINTER(ctypes.c_float))
    classes = ctypes.cast(labels.data, ctypes.POINTER(ctypes.c_int64))
    for row in range(batch[0].count):
        own = scores[row * CLASSES:(row + 1) * CLASSES]
        right[row] = own.index(max(own)) == classes[row]
    return 0


METRIC = Metric(ctypes.sizeof(Metric), b"right", None, None, 0, is_right, 0, None, None)
METRICS = (ctypes.POINTER(Metric) * 2)(ctypes.pointer(METRIC), None)
LIST = List(ctypes.sizeof(List), 1, None, None, METRICS, None, None)


def tune(library, threaded, workspace):
    lpot = ctypes.CDLL(library)
    error, session, quantization = Error(), ctypes.c_void_p(), ctypes.c_void_p()

    def check(status):
        if status != 0:
            sys.exit(error.message.decode())
    if threaded:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    check(lpot.lpot_start(None, None, ctypes.byref(session), ctypes.byref(error)))
    lpot.lpot_session_use_components(session, ctypes.byref(LIST))
    with open("example.yaml", encoding="utf-8") as file:
        text = file.read().replace("topk: 1", "plugin: {library: program, name: right}")
    check(lpot.lpot_quantization_from_text(session, b"built in", text.encode(), ctypes.byref(quantization),
                                           ctypes.byref(error)))
    for setting in SETTINGS:
        check(lpot.lpot_quantization_set(quantization, setting.encode(), ctypes.byref(error)))
    check(lpot.lpot_quantization_set_model(quantization, b"shapes.onnx", ctypes.byref(error)))
    check(lpot.lpot_quantization_set_workspace(quantization, workspace.encode(), ctypes.byref(error)))
    lpot.lpot_quantization_set_output(quantization, 2)
    check(lpot.lpot_quantization_run(quantization, ctypes.byref(error)))
    exit_code = lpot.lpot_quantization_exit_code(quantization)
    lpot.lpot_quantization_free(quantization)
    lpot.lpot_finish(session, exit_code)
    return exit_code


def main():
    library = os.path.abspath(sys.argv[1])
    if len(sys.argv) > 2:
        sys.exit(tune(library, sys.argv[2] == "thread", sys.argv[3]))
    folder = tempfile.mkdtemp(prefix="lpot-python-")
    trials = {}
    for mode in ("alone", "thread"):
        workspace = f"{folder}/{mode}"
        done = subprocess.run([sys.executable, __file__, library, mode, workspace], env=ENVIRONMENT, timeout=200,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        warned = done.stderr.count("warning: there are threads already: evaluators run inside this program")
        if done.returncode not in (0, 5) or done.stdout or warned != (mode == "thread"):
            sys.exit(f"{mode}: exit code {done.returncode}, {warned} warnings\n{done.stdout}\n{done.stderr[-3000:]}")
        trials[mode] = trials_of(workspace)
    if not trials["alone"] or trials["alone"] != trials["thread"]:
        sys.exit(f"trials differ: {trials}")
    print(f"ctypes: {len(trials['alone'])} trials by a metric in Python, forked and inside the program")
    shutil.rmtree(folder)


main()
