"""Real networks with data that tells right from wrong, as configurations of lpot-tune. Files: the folder named by
$LPOT_TEST_DATA."""
import math
import os

import numpy as np
import onnx
import onnxruntime

DATA = os.environ.get("LPOT_TEST_DATA", "")


def shares(mean, deviation):
    return {"Normalize": {"mean": [255 * value for value in mean], "std": [255 * value for value in deviation]}}


def cifar(batch, transform, **settings):
    return {"batch_size": batch, "dataset": {"CIFAR10": {"root": f"{DATA}/cifar10", **settings}},
            "transform": {"Cast": {"dtype": "float32"}, **transform, "Transpose": {"perm": [2, 0, 1]}}}


def on_cifar(_, batch=50, **transform):
    return cifar(batch, transform), cifar(batch, transform, train=True), 100


def on_mnist(_):
    def loader(**settings):
        return {"batch_size": 1, "dataset": {"MNIST": {"root": f"{DATA}/mnist", **settings}},
                "transform": {"Cast": {"dtype": "float32"}, "Transpose": {"perm": [2, 0, 1]}}}
    return loader(), loader(train=True), 100


def on_words(_):
    return arrays(f"{DATA}/kws/features.npy", f"{DATA}/kws/labels.npy"), None, 50


def on_photographs(_):
    folder = f"{DATA}/imagenet-sample"
    dataset = {"data_path": f"{folder}/val", "image_list": f"{folder}/val_map.txt", "channel_order": "bgr"}
    transform = {"Resize": {"size": 256}, "CenterCrop": {"size": 227}, "Cast": {"dtype": "float32"},
                 "Normalize": {"mean": [104, 117, 123], "std": [1, 1, 1]}, "Transpose": {"perm": [2, 0, 1]}}
    return {"batch_size": 10, "dataset": {"ImagenetRaw": dataset}, "transform": transform}, None, 50


def arrays(inputs, labels):
    return {"batch_size": 50, "dataset": {"npy": {"inputs": inputs, "labels": labels}}}


def on_pieces(folder):
    """1,000 pieces of 100 photographs, 200 of which calibrate; what f32 says of a piece is its label."""
    names = [f"{folder}/pieces_{name}.npy" for name in ("inputs", "labels", "calibration", "calibration_labels")]
    if not all(map(os.path.exists, names)):
        pieces = cut_pieces(f"{DATA}/imagenet-sample/val")
        labels = answers_of(f"{DATA}/models/mobilenet025_vww.onnx", pieces)
        for name, array in zip(names, (pieces[200:], labels[200:], pieces[:200], labels[:200])):
            np.save(name, array)
    return arrays(*names[:2]), arrays(*names[2:]), 100


def cut_pieces(folder):
    from PIL import Image  # of this network only
    random = np.random.RandomState(0)
    pieces = []
    for name in sorted(os.listdir(folder)):
        image = Image.open(f"{folder}/{name}").convert("RGB")
        for _ in range(10):
            side = random.uniform(0.5, 1) * min(image.size)
            left, top = (random.uniform(0, length - side) for length in image.size)
            piece = image.resize((96, 96), Image.BILINEAR, box=(left, top, left + side, top + side))
            pieces.append(np.asarray(piece, np.float32).transpose(2, 0, 1) / 255)
    return np.stack(pieces)[random.permutation(len(pieces))]


def answers_of(model, inputs):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: inputs[i:i + 10]})[0].reshape(-1, 2).argmax(1)
                           for i in range(0, len(inputs), 10)])


S8_SYM = {"activation": {"dtype": "int8", "scheme": "sym"}}
PER_TENSOR = {"weight": {"granularity": "per_tensor"}}
VIT = shares((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
RESNET_2B = shares((0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616))

# Of each: model, data, and what the configuration demands beside that. In the last three no uniform recipe
# meets the criterion.
NETWORKS = {
    "resnet8": ("resnet8_cifar10", on_cifar, {}, {}, 0.01),
    "resnet8_s8": ("resnet8_cifar10", on_cifar, {}, S8_SYM, 0.01),
    "dscnn": ("dscnn_kws", on_words, {}, {}, 0.01),
    "squeezenet": ("squeezenet1.0_imagenet", on_photographs, {}, {}, 0.01),
    "mobilenet": ("mobilenet025_vww", on_pieces, {}, {}, 0.01),
    "resnet_2b": ("resnet_2b_cifar10", on_cifar, {"batch": 1, **RESNET_2B}, {}, 0.01),
    "mnist": ("mnist_cntk", on_mnist, {}, {}, 0.01),
    "vit": ("vit_ibp_cifar10", on_cifar, VIT, {}, 0.01),
    "mobilenet_s8_per_tensor": ("mobilenet025_vww", on_pieces, {}, {**S8_SYM, **PER_TENSOR}, 0.01),
    "resnet8_per_tensor_0.001": ("resnet8_cifar10", on_cifar, {}, PER_TENSOR, 0.001),
}


def model_of(network):
    return f"{DATA}/models/{NETWORKS[network][0]}.onnx"


def configuration(network, folder):
    """As a dictionary; folder: for data that has to be made."""
    _, data, settings, wishes, relative = NETWORKS[network]
    evaluation, calibration, samples = data(folder, **settings)
    calibrates = {"sampling_size": samples, **({"dataloader": calibration} if calibration else {})}
    return {"model": {"name": network, "framework": "onnxrt_qdqops"},
            "quantization": {"calibration": calibrates, **({"model_wise": wishes} if wishes else {})},
            "evaluation": {"accuracy": {"metric": {"topk": 1}, "dataloader": evaluation}},
            "tuning": {"accuracy_criterion": {"relative": relative}}}


def work_of(path):
    """Multiplications of each Conv, Gemm and MatMul for one sample, by its node's name, or its output's where it has
    none. Shapes are those that ONNX Runtime finds."""
    model = onnx.load(path)
    nodes = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in shapes]
    wanted = list(dict.fromkeys(name for node in nodes for name in (node.output[0], node.input[1])
                                if name not in shapes))
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {value.name: np.zeros([dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim],
                                 onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))
            for value in inputs}
    shapes.update((name, array.shape) for name, array in zip(wanted, session.run(wanted, feed)))
    return {node.name or node.output[0]: math.prod(shapes[node.output[0]]) * length_of(node, shapes) for node in nodes}


def length_of(node, shapes):
    """How many products are summed for a number of the output."""
    weight = shapes[node.input[1]]
    if node.op_type == "Conv":
        return math.prod(weight[1:])
    return math.prod(weight) // shapes[node.output[0]][-1] if node.op_type == "Gemm" else weight[-2]
