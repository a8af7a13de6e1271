#!/usr/bin/env python3
"""Writes the timing networks as ONNX files with random He weights, from their published shapes.

    networks.py FOLDER [NAME...]

resnet50     He et al. 2015, v1 (stride in the first 1x1 of a block)
mobilenet_v1 Howard et al. 2017, width 1.0
mobilenet_v2 Sandler et al. 2018, width 1.0
squeezenet   Iandola et al. 2016, version 1.1
shufflenet   Zhang et al. 2017, 1x, 3 groups
densenet121  Huang et al. 2016
inception_v1 Szegedy et al. 2014 (GoogLeNet), without auxiliary outputs
vgg16        Simonyan and Zisserman 2014
bert         Devlin et al. 2018, the base encoder: 12 layers, hidden 768, 12 heads, sequence 128

Inputs are [N, 3, 224, 224] (squeezenet 227 x 227 as its authors have it; bert [N, 128, 768], already embedded). Batch
normalizations are separate nodes, as exporters in training mode leave them, with mean 0 and variance near 1.
Needs the Python packages onnx and numpy."""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    def __init__(self, name, shape):
        self.name = name
        self.rng = np.random.default_rng(1)
        self.nodes, self.constants, self.channels, self.count = [], [], {}, 0
        self.shape = shape
        self.channels["input"] = shape[0]

    def constant(self, values, kind="w"):
        name = f"{kind}{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, op, inputs, channels, **attributes):
        self.count += 1
        output = f"{op.lower()}{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        self.channels[output] = channels
        return output

    def conv(self, x, out, kernel, stride=1, pad=None, group=1, bias=False):
        inputs = self.channels[x] // group
        fan_in = inputs * kernel * kernel
        weight = self.rng.normal(0, np.sqrt(2 / fan_in), (out, inputs, kernel, kernel))
        pad = kernel // 2 if pad is None else pad
        names = [x, self.constant(weight.astype(np.float32))]
        if bias:
            names.append(self.constant(self.rng.normal(0, 0.01, out).astype(np.float32)))
        return self.node("Conv", names, out, kernel_shape=[kernel] * 2, strides=[stride] * 2,
                         pads=[pad] * 4, group=group)

    def norm(self, x):
        size = self.channels[x]
        draw = self.rng.uniform
        values = [draw(0.9, 1.1, size), draw(-0.1, 0.1, size), draw(-0.1, 0.1, size), draw(0.9, 1.1, size)]
        return self.node("BatchNormalization", [x] + [self.constant(v.astype(np.float32)) for v in values], size)

    def relu(self, x):
        return self.node("Relu", [x], self.channels[x])

    def relu6(self, x):
        bounds = [self.constant(np.float32(0.0)), self.constant(np.float32(6.0))]
        return self.node("Clip", [x] + bounds, self.channels[x])

    def add(self, a, b):
        return self.node("Add", [a, b], self.channels[a])

    def concat(self, xs):
        return self.node("Concat", xs, sum(self.channels[x] for x in xs), axis=1)

    def pool(self, x, kernel, stride, pad=0, kind="Max", ceil=0):
        pads = [pad] * 4
        return self.node(kind + "Pool", [x], self.channels[x], kernel_shape=[kernel] * 2,
                         strides=[stride] * 2, pads=pads, ceil_mode=ceil)

    def global_pool(self, x):
        return self.node("GlobalAveragePool", [x], self.channels[x])

    def dense(self, x, out):
        """Fully connected, on [N, C]."""
        inputs = self.channels[x]
        weight = self.rng.normal(0, np.sqrt(1 / inputs), (out, inputs)).astype(np.float32)
        bias = self.rng.normal(0, 0.01, out).astype(np.float32)
        return self.node("Gemm", [x, self.constant(weight), self.constant(bias)], out, transB=1)

    def flatten(self, x, channels=None):
        return self.node("Flatten", [x], channels or self.channels[x])

    def linear(self, x, out):
        """The same on [N, sequence, C], as transformers are exported."""
        inputs = self.channels[x]
        weight = self.rng.normal(0, np.sqrt(1 / inputs), (inputs, out)).astype(np.float32)
        x = self.node("MatMul", [x, self.constant(weight)], out)
        return self.node("Add", [x, self.constant(self.rng.normal(0, 0.01, out).astype(np.float32))], out)

    def reshape(self, x, shape):
        return self.node("Reshape", [x, self.constant(np.array(shape, np.int64))], shape[-1])

    def save(self, path, output):
        shape = ["N"] + self.shape if self.name == "bert" else ["N", 1000]
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes, self.name, [value("input", TensorProto.FLOAT, ["N"] + self.shape)],
            [value(output, TensorProto.FLOAT, shape)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, path)


def resnet50(net):
    x = net.pool(net.relu(net.norm(net.conv("input", 64, 7, 2))), 3, 2, 1)
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            step = stride if block == 0 else 1
            shortcut = x if block > 0 else net.norm(net.conv(x, 4 * width, 1, step))
            y = net.relu(net.norm(net.conv(x, width, 1, step)))
            y = net.relu(net.norm(net.conv(y, width, 3)))
            y = net.norm(net.conv(y, 4 * width, 1))
            x = net.relu(net.add(y, shortcut))
    return net.dense(net.flatten(net.global_pool(x)), 1000)


def mobilenet_v1(net):
    x = net.relu(net.norm(net.conv("input", 32, 3, 2)))
    rows = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    for out, stride in rows:
        x = net.relu(net.norm(net.conv(x, net.channels[x], 3, stride, group=net.channels[x])))
        x = net.relu(net.norm(net.conv(x, out, 1)))
    return net.dense(net.flatten(net.global_pool(x)), 1000)


def mobilenet_v2(net):
    x = net.relu6(net.norm(net.conv("input", 32, 3, 2)))
    rows = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expansion, out, repeats, stride in rows:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            y = x
            if expansion > 1:
                y = net.relu6(net.norm(net.conv(y, expansion * net.channels[x], 1)))
            y = net.relu6(net.norm(net.conv(y, net.channels[y], 3, step, group=net.channels[y])))
            y = net.norm(net.conv(y, out, 1))
            x = net.add(x, y) if step == 1 and net.channels[x] == out else y
    x = net.relu6(net.norm(net.conv(x, 1280, 1)))
    return net.dense(net.flatten(net.global_pool(x)), 1000)


def squeezenet(net):
    def fire(x, squeeze, expand):
        x = net.relu(net.conv(x, squeeze, 1, bias=True))
        return net.concat([net.relu(net.conv(x, expand, 1, bias=True)), net.relu(net.conv(x, expand, 3, bias=True))])

    x = net.pool(net.relu(net.conv("input", 64, 3, 2, pad=0, bias=True)), 3, 2)
    x = net.pool(fire(fire(x, 16, 64), 16, 64), 3, 2)
    x = net.pool(fire(fire(x, 32, 128), 32, 128), 3, 2)
    x = fire(fire(fire(fire(x, 48, 192), 48, 192), 64, 256), 64, 256)
    x = net.relu(net.conv(x, 1000, 1, bias=True))
    return net.flatten(net.global_pool(x))


def shufflenet(net, group=3):
    def shuffle(x, size):
        channels = net.channels[x]
        x = net.reshape(x, [0, group, channels // group, size, size])
        x = net.node("Transpose", [x], channels, perm=[0, 2, 1, 3, 4])
        x = net.reshape(x, [0, channels, size, size])
        net.channels[x] = channels
        return x

    x = net.pool(net.relu(net.norm(net.conv("input", 24, 3, 2))), 3, 2, 1)
    size = 56
    for out, repeats in ((240, 4), (480, 8), (960, 4)):
        for repeat in range(repeats):
            stride = 2 if repeat == 0 else 1
            made = out - net.channels[x] if stride == 2 else out
            first_group = 1 if net.channels[x] == 24 else group
            y = net.relu(net.norm(net.conv(x, out // 4, 1, group=first_group)))
            y = shuffle(y, size)
            y = net.norm(net.conv(y, out // 4, 3, stride, group=out // 4))
            y = net.norm(net.conv(y, made, 1, group=group))
            if stride == 2:
                size //= 2
                x = net.relu(net.concat([net.pool(x, 3, 2, 1, "Average"), y]))
            else:
                x = net.relu(net.add(x, y))
    return net.dense(net.flatten(net.global_pool(x)), 1000)


def densenet121(net, growth=32):
    x = net.pool(net.relu(net.norm(net.conv("input", 64, 7, 2))), 3, 2, 1)
    for stage, layers in enumerate((6, 12, 24, 16)):
        for _ in range(layers):
            y = net.conv(net.relu(net.norm(x)), 4 * growth, 1)
            y = net.conv(net.relu(net.norm(y)), growth, 3)
            x = net.concat([x, y])
        if stage < 3:
            x = net.pool(net.conv(net.relu(net.norm(x)), net.channels[x] // 2, 1), 2, 2, 0, "Average")
    return net.dense(net.flatten(net.global_pool(net.relu(net.norm(x)))), 1000)


def inception_v1(net):
    def module(x, one, three_in, three, five_in, five, pooled):
        return net.concat([
            net.relu(net.conv(x, one, 1, bias=True)),
            net.relu(net.conv(net.relu(net.conv(x, three_in, 1, bias=True)), three, 3, bias=True)),
            net.relu(net.conv(net.relu(net.conv(x, five_in, 1, bias=True)), five, 5, bias=True)),
            net.relu(net.conv(net.pool(x, 3, 1, 1), pooled, 1, bias=True)),
        ])

    def normalize(x):
        return net.node("LRN", [x], net.channels[x], size=5, alpha=1e-4, beta=0.75, bias=1.0)

    x = normalize(net.pool(net.relu(net.conv("input", 64, 7, 2, bias=True)), 3, 2, ceil=1))
    x = net.relu(net.conv(x, 64, 1, bias=True))
    x = net.pool(normalize(net.relu(net.conv(x, 192, 3, bias=True))), 3, 2, ceil=1)
    x = module(x, 64, 96, 128, 16, 32, 32)
    x = net.pool(module(x, 128, 128, 192, 32, 96, 64), 3, 2, ceil=1)
    for row in ((192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
                (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128)):
        x = module(x, *row)
    x = net.pool(x, 3, 2, ceil=1)
    x = module(module(x, 256, 160, 320, 32, 128, 128), 384, 192, 384, 48, 128, 128)
    return net.dense(net.flatten(net.global_pool(x)), 1000)


def vgg16(net):
    x = "input"
    for out, repeats in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(repeats):
            x = net.relu(net.conv(x, out, 3, bias=True))
        x = net.pool(x, 2, 2)
    x = net.flatten(x, 512 * 7 * 7)
    for out in (4096, 4096):
        x = net.relu(net.dense(x, out))
    return net.dense(x, 1000)


def bert(net, layers=12, hidden=768, heads=12, sequence=128):
    net.channels["input"] = hidden
    width = hidden // heads

    def normalize(x):
        scale = net.constant(net.rng.uniform(0.9, 1.1, hidden).astype(np.float32))
        shift = net.constant(net.rng.uniform(-0.1, 0.1, hidden).astype(np.float32))
        return net.node("LayerNormalization", [x, scale, shift], hidden, axis=-1, epsilon=1e-12)

    def split_heads(x, perm):
        x = net.reshape(x, [0, sequence, heads, width])
        return net.node("Transpose", [x], width, perm=perm)

    x = "input"
    root = net.constant(np.float32(np.sqrt(width)))
    for _ in range(layers):
        query = split_heads(net.linear(x, hidden), [0, 2, 1, 3])
        key = split_heads(net.linear(x, hidden), [0, 2, 3, 1])
        value = split_heads(net.linear(x, hidden), [0, 2, 1, 3])
        scores = net.node("Div", [net.node("MatMul", [query, key], sequence), root], sequence)
        mixed = net.node("MatMul", [net.node("Softmax", [scores], sequence, axis=-1), value], width)
        mixed = net.node("Transpose", [mixed], width, perm=[0, 2, 1, 3])
        mixed = net.reshape(mixed, [0, sequence, hidden])
        x = normalize(net.add(net.linear(mixed, hidden), x))
        y = net.linear(x, 4 * hidden)
        half = net.node("Div", [y, net.constant(np.float32(np.sqrt(2)))], 4 * hidden)
        gate = net.node("Add", [net.node("Erf", [half], 4 * hidden), net.constant(np.float32(1))], 4 * hidden)
        y = net.node("Mul", [net.node("Mul", [y, gate], 4 * hidden), net.constant(np.float32(0.5))], 4 * hidden)
        x = normalize(net.add(net.linear(y, hidden), x))
    return x


NETWORKS = {
    "resnet50": (resnet50, [3, 224, 224]),
    "mobilenet_v1": (mobilenet_v1, [3, 224, 224]),
    "mobilenet_v2": (mobilenet_v2, [3, 224, 224]),
    "squeezenet": (squeezenet, [3, 227, 227]),
    "shufflenet": (shufflenet, [3, 224, 224]),
    "densenet121": (densenet121, [3, 224, 224]),
    "inception_v1": (inception_v1, [3, 224, 224]),
    "vgg16": (vgg16, [3, 224, 224]),
    "bert": (bert, [128, 768]),
}


def write(folder, name):
    """Makes FOLDER/NAME.onnx unless it is there, and returns its path."""
    path = os.path.join(folder, name + ".onnx")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        build, shape = NETWORKS[name]
        net = Network(name, shape)
        net.save(path + ".tmp", build(net))
        os.replace(path + ".tmp", path)
    return path


if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(NETWORKS):
        sys.exit(f"usage: networks.py FOLDER [NAME...]   names: {' '.join(NETWORKS)}")
    for wanted in sys.argv[2:] or NETWORKS:
        print(write(sys.argv[1], wanted))
