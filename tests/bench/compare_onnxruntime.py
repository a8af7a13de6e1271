#!/usr/bin/env python3
"""Our engine against ONNX Runtime on the timing networks: one thread each, in one run.

    compare_onnxruntime.py BENCH_ENGINE FOLDER [--rounds N] [--batch N] [NETWORK_OR_FILE.onnx...]

FOLDER keeps the networks (networks.py), ONNX Runtime's quantized models (its static quantizer: QDQ
and QOperator, u8 activations per channel; QDQ with s8 activations) and ours. A round times every
side once, forth and back (ABBA), so that all of them see the same machine. Prints medians in ms of
wall time, ratios of pairs of one round (median, and 10 % and 90 % quantiles), and load time, compile time and peak memory
of a process that loads and runs the model. CPU time is thread CPU time for us, process CPU time for ONNX Runtime.
Needs onnx, onnxruntime, numpy."""
import argparse
import os
import subprocess
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import onnxruntime

import networks

MEMORY = """
import sys, time, numpy, onnxruntime as ort
def peak():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
o = ort.SessionOptions(); o.intra_op_num_threads = 1; o.inter_op_num_threads = 1
base = peak()
start = time.perf_counter()
s = ort.InferenceSession(sys.argv[1], o, providers=["CPUExecutionProvider"])
made = time.perf_counter() - start
v = s.get_inputs()[0]
x = numpy.zeros([d if isinstance(d, int) else int(sys.argv[2]) for d in v.shape], numpy.float32)
for _ in range(3): s.run(None, {v.name: x})
print(made * 1e3, (peak() - base) / 1024)
"""


class Ours:
    def __init__(self, program, model, batch, exported):
        self.process = subprocess.Popen([program, "--serve", model, str(batch), exported], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = self.process.stdout.readline().strip()
        if not self.ready.startswith("ready"):
            raise RuntimeError(f"{program} did not start")

    def time(self, side, runs):
        self.process.stdin.write(f"{side} {runs}\n")
        self.process.stdin.flush()
        wall, cpu = self.process.stdout.readline().split()
        return float(wall) / runs, float(cpu) / runs

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Theirs:
    def __init__(self, path, batch):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        value = self.session.get_inputs()[0]
        shape = [d if isinstance(d, int) else batch for d in value.shape]
        self.feed = {value.name: np.random.default_rng(1).normal(size=shape).astype(np.float32)}

    def time(self, runs):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(runs):
            self.session.run(None, self.feed)
        return (time.perf_counter() - wall) / runs, (time.process_time() - cpu) / runs


def quantize(source, folder, name):
    """ONNX Runtime's own quantizer; returns {label: path}."""
    import onnx.reference  # noqa: F401  before onnxruntime.quantization, or it may not import
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = os.path.join(folder, f"{name}.pre.onnx")
    kinds = {"QDQ u8": ("qdq_u8", QuantFormat.QDQ, QuantType.QUInt8),
             "QOp u8": ("qop_u8", QuantFormat.QOperator, QuantType.QUInt8),
             "QDQ s8": ("qdq_s8", QuantFormat.QDQ, QuantType.QInt8)}
    paths = {label: os.path.join(folder, f"{name}.{row[0]}.onnx") for label, row in kinds.items()}
    if not os.path.exists(prepared):
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
    session = onnxruntime.InferenceSession(prepared, providers=["CPUExecutionProvider"])
    value = session.get_inputs()[0]
    shape = [d if isinstance(d, int) else 1 for d in value.shape]

    class Reader(CalibrationDataReader):
        def __init__(self):
            rng = np.random.default_rng(1)
            self.left = [{value.name: rng.normal(size=shape).astype(np.float32)} for _ in range(2)]

        def get_next(self):
            return self.left.pop() if self.left else None

    for label, (_, form, kind) in kinds.items():
        if not os.path.exists(paths[label]):
            quantize_static(prepared, paths[label], Reader(), quant_format=form, per_channel=True,
                            activation_type=kind, weight_type=QuantType.QInt8)
    return paths


def memory_of_ours(program, path, batch):
    out = subprocess.run([program, "--memory", path, str(batch)], check=True, capture_output=True, text=True)
    load, compiled, peak = map(float, out.stdout.split())
    return load + compiled, peak


def memory_of_theirs(path, batch):
    out = subprocess.run([sys.executable, "-c", MEMORY, path, str(batch)], check=True, capture_output=True,
                         text=True)
    made, grown = map(float, out.stdout.split())
    return made, grown


def spread(values):
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    return f"{middle:.3f} [{low:.3f}, {high:.3f}]"


def run_rounds(sides, rounds, seconds):
    """{label: [wall of each round]}, {label: [cpu]}; each round is forth and back."""
    runs = {label: max(1, int(seconds / 2 / max(f(1)[0], 1e-6))) for label, f in sides.items()}
    for label, f in sides.items():
        f(runs[label])
    walls = {label: [] for label in sides}
    cpus = {label: [] for label in sides}
    for _ in range(rounds):
        sums = {label: np.zeros(2) for label in sides}
        for label in list(sides) + list(sides)[::-1]:
            sums[label] += np.array(sides[label](runs[label])) / 2
        for label in sides:
            walls[label].append(sums[label][0])
            cpus[label].append(sums[label][1])
    return {k: np.array(v) for k, v in walls.items()}, {k: np.array(v) for k, v in cpus.items()}


def compare(given, name):
    is_file = name.endswith(".onnx")
    model = name if is_file else networks.write(given.folder, name)
    name = os.path.basename(name).removesuffix(".onnx")
    exported = os.path.join(given.folder, f"{name}.ours.onnx")
    theirs = quantize(model, given.folder, name)
    ours = Ours(given.program, model, given.batch, exported)
    sides = {"ours f32": lambda n: ours.time("f32", n), "ours int8": lambda n: ours.time("int8", n),
             "ORT f32": Theirs(model, given.batch).time}
    sides.update({f"ORT {label}": Theirs(path, given.batch).time for label, path in theirs.items()})
    wall, cpu = run_rounds(sides, given.rounds, given.seconds)
    ours.close()
    best = min((label for label in wall if label.startswith("ORT Q")), key=lambda label: np.median(wall[label]))
    print(f"{name}, batch {given.batch}: " + ", ".join(
        f"{label} {1e3 * np.median(wall[label]) / given.batch:.3f} ms" for label in wall))
    for title, a, b in (("ours f32 / ORT f32", "ours f32", "ORT f32"),
                        (f"ours int8 / best ({best})", "ours int8", best),
                        ("ours f32 / ours int8", "ours f32", "ours int8")):
        print(f"  {title:34} wall {spread(wall[a] / wall[b])}  cpu {spread(cpu[a] / cpu[b])}")
    if given.memory:
        for title, a, b in (("f32", model, model), ("int8", exported, theirs[best[4:]])):
            our_ms, our_mib = memory_of_ours(given.program, a, given.batch)
            their_ms, their_mib = memory_of_theirs(b, given.batch)
            print(f"  {title:5} load + compile {our_ms:.0f} ms, ORT {their_ms:.0f} ms; peak memory {our_mib:.0f} MiB, "
                  f"ORT {their_mib:.0f} MiB, each over what its libraries take")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.1, help="of each side in a round, at least one run")
    parser.add_argument("--memory", action="store_true")
    given = parser.parse_args()
    print(f"ONNX Runtime {onnxruntime.__version__}, one thread each, {given.rounds} rounds")
    for name in given.names or networks.NETWORKS:
        compare(given, name)


if __name__ == "__main__":
    main()
