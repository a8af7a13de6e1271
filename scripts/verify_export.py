"""Compares ONNX Runtime's accuracy and latency of an exported model with lpot-tune's.

    verify_export.py WORKSPACE DUMP_SHAPES RUN_MODEL      (called by scripts/verify-export)

Reads WORKSPACE/deploy.yaml (data, transforms, metric), history.h5 (our figures) and
best_model.onnx. The datasets and transforms below are read by code of its own, so that a mistake
in lpot-tune's readers shows too; others are SKIPPED. RUN_MODEL runs best_model.onnx with our engine
on the very inputs that ONNX Runtime gets: so many samples must have the same most likely class.
"""
import gzip
import json
import math
import os
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np
import onnxruntime
import yaml


class Skip(Exception):
    """What this script cannot do."""


class Missing(Exception):
    """Data that are not there."""


# ---------------------------------------------------------------------------------- datasets
# Each takes the settings and yields (input, label) pairs in the dataset's order.


def truth(value):
    return str(value).lower() in ("true", "yes", "on", "1")


def maybe_bgr(image, settings):
    return image[..., ::-1] if settings.get("channel_order", "rgb") == "bgr" else image


def read_cifar10(settings, _):
    train = truth(settings.get("train", False))
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] if train else ["test_batch.bin"]
    root = settings["root"]
    if not any(os.path.exists(os.path.join(root, name)) for name in names):
        root = os.path.join(root, "cifar-10-batches-bin")
    found = [path for path in (os.path.join(root, name) for name in names) if os.path.exists(path)]
    if not found:
        raise Missing(f"'{settings['root']}' has no {names[0]}")
    for path in found:
        for record in np.fromfile(path, np.uint8).reshape(-1, 3073):
            image = record[1:].reshape(3, 32, 32).transpose(1, 2, 0)
            yield maybe_bgr(image, settings), int(record[0])


def read_cifar100(settings, _):
    name = "train.bin" if truth(settings.get("train", False)) else "test.bin"
    for folder in (settings["root"], os.path.join(settings["root"], "cifar-100-binary")):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            for record in np.fromfile(path, np.uint8).reshape(-1, 3074):
                image = record[2:].reshape(3, 32, 32).transpose(1, 2, 0)
                yield maybe_bgr(image, settings), int(record[1])
            return
    raise Missing(f"'{settings['root']}' has no {name}")


def read_hdf5(settings, _):
    if not isinstance(settings.get("inputs"), str) or "labels" not in settings:
        raise Skip("HDF5 with several inputs or without labels")
    with h5py.File(settings["root"], "r") as file:
        labels = file[settings["labels"]][:].reshape(len(file[settings["labels"]]), -1)
        classes = labels[:, 0] if labels.shape[1] == 1 else labels.argmax(axis=1)
        for index, label in enumerate(classes.astype(int).tolist()):
            yield file[settings["inputs"]][index], label


def read_idx(root, name, header, kind):
    for folder in (root, os.path.join(root, kind, "raw")):
        for path, opener in ((name, open), (name + ".gz", gzip.open)):
            path = os.path.join(folder, path)
            if os.path.exists(path):
                with opener(path, "rb") as file:
                    return np.frombuffer(file.read(), np.uint8, offset=header)
    raise Missing(f"'{name}' is not in '{root}'")


def read_mnist(settings, _, kind="MNIST"):
    prefix = "train" if truth(settings.get("train", False)) else "t10k"
    images = read_idx(settings["root"], prefix + "-images-idx3-ubyte", 0, kind)
    rows, columns = (int.from_bytes(images[i : i + 4].tobytes(), "big") for i in (8, 12))
    images = images[16:].reshape(-1, rows, columns, 1)
    labels = read_idx(settings["root"], prefix + "-labels-idx1-ubyte", 8, kind)
    yield from zip(images, labels.astype(int))


def load_array(path):
    key = None
    if not os.path.exists(path) and "#" in path:
        path, key = path.rsplit("#", 1)
    loaded = np.load(path)
    if isinstance(loaded, np.ndarray):
        return loaded
    return loaded[key if key is not None else loaded.files[0]]


def read_npy(settings, _):
    if not isinstance(settings.get("inputs"), str) or "labels" not in settings:
        raise Skip("npy with several inputs or without labels")
    labels = load_array(settings["labels"])
    labels = labels.reshape(len(labels), -1)
    classes = labels[:, 0] if labels.shape[1] == 1 else labels.argmax(axis=1)
    yield from zip(load_array(settings["inputs"]), classes.astype(int).tolist())


def load_image(path, settings):
    from PIL import Image

    return maybe_bgr(np.asarray(Image.open(path).convert("RGB")), settings)


def read_image_folder(settings, _):
    """Sub-folders and files in the order of their names' bytes; the label is the folder's rank."""
    root = os.fsencode(settings["root"])

    def entries(folder):
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))
                if not name.startswith(b".")]

    for label, folder in enumerate(path for path in entries(root) if os.path.isdir(path)):
        for path in entries(folder):
            kind = os.path.basename(path).lower().rpartition(b".")[2]
            if kind in (b"jpg", b"jpeg", b"png") and os.path.isfile(path):
                yield load_image(os.fsdecode(path), settings), label


def read_imagenet_raw(settings, _):
    folder = settings["data_path"]
    listing = settings.get("image_list")
    if listing is None:
        beside = [os.path.join(folder, name) for name in ("val_map.txt", "../val_map.txt")]
        listing = beside[0] if os.path.exists(beside[0]) else beside[1]
    with open(listing, encoding="utf-8") as lines:
        for line in lines:
            if not line.strip():
                continue
            name, label = line.strip().rsplit(None, 1)
            path = os.path.join(folder, name)
            if os.path.exists(path):
                yield load_image(path, settings), int(label)


def read_shapes(settings, dump):
    with tempfile.TemporaryDirectory() as folder:
        images, labels = os.path.join(folder, "images.npy"), os.path.join(folder, "labels.npy")
        subprocess.run([dump, json.dumps(settings), images, labels], check=True)
        yield from zip(np.load(images), np.load(labels).tolist())


DATASETS = {
    "CIFAR10": read_cifar10,
    "CIFAR100": read_cifar100,
    "FashionMNIST": lambda settings, dump: read_mnist(settings, dump, "FashionMNIST"),
    "HDF5": read_hdf5,
    "MNIST": read_mnist,
    "npy": read_npy,
    "ImageFolder": read_image_folder,
    "ImagenetRaw": read_imagenet_raw,
    "shapes": read_shapes,
}

# -------------------------------------------------------------------------------- transforms


def numbers(value):
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    return [float(item) for item in (value if isinstance(value, list) else [value])]


def normalize(x, settings):
    mean = np.array(numbers(settings.get("mean", 0)), np.float32)
    std = np.array(numbers(settings.get("std", 1)), np.float32)
    count = max(len(mean), len(std))
    if count > 1 and x.shape[-1] != count:
        mean, std = (v.reshape([-1] + [1] * (x.ndim - 1)) for v in (mean, std))
    return (x.astype(np.float32) - mean) / std


def resize(x, settings):
    from PIL import Image

    kinds = {"bilinear": Image.BILINEAR, "nearest": Image.NEAREST, "bicubic": Image.BICUBIC}
    interpolation = kinds.get(str(settings.get("interpolation", "bilinear")).lower())
    if settings.get("library", "pillow") != "pillow" or interpolation is None or x.dtype != np.uint8 or x.shape[-1] != 3:
        raise Skip("Resize of this kind")
    size = [int(v) for v in numbers(settings["size"])]
    height, width = x.shape[:2]
    if len(size) == 1:
        short = min(height, width)
        half = 0 if settings.get("cuts") else short
        size = [(2 * v * size[0] + half) // (2 * short) for v in (height, width)]
    return np.asarray(Image.fromarray(np.ascontiguousarray(x)).resize(size[::-1], interpolation))


def center_crop(x, settings):
    size = [int(v) for v in numbers(settings["size"])]
    height, width = size if len(size) == 2 else size * 2
    top, left = round((x.shape[0] - height) / 2), round((x.shape[1] - width) / 2)
    return x[top : top + height, left : left + width]


def crop_to_bounding_box(x, settings):
    top, left, height, width = (int(settings[key]) for key in (
        "offset_height", "offset_width", "target_height", "target_width"))
    return x[top : top + height, left : left + width]


def rescale(x, _):
    return x.astype(np.float32) / np.float32(255)


def resize_crop_imagenet(x, settings):
    if truth(settings.get("random_crop", False)) or truth(
            settings.get("random_flip_left_right", False)):
        raise Skip("random transforms")
    x = resize(x, {**settings, "size": settings.get("resize_side", 256)})
    x = center_crop(x, {"size": [settings["height"], settings["width"]]})
    if "scale" in settings or "random_flip_left_right" in settings:
        mean = np.array(numbers(settings.get("mean_value", 0)), np.float32)
        return (x.astype(np.float32) - mean) * np.float32(settings.get("scale", 1))
    x = rescale(x, {})
    return normalize(x, {"mean": settings.get("mean_value", 0),
                         "std": settings.get("std_value", [0.229, 0.224, 0.225])}).transpose(2, 0, 1)


def cast(x, settings):
    """Floats are cut towards zero and kept within an integer type's range; NaN becomes 0."""
    name = str(settings.get("dtype", "float32"))
    try:
        dtype = np.dtype({"fp32": "float32", "float": "float32", "f32": "float32"}.get(name, name))
    except TypeError:
        raise Skip(f"Cast to {name}") from None
    if x.dtype.kind == "f" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        x = np.clip(np.nan_to_num(x.astype(np.float64), nan=0.0), limits.min, limits.max)
    return x.astype(dtype)


def to_tensor(x, _):
    return (rescale(x, {}) if x.dtype == np.uint8 else x).transpose(2, 0, 1)


def padded_center_crop(x, settings):
    size = int(numbers(settings["size"])[0])
    padding = int(settings.get("crop_padding", 0))
    side = max(1, int(size / (size + padding) * min(x.shape[:2])))
    top, left = ((v - side + 1) // 2 for v in x.shape[:2])
    return x[top : top + side, left : left + side]


TRANSFORMS = {
    "ToTensor": to_tensor,
    "ToArray": lambda x, s: x,
    "ToNDArray": lambda x, s: x,
    "PaddedCenterCrop": padded_center_crop,
    "Rescale": rescale,
    "Cast": cast,
    "Normalize": normalize,
    "Transpose": lambda x, s: x.transpose([int(v) for v in numbers(s["perm"])]),
    "Resize": resize,
    "CenterCrop": center_crop,
    "CropToBoundingBox": crop_to_bounding_box,
    "ResizeCropImagenet": resize_crop_imagenet,
}


def by_framework(name, settings, framework):
    """The settings, with what model.framework means for this transform (configs/README.md)."""
    kind = framework.split("_")[0]
    settings = settings or {}
    if kind in ("tensorflow", "mxnet") and name in ("Resize", "ResizeCropImagenet"):
        settings = {"library": "opencv", **settings}
    if name == "Resize" and kind in ("tensorflow", "mxnet"):
        settings = {**settings, "size": (numbers(settings["size"]) * 2)[:2]}
    if name == "Resize" and kind == "pytorch":
        settings = {**settings, "cuts": True}
    if name == "ResizeCropImagenet" and kind == "tensorflow" and "std_value" not in settings:
        settings = {"scale": 1, **settings}
    return settings


def transform_steps(described, framework):
    items = described if isinstance(described, list) else [described or {}]
    steps = [(name, by_framework(name, settings, framework)) for item in items for name, settings in item.items()]
    for name, _ in steps:
        if name not in TRANSFORMS:
            raise Skip(f"transform {name}")
    return steps


# -------------------------------------------------------------------------------- evaluation


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def correct_in(scores, labels, k):
    if scores.shape[1] == 1:
        return int(((scores[:, 0] > 0.5) == np.array(labels)).sum())
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return int((best == np.array(labels).reshape(-1, 1)).any(axis=1).sum())


class Ours:
    """Our engine on the exported model, in the same batches: dynamic quantization takes its ranges
    from a whole batch."""

    def __init__(self, program, model, batch):
        self.program, self.model, self.batch = program, model, batch

    def scores(self, inputs):
        with tempfile.TemporaryDirectory() as folder:
            given, prefix = os.path.join(folder, "input"), os.path.join(folder, "output")
            inputs.tofile(given)
            subprocess.run([self.program, self.model, given, prefix, str(len(inputs)),
                            str(min(self.batch, len(inputs)))], check=True)
            return np.fromfile(prefix + ".0.f32", np.float32).reshape(len(inputs), -1)


def fixed_batch(session, batch):
    described = session.get_inputs()
    if len(described) != 1:
        raise Skip("a model with several inputs")
    return described[0].shape[0] if isinstance(described[0].shape[0], int) else batch


def chunks_of(samples, steps, batch):
    """Yields (inputs, labels): whole batches of about 64 MiB, the last one as long as it is."""
    inputs, labels = [], []
    for x, label in samples:
        for step, settings in steps:
            x = TRANSFORMS[step](x, settings)
        inputs.append(np.ascontiguousarray(x, np.float32))
        labels.append(label)
        if len(inputs) % batch == 0 and len(inputs) * inputs[0].nbytes >= 64 << 20:
            yield np.stack(inputs), labels
            inputs, labels = [], []
    if inputs:
        yield np.stack(inputs), labels


def evaluate(session, ours, samples, steps, k, batch):
    """Samples that ONNX Runtime gets right, those with the same best class, and all."""
    name = session.get_inputs()[0].name
    batch = fixed_batch(session, batch)
    correct = same = count = 0
    for inputs, labels in chunks_of(samples, steps, batch):
        parts = [inputs[i : i + batch] for i in range(0, len(inputs), batch)]
        rows = [session.run(None, {name: part})[0].reshape(len(part), -1) for part in parts]
        scores = np.concatenate(rows)
        correct += correct_in(scores, labels, k)
        same += int((scores.argmax(axis=1) == ours.scores(inputs).argmax(axis=1)).sum())
        count += len(labels)
    return correct, same, count


def measure(session, batch):
    """Median milliseconds per sample over rounds of about a second in all."""
    described = session.get_inputs()[0]
    shape = [d if isinstance(d, int) else batch for d in described.shape]
    x = np.random.default_rng(1).random(shape, np.float32)
    times = []
    for _ in range(10):
        session.run(None, {described.name: x})
    started = time.perf_counter()
    while time.perf_counter() - started < 1.0:
        begin = time.perf_counter()
        session.run(None, {described.name: x})
        times.append(time.perf_counter() - begin)
    return 1000.0 * float(np.median(times)) / shape[0]


# -------------------------------------------------------------------------------- comparison


def topk_of(metric):
    name, settings = next(iter(metric.items()))
    if name == "Accuracy" and not (settings or {}).get("multilabel"):
        return 1
    if name != "topk":
        raise Skip(f"metric {name}")
    return int(settings.get("k", 1) if isinstance(settings, dict) else settings)


def our_figures(workspace):
    """The chosen trial, and the accuracy of what is exported: of a recipe with bf16 ops the model
    has them in f32, and history.h5 tells the accuracy of that."""
    with h5py.File(os.path.join(workspace, "history.h5"), "r") as history:
        trials = history["trials"][:]
        chosen = history.attrs["chosen_trial"]
        exported = float(history.attrs.get("exported_accuracy", math.nan))
        held_out = history["holdout"][:] if "holdout" in history else []
    found = trials[trials["id"] == chosen]
    if len(found) == 0:
        raise Skip("a history without a chosen trial")
    ours = found[0]
    accuracy, samples = float(ours["accuracy"]), int(ours["samples"])
    if not math.isnan(exported):
        if len(held_out):
            raise Skip("bf16 ops beside a part held out")
        accuracy = exported
    for row in held_out:
        if row["recipe_hash"] == ours["recipe_hash"]:  # the exported model runs on both parts
            whole = samples + int(row["samples"])
            accuracy = (accuracy * samples + float(row["accuracy"]) * int(row["samples"])) / whole
            samples = whole
    return ours, accuracy, samples


def compare(workspace, dump, run_model):
    with open(os.path.join(workspace, "deploy.yaml"), encoding="utf-8") as file:
        deployed = yaml.safe_load(file)
    evaluation = deployed["evaluation"]
    accuracy = evaluation["accuracy"]
    loader = accuracy["dataloader"]
    if loader.get("last_batch", "rollover") != "rollover":
        raise Skip("last_batch discard")
    if int(accuracy.get("iteration", -1)) != -1:
        raise Skip("a part of the data (evaluation.accuracy.iteration): lpot-tune draws it by its seed")
    for key, part in (("postprocess", accuracy), ("filter", loader)):
        if part.get(key):
            raise Skip(f"the section {key}")
    k = topk_of(accuracy["metric"])
    name, settings = next(iter(loader["dataset"].items()))
    if name not in DATASETS:
        raise Skip(f"dataset {name}")
    steps = transform_steps(loader.get("transform"), deployed["model"]["framework"])
    ours, our_accuracy, our_samples = our_figures(workspace)
    model = os.path.join(workspace, "best_model.onnx")
    session = open_session(model)
    samples = DATASETS[name](settings or {}, dump)
    batch = int(loader.get("batch_size", 1))
    correct, same, count = evaluate(session, Ours(run_model, model, batch), samples, steps, k, batch)
    if count == 0:
        raise Missing("the data set is empty")
    performance = evaluation.get("performance", {}).get("dataloader", loader)
    latency = measure(session, int(performance.get("batch_size", 1)))

    our_correct = round(our_accuracy * count)
    allowed = max(3, int(0.0015 * count))
    needed = math.ceil(0.99 * count) - 1
    agree = (abs(our_correct - correct) <= allowed and our_samples == count
             and same >= needed)
    print(f"{'':22}{'accuracy':>10}{'correct':>16}{'latency ms/sample':>20}")
    print(f"{'lpot-tune':22}{our_accuracy:10.4f}{our_correct:9d}/{our_samples:<6d}"
          f"{float(ours['latency_ms']):20.4f}")
    title = f"ONNX Runtime {onnxruntime.__version__}"
    print(f"{title:22}{correct / count:10.4f}{correct:9d}/{count:<6d}{latency:20.4f}")
    print(f"{'agree' if agree else 'DISAGREE'}: correct samples differ by "
          f"{abs(our_correct - correct)}, allowed are {allowed}; given the same inputs, "
          f"{same}/{count} have the same best class, needed are {needed}")
    return 0 if agree else 1


def main():
    try:
        return compare(*sys.argv[1:4])
    except Skip as reason:
        print(f"SKIPPED verify-export: it cannot read {reason}")
        return 0
    except (Missing, OSError) as reason:
        if isinstance(reason, OSError) and reason.filename is not None:
            reason = f"{reason.strerror}: '{os.fsdecode(reason.filename)}'"
        print(f"verify-export: {reason} (relative paths start in FOLDER, where lpot-tune was started)",
              file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
