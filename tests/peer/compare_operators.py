#!/usr/bin/env python3
"""Holds single operators that ONNX's own backend tests do not cover (those of the domain
com.microsoft, and forms of the quantized ones) against ONNX Runtime: makes small random models,
runs them there, writes model, inputs and outputs as backend tests and lets the conformance program
run them by both engines.

usage: compare_operators.py CONFORMANCE_PROGRAM [FOLDER]
FOLDER (default: a temporary one) keeps what was made. Needs Python packages numpy, onnx and
onnxruntime; prints SKIPPED and why when something is absent."""
import os
import re
import subprocess
import sys
import tempfile


def skip(why):
    print(f"SKIPPED program compare_operators: {why}")
    sys.exit(0)


try:
    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    skip(str(error))

MICROSOFT = "com.microsoft"
random = np.random.default_rng(1)
cases = []


def case(name, op, inputs, outputs=1, domain="", opset=17, constants=(), **attributes):
    """inputs: arrays, None where left out; constants: indexes of those that the model holds.
    outputs: their number, or a list in which False leaves one out."""
    cases.append((name, op, inputs, outputs, domain, opset, set(constants), attributes))


def floats(*shape, dtype=np.float32, scale=1.0):
    return (random.normal(0, scale, shape)).astype(dtype)


def u8(*shape):
    return random.integers(0, 256, shape, dtype=np.uint8)


def s8(*shape):
    return random.integers(-128, 128, shape, dtype=np.int8)


def scale(*shape, around=0.02):
    return np.asarray(random.uniform(0.5, 1.5, shape) * around, np.float32)


def zero(dtype=np.uint8, value=None, shape=()):
    low, high = (100, 156) if dtype == np.uint8 else (-20, 20)
    values = random.integers(low, high, shape) if value is None else np.full(shape, value)
    return np.asarray(values, dtype)


# ---- integer products ----
for left in (u8, s8):
    for right in (u8, s8):
        kind = f"{left.__name__}_{right.__name__}"
        a_zero, b_zero = zero(left(1).dtype.type), zero(right(1).dtype.type)
        case(f"matmulinteger_{kind}", "MatMulInteger", [left(3, 7), right(7, 5), a_zero, b_zero])
        case(f"matmulinteger_{kind}_constant", "MatMulInteger", [left(2, 3, 7), right(7, 5), a_zero, b_zero],
             constants=[1, 3])
        case(f"matmulinteger_{kind}_plain", "MatMulInteger", [left(2, 3, 7), right(2, 7, 5)], constants=[1])
case("matmulinteger_columns", "MatMulInteger",
     [u8(3, 7), s8(7, 5), zero(), zero(np.int8, shape=(5,))], constants=[1, 3])
case("matmulinteger_columns_of_stack", "MatMulInteger",
     [u8(2, 3, 7), s8(2, 7, 5), zero(), zero(np.int8, shape=(2, 1, 5))], constants=[1, 3])
for right in (u8, s8):
    kind = right.__name__
    b_zero = zero(right(1).dtype.type)
    case(f"convinteger_{kind}", "ConvInteger", [u8(1, 2, 6, 7), right(4, 2, 3, 3), zero(), b_zero],
         pads=[1, 0, 2, 1], strides=[2, 1])
    case(f"convinteger_{kind}_constant", "ConvInteger", [u8(2, 4, 6, 7), right(4, 2, 3, 3), zero(), b_zero],
         constants=[1, 3], group=2, pads=[1, 1, 1, 1])
    case(f"convinteger_{kind}_plain", "ConvInteger", [u8(1, 2, 6, 7), right(4, 2, 1, 1)], constants=[1])
case("convinteger_dilated", "ConvInteger", [u8(1, 3, 9, 9), s8(4, 3, 3, 3), zero()], constants=[1],
     dilations=[2, 2], pads=[2, 2, 2, 2])
case("dynamicquantizelinear", "DynamicQuantizeLinear", [floats(4, 9)], outputs=3)
case("dynamicquantizelinear_positive", "DynamicQuantizeLinear", [np.abs(floats(4, 9))], outputs=3)
case("dynamicquantizelinear_zeros", "DynamicQuantizeLinear", [np.zeros((2, 3), np.float32)], outputs=3)
for bias in (None, floats(5)):
    name = "bias" if bias is not None else "plain"
    case(f"dynamicquantizematmul_{name}", "DynamicQuantizeMatMul",
         [floats(2, 3, 7), s8(7, 5), scale(), zero(np.int8, 0), bias], domain=MICROSOFT, constants=[1, 2, 3, 4])
    case(f"dynamicquantizematmul_{name}_columns", "DynamicQuantizeMatMul",
         [floats(3, 7), u8(7, 5), scale(5), zero(shape=(5,)), bias], domain=MICROSOFT, constants=[1, 2, 3, 4])
    case(f"matmulintegertofloat_{name}", "MatMulIntegerToFloat",
         [u8(3, 7), s8(7, 5), scale(), scale(5), zero(), zero(np.int8, 0, (5,)), bias], domain=MICROSOFT,
         constants=[1, 2, 3, 4, 5, 6])
    case(f"matmulintegertofloat_{name}_u8", "MatMulIntegerToFloat",
         [u8(2, 3, 7), u8(7, 5), scale(), scale(), zero(), zero(), bias], domain=MICROSOFT, constants=[1, 3, 5])

# ---- QuantizeLinear, DequantizeLinear ----
for kind, low, high in (("uint8", 0, 255), ("int8", -128, 127), ("uint16", 0, 65535), ("int16", -32768, 32767)):
    dtype = np.dtype(kind).type
    middle = np.asarray((low + high) // 2, dtype)
    step = np.asarray(8.0 / (high - low), np.float32)
    integers = random.integers(low, high + 1, (3, 4, 5)).astype(dtype)
    zeros = np.asarray(random.integers(low // 2, high // 2, 4), dtype)
    steps = (scale(4, around=1.0) * step).astype(np.float32)
    case(f"quantizelinear_{kind}", "QuantizeLinear", [floats(3, 4, 5), step, middle], opset=21, constants=[1, 2])
    case(f"quantizelinear_{kind}_axis", "QuantizeLinear", [floats(3, 4, 5), steps, zeros], opset=21, axis=-2)
    case(f"quantizelinear_{kind}_output_dtype", "QuantizeLinear", [floats(3, 4), step], opset=21,
         output_dtype=helper.np_dtype_to_tensor_dtype(np.dtype(kind)))
    case(f"dequantizelinear_{kind}", "DequantizeLinear", [integers, step, middle], opset=21, constants=[1, 2])
    case(f"dequantizelinear_{kind}_axis", "DequantizeLinear", [integers, steps, zeros], opset=21, axis=1)
    case(f"quantizelinear_{kind}_microsoft", "QuantizeLinear", [floats(3, 4, 5), step, middle], domain=MICROSOFT)
    case(f"dequantizelinear_{kind}_microsoft", "DequantizeLinear", [integers, steps, zeros], domain=MICROSOFT, axis=1)
for kind in ("uint8", "int8"):
    dtype = np.dtype(kind).type
    case(f"quantizelinear_{kind}_half", "QuantizeLinear",
         [floats(3, 4, dtype=np.float16), np.float16(0.03), zero(dtype)], opset=19)
    case(f"dequantizelinear_{kind}_half", "DequantizeLinear",
         [u8(3, 4).view(dtype), np.float16(0.03), zero(dtype)], opset=19)
case("dequantizelinear_int32", "DequantizeLinear",
     [random.integers(-9999, 9999, (3, 4), dtype=np.int32), scale()], opset=13)

# ---- QOperator ----
for right in (u8, s8):
    kind = right.__name__
    dtype = right(1).dtype.type
    w_zero = zero(dtype, 128 if dtype == np.uint8 else 0)
    bias = random.integers(-500, 500, 4, dtype=np.int32)
    for held in ([], [1, 2, 3, 4, 5, 6, 7, 8]):
        where = f"{kind}_{'constant' if held else 'given'}"
        case(f"qlinearconv_{where}", "QLinearConv",
             [u8(2, 3, 6, 7), scale(), zero(), right(4, 3, 3, 3), scale(), w_zero, scale(around=2.0), zero(), bias],
             constants=held, pads=[1, 1, 1, 1])
        case(f"qlinearconv_{where}_channels", "QLinearConv",
             [u8(1, 4, 6, 6), scale(), zero(), right(4, 1, 3, 3), scale(4), np.repeat(w_zero, 4), scale(around=1.0),
              zero()], constants=[i for i in held if i < 8], group=4, strides=[2, 2])
        case(f"qlinearmatmul_{where}", "QLinearMatMul",
             [u8(2, 3, 7), scale(), zero(), right(7, 5), scale(), w_zero, scale(around=1.0), zero()],
             constants=[i for i in held if i < 8])
        case(f"qgemm_{where}", "QGemm",
             [u8(3, 7), scale(), zero(), right(7, 4), scale(), w_zero, bias, scale(around=1.0), zero()],
             domain=MICROSOFT, constants=held)
        case(f"qgemm_{where}_float", "QGemm",
             [u8(3, 7), scale(), zero(), right(4, 7), scale(4), np.repeat(w_zero, 4), bias], domain=MICROSOFT,
             constants=[i for i in held if i < 7], transB=1, alpha=0.5)
case("qlinearconv_u8_weights_off_centre", "QLinearConv",
     [u8(1, 3, 6, 7), scale(), zero(), u8(4, 3, 3, 3), scale(), zero(value=77), scale(around=2.0), zero()],
     constants=[1, 2, 3, 4, 5, 6, 7])
for make in (u8, s8):
    kind = make.__name__
    dtype = make(1).dtype.type
    held = list(range(1, 8))

    def triple(*shape):
        return [make(*shape), scale(), zero(dtype)]

    def two(around=0.03):
        return [scale(around=around), zero(dtype)]

    for op in ("QLinearAdd", "QLinearMul"):
        case(f"{op.lower()}_{kind}", op, triple(2, 3, 4) + triple(2, 3, 4) + two(), domain=MICROSOFT,
             constants=[1, 2, 4, 5, 6, 7])
        case(f"{op.lower()}_{kind}_broadcast", op, triple(2, 3, 4) + triple(4) + two(), domain=MICROSOFT,
             constants=[1, 2, 4, 5, 6, 7])
    case(f"qlinearleakyrelu_{kind}", "QLinearLeakyRelu", triple(3, 40) + two(), domain=MICROSOFT, alpha=0.2,
         constants=held[:4])
    case(f"qlinearleakyrelu_{kind}_no_zero", "QLinearLeakyRelu", [make(3, 40), scale(), None] + two(),
         domain=MICROSOFT, constants=held[:4])
    case(f"qlinearsigmoid_{kind}", "QLinearSigmoid", triple(3, 40) + [np.float32(1 / 256), zero(dtype, 0)],
         domain=MICROSOFT, constants=held[:4])
    for opset in (11, 13):
        for axis in (1, 2) if kind == "u8" else (2,):
            case(f"qlinearsoftmax_{kind}_opset{opset}_axis{axis}", "QLinearSoftmax",
                 triple(2, 3, 4) + [np.float32(1 / 256), zero(dtype, 0 if kind == "u8" else -128)], domain=MICROSOFT,
                 axis=axis, opset=max(opset, 12), constants=held[:4], opset_attribute=opset)
    case(f"qlinearconcat_{kind}", "QLinearConcat", two() + triple(2, 3, 4) + triple(2, 1, 4) + triple(2, 2, 4),
         domain=MICROSOFT, axis=1, constants=[0, 1, 3, 4, 6, 7, 9, 10])
    case(f"qlinearaveragepool_{kind}", "QLinearAveragePool", triple(2, 3, 8, 8) + two(), domain=MICROSOFT,
         kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], constants=held[:4])
    case(f"qlinearaveragepool_{kind}_with_pad", "QLinearAveragePool", triple(1, 3, 7, 7) + two(), domain=MICROSOFT,
         kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1], ceil_mode=1, count_include_pad=1, constants=held[:4])
    case(f"qlinearglobalaveragepool_{kind}", "QLinearGlobalAveragePool", triple(2, 3, 5, 5) + two(), domain=MICROSOFT,
         constants=held[:4])

# ---- fused operators ----
for name, values in (("Relu", []), ("LeakyRelu", [0.3]), ("Clip", [-0.5, 0.8]), ("Sigmoid", []), ("Tanh", []),
                     ("HardSigmoid", [0.25, 0.4])):
    more = {"activation_params": values} if values else {}
    case(f"fusedconv_{name.lower()}", "FusedConv",
         [floats(2, 3, 6, 6), floats(4, 3, 3, 3, scale=0.3), floats(4)], domain=MICROSOFT, constants=[1, 2],
         activation=name, pads=[1, 1, 1, 1], **more)
    if name != "Clip":
        alpha = dict(zip(("activation_alpha", "activation_beta"), values))
        case(f"fusedgemm_{name.lower()}", "FusedGemm", [floats(3, 7), floats(5, 7), floats(5)], domain=MICROSOFT,
             constants=[1, 2], activation=name, transB=1, alpha=0.7, beta=1.3, **alpha)
case("fusedconv_sum", "FusedConv",
     [floats(2, 3, 6, 6), floats(4, 3, 3, 3, scale=0.3), floats(4), floats(2, 4, 4, 4)], domain=MICROSOFT,
     constants=[1, 2], activation="Relu")
case("fusedconv_plain", "FusedConv", [floats(1, 4, 6), floats(4, 2, 3)], domain=MICROSOFT, group=2)
for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
    left = floats(2, 7, 3) if a else floats(2, 3, 7)
    right = floats(5, 7) if b else floats(7, 5)
    case(f"fusedmatmul_{a}{b}", "FusedMatMul", [left, right], domain=MICROSOFT, constants=[1], transA=a, transB=b,
         alpha=0.5)
    case(f"fusedmatmul_{a}{b}_two", "FusedMatMul", [left, np.stack([right, right + 1])], domain=MICROSOFT, transA=a,
         transB=b, alpha=2.0)
case("fusedmatmul_batches", "FusedMatMul", [floats(3, 2, 7), floats(7, 2, 5)], domain=MICROSOFT, transBatchA=1,
     transBatchB=1)
case("fusedmatmul_batches_turned", "FusedMatMul", [floats(7, 2, 3), floats(5, 2, 7)], domain=MICROSOFT, transBatchA=1,
     transBatchB=1, transA=1, transB=1)

# ---- transformers ----
case("skiplayernormalization", "SkipLayerNormalization", [floats(2, 3, 8), floats(2, 3, 8), floats(8), floats(8)],
     domain=MICROSOFT, epsilon=1e-5)
case("skiplayernormalization_bias", "SkipLayerNormalization",
     [floats(2, 3, 8), floats(2, 3, 8), floats(8), None, floats(8)], domain=MICROSOFT)
case("skiplayernormalization_sum", "SkipLayerNormalization",
     [floats(2, 3, 8), floats(3, 8), floats(8), floats(8), floats(8)], outputs=[True, False, False, True],
     domain=MICROSOFT)
case("skipsimplifiedlayernormalization", "SkipSimplifiedLayerNormalization",
     [floats(2, 3, 8), floats(1, 3, 8), floats(8), floats(8)], outputs=[True, False, False, True], domain=MICROSOFT,
     epsilon=1e-6)
case("simplifiedlayernormalization", "SimplifiedLayerNormalization", [floats(2, 3, 8), floats(8)], epsilon=1e-6)
case("simplifiedlayernormalization_axis", "SimplifiedLayerNormalization", [floats(2, 3, 8), floats(3, 8)], axis=1,
     outputs=2)
ids = random.integers(0, 9, (2, 5), dtype=np.int32)
segments = random.integers(0, 2, (2, 5), dtype=np.int32)
mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
# Every place sees itself: where all is masked, the result hangs on the last bits of large numbers.
squares = np.maximum(random.integers(0, 2, (2, 5, 5)), np.eye(5)).astype(np.int32)
tables = [floats(9, 8), floats(6, 8), floats(2, 8)]
case("embedlayernormalization", "EmbedLayerNormalization",
     [ids, segments] + tables + [floats(8), floats(8), mask], outputs=2, domain=MICROSOFT, epsilon=1e-5)
case("embedlayernormalization_plain", "EmbedLayerNormalization",
     [ids, None, tables[0], tables[1], None, floats(8), floats(8)], outputs=2, domain=MICROSOFT)
case("embedlayernormalization_positions", "EmbedLayerNormalization",
     [ids, segments] + tables + [floats(8), floats(8), mask, random.integers(0, 6, (1, 5), dtype=np.int32)],
     outputs=3, domain=MICROSOFT)
attention = [floats(2, 5, 8), floats(8, 24, scale=0.4), floats(24)]
for name, given in (("plain", None), ("rows", mask), ("lengths", np.array([3, 5], np.int32)),
                    ("ends", np.array([3, 5, 1, 0], np.int32)),
                    ("squares", squares)):
    case(f"attention_{name}", "Attention", attention + [given], domain=MICROSOFT, num_heads=2)
case("attention_causal", "Attention", attention, domain=MICROSOFT, num_heads=4, unidirectional=1)
case("attention_scaled", "Attention", attention, domain=MICROSOFT, num_heads=2, scale=0.7)
case("attention_sizes", "Attention", [floats(2, 5, 8), floats(8, 20, scale=0.4), floats(20)], domain=MICROSOFT,
     num_heads=2, qkv_hidden_sizes=[8, 8, 4])
case("attention_added", "Attention", attention + [mask, None, floats(1, 2, 5, 5)], domain=MICROSOFT, num_heads=2)


# ---- making ----
def info(name, array):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def make_model(op, inputs, outputs, domain, opset, constants, attributes):
    wanted = [True] * outputs if isinstance(outputs, int) else outputs
    names = ["" if array is None else f"i{k}" for k, array in enumerate(inputs)]
    results = [f"o{k}" if keep else "" for k, keep in enumerate(wanted)]
    attributes = {"opset" if key == "opset_attribute" else key: value for key, value in attributes.items()}
    node = helper.make_node(op, names, results, domain=domain, **attributes)
    held = [numpy_helper.from_array(array, names[k]) for k, array in enumerate(inputs) if k in constants
            and array is not None]
    given = [info(names[k], array) for k, array in enumerate(inputs) if k not in constants and array is not None]
    ends = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in results if name]
    for end in ends:
        end.ClearField("type")
    graph = helper.make_graph([node], "g", given, ends, held)
    imports = [helper.make_opsetid("", opset), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def write_case(folder, name, op, inputs, outputs, domain, opset, constants, attributes):
    inputs = [None if array is None else np.asarray(array) for array in inputs]
    model = make_model(op, inputs, outputs, domain, opset, constants, attributes)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feeds = {f"i{k}": array for k, array in enumerate(inputs) if k not in constants and array is not None}
    results = session.run(None, feeds)
    data = f"{folder}/node/test_{name}/test_data_set_0"
    os.makedirs(data)
    types = dict(zip((end.name for end in model.graph.output), results))
    for end in model.graph.output:
        end.CopyFrom(info(end.name, types[end.name]))
    onnx.save(model, f"{folder}/node/test_{name}/model.onnx")
    for kind, arrays in (("input", feeds.items()), ("output", types.items())):
        for index, (key, array) in enumerate(arrays):
            with open(f"{data}/{kind}_{index}.pb", "wb") as file:
                file.write(numpy_helper.from_array(np.asarray(array), key).SerializeToString())


def run(program, folder, engine, expected):
    done = subprocess.run([program, folder, "--engine", engine, "--verbose"], capture_output=True, text=True,
                          check=False)
    passed = sum(int(number) for number in re.findall(r": (\d+) passed", done.stdout))
    print(done.stdout, end="")
    return done.returncode == 0 and passed == expected


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = sys.argv[2] if len(sys.argv) > 2 else temporary
        made = 0
        for given in cases:
            try:
                write_case(folder, *given)
                made += 1
            except Exception as error:  # noqa: BLE001: what ONNX Runtime refuses is no case
                print(f"not by ONNX Runtime: {given[0]}: {str(error).splitlines()[0][:160]}")
        print(f"onnxruntime {ort.__version__}, {made} of {len(cases)} cases")
        engines = [run(sys.argv[1], folder, engine, made) for engine in ("onednn", "reference")]
    return 0 if all(engines) and made > len(cases) * 9 // 10 else 1


sys.exit(main())
