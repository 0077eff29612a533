"""What PyTorch makes of the shipped networks, node by node. Writes tests/golden/networks.json.

    python training/golden/networks.py      after a network was trained anew

The picture is a part of the titanium micrograph; of every node some values are kept, spread over its whole map.
"""

import json
import pathlib
import struct
import sys

import numpy
import PIL.Image
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import network  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = 24


def load(path):
    """Node list and parameters (single precision) of a shipped file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    nodes = json.loads(header.pop("__metadata__")["graph"])["nodes"]
    values = lambda e: numpy.frombuffer(data[8 + length :][slice(*e["data_offsets"])], "<f2").astype("f4").reshape(e["shape"])
    return nodes, {name: torch.from_numpy(values(entry)) for name, entry in header.items()}


def case(path):
    nodes, parameters = load(path)
    # Not a multiple of 16: padding and cropping take part, unless the network asks for a size.
    height, width = nodes[0]["attributes"].get("size", (44, 52))
    at = [60, 300, height, width]
    picture = numpy.asarray(PIL.Image.open(ROOT / "www" / "images" / "grain_ti_sem.png").convert("L"), dtype="f4") / 255
    image = torch.from_numpy(picture[60 : 60 + height, 300 : 300 + width].copy())
    with torch.no_grad():
        maps = network.run(nodes, parameters, image[None, None])
    kept = {}
    for name, map in maps.items():
        places = numpy.linspace(0, map.numel() - 1, min(KEPT, map.numel())).astype(int)
        values = map.flatten()[torch.from_numpy(places)]
        kept[name] = {"shape": list(map.shape[1:]), "at": places.tolist(), "values": [float(f"{value:.7g}") for value in values.tolist()]}
    return {"name": path.stem, "part": at, "nodes": kept}


def main():
    torch.set_num_threads(1)
    cases = [case(path) for path in sorted((ROOT / "www" / "models").glob("*.safetensors"))]
    (ROOT / "tests" / "golden" / "networks.json").write_text(json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases}, separators=(",", ":")) + "\n")
    print(f"{len(cases)} networks, {sum(len(each['nodes']) for each in cases)} nodes")


if __name__ == "__main__":
    main()
