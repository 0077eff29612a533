"""Networks written as the crate's graphs: a list of nodes, run by PyTorch node by node, and saved as safetensors.

A node is {"name", "op", "inputs", "attributes", "parameters"}; the parameter "weight" of the node "logits" is the tensor
"logits.weight". The crate reads the same list from the
file's metadata, so there is one description of a network and two programs that run it.
"""

import json
import pathlib
import struct

import torch
import torch.nn.functional as F


def node(name, op, inputs, attributes=None, parameters=()):
    return {"name": name, "op": op, "inputs": list(inputs), "attributes": attributes or {},
            "parameters": list(parameters)}


def unet(channels, classes=2, in_channels=1, up="nearest", skips=True, norm=False, normalize=None, head=True):
    """A U-Net (Ronneberger, Fischer and Brox 2015) with padding; the last entry of channels is the bottleneck."""
    nodes, shapes = [node("image", "input", [], {"channels": in_channels})], {}
    last = lambda: nodes[-1]["name"]

    def block(name, came, went):
        for i, c in ((1, came), (2, went)):
            nodes.append(node(f"{name}.conv{i}", "conv2d", [last()], {"padding": 1}, ("weight", "bias")))
            shapes[f"{name}.conv{i}"] = (went, c, 3, 3)
            if norm:
                nodes.append(node(f"{name}.norm{i}", "batch_norm", [last()], {},
                                  ("runningMean", "runningVar", "weight", "bias")))
                shapes[f"{name}.norm{i}"] = (went,)
            nodes.append(node(f"{name}.relu{i}", "relu", [last()]))

    if normalize:
        nodes.append(node("normalized", "normalize", [last()], normalize))
    depth = len(channels) - 1
    nodes.append(node("padded", "reflect_pad", [last()], {"multiple": 2**depth}))
    came = in_channels
    for level in range(1, depth + 1):
        block(f"enc{level}", came, channels[level - 1])
        came = channels[level - 1]
        nodes.append(node(f"pool{level}", "max_pool2d", [last()], {"kernelSize": 2}))
    block("bottleneck", came, channels[depth])
    for level in range(depth, 0, -1):
        below, here = channels[level], channels[level - 1]
        if up == "transposed":
            nodes.append(node(f"up{level}", "conv_transpose2d", [last()], {"stride": 2}, ("weight", "bias")))
            shapes[f"up{level}"] = (below, here, 2, 2)
            below = here
        elif up == "bilinear":
            nodes.append(node(f"up{level}", "interpolate", [last()],
                              {"scaleFactor": 2, "mode": "bilinear", "alignCorners": False}))
        else:
            nodes.append(node(f"up{level}", "interpolate", [last()], {"scaleFactor": 2, "mode": "nearest"}))
        if skips:
            nodes.append(node(f"cat{level}", "concat", [f"enc{level}.relu2", f"up{level}"], {"dim": -3}))
            below += here
        block(f"dec{level}", below, here)
    nodes.append(node("cropped", "crop_to", [last(), "image"]))
    nodes.append(node("logits", "conv2d", [last()], {}, ("weight", "bias")))
    shapes["logits"] = (classes, channels[0], 1, 1)
    if head:
        nodes.append(node("probabilities", "softmax", [last()], {"dim": -3}) if classes > 1 else
                     node("probabilities", "sigmoid", [last()]))
    return nodes, shapes


def initial(nodes, shapes, seed, spread=False):
    """Seeded parameters: He's for weights; zeros for biases, or small random numbers where `spread`."""
    generator = torch.Generator().manual_seed(seed)
    normal = lambda *shape: torch.randn(shape, generator=generator)
    parameters = {}
    for each in nodes:
        shape = shapes.get(each["name"])
        for slot in each["parameters"]:
            name = f"{each['name']}.{slot}"
            if each["op"] == "batch_norm":
                parameters[name] = {"runningMean": 0.3 * normal(*shape), "runningVar": 0.5 + normal(*shape).abs(),
                                    "weight": 1 + 0.3 * normal(*shape), "bias": 0.3 * normal(*shape)}[slot]
            elif slot == "weight":
                fan = shape[0] if each["op"] == "conv_transpose2d" else torch.Size(shape[1:]).numel()
                parameters[name] = normal(*shape) * (2 / fan) ** 0.5
            else:
                count = shape[1] if each["op"] == "conv_transpose2d" else shape[0]
                parameters[name] = 0.2 * normal(count) if spread else torch.zeros(count)
    return parameters


def pad_to(x, multiple):
    h, w = x.shape[-2:]
    return F.pad(x, (0, -w % multiple, 0, -h % multiple), mode="reflect")


def normalized(x, attributes):
    axes = (-2, -1)
    if attributes["rule"] == "meanStd":
        centre, width = x.mean(axes, keepdim=True), x.std(axes, keepdim=True, correction=0)
    elif attributes["rule"] == "percentile":
        rank = lambda p: torch.quantile(x.flatten(-2), p / 100, dim=-1)[..., None, None]
        centre, width = rank(attributes["low"]), rank(attributes["high"]) - rank(attributes["low"])
    else:
        centre, width = torch.tensor(attributes["mean"]), torch.tensor(attributes["std"])
    return (x - centre.detach()) / torch.where(width < 1e-6, 1.0, width).detach()


def lenet(classes, normalize=None):
    """LeNet-5 as it is built today (LeCun, Bottou, Bengio and Haffner 1998), for 32 × 32 pixels, as crate/models/classic.rs."""
    nodes = [node("image", "input", [], {"channels": 1, "size": [32, 32]})]
    shapes = {"conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (120, 400), "fc2": (84, 120), "logits": (classes, 84)}
    add = lambda name, op, attributes=None: nodes.append(
        node(name, op, [nodes[-1]["name"]], attributes, ("weight", "bias") if name in shapes else ()))
    if normalize:
        add("normalized", "normalize", normalize)
    for i in (1, 2):
        add(f"conv{i}", "conv2d")
        add(f"relu{i}", "relu")
        add(f"pool{i}", "max_pool2d", {"kernelSize": 2})
    add("flat", "flatten", {"startDim": -3})
    add("fc1", "linear")
    add("relu3", "relu")
    add("fc2", "linear")
    add("relu4", "relu")
    add("logits", "linear")
    add("probabilities", "softmax", {"dim": -1})
    return nodes, shapes


def classifier(channels, features, classes, normalize=None):
    """After LeNet's pattern, for pictures of any size: (convolution, ReLU, pooling) per level, the mean of every
    map, a layer of features in which neighbours look alike, logits."""
    nodes, shapes = [node("image", "input", [], {"channels": 1})], {}
    last = lambda: nodes[-1]["name"]
    add = lambda name, op, attributes=None, inputs=None: nodes.append(
        node(name, op, inputs or [last()], attributes, ("weight", "bias") if name in shapes else ()))
    if normalize:
        add("normalized", "normalize", normalize)
    came = 1
    for level, went in enumerate(channels, 1):
        shapes[f"conv{level}"] = (went, came, 5 if level == 1 else 3, 5 if level == 1 else 3)
        add(f"conv{level}", "conv2d", {"padding": 2 if level == 1 else 1})
        norm = f"norm{level}"
        nodes.append(node(norm, "batch_norm", [last()], {}, ("runningMean", "runningVar", "weight", "bias")))
        shapes[norm] = (went,)
        add(f"relu{level}", "relu")
        if level < len(channels):
            add(f"pool{level}", "max_pool2d", {"kernelSize": 2})
        came = went
    add("means", "adaptive_avg_pool2d", {"outputSize": 1})
    add("flat", "flatten", {"startDim": -3})
    shapes["features"], shapes["logits"] = (features, came), (classes, features)
    add("features", "linear")
    add("active", "relu")
    add("logits", "linear")
    add("probabilities", "softmax", {"dim": -1})
    return nodes, shapes


def folded(nodes, tensors, eps=1e-5):
    """The same network with every batch norm taken into the convolution before it: w·γ/√(σ² + ε), (b − μ)·γ/√(σ² + ε) + β."""
    kept, tensors, renamed = [], dict(tensors), {}
    for each in nodes:
        inputs = [renamed.get(name, name) for name in each["inputs"]]
        if each["op"] != "batch_norm":
            kept.append({**each, "inputs": inputs})
            continue
        conv, norm = inputs[0], each["name"]
        renamed[norm] = conv
        take = lambda slot: tensors.pop(f"{norm}.{slot}")
        scale = take("weight") / torch.sqrt(take("runningVar") + eps)
        shift = take("bias") - take("runningMean") * scale
        tensors[f"{conv}.weight"] = tensors[f"{conv}.weight"] * scale[:, None, None, None]
        tensors[f"{conv}.bias"] = tensors[f"{conv}.bias"] * scale + shift
    return kept, tensors


def run(nodes, parameters, image, training=False):
    """All maps by node name; image is (N, C, H, W). While training, batch norm uses the batch and keeps running means."""
    maps = {}
    for each in nodes:
        x = [maps[name] for name in each["inputs"]]
        a = each["attributes"]
        p = {slot: parameters[f"{each['name']}.{slot}"] for slot in each["parameters"]}
        maps[each["name"]] = {
            "input": lambda: image,
            "normalize": lambda: normalized(x[0], a),
            "reflect_pad": lambda: pad_to(x[0], a["multiple"]),
            "crop_to": lambda: x[0][..., : x[1].shape[-2], : x[1].shape[-1]],
            "conv2d": lambda: F.conv2d(x[0], p["weight"], p.get("bias"), a.get("stride", 1), a.get("padding", 0)),
            "conv_transpose2d": lambda: F.conv_transpose2d(x[0], p["weight"], p.get("bias"), a["stride"]),
            "batch_norm": lambda: F.batch_norm(x[0], p["runningMean"], p["runningVar"], p["weight"], p["bias"],
                                               training, eps=a.get("eps", 1e-5)),
            "relu": lambda: F.relu(x[0]),
            "sigmoid": lambda: torch.sigmoid(x[0]),
            "softmax": lambda: F.softmax(x[0], dim=a["dim"]),
            "max_pool2d": lambda: F.max_pool2d(x[0], a["kernelSize"]),
            "avg_pool2d": lambda: F.avg_pool2d(x[0], a["kernelSize"]),
            "adaptive_avg_pool2d": lambda: F.adaptive_avg_pool2d(x[0], a["outputSize"]),
            "interpolate": lambda: F.interpolate(x[0], scale_factor=a["scaleFactor"], mode=a["mode"],
                                                 align_corners=a.get("alignCorners")),
            "concat": lambda: torch.cat(x, dim=a["dim"]),
            "add": lambda: x[0] + x[1],
            "flatten": lambda: x[0].flatten(a["startDim"]),
            "linear": lambda: F.linear(x[0], p["weight"], p.get("bias")),
        }[each["op"]]()
    return maps


def save(path, nodes, tensors, card=None, half=False, metadata=None):
    """Safetensors: 8 bytes of length, a JSON header, raw little-endian values; the graph stands in the metadata."""
    header, body = {"__metadata__": {"graph": json.dumps({"nodes": nodes}, separators=(",", ":"))}}, b""
    header["__metadata__"] |= metadata or {}
    if card:
        header["__metadata__"]["card"] = json.dumps(card, separators=(",", ":"))
    for name, tensor in tensors.items():
        values = tensor.detach().to(torch.float16 if half else torch.float32).contiguous().numpy().tobytes()
        header[name] = {"dtype": "F16" if half else "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(body), len(body) + len(values)]}
        body += values
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + body)
