#!/usr/bin/env python3
"""Makes the first inputs of fuzz_journal and fuzz_protocol from a journal that lpot-tune wrote.

Usage: make_tune_corpus.py TRIALS_JOURNAL CORPUS_FOLDER
The journal should be of a run with tuning.op_times.
"""
import pathlib
import struct
import sys

HEADER = 1
RESULT = 5
OP_TIMES = 11
FOOTPRINT = 13
HEAD = 28
MARK = 0
OP_BYTES = 8  # of a recipe


def records(data):
    """The (type, payload) pairs of a journal, without its marks."""
    at = 0
    while at + HEAD <= len(data):
        _, kind, _, length, _, _ = struct.unpack_from("<IHHIQQ", data, at)
        if kind != MARK:
            yield kind, data[at + HEAD : at + HEAD + length]
        at += HEAD + length


def message(kind, payload, task_id=7):
    """One message of tune/protocol.h."""
    return struct.pack("<IHHQQ", 0x474D504C, 5, kind, task_id, len(payload)) + payload


def text(value):
    """A string of base/writer.h."""
    return struct.pack("<I", len(value)) + value.encode()


def main():
    data = pathlib.Path(sys.argv[1]).read_bytes()
    folder = pathlib.Path(sys.argv[2])
    journal = folder / "journal"
    protocol = folder / "protocol"
    journal.mkdir(parents=True, exist_ok=True)
    protocol.mkdir(parents=True, exist_ok=True)
    (journal / "whole").write_bytes(data)
    (journal / "torn").write_bytes(data[: -HEAD - 5])  # in the last record, before its mark
    plain = b"".join(struct.pack("<BH", kind, len(body)) + body for kind, body in records(data))
    (journal / "records").write_bytes(plain)
    times = [body for kind, body in records(data) if kind == OP_TIMES]
    header = next(body for kind, body in records(data) if kind == HEADER)
    footprint = struct.pack("<QQ", 1 << 20, 3 << 20)
    (journal / "footprint").write_bytes(
        b"".join(struct.pack("<BH", kind, len(body)) + body
                 for kind, body in ((HEADER, header), (FOOTPRINT, bytes(8) + footprint))))
    if times:
        (journal / "op_times").write_bytes(
            b"".join(struct.pack("<BH", kind, len(body)) + body
                     for kind, body in ((HEADER, header), (OP_TIMES, times[0]))))
    result = next(body for kind, body in records(data) if kind == RESULT)
    num_ops, = struct.unpack_from("<I", result, 10)
    recipe = result[: 14 + num_ops * OP_BYTES]
    race = struct.pack("<7q", 100, 80, 79, 8, 7, 1, 0) + struct.pack("<7d", *[1.0] * 7) + b"\0"
    no_blocks = struct.pack("<dQqQQ", 1.0, 5, 0, 0, 0)
    figures = struct.pack("<11dQQI", *[1.0] * 11, 1, 0, 1) + b"\1\0" + text("") + text("e") + text("g") + text("0-1")
    latency = figures + struct.pack("<III2dI4fIB", 1, 0, 0, 2.0, 1.0, 0, 1.0, 0.0, 0.0, 1.0, 0, 1)
    (protocol / "hello").write_bytes(
        message(0, struct.pack("<q", 1) + text("host") + text("class") + bytes(40)))
    (protocol / "task_f32").write_bytes(message(1, struct.pack("<Bqq", 0, 0, 4) + b"\0\0\0\0"))
    (protocol / "task_recipe").write_bytes(
        message(1, struct.pack("<Bqq", 0, 0, 4) + b"\1" + recipe + b"\0\0\0"))
    corrected = recipe[:1] + bytes([recipe[1] | 0x18]) + recipe[2:]  # bias_correction, cross_layer_equalization
    (protocol / "task_corrected").write_bytes(
        message(1, struct.pack("<Bqq", 0, 0, 4) + b"\1" + corrected + b"\0\0\0"))
    (protocol / "task_senses").write_bytes(
        message(1, struct.pack("<Bqq", 0, 0, 1) + b"\1" + recipe + b"\1\0\0"))
    (protocol / "task_held_out").write_bytes(
        message(1, struct.pack("<Bqq", 0, 0, 1) + b"\1" + recipe + b"\0\1\0"))
    (protocol / "task_raced").write_bytes(
        message(1, struct.pack("<Bqq", 0, 0, 4) + b"\1" + recipe + b"\0\0\1" + race +
                struct.pack("<Q", 10) + b"\xa5\1"))
    (protocol / "outcome_failed").write_bytes(
        message(2, struct.pack("<BB", 0, 9) + text("cause") + no_blocks))
    (protocol / "outcome_latency").write_bytes(
        message(2, struct.pack("<BB", 2, 0) + text("") + no_blocks + latency))
    if times:
        (protocol / "outcome_op_times").write_bytes(
            message(2, struct.pack("<BB", 3, 0) + text("") + no_blocks + times[0]))
    (protocol / "outcome_footprint").write_bytes(
        message(2, struct.pack("<BB", 4, 0) + text("") + no_blocks + footprint))
    (protocol / "outcome_states").write_bytes(
        message(2, struct.pack("<BB", 0, 0) + text("") + struct.pack("<dQqQ", 1.0, 5, 0, 1) + bytes(64) +
                struct.pack("<Q", 10) + b"\xa5\1"))
    (protocol / "calibration").write_bytes(message(3, struct.pack("<q?", 10, True) + bytes(16)))
    (protocol / "cancel").write_bytes(message(4, b""))
    (protocol / "end").write_bytes(message(5, b""))
    (protocol / "kill").write_bytes(message(6, b""))
    (protocol / "start").write_bytes(message(7, struct.pack("<qq", 1, 4) + text("host")))
    (protocol / "failed").write_bytes(message(8, b"\4" + text("cause")))


if __name__ == "__main__":
    main()
