"""Writes tests/golden/models/*.safetensors: small networks with every map and some gradients as PyTorch computes them.

    python models.py           writes the files
    python models.py --check   computes them again and compares with the committed ones

A file is a network as the crate reads it (graph in the metadata, parameters) and beside them the tensors "map:<node>" for
every node and "gradient:<i>" for the i-th entry of the metadata's "gradients", a list of {node, at}.
"""

import argparse
import json
import pathlib
import struct
import sys

import numpy
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import network  # noqa: E402
from network import node  # noqa: E402

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "models"


def lenet5():
    nodes, shapes = [node("image", "input", [], {"channels": 1, "size": [32, 32]})], {}
    add = lambda name, op, attributes=None, parameters=(): nodes.append(
        node(name, op, [nodes[-1]["name"]], attributes, parameters))
    for i, shape in ((1, (6, 1, 5, 5)), (2, (16, 6, 5, 5))):
        add(f"conv{i}", "conv2d", {}, ("weight", "bias"))
        shapes[f"conv{i}"] = shape
        add(f"relu{i}", "relu")
        add(f"pool{i}", "max_pool2d", {"kernelSize": 2})
    add("flat", "flatten", {"startDim": -3})
    for name, shape, relu in (("fc1", (120, 400), "relu3"), ("fc2", (84, 120), "relu4"), ("logits", (10, 84), None)):
        add(name, "linear", {}, ("weight", "bias"))
        shapes[name] = shape
        if relu:
            add(relu, "relu")
    add("probabilities", "softmax", {"dim": -1})
    return nodes, shapes


def residual(channels, blocks):
    nodes, shapes = [node("image", "input", [], {"channels": 1})], {}

    def conv(name, came):
        nodes.append(node(name, "conv2d", [nodes[-1]["name"]], {"padding": 1}, ("weight", "bias")))
        shapes[name] = (channels, came, 3, 3)

    relu = lambda name: nodes.append(node(name, "relu", [nodes[-1]["name"]]))
    conv("stem", 1)
    relu("stem.relu")
    for i in range(1, blocks + 1):
        before = nodes[-1]["name"]
        conv(f"block{i}.conv1", channels)
        relu(f"block{i}.relu1")
        conv(f"block{i}.conv2", channels)
        nodes.append(node(f"block{i}.sum", "add", [nodes[-1]["name"], before]))
        relu(f"block{i}.relu2")
    return nodes, shapes


FIXED = {"rule": "fixed", "mean": 0.4, "std": 0.2}
CASES = {
    "unet-nearest": (network.unet((3, 4, 5)), (1, 12, 16)),
    "unet-bilinear-odd": (network.unet((3, 4, 5), up="bilinear", classes=3, normalize={"rule": "meanStd"}), (1, 11, 14)),
    "unet-transposed": (network.unet((3, 4), up="transposed", classes=1, in_channels=2, normalize=FIXED), (2, 8, 10)),
    "unet-norm-odd": (network.unet((3, 4, 5), norm=True, up="transposed",
                                   normalize={"rule": "percentile", "low": 5, "high": 90}), (1, 9, 13)),
    "unet-no-skips": (network.unet((3, 4, 5), skips=False), (1, 8, 13)),
    "lenet5": (lenet5(), (1, 32, 32)),
    "residual": (residual(4, 2), (1, 9, 10)),
}


def places(nodes, maps):
    """Nodes and positions whose gradients are taken: of every map that is a weighted sum, and of the output."""
    wanted = [each["name"] for each in nodes if each["op"] in ("conv2d", "conv_transpose2d", "linear", "add")]
    for i, name in enumerate([*wanted[1::3], "logits", "probabilities"]):
        if name in maps:
            shape = maps[name].shape[1:]
            yield {"node": name, "at": [(5 * i + 3 * j + 1) % n for j, n in enumerate(shape)]}


def case(seed, nodes, shapes, size):
    generator = torch.Generator().manual_seed(seed)
    parameters = network.initial(nodes, shapes, seed, spread=True)
    image = torch.rand((1, *size), generator=generator).requires_grad_()
    maps = network.run(nodes, parameters, image)
    gradients = list(places(nodes, maps))
    tensors = dict(parameters)
    tensors |= {f"map:{name}": value[0] for name, value in maps.items()}
    for i, place in enumerate(gradients):
        value = maps[place["node"]][(0, *place["at"])]
        tensors[f"gradient:{i}"] = torch.autograd.grad(value, image, retain_graph=True)[0][0]
    return tensors, {"gradients": json.dumps(gradients), "torch": torch.__version__}


def load(path):
    """Tensors of a file, as numpy arrays."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    values = lambda e: numpy.frombuffer(data[8 + length :][slice(*e["data_offsets"])], "<f4").reshape(e["shape"])
    return {name: values(entry) for name, entry in header.items() if name != "__metadata__"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files and write nothing")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for seed, (name, ((nodes, shapes), size)) in enumerate(CASES.items()):
        tensors, metadata = case(seed, nodes, shapes, size)
        path = GOLDEN / f"{name}.safetensors"
        if check:
            old = load(path)
            assert old.keys() == tensors.keys(), name
            worst = max(numpy.abs(old[key] - tensors[key].detach().numpy()).max() for key in old)
            assert worst < 1e-5, f"{name}: {worst}"
            print(f"{name}: {len(old)} tensors agree to {worst:.1e}")
        else:
            network.save(path, nodes, tensors, metadata=metadata)
            print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB, {metadata['gradients'].count('node')} gradients")


if __name__ == "__main__":
    main()
