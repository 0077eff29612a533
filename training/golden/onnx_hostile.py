"""Writes fuzz/corpus: files that a stranger could send to do harm, each in its own way. Every one must be refused or harmless.

    python onnx_hostile.py
"""
import pathlib

import numpy
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "fuzz" / "corpus"
FLOAT = TensorProto.FLOAT


def weight(name, shape):
    return numpy_helper.from_array(numpy.ones(shape, numpy.float32), name)


def ints(name, *values):
    return numpy_helper.from_array(numpy.array(values, numpy.int64), name)


def model(nodes, weights=(), shape=(1, 1, "h", "w"), output="y", kind=FLOAT, opset=20):
    x = helper.make_tensor_value_info("x", kind, shape)
    y = helper.make_tensor_value_info(output, FLOAT, None)
    return helper.make_model(helper.make_graph(nodes, "hostile", [x], [y], list(weights)), opset_imports=[helper.make_opsetid("", opset)])


node = helper.make_node
plain = model([node("Relu", ["x"], ["y"])])


def lying(field, value):
    made = weight("w", (1, 1, 3, 3))
    if field == "dims":
        made.dims[:] = value
    elif field == "raw":
        made.raw_data = value
    else:
        setattr(made, field, value)
    return model([node("Conv", ["x", "w"], ["y"])], [made])


def doubling(times):
    """A chain of shape arithmetic that doubles its length every time."""
    nodes = [node("Shape", ["x"], ["s0"])]
    nodes += [node("Concat", [f"s{i}", f"s{i}"], [f"s{i + 1}"], axis=0) for i in range(times)]
    return model([*nodes, node("Reshape", ["x", f"s{times}"], ["y"])])


def nested(depth):
    """Graphs in attributes in graphs."""
    graph = helper.make_graph([], "g", [], [])
    for _ in range(depth):
        graph = helper.make_graph([node("If", ["c"], ["y"], then_branch=graph)], "g", [], [])
    return model(list(graph.node))


CASES = {
    "circle": model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])]),
    "reads-itself": model([node("Add", ["x", "y"], ["y"])]),
    "made-twice": model([node("Relu", ["x"], ["y"]), node("Sigmoid", ["x"], ["y"])]),
    "no-nodes": model([]),
    "no-output": model([node("Relu", ["x"], ["z"])]),
    "input-is-output": model([], output="x"),
    "negative-sizes": lying("dims", [-1, 1, 3, 3]),
    "sizes-that-overflow": lying("dims", [1 << 62, 1 << 62, 3, 3]),
    "gigantic-weights": lying("dims", [1 << 30, 1, 3, 3]),
    "zero-sizes": lying("dims", [0, 1, 3, 3]),
    "too-few-numbers": lying("raw", b"1234"),
    "unknown-numbers": lying("data_type", 99),
    "text-weights": lying("data_type", TensorProto.STRING),
    "wrong-input": model([node("Relu", ["x"], ["y"])], kind=TensorProto.INT64),
    "zero-picture": model([node("Relu", ["x"], ["y"])], shape=(0, 0, 0, 0)),
    "gigantic-picture": model([node("Relu", ["x"], ["y"])], shape=(1, 1, 1 << 20, 1 << 20)),
    "gigantic-pad": model([node("Pad", ["x", "p"], ["y"])], [ints("p", 0, 0, 0, 0, 0, 0, 1 << 62, 1 << 62)]),
    "large-pad": model([node("Pad", ["x", "p"], ["y"])], [ints("p", 0, 0, 1 << 20, 1 << 20, 0, 0, 1 << 20, 1 << 20)]),
    "gigantic-resize": model([node("Resize", ["x", "", "", "s"], ["y"], mode="nearest")], [ints("s", 1, 1, 1 << 40, 1 << 40)]),
    "gigantic-kernel": model([node("MaxPool", ["x"], ["y"], kernel_shape=[1 << 40, 1 << 40], pads=[1 << 39] * 4)]),
    "zero-stride": model([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[0, 0])]),
    "zero-kernel": model([node("AveragePool", ["x"], ["y"], kernel_shape=[0, 0])]),
    "doubling-constants": doubling(60),
    "gigantic-constant": model([node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])], [ints("s", 1 << 31, 1 << 31)]),
    "gigantic-expand": model([node("Expand", ["one", "s"], ["c"]), node("Add", ["x", "c"], ["y"])], [weight("one", (1,)), ints("s", 1 << 40)]),
    "gigantic-range": model([node("Range", ["a", "b", "c"], ["r"]), node("Reshape", ["x", "r"], ["y"])],
                            [numpy_helper.from_array(numpy.array(v), n) for n, v in (("a", -(1 << 62)), ("b", 1 << 62), ("c", 1))]),
    "perm-twice": model([node("Transpose", ["x"], ["y"], perm=[0, 0, 1, 1])]),
    "division-by-zero": model([node("Shape", ["x"], ["s"]), node("Div", ["s", "z"], ["d"]), node("Reshape", ["x", "d"], ["y"])], [ints("z", 0, 0, 0, 0)]),
    "smallest-by-minus-one": model([node("Div", ["a", "b"], ["d"]), node("Reshape", ["x", "d"], ["y"])], [ints("a", -(1 << 63)), ints("b", -1)]),
    "gather-far-away": model([node("Shape", ["x"], ["s"]), node("Gather", ["s", "i"], ["d"]), node("Reshape", ["x", "d"], ["y"])], [ints("i", -(1 << 63), 7)]),
    "slice-to-infinity": model([node("Slice", ["x", "a", "b", "c", "d"], ["y"])],
                               [ints("a", -(1 << 63)), ints("b", (1 << 63) - 1), ints("c", 3), ints("d", -(1 << 63))]),
    "axis-far-away": model([node("Softmax", ["x"], ["y"], axis=-(1 << 63))]),
    "negative-groups": model([node("Conv", ["x", "w"], ["y"], group=-1)], [weight("w", (1, 1, 3, 3))]),
    "many-groups": model([node("Conv", ["x", "w"], ["y"], group=1 << 40)], [weight("w", (1, 1, 3, 3))]),
    "reshape-to-nothing": model([node("Reshape", ["x", "s"], ["y"], allowzero=1)], [ints("s", 0, -1)]),
    "reshape-overflow": model([node("Reshape", ["x", "s"], ["y"])], [ints("s", 1 << 32, 1 << 32, 1 << 32)]),
    "many-axes": model([node("Unsqueeze", ["x", "a"], ["y"])], [ints("a", *range(100))]),
    "nested-graphs": nested(20),
    "far-opset": model([node("Relu", ["x"], ["y"])], opset=1 << 40),
    "transposed-far": model([node("ConvTranspose", ["x", "w"], ["y"], strides=[4096, 4096], output_padding=[4000, 4000])], [weight("w", (1, 1, 2, 2))]),
}
EXTERNAL = {"outside-offset": ("offset", str(1 << 63)), "outside-length": ("length", str((1 << 64) - 1)), "outside-text": ("offset", "many")}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.onnx"):
        old.unlink()
    files = {name: made.SerializeToString() for name, made in CASES.items()}
    for name, (key, value) in EXTERNAL.items():
        made = weight("w", (1, 1, 3, 3))
        made.ClearField("raw_data")
        made.data_location = TensorProto.EXTERNAL
        for k, v in (("location", "../../etc/passwd"), (key, value)):
            made.external_data.add(key=k, value=v)
        files[name] = model([node("Conv", ["x", "w"], ["y"])], [made]).SerializeToString()
    whole = plain.SerializeToString()
    files |= {"cut-off": whole[:-7], "empty": b"", "one-byte": b"\x08", "lying-length": b"\x08\x0a\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
              "endless-number": b"\x08" + b"\xff" * 20, "unknown-wire": b"\x08\x0a\x3b\x00",
              # A message inside a message, ten thousand deep: attributes that hold graphs whose nodes have attributes …
              "deep": deep(30_000), "lying-text": b"\x08\x0a\x12\xff\xff\xff\xff\xff\xff\xff\x7f"}
    for name, data in files.items():
        (FOLDER / f"{name}.onnx").write_bytes(data)
    print(f"{len(files)} files, {sum(map(len, files.values())) / 1024:.0f} KiB")


def deep(levels):
    inner = b""
    for i in range(levels):
        # From the inside: Attribute.g = 6, Node.attribute = 5, Graph.node = 1, and the next attribute's graph around that.
        inner = bytes([(6, 5, 1)[i % 3] << 3 | 2]) + varint(len(inner)) + inner
        if len(inner) > 60_000 and i % 3 == 2:
            break
    return b"\x08\x0a" + bytes([7 << 3 | 2]) + varint(len(inner)) + inner


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


if __name__ == "__main__":
    main()
