#!/usr/bin/env python3
"""Writes objects.tfrecord, a TFRecord file of COCO's kind: three tf.Examples with images and boxes;
objects_short.tfrecord, which lacks a box; and
objects_named.tfrecord, whose classes are names, as TensorFlow's conversion wrote them until 2020, with an image that
has no annotation.

Run with the package protobuf in the folder of the results, behind make_golden.py. The messages are
serialized by protobuf itself, from tf.Example's description below.
"""
import struct

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FIELD = descriptor_pb2.FieldDescriptorProto
file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tf", syntax="proto3")


def describe(name, *fields):
    made = file.message_type.add(name=name)
    for number, (field, kind, label, type_name, oneof) in enumerate(fields, 1):
        added = made.field.add(name=field, number=number, type=kind, label=label)
        if type_name:
            added.type_name = type_name
        if oneof:
            added.oneof_index = 0
    return made


ONE, MANY = FIELD.LABEL_OPTIONAL, FIELD.LABEL_REPEATED
describe("BytesList", ("value", FIELD.TYPE_BYTES, MANY, None, False))
describe("FloatList", ("value", FIELD.TYPE_FLOAT, MANY, None, False))
describe("Int64List", ("value", FIELD.TYPE_INT64, MANY, None, False))
describe("Feature", ("bytes_list", FIELD.TYPE_MESSAGE, ONE, ".tf.BytesList", True),
         ("float_list", FIELD.TYPE_MESSAGE, ONE, ".tf.FloatList", True),
         ("int64_list", FIELD.TYPE_MESSAGE, ONE, ".tf.Int64List", True)).oneof_decl.add(name="kind")
features = describe("Features", ("feature", FIELD.TYPE_MESSAGE, MANY, ".tf.Features.Entry", False))
entry = features.nested_type.add(name="Entry")
entry.options.map_entry = True
entry.field.add(name="key", number=1, type=FIELD.TYPE_STRING, label=ONE)
entry.field.add(name="value", number=2, type=FIELD.TYPE_MESSAGE, label=ONE, type_name=".tf.Feature")
describe("Example", ("features", FIELD.TYPE_MESSAGE, ONE, ".tf.Features", False))
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
Example = message_factory.GetMessageClass(pool.FindMessageTypeByName("tf.Example"))


def checksum(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(image, boxes, labels, crowds, names=None):
    example = Example()
    feature = example.features.feature
    with open(image, "rb") as stream:
        feature["image/encoded"].bytes_list.value.append(stream.read())
    feature["image/source_id"].bytes_list.value.append(b"17")
    if labels is None and names is None:
        return frame(example)
    for i, name in enumerate(("ymin", "xmin", "ymax", "xmax")):
        feature[f"image/object/bbox/{name}"].float_list.value.extend([box[i] for box in boxes])
        feature[f"image/object/bbox/{name}"].float_list.SetInParent()
    if names is not None:
        feature["image/object/class/text"].bytes_list.value.extend(names)
    else:
        feature["image/object/class/label"].int64_list.value.extend(labels)
        feature["image/object/class/label"].int64_list.SetInParent()
    if crowds is not None:
        feature["image/object/is_crowd"].int64_list.value.extend(crowds)
    return frame(example)


def frame(example):
    data = example.SerializeToString(deterministic=True)
    length = struct.pack("<Q", len(data))
    return (length + struct.pack("<I", checksum(length)) + data
            + struct.pack("<I", checksum(data)))


with open("objects.tfrecord", "wb") as out:
    out.write(record("rgb.jpg", [(0.25, 0.5, 0.75, 1), (0, 0, 1, 1)], [18, 90], [0, 1]))
    out.write(record("rgb.png", [], [], None))
    out.write(record("grey.png", [(0.125, 0, 0.5, 0.25)], [1], None))
with open("objects_short.tfrecord", "wb") as out:  # Two classes, one box.
    out.write(record("grey.png", [(0.125, 0, 0.5, 0.25)], [1, 2], None))
with open("objects_named.tfrecord", "wb") as out:
    out.write(record("rgb.jpg", [(0.25, 0.5, 0.75, 1), (0, 0, 1, 1)], None, [0, 1], [b"dog", b"toothbrush"]))
    out.write(record("rgb.png", None, None, None))
