"""Writes tests/golden/onnx/node: ONNX's own test cases for the operators that the crate reads, one model a case.

    python onnx_nodes.py

The crate's networks have one input, the picture. So of a case's inputs the first stays one and the others become weights
("map:" cases). Cases of shape arithmetic keep no input: their result is added to a picture of zeros ("fold:" cases).
"""
import pathlib
import sys
import warnings

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import network  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "onnx"
MAPS = set("""Conv ConvTranspose MaxPool AveragePool GlobalAveragePool ReduceMean Relu LeakyRelu Sigmoid Softmax
    BatchNormalization Add Gemm MatMul Flatten Reshape Squeeze Unsqueeze Slice Resize Upsample Pad Identity Dropout""".split())
FOLDS = set("""Constant Shape Size Gather Slice Squeeze Unsqueeze Concat Add Sub Mul Div Mod Neg Cast Identity Reshape Flatten
    Transpose ConstantOfShape Equal Where Max Min Floor Ceil Range""".split())
# Larger cases show nothing that smaller ones do not, and 3-D ones are refused before their numbers matter.
MOST = 24_000


def model(nodes, inputs, outputs, weights, opsets):
    graph = helper.make_graph(nodes, "case", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="onnx node cases")


def plain(value):
    return isinstance(value, numpy.ndarray) and value.dtype.kind in "fiub" and value.dtype.itemsize <= 8


def as_map(case, xs):
    graph = case.model.graph
    weights = [numpy_helper.from_array(x, info.name) for x, info in zip(xs[1:], graph.input[1:])]
    return model(graph.node, graph.input[:1], graph.output, weights, case.model.opset_import)


def as_fold(case, xs, y):
    graph = case.model.graph
    weights = [numpy_helper.from_array(x, info.name) for x, info in zip(xs, graph.input)]
    first = graph.output[0].name
    nodes = [*graph.node, helper.make_node("Cast", [first], ["as float"], to=TensorProto.FLOAT),
             helper.make_node("Add", ["picture", "as float"], ["the sum"])]
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, y.shape) for name in ("picture", "the sum")]
    return model(nodes, infos[:1], infos[1:], weights, case.model.opset_import)


def cases():
    for case in collect_testcases(None):
        graph = case.model.graph
        ops = {node.op_type for node in graph.node}
        if len(graph.node) != 1 or case.model.functions or any(node.domain for node in graph.node):
            continue
        (op,) = ops
        if op not in MAPS | FOLDS or not case.data_sets:
            continue
        xs, ys = case.data_sets[0]
        if not all(map(plain, [*xs, *ys])) or sum(x.nbytes for x in [*xs, *ys]) > MOST:
            continue
        name = case.name.removeprefix("test_")
        y = ys[0]
        if op in MAPS and xs and xs[0].dtype == numpy.float32 and y.dtype == numpy.float32:
            yield f"map_{name}", as_map(case, xs), xs[0], y
        if op in FOLDS:
            flat = y.astype(numpy.float32)
            yield f"fold_{name}", as_fold(case, xs, y), numpy.zeros(y.shape, numpy.float32), flat


def main():
    warnings.filterwarnings("ignore")
    folder = FOLDER / "node"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.onnx"):
        old.unlink()
    tensors = {}
    for name, made, x, y in cases():
        (folder / f"{name}.onnx").write_bytes(made.SerializeToString())
        for key, value in (("x", x), ("y", y)):
            # The crate's tensors have 1 to 4 dimensions and at least one value; what has not is refused anyway.
            if 1 <= value.ndim <= 4 and value.size and numpy.isfinite(value).all():
                tensors[f"{name}:{key}"] = torch.from_numpy(numpy.ascontiguousarray(value))
    network.save(folder.with_suffix(".safetensors"), [], tensors, metadata={"onnx": onnx.__version__})
    files = list(folder.glob("*.onnx"))
    print(f"{len(files)} cases, {sum(f.stat().st_size for f in files) / 1024:.0f} KiB of models")


if __name__ == "__main__":
    main()
