#!/usr/bin/env python3
"""Writes arrays.h5, and photos-00000-of-00002, photos-00001-of-00002, segments.tfrecord and
segments_wrong.tfrecord, files of TFRecords.

Run with h5py, numpy and Pillow in the folder of the results, behind make_golden.py; made with h5py 3.16,
numpy 2.4.6 and Pillow 13. Records and checksums are written from the formats' descriptions: the checksum bit by
bit, protocol buffers by hand (tests/support).
"""
import io
import pathlib
import struct
import sys

import h5py
import numpy as np
from PIL import Image

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from tf_example import example  # noqa: E402

with h5py.File("arrays.h5", "w") as file:
    rows = np.arange(6 * 4 * 5, dtype=np.float32).reshape(6, 4, 5)
    file.create_dataset("plain", data=rows)
    file.create_dataset("deep/down/packed", data=rows, chunks=(4, 2, 5), compression="gzip",
                        shuffle=True, fletcher32=True)
    file.create_dataset("swapped", data=np.arange(6).astype(">i4") - 3)
    file.create_dataset("half", data=np.array([[1.5, -2.25]] * 6, np.float16))
    file.create_dataset("truth", data=np.array([True, False] * 3))
    file.create_dataset("labels", data=np.array([4, 0, 3, 1, 5, 2], np.int64))
    file.create_dataset("doubles", data=np.ones((6, 50)), chunks=(6, 50), compression="lzf")
    file.create_dataset("short", data=np.zeros((5, 2), np.uint8))
    file.create_dataset("texts", data=np.array([b"a"] * 6))
    file.create_dataset("scalar", data=1.0)
    file.create_dataset("empty", shape=(0, 3), dtype=np.uint8)


def checksum(data):
    value = 0xFFFFFFFF
    for byte in data:
        for bit in range(8):
            value, low = value >> 1, (value ^ byte >> bit) & 1
            if low:
                value ^= 0x82F63B78
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data):
    length = struct.pack("<Q", len(data))
    return (length + struct.pack("<I", checksum(length)) + data
            + struct.pack("<I", checksum(data)))


def photo(name, label, **others):
    with open(name, "rb") as file:
        features = {"image/height": [7], "image/encoded": [file.read()],
                    "image/object/bbox/xmin": [0.25, 0.5], "image/class/label": [label]}
    return record(example({**features, **others}))


assert checksum(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
with open("photos-00000-of-00002", "wb") as file:
    file.write(photo("rgb.jpg", 3) + photo("grey.png", 1000))
with open("photos-00001-of-00002", "wb") as file:
    file.write(photo("rgb.png", -1, **{"second/label": [8]}))


def segments(name, classes, palette=None):
    """An image and the classes of its pixels."""
    image = Image.fromarray(classes.astype(np.uint8), "L" if palette is None else "P")
    if palette is not None:
        image.putpalette(palette)
    png = io.BytesIO()
    image.save(png, "png")
    with open(name, "rb") as file:
        return record(example({"image/encoded": [file.read()], "image/format": [b"jpeg"],
                               "image/segmentation/class/encoded": [png.getvalue()],
                               "image/segmentation/class/format": [b"png"]}))


height, width = Image.open("rgb.jpg").size[::-1]
y, x = np.mgrid[:height, :width]
classes = np.where(x == 0, 255, (x + 2 * y) % 21)
with open("segments.tfrecord", "wb") as file:
    file.write(segments("rgb.jpg", classes) + segments("rgb.jpg", 0 * classes))
with open("segments_wrong.tfrecord", "wb") as file:  # Coloured; too narrow.
    file.write(segments("rgb.jpg", classes, [0, 0, 0, 128, 0, 0, 0, 128, 0] + [7] * 759)
               + segments("rgb.jpg", classes[:, 1:]))
