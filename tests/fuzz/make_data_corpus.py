#!/usr/bin/env python3
"""Makes the first inputs of fuzz_dataset, fuzz_metric_state and fuzz_plugin.

Usage: make_data_corpus.py CORPUS_FOLDER
"""
import gzip
import json
import pathlib
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tf_example import example  # noqa: E402


def records(*examples):
    return b"".join(struct.pack("<H", len(data)) + data for data in examples)


def npy(values):
    """An array of u8 as numpy writes it."""
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(values)},), }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + bytes(values)


def two(first, second):
    """Two files of fuzz_dataset."""
    return struct.pack("<H", len(first)) + first + second


def datasets(corpus):
    image = (corpus / "image" / "grey.png").read_bytes()
    pixels = struct.pack(">4I", 0x803, 2, 2, 3) + bytes(12)
    labels = struct.pack(">2I", 0x801, 2) + bytes([3, 9])
    yield "mnist", 0, two(pixels, labels)
    yield "mnist_gz", 0, two(gzip.compress(pixels, mtime=0), gzip.compress(labels, mtime=0))
    yield "cifar10", 1, bytes([7]) + bytes(3072)
    yield "cifar100", 2, bytes([1, 99]) + bytes(3072)
    photo = example({"image/encoded": [image], "image/class/label": [5]})
    yield "tf_record", 3, records(photo, photo)
    places = {f"image/object/bbox/{side}": [value] for side, value in
              (("xmin", 0.25), ("xmax", 0.75), ("ymin", 0.0), ("ymax", 1.0))}
    boxes = example({"image/encoded": [image], "image/object/class/label": [3],
                     "image/object/is_crowd": [0], **places})
    yield "coco_record", 4, records(boxes, boxes)
    yield "voc_record", 5, records(
        example({"image/encoded": [image], "image/segmentation/class/encoded": [image]}))
    yield "image_record", 6, records(photo)
    yield "imagenet_raw", 7, two(b"a.png 3\nmissing.png 4\n", image)
    npz = (corpus / "npy" / "arrays.npz").read_bytes()
    yield "npy", 8, two(npz, npy([0, 1, 2, 1]))
    yield "voc_raw", 9, two(b"a 1\n", (corpus / "voc" / "one.xml").read_bytes())
    coco = {"images": [{"id": 1, "file_name": "a.png", "width": 4, "height": 4}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 2, "bbox": [0, 1, 2, 3],
                             "iscrowd": 0}],
            "categories": [{"id": 2, "name": "b"}]}
    yield "coco_raw", 10, two(json.dumps(coco).encode(), image)
    yield "glue", 11, two(b"Quality\t1\t2\tA\tB\n1\t7\t8\ta b\tb a\n", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n")


def state(samples, correct, records_of):
    return (struct.pack("<3QdQQQQ", samples, correct, 4, 1.5, 0, 3, 1, len(records_of)) +
            records_of)


def states():
    yield "counts", 0, state(4, 3, b"") * 2
    image = struct.pack("<II", 0, 1) + struct.pack("<II", 2, 1) + struct.pack("<I", 1)
    image += struct.pack("<IfII", 2, 0.5, 1023, 0)
    for name, kind in (("coco_map", 3), ("voc_map", 4)):
        yield name, kind, state(1, 0, image) * 2
    yield "miou", 12, state(1, 0, struct.pack("<9Q", *range(9))) * 2
    yield "f1", 9, state(2, 0, struct.pack("<3Q", 1, 0, 1)) * 2
    yield "correlation", 10, state(2, 0, struct.pack("<4d", 1.0, 2.0, 3.0, 2.5)) * 2


def tensor(slot, dtype, dims, data):
    return bytes([slot & 255, dtype, len(dims)]) + bytes(dims) + data


def answers():
    """Transform, size, postprocess, metric, then what the components answer in turn."""
    image = b"\2" + tensor(0, 2, [2, 2, 3], bytes(range(12))) + tensor(-1, 7, [1], b"\1") + b"\0"
    yield "images", b"\1\3\1\1" + image * 3
    changed = image + b"\1" + tensor(0, 2, [3], b"abc") + b"\0"
    yield "own", b"\0\3\0\0" + changed * 3 + b"\0\0" + b"\1\0\1\0"
    yield "refused", b"\1\3\1\1\1" + tensor(9, 2, [3], b"abc") + b"\xf8"


def main():
    corpus = pathlib.Path(sys.argv[1])
    for folder in ("dataset", "metric_state", "plugin"):
        (corpus / folder).mkdir(exist_ok=True)
    for name, kind, data in datasets(corpus):
        (corpus / "dataset" / name).write_bytes(bytes([kind]) + data)
    for name, kind, data in states():
        (corpus / "metric_state" / name).write_bytes(bytes([kind]) + data)
    for name, data in answers():
        (corpus / "plugin" / name).write_bytes(data)


if __name__ == "__main__":
    main()
