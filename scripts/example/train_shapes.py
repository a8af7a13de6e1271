#!/usr/bin/python3
"""Trains the network of the embedded example and writes it as configs/example/shapes.onnx.

    scripts/example/train_shapes.py DUMP_SHAPES OUT.onnx [--spread S] [--epochs N]

DUMP_SHAPES is the program of that name, built by

    cmake --preset release -DLPOT_EXAMPLE_TOOLS=ON && cmake --build --preset release

Needs Debian's python3-torch and python3-numpy and nothing else: the ONNX file is written by the
few protobuf functions below. One thread, five minutes. The committed file came from
the defaults with Debian 12's torch 1.13; other versions give other weights.

The network is a small MobileNetV2: 32 x 32 images, a stem, inverted residual blocks (1x1 expand,
3x3 depthwise, 1x1 project), average pooling and one Gemm. Batch normalizations are left in the
file, as exporters in training mode leave them; lpot-tune folds them.

About --spread. In MobileNets trained for long on large data the ranges of the channels of one
layer differ by two orders of magnitude after the batch normalizations are folded, which is why
they lose accuracy under per-tensor quantization. A few minutes of training on small images do not
get there, so the script brings it about: behind the training, channel c of an expansion and of a
depthwise convolution is multiplied by s_c (in the scale and shift of its batch normalization) and
the weights that read the channel are divided by it. ReLU lets positive factors pass, so the
function of the network is unchanged; log2 s_c is uniform in [-spread, spread].
"""
import argparse
import os
import struct
import subprocess
import tempfile

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import torch
from torch import nn

MEAN, STD = 0.5, 0.25
NUM_TRAIN = 24000


# ------------------------------------------------------------------------------------ data


def load_split(program, settings, folder):
    images = os.path.join(folder, "images.npy")
    labels = os.path.join(folder, "labels.npy")
    subprocess.run([program, settings, images, labels], check=True)
    pixels = np.load(images).astype(np.float32) / 255.0
    pixels = ((pixels - MEAN) / STD).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(pixels)), torch.from_numpy(np.load(labels))


# ------------------------------------------------------------------------------------ network


class Block(nn.Module):
    """Inverted residual: expand, depthwise, project; with a shortcut where shapes allow it."""

    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        width = inputs * expansion
        self.expand = nn.Conv2d(inputs, width, 1, bias=False)
        self.expand_bn = nn.BatchNorm2d(width)
        self.depthwise = nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False)
        self.depthwise_bn = nn.BatchNorm2d(width)
        self.project = nn.Conv2d(width, outputs, 1, bias=False)
        self.project_bn = nn.BatchNorm2d(outputs)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        y = torch.relu(self.expand_bn(self.expand(x)))
        y = torch.relu(self.depthwise_bn(self.depthwise(y)))
        y = self.project_bn(self.project(y))
        return x + y if self.shortcut else y


class Shapes(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 3, 2, 1, bias=False)
        self.stem_bn = nn.BatchNorm2d(24)
        self.blocks = nn.ModuleList(
            [
                Block(24, 24, 1, 2),
                Block(24, 40, 2, 3),
                Block(40, 40, 1, 3),
                Block(40, 64, 2, 3),
                Block(64, 64, 1, 3),
            ]
        )
        self.classifier = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.stem_bn(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        return self.classifier(x.mean((2, 3)))


def accuracy(model, images, labels):
    model.eval()
    correct = 0
    with torch.no_grad():
        for i in range(0, len(labels), 200):
            correct += (model(images[i : i + 200]).argmax(1) == labels[i : i + 200]).sum().item()
    return correct / len(labels)


def train(model, images, labels, epochs, batch=100):
    steps = epochs * (len(labels) // batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, total_steps=steps)
    for epoch in range(epochs):
        model.train()
        order = torch.randperm(len(labels))
        total = 0.0
        for i in range(0, len(labels) - batch + 1, batch):
            chosen = order[i : i + batch]
            x = images[chosen]
            if torch.rand(1).item() < 0.5:
                x = x.flip(3)  # Every class is its own mirror image.
            loss = nn.functional.cross_entropy(model(x), labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs}: loss {total * batch / len(labels):.4f}", flush=True)


# ------------------------------------------------------------------------------------ spread


def scale_channels(batch_norm, reader, factors):
    """Multiplies the outputs of batch_norm and divides what reader does with them."""
    batch_norm.weight.data *= factors
    batch_norm.bias.data *= factors
    depthwise = reader.weight.shape[1] == 1
    shape = (-1, 1, 1, 1) if depthwise else (1, -1, 1, 1)
    reader.weight.data /= factors.reshape(shape)


def spread_channels(model, spread):
    generator = torch.Generator().manual_seed(7)
    for block in model.blocks:
        width = block.expand.weight.shape[0]
        for batch_norm, reader in (
            (block.expand_bn, block.depthwise),
            (block.depthwise_bn, block.project),
        ):
            exponents = (torch.rand(width, generator=generator) * 2 - 1) * spread
            scale_channels(batch_norm, reader, 2.0**exponents)


# ------------------------------------------------------------------------------------ ONNX
# The messages of onnx.proto3 that are needed, as (field number, value) lists. An int is a varint,
# a float a fixed32, text and bytes are length-delimited, a list is a message.


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(fields):
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        elif isinstance(value, float):
            out += varint(number << 3 | 5) + struct.pack("<f", value)
        else:
            data = message(value) if isinstance(value, list) else value
            data = data.encode() if isinstance(data, str) else data
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


FLOAT, INT64 = 1, 7
ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_INTS = 1, 2, 7


def attribute(name, value):
    if isinstance(value, float):
        return [(1, name), (2, value), (20, ATTRIBUTE_FLOAT)]
    if isinstance(value, int):
        return [(1, name), (3, value), (20, ATTRIBUTE_INT)]
    return [(1, name)] + [(8, item) for item in value] + [(20, ATTRIBUTE_INTS)]


def value_info(name, dims):
    dim_fields = [(1, [(2, d) if isinstance(d, str) else (1, d)]) for d in dims]
    return [(1, name), (2, [(1, [(1, FLOAT), (2, dim_fields)])])]


class Graph:
    def __init__(self):
        self.nodes = []
        self.initializers = []

    def add(self, op, name, inputs, **attributes):
        fields = [(1, item) for item in inputs] + [(2, name + "_out"), (3, name), (4, op)]
        fields += [(5, attribute(key, value)) for key, value in attributes.items()]
        self.nodes.append(fields)
        return name + "_out"

    def constant(self, name, tensor):
        array = np.ascontiguousarray(tensor.detach().numpy().astype(np.float32))
        fields = [(1, d) for d in array.shape] + [(2, FLOAT), (8, name), (9, array.tobytes())]
        self.initializers.append(fields)
        return name

    def convolution(self, name, x, conv, batch_norm):
        pad = conv.padding[0]
        weight = self.constant(name + ".weight", conv.weight)
        x = self.add("Conv", name, [x, weight], kernel_shape=list(conv.kernel_size),
                     strides=list(conv.stride), pads=[pad] * 4, group=conv.groups)
        names = ("weight", "bias", "running_mean", "running_var")
        values = [self.constant(f"{name}_bn.{n}", getattr(batch_norm, n)) for n in names]
        return self.add("BatchNormalization", name + "_bn", [x] + values, epsilon=batch_norm.eps)


def add_block(graph, name, x, block):
    y = graph.convolution(name + ".expand", x, block.expand, block.expand_bn)
    y = graph.add("Relu", name + ".expand_relu", [y])
    y = graph.convolution(name + ".depthwise", y, block.depthwise, block.depthwise_bn)
    y = graph.add("Relu", name + ".depthwise_relu", [y])
    y = graph.convolution(name + ".project", y, block.project, block.project_bn)
    return graph.add("Add", name + ".add", [x, y]) if block.shortcut else y


def export(model, path):
    graph = Graph()
    x = graph.convolution("stem", "image", model.stem, model.stem_bn)
    x = graph.add("Relu", "stem_relu", [x])
    for i, block in enumerate(model.blocks):
        x = add_block(graph, f"block{i + 1}", x, block)
    x = graph.add("GlobalAveragePool", "pool", [x])
    x = graph.add("Flatten", "flatten", [x], axis=1)
    weight = graph.constant("classifier.weight", model.classifier.weight)
    bias = graph.constant("classifier.bias", model.classifier.bias)
    scores = graph.add("Gemm", "classifier", [x, weight, bias], transB=1)
    fields = [(1, node) for node in graph.nodes] + [(2, "shapes")]
    fields += [(5, tensor) for tensor in graph.initializers]
    fields += [(11, value_info("image", ["N", 3, 32, 32])), (12, value_info(scores, ["N", 10]))]
    data = message([(1, 7), (2, "train_shapes.py"), (7, fields), (8, [(1, ""), (2, 13)])])
    with open(path, "wb") as file:
        file.write(data)
    print(f"{path}: {len(data)} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dump_shapes")
    parser.add_argument("out")
    parser.add_argument("--spread", type=float, default=3.0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--checkpoint", help="weights before the spreading; read if it exists")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = Shapes()
    with tempfile.TemporaryDirectory() as folder:
        test = load_split(options.dump_shapes, "{samples: 2000}", folder)
        if options.checkpoint and os.path.exists(options.checkpoint):
            model.load_state_dict(torch.load(options.checkpoint))
        else:
            images = load_split(options.dump_shapes, f"{{samples: {NUM_TRAIN}, train: true}}", folder)
            train(model, *images, options.epochs)
            if options.checkpoint:
                torch.save(model.state_dict(), options.checkpoint)
    print(f"test accuracy {accuracy(model, *test):.4f}")
    spread_channels(model, options.spread)
    print(f"with the channels spread {accuracy(model, *test):.4f}")
    export(model, options.out)


if __name__ == "__main__":
    main()
