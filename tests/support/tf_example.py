"""Protocol buffers and the message tf.Example, written from their descriptions."""
import struct


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def message(number, content):
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def example(features):
    """A tf.Example: lists of bytes, floats or whole numbers by name."""
    entries = b""
    for name, values in features.items():
        if isinstance(values[0], bytes):
            kind, content = 1, b"".join(message(1, value) for value in values)
        elif isinstance(values[0], float):
            kind, content = 2, message(1, struct.pack(f"<{len(values)}f", *values))
        else:
            kind, content = 3, message(1, b"".join(varint(value) for value in values))
        entries += message(1, message(1, name.encode()) + message(2, message(kind, content)))
    return message(1, entries)
