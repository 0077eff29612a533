"""Receptive fields by automatic differentiation: with weights of one, the gradient of an output with respect to the
picture counts in how many ways each pixel reaches it. Where interpolation brings other weights, only its support is kept."""

import torch
import torch.nn.functional as F

conv = lambda kernel=3, padding=1, **more: {"kind": "conv", "kernel": kernel, "padding": padding, **more}
pool = lambda kind="maxpool", kernel=2, **more: {"kind": kind, "kernel": kernel, **more}
up = lambda scale=2, **more: {"kind": "upsample", "scale": scale, **more}
transposed = lambda kernel=2, stride=2, **more: {"kind": "convtranspose", "kernel": kernel, "stride": stride, **more}
join = lambda layer, kind="concat": {"kind": kind, "from": layer}


def unet(upsample, middle="maxpool"):
    """Two levels, two convolutions each; skips from the second convolution of each level."""
    return [conv(), conv(), pool(middle), conv(), conv(), pool(middle), conv(), conv(),
            upsample, join(4), conv(), conv(), upsample, join(1), conv(), conv(kernel=1, padding=0)]


NETWORKS = {
    "one convolution": ([20, 20], [conv()]),
    "three convolutions": ([20, 20], [conv(), conv(), conv()]),
    "strides and dilations": ([33, 30], [conv(stride=2), conv(kernel=[3, 2], padding=[2, 0], dilation=[2, 3]), conv(stride=[1, 2])]),
    "same, even kernel": ([20, 20], [conv(kernel=4, padding="same"), conv(kernel=2, padding="same", dilation=3)]),
    "reflected rim": ([12, 12], [conv(paddingMode="reflect"), conv(kernel=5, padding=2, paddingMode="reflect")]),
    "periodic": ([12, 12], [conv(paddingMode="circular"), conv(stride=2, paddingMode="circular")]),
    "conv and pool, four times": ([48, 48], [conv(), pool()] * 4),
    "overlapping pools": ([30, 31], [pool(kernel=3, stride=2, padding=1), conv(), pool("avgpool", kernel=3, stride=2, padding=1)]),
    "rounded up": ([11, 12], [conv(), pool(ceilMode=True), pool("avgpool", kernel=3, stride=2, ceilMode=True)]),
    "residual block": ([20, 20], [conv(), conv(), conv(), join(0, "add"), conv()]),
    "two branches": ([20, 20], [conv(kernel=5, padding=2), conv(**{"from": -1}), join([0, -1]), conv()]),
    "nearest": ([12, 12], [conv(), up(), conv()]),
    "nearest, three times, even kernel": ([9, 9], [up(3), conv(kernel=2, padding=0)]),
    "bilinear": ([12, 12], [conv(), up(mode="bilinear"), conv()]),
    "bilinear, three times": ([9, 9], [up(3, mode="bilinear"), conv(stride=2)]),
    "transposed": ([10, 10], [conv(), transposed(), conv()]),
    "transposed, overlapping": ([10, 10], [transposed(3, 2, padding=1, outputPadding=1), transposed(4, 2, padding=1)]),
    "transposed, dilated": ([8, 9], [transposed(3, 2, dilation=2, padding=1), conv()]),
    "transposed, with holes": ([8, 8], [transposed(1, 2, outputPadding=1)]),
    "unet, nearest": ([36, 36], unet(up())),
    "unet, bilinear": ([36, 36], unet(up(mode="bilinear"))),
    "unet, transposed": ([36, 36], unet(transposed())),
    "unet, mean pooling": ([32, 36], unet(transposed(), "avgpool")),
}


def two(value):
    return tuple(value) if isinstance(value, list) else (value, value)


def slide(x, layer):
    padding = layer.get("padding", 0)
    given = {"padding": padding if isinstance(padding, str) else two(padding), "stride": two(layer.get("stride", 1)),
             "dilation": two(layer.get("dilation", 1)), "padding_mode": layer.get("paddingMode", "zeros")}
    module = torch.nn.Conv2d(1, 1, two(layer["kernel"]), bias=False, dtype=x.dtype, **given)
    torch.nn.init.ones_(module.weight)
    return module(x)


def apply(layer, x):
    kind = layer["kind"]
    if kind == "conv":
        return slide(x, layer)
    if kind in ("maxpool", "avgpool"):  # every candidate is a way
        return F.avg_pool2d(x, two(layer["kernel"]), two(layer.get("stride", layer["kernel"])), two(layer.get("padding", 0)),
                            ceil_mode=layer.get("ceilMode", False), divisor_override=1)
    if kind == "upsample":
        mode = layer.get("mode", "nearest")
        return F.interpolate(x, scale_factor=layer["scale"], mode=mode, align_corners=False if mode == "bilinear" else None)
    weight = torch.ones(1, 1, *two(layer["kernel"]), dtype=x.dtype)
    return F.conv_transpose2d(x, weight, stride=two(layer["stride"]), padding=two(layer.get("padding", 0)),
                              output_padding=two(layer.get("outputPadding", 0)), dilation=two(layer.get("dilation", 1)))


def forward(layers, x):
    maps = [x]
    for layer in layers:
        start = layer.get("from")
        if layer["kind"] in ("add", "concat"):
            others = start if isinstance(start, list) else [start]
            # Behind a concatenation with weights of one, channels are added.
            maps.append(maps[-1] + sum(maps[other + 1] for other in others))
        else:
            maps.append(apply(layer, maps[-1 if start is None else start + 1]))
    return maps[-1]


def place(y):
    """The middle, a corner, and an odd place near a rim."""
    height, width = y.shape[-2:]
    places = [(height // 2, width // 2), (0, width - 1), (min(1, height - 1), width // 3)]
    return [list(place) for place in dict.fromkeys(places)]


def cases():
    made = []
    for name, (size, layers) in NETWORKS.items():
        linear = any(layer.get("mode") == "bilinear" for layer in layers)
        x = torch.zeros(1, 1, *size, dtype=torch.float64, requires_grad=True)
        y = forward(layers, x)
        for m, n in place(y):
            (gradient,) = torch.autograd.grad(y[0, 0, m, n], x, retain_graph=True)
            counts = gradient[0, 0]
            if linear:
                counts = (counts > 1e-12).double()
            rows, columns = counts.sum(1).nonzero().flatten().tolist(), counts.sum(0).nonzero().flatten().tolist()
            record = {"name": f"{name} at {m}, {n}", "layers": layers, "input": size, "output": list(y.shape[-2:]),
                      "at": [m, n], "support": linear}
            if rows:
                top, bottom, left, right = rows[0], rows[-1], columns[0], columns[-1]
                patch = counts[top : bottom + 1, left : right + 1]
                assert torch.equal(patch, patch.round()) and patch.max() < 2**53
                record["rect"] = {"top": top, "left": left, "bottom": bottom, "right": right}
                record["counts"] = patch.flatten().long().tolist()
            made.append(record)
    return made
