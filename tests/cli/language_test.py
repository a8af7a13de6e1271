#!/usr/bin/env python3
"""lpot-tune on small transformers with configs/bert.yaml: GLUE from a .tsv file, SQuAD from JSON.

    language_test.py LPOT_TUNE MPIEXEC BERT_YAML

The networks are encoders with random weights. GLUE's labels and SQuAD's true answers are what ONNX
Runtime says of them, so that f32 must be right everywhere. Samples that f32 is unsure of are left
out. The exported model is run by ONNX Runtime over the same file. Needs onnx, onnxruntime, numpy.
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f"SKIPPED program: {error}")
    sys.exit(0)

LENGTH, HIDDEN, HEADS = 24, 32, 2
WORDS = [a + b for a in ("ba", "do", "ki", "lu", "me", "no", "pa", "ru") for b in ("lan", "mir", "sto", "ven", "xi")]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ".", ","] + WORDS


class Encoder:
    """One layer of BERT, its inputs int64 [N, LENGTH]."""

    def __init__(self, outputs):
        self.rng = np.random.default_rng(3)
        self.nodes, self.constants = [], []
        self.outputs = outputs

    def constant(self, values):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def draw(self, *shape, scale=None):
        scale = 1 / np.sqrt(shape[0]) if scale is None else scale
        return self.constant(self.rng.normal(0, scale, shape).astype(np.float32))

    def node(self, op, *inputs, output=None, **attributes):
        output = output or f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def linear(self, x, inputs, outputs, bias=None, output=None):
        product = self.node("MatMul", x, self.draw(inputs, outputs))
        bias = self.constant(np.zeros(outputs, np.float32) if bias is None else bias)
        return self.node("Add", product, bias, output=output)

    def norm(self, x):
        scale, shift = np.ones(HIDDEN, np.float32), np.zeros(HIDDEN, np.float32)
        return self.node("LayerNormalization", x, self.constant(scale), self.constant(shift), axis=-1)

    def heads(self, x, perm):
        shape = self.constant(np.array([0, LENGTH, HEADS, HIDDEN // HEADS], np.int64))
        return self.node("Transpose", self.node("Reshape", x, shape), perm=perm)

    def attention(self, x):
        query, key, value = (self.linear(x, HIDDEN, HIDDEN) for _ in range(3))
        scores = self.node("MatMul", self.heads(query, [0, 2, 1, 3]), self.heads(key, [0, 2, 3, 1]))
        scores = self.node("Mul", scores, self.constant(np.float32(2 / np.sqrt(HIDDEN // HEADS))))
        mask = self.node("Cast", "attention_mask", to=TensorProto.FLOAT)
        mask = self.node("Mul", self.node("Sub", mask, self.constant(np.float32(1))), self.constant(np.float32(1e4)))
        mask = self.node("Unsqueeze", mask, self.constant(np.array([1, 2], np.int64)))
        weights = self.node("Softmax", self.node("Add", scores, mask), axis=-1)
        context = self.node("Transpose", self.node("MatMul", weights, self.heads(value, [0, 2, 1, 3])),
                            perm=[0, 2, 1, 3])
        context = self.node("Reshape", context, self.constant(np.array([0, LENGTH, HIDDEN], np.int64)))
        return self.linear(context, HIDDEN, HIDDEN)

    def body(self):
        words = self.node("Gather", self.draw(len(VOCABULARY), HIDDEN, scale=1), "input_ids")
        types = self.node("Gather", self.draw(2, HIDDEN, scale=0.5), "token_type_ids")
        x = self.node("Add", self.node("Add", words, types), self.draw(LENGTH, HIDDEN, scale=0.5))
        x = self.norm(x)
        x = self.norm(self.node("Add", x, self.attention(x)))
        inner = self.linear(x, HIDDEN, 4 * HIDDEN)
        gelu = self.node("Erf", self.node("Mul", inner, self.constant(np.float32(np.sqrt(0.5)))))
        gelu = self.node("Mul", self.node("Mul", inner, self.constant(np.float32(0.5))),
                         self.node("Add", gelu, self.constant(np.float32(1))))
        return self.norm(self.node("Add", x, self.linear(gelu, 4 * HIDDEN, HIDDEN)))

    def save(self, path):
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["N", LENGTH])
                  for name in ("input_ids", "attention_mask", "token_type_ids")]
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                   for name, shape in self.outputs.items()]
        graph = helper.make_graph(self.nodes, "encoder", inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)


def save_classifier(path, bias):
    network = Encoder({"logits": ["N", 2]})
    first = network.node("Gather", network.body(), network.constant(np.int64(0)), axis=1)
    pooled = network.node("Tanh", network.linear(first, HIDDEN, HIDDEN))
    network.linear(pooled, HIDDEN, 2, bias=np.array([0, bias], np.float32), output="logits")
    network.save(path)


def save_reader(path):
    network = Encoder({"start_logits": ["N", LENGTH], "end_logits": ["N", LENGTH]})
    both = network.linear(network.body(), HIDDEN, 2)
    for index, name in enumerate(("start_logits", "end_logits")):
        network.node("Gather", both, network.constant(np.int64(index)), axis=2, output=name)
    network.save(path)


def encode(first, second):
    tokens = ["[CLS]"] + first + ["[SEP]"] + second + ["[SEP]"]
    ids = np.zeros((3, LENGTH), np.int64)
    ids[0, : len(tokens)] = [VOCABULARY.index(token) for token in tokens]
    ids[1, : len(tokens)] = 1
    ids[2, len(first) + 2 : len(tokens)] = 1
    return ids


def infer(path, samples):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = np.stack(samples, axis=1)
    return session.run(None, {value.name: inputs[i] for i, value in enumerate(session.get_inputs())})


def check(condition, text):
    if not condition:
        print("FAILED:", text)
        sys.exit(1)


def tune(folder, program, mpiexec, ranks, name, *options, expected=0):
    command = [mpiexec, "--oversubscribe", "-n", str(ranks), program, "--json", "--progress", "none", "-w", name,
               "--set", "evaluation.performance.iteration=6", "--set", "tuning.op_times=false", *options]
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    check(done.returncode == expected, f"{name}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return json.loads(done.stdout) if expected == 0 else done.stderr


def f1(predictions, labels):
    both = ((predictions == 1) & (labels == 1)).sum()
    return 2 * both / ((predictions == 1).sum() + (labels == 1).sum())


def classify(folder, program, mpiexec, config):
    rng = np.random.default_rng(11)
    pairs = [[list(rng.choice(WORDS, rng.integers(2, 8))) for _ in range(2)] for _ in range(500)]
    pairs = [(first, second + ["."]) for first, second in pairs]
    samples = [encode(*pair) for pair in pairs]
    model = os.path.join(folder, "classifier.onnx")
    save_classifier(model, 0)
    logits = infer(model, samples)[0]
    save_classifier(model, float(np.median(logits[:, 0] - logits[:, 1])))
    logits = infer(model, samples)[0]
    margin = logits[:, 1] - logits[:, 0]
    sure = np.argsort(-np.abs(margin))[:240]
    labels = (margin[sure] > 0).astype(int)
    os.makedirs(os.path.join(folder, "glue"))
    os.makedirs(os.path.join(folder, "bert"))
    with open(os.path.join(folder, "bert/vocab.txt"), "w") as file:
        file.writelines(word + "\n" for word in VOCABULARY)
    with open(os.path.join(folder, "glue/dev.tsv"), "w") as file:
        file.write("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n")
        for index, label in zip(sure, labels):
            first, second = (" ".join(words).replace(" .", ".") for words in pairs[index])
            file.write(f"{label}\t1\t2\t{first.title()}\t{second}\n")
    options = ["--set", "evaluation.accuracy.dataloader.dataset.GLUE.max_seq_length=24", config, model]
    results = same_at_any_rank(folder, program, mpiexec, "glue", 1.0, options)
    exported = infer(os.path.join(folder, results["model"]), [samples[index] for index in sure])[0]
    peer = f1(exported.argmax(axis=1), labels)
    check(abs(peer - results["accuracy"]) < 0.01, f"F1 {peer} in ONNX Runtime, {results['accuracy']} here")
    dynamic = tune(folder, program, mpiexec, 1, "dynamic", "--set", "quantization.approach=post_training_dynamic_quant",
                   *options)
    check(dynamic["meets"], "dynamic quantization missed")
    text = tune(folder, program, mpiexec, 2, "task", "--set", "evaluation.accuracy.metric={GLUE: {task: mrcp}}", *options,
                expected=3)
    check("did you mean 'mrpc'" in text, text)
    text = tune(folder, program, mpiexec, 2, "label", "--set",
                "evaluation.accuracy.dataloader.dataset.GLUE.task=rte", *options, expected=1)
    check("dev.tsv': line 2: label" in text, text)
    text = tune(folder, program, mpiexec, 2, "length", "--set",
                "evaluation.accuracy.dataloader.dataset.GLUE.dynamic_length=true", *options, expected=3)
    check("the model's input 'input_ids' expects" in text, text)
    return results


def same_at_any_rank(folder, program, mpiexec, name, perfect, options):
    """The result, which does not depend on latency, with one and with three ranks."""
    options = ["--set", "tuning.objective=modelsize", "--set", "tuning.exit_policy.max_trials=40", *options]
    one, three = (tune(folder, program, mpiexec, ranks, f"{name}{ranks}", *options) for ranks in (1, 3))
    check(abs(one["baseline_accuracy"] - perfect) < 1e-12, f"{name}: f32 has {one['baseline_accuracy']}")
    check(one["meets"] and one["accuracy"] > 0.9 * perfect, f"{name}: {one}")
    for key in ("baseline_accuracy", "accuracy", "trials", "recipe_hash"):
        check(one[key] == three[key], f"{name}: {key} is {one[key]} with 1 rank, {three[key]} with 3")
    types = {node.op_type for node in onnx.load(os.path.join(folder, one["model"])).graph.node}
    check("QuantizeLinear" in types, f"{name}: nothing is int8")
    print(name, {key: one[key] for key in ("baseline_accuracy", "accuracy", "trials", "recipe_hash")})
    return one


def answer(folder, program, mpiexec, config):
    rng = np.random.default_rng(12)
    model = os.path.join(folder, "reader.onnx")
    save_reader(model)
    questions = [(list(rng.choice(WORDS, 3)), list(rng.choice(WORDS, rng.integers(6, LENGTH - 6)))) for _ in range(120)]
    starts, ends = infer(model, [encode(*question) for question in questions])
    paragraphs = []
    for index, (question, context) in enumerate(questions):
        offset = len(question) + 2
        spans = [(starts[index, s + offset] + ends[index, e + offset], s, e)
                 for s in range(len(context)) for e in range(s, min(s + 5, len(context)))]
        spans.sort(reverse=True)
        if spans[0][0] - spans[1][0] > 0.15:
            _, start, end = spans[0]
            truth = {"text": " ".join(context[start : end + 1]), "answer_start": 0}
            paragraphs.append({"context": " ".join(context).upper(), "qas": [
                {"id": str(index), "question": " ".join(question), "answers": [truth]}]})
    check(len(paragraphs) > 40, f"only {len(paragraphs)} sure questions")
    os.makedirs(os.path.join(folder, "squad"))
    with open(os.path.join(folder, "squad/dev.json"), "w") as file:
        json.dump({"data": [{"paragraphs": paragraphs}], "version": "1.1"}, file)
    shared = "label_file: squad/dev.json, vocab_file: bert/vocab.txt, max_seq_length: 24, max_query_length: 8"
    options = ["--set", "evaluation.accuracy.metric={SquadF1: {}}",
               "--set", "evaluation.accuracy.dataloader.dataset={bert: {task: squad, %s}}" % shared,
               "--set", "evaluation.accuracy.postprocess.transform={SquadV1: {max_answer_length: 5, %s}}" % shared,
               "--set", "tuning.accuracy_criterion.relative=0.05", config, model]
    same_at_any_rank(folder, program, mpiexec, "squad", 100.0, options)
    text = tune(folder, program, mpiexec, 2, "raw", *options[:-2], "--set",
                "evaluation.accuracy.postprocess.transform=~", *options[-2:], expected=3)
    check("expects the postprocess SquadV1" in text, text)
    text = tune(folder, program, mpiexec, 2, "other", *options[:-2], "--set",
                "evaluation.accuracy.postprocess.transform.SquadV1.doc_stride=3", *options[-2:], expected=3)
    check("must be those of the dataset" in text, text)


def main():
    program, mpiexec, config = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        classify(folder, program, mpiexec, config)
        answer(folder, program, mpiexec, config)
    print("all passed")


if __name__ == "__main__":
    main()
