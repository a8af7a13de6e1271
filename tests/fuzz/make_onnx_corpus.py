#!/usr/bin/env python3
"""Makes the seeds in corpus/onnx: one tiny model per group of features of the reader.

Needs the python packages onnx and numpy. The seeds are committed; run this only to change them.
"""
import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "onnx")
INPUT = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, 4, 4])


def save(name, opset, nodes, initializers=(), outputs=("y",), domains=(), ir_version=7):
    graph = helper.make_graph(
        nodes,
        name,
        [INPUT],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None) for output in outputs],
        list(initializers),
    )
    imports = [helper.make_opsetid("", opset)]
    imports += [helper.make_opsetid(domain, 1) for domain in domains]
    model = helper.make_model(graph, opset_imports=imports, producer_name="corpus")
    model.ir_version = ir_version
    with open(os.path.join(FOLDER, name + ".onnx"), "wb") as stream:
        stream.write(model.SerializeToString())


def raw(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def typed(name, data_type, values):
    return helper.make_tensor(name, data_type, [len(values)], values)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    node = helper.make_node
    weights = np.arange(36).reshape(2, 2, 3, 3) / 10
    ones = raw("s", [1, 2])
    save(
        "convolution", 13,
        [
            node("Conv", ["x", "w", "s"], ["c"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
            node("BatchNormalization", ["c", "s", "s", "s", "s"], ["b"], epsilon=1e-3),
            node("Relu", ["b"], ["r"]),
            node("AveragePool", ["r"], ["p"], kernel_shape=[4, 4]),
            node("Flatten", ["p"], ["f"]),
            node("Softmax", ["f"], ["y"]),
        ],
        [raw("w", weights), ones],
    )
    save(
        "raised", 9,
        [
            node("Pad", ["x"], ["a"], pads=[0, 0, 1, 1, 0, 0, 1, 1], value=0.5),
            node("Clip", ["a"], ["b"], min=-1.0, max=1.0),
            node("Slice", ["b"], ["c"], starts=[1, 1], ends=[5, 5], axes=[2, 3]),
            node("Unsqueeze", ["c"], ["d"], axes=[0]),
            node("Squeeze", ["d"], ["e"], axes=[0]),
            node("Split", ["e"], ["f", "g"], axis=1, split=[1, 1]),
            node("Sum", ["f", "g", "f"], ["h"]),
            node("Dropout", ["h"], ["i", "mask"], ratio=0.5),
            node("Upsample", ["i", "scales"], ["j"], mode="nearest"),
            node("Softmax", ["j"], ["y"], axis=2),
        ],
        [raw("scales", [1, 1, 2, 2])],
    )
    save(
        "constants", 13,
        [
            node("Constant", [], ["a"], value_floats=[1.0, 2.0, 3.0, 4.0]),
            node("Constant", [], ["b"], value=typed("b", TensorProto.INT64, [0, -1])),
            node("Constant", [], ["k"], value_int=3),
            node("Add", ["x", "a"], ["c"]),
            node("Reshape", ["c", "b"], ["d"]),
            node("Clip", ["d", "", "t"], ["y"]),
        ],
        [
            helper.make_tensor("t", TensorProto.FLOAT, [], [2.0]),
            typed("u8", TensorProto.UINT8, [0, 255]),
            typed("f16", TensorProto.FLOAT16, [0.5, -2.0]),
            typed("u64", TensorProto.UINT64, [1, 2**63]),
            typed("f64", TensorProto.DOUBLE, [0.1]),
            typed("bool", TensorProto.BOOL, [True, False]),
        ],
    )
    save(
        "quantized", 13,
        [
            node("QuantizeLinear", ["x", "q", "z"], ["a"]),
            node("DequantizeLinear", ["a", "q", "z"], ["b"]),
            node("QLinearAdd", ["a", "q", "z", "a", "q", "z", "q", "z"], ["c"],
                 domain="com.microsoft"),
            node("DequantizeLinear", ["c", "q", "z"], ["d"]),
            node("Add", ["b", "d"], ["y"]),
        ],
        [raw("q", 0.1), raw("z", 128, np.uint8)],
        domains=["com.microsoft"],
    )
    save(
        "elementwise", 20,
        [
            node("Max", ["x", "s", "t"], ["a"]),
            node("Mean", ["a", "x"], ["b"]),
            node("PRelu", ["b", "t"], ["c"]),
            node("Gelu", ["c"], ["d"], approximate="tanh"),
            node("FastGelu", ["d", "s"], ["e"], domain="com.microsoft"),
            node("Mod", ["e", "t"], ["f"], fmod=1),
            node("Less", ["f", "x"], ["g"]),
            node("Not", ["g"], ["h"]),
            node("Where", ["h", "f", "t"], ["i"]),
            node("BitShift", ["u", "u"], ["k"], direction="LEFT"),
            node("CastLike", ["k", "x"], ["l"]),
            node("Mul", ["i", "l"], ["y"]),
        ],
        [raw("s", [1, 2, 3, 4]), raw("t", [0.5]), raw("u", [3], np.uint8)],
        domains=["com.microsoft"], ir_version=9,
    )
    save(
        "shapes", 18,
        [
            node("Shape", ["x"], ["a"]),
            node("Gather", ["a", "i"], ["b"]),
            node("ConstantOfShape", ["a"], ["c"], value=typed("v", TensorProto.FLOAT, [1.5])),
            node("ReduceMean", ["c", "axes"], ["d"], keepdims=0),
            node("Concat", ["b", "i"], ["e"], axis=0),
            node("Transpose", ["x"], ["f"], perm=[0, 2, 3, 1]),
            node("MatMul", ["f", "f"], ["y"]),
        ],
        [raw("i", [0], np.int64), raw("axes", [2, 3], np.int64)],
        outputs=("y", "d"), ir_version=8,
    )
    save(
        "early", 1,
        [
            node("Relu", ["x"], ["a"], consumed_inputs=[0]),
            node("Add", ["a", "s"], ["b"], broadcast=1, axis=1),
            node("Pad", ["b"], ["c"], paddings=[0, 0, 1, 1, 0, 0, 1, 1], mode="edge"),
            node("Upsample", ["c"], ["d"], height_scale=2.0, width_scale=1.0, mode="nearest"),
            node("Tile", ["d", "tiles", "axis"], ["e"]),
            node("Split", ["e", "parts"], ["f", "g"], axis=1),
            node("Concat", ["f", "g"], ["h"]),
            node("Dropout", ["h"], ["i"], is_test=1),
            node("Cast", ["i"], ["j"], to="FLOAT"),
            node("Reshape", ["j"], ["y"], shape=[0, -1]),
        ],
        [ones, raw("tiles", [2]), raw("axis", [1]), raw("parts", [1, 3])],
        ir_version=3,
    )
    save(
        "recurrent", 14,
        [
            node("Reshape", ["x", "t"], ["a"]),
            node("LSTM", ["a", "w", "r", "", "", "", "", "p"], ["", "h", "c"], hidden_size=1,
                 direction="bidirectional", clip=3.0,
                 activations=["Sigmoid", "Tanh", "Relu", "HardSigmoid", "Affine", "Elu"],
                 activation_alpha=[0.2, 1.0, 1.0], activation_beta=[0.5, 0.0]),
            node("Concat", ["h", "c"], ["y"], axis=2),
        ],
        [raw("t", [4, 2, 4], np.int64), raw("w", np.ones((2, 4, 4))), raw("r", np.ones((2, 4, 1))),
         raw("p", np.ones((2, 3)))],
    )
    save(
        "normalized", 18,
        [
            node("LRN", ["x"], ["a"], size=3),
            node("InstanceNormalization", ["a", "s", "s"], ["b"]),
            node("GroupNormalization", ["b", "s", "s"], ["c"], num_groups=2),
            node("LayerNormalization", ["c", "k"], ["d", "mean", "inverse"], axis=-1),
            node("SpaceToDepth", ["d"], ["e"], blocksize=2),
            node("DepthToSpace", ["e"], ["f"], blocksize=2, mode="CRD"),
            node("MeanVarianceNormalization", ["f"], ["g"]),
            node("MaxPool", ["g"], ["h", "places"], kernel_shape=[2, 2], storage_order=1),
            node("Resize", ["h", "roi", "scales"], ["i"], axes=[2, 3], mode="cubic", antialias=1,
                 coordinate_transformation_mode="tf_crop_and_resize"),
            node("LogSoftmax", ["i"], ["y"], axis=1),
        ],
        [ones, raw("k", [1, 2, 3, 4]), raw("roi", [0, 0, 1, 0.5]), raw("scales", [0.7, 2])],
        outputs=("y", "mean", "places"), ir_version=8,
    )


if __name__ == "__main__":
    main()
