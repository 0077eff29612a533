"""What the first figure shows: classic kernels on the real micrograph, for tests of the crate and of the page."""

import itertools
import pathlib

import numpy
import PIL.Image
import torch

from conv2d import layer
from tensors import options

PICTURE = "grain_ti_sem.png"
KERNELS = {
    "sobel-x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "sobel-y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "gaussian-3": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
    "laplacian-8": [[1, 1, 1], [1, -8, 1], [1, 1, 1]],
}
SETTINGS = [
    {},
    {"padding": 1},
    {"padding": "same", "padding_mode": "reflect"},
    {"padding": 1, "padding_mode": "replicate"},
    {"padding": 1, "padding_mode": "circular"},
    {"stride": 2},
    {"stride": 2, "padding": 1},
    {"stride": 3, "padding": 2, "padding_mode": "reflect"},
    {"stride": (1, 4), "padding": (0, 1)},
    {"dilation": 2, "padding": 2},
    {"dilation": 4, "padding": "same", "padding_mode": "circular"},
    {"dilation": (3, 1), "stride": (2, 3), "padding": 3, "padding_mode": "replicate"},
]


def number(value):
    return float(f"{float(value):.9g}")


def padded(x, given, kernel=3):
    """The picture with its padding, by torch.nn.functional.pad, and the padding above and to the left."""
    two = lambda value: value if isinstance(value, tuple) else (value, value)
    dy, dx = two(given.get("dilation", 1))
    padding = given.get("padding", 0)
    if padding == "same":
        total = [d * (kernel - 1) for d in (dy, dx)]
        (top, bottom), (left, right) = [(t // 2, t - t // 2) for t in total]
    else:
        top, left = bottom, right = two(padding)
    mode = given.get("padding_mode", "zeros")
    mode = "constant" if mode == "zeros" else mode
    return torch.nn.functional.pad(x, (left, right, top, bottom), mode=mode)


def positions(height, width):
    """Corners, edges and the inside."""
    rows, columns = [0, height // 3, height - 1], [0, width // 5, width // 2, width - 1]
    return list(itertools.product(rows, columns))


def case(x, kernel, given):
    weight = torch.tensor(KERNELS[kernel], dtype=torch.float32)
    with torch.no_grad():
        y = layer(weight[None, None], None, given)(x)
    _, height, width = y.shape
    two = lambda value: value if isinstance(value, tuple) else (value, value)
    (sy, sx), (dy, dx) = two(given.get("stride", 1)), two(given.get("dilation", 1))
    whole = padded(x, given)
    products = []
    for m, n in [(0, 0), (height // 2, 2 * width // 3)]:
        patch = whole[0, sy * m : sy * m + 2 * dy + 1 : dy, sx * n : sx * n + 2 * dx + 1 : dx]
        assert torch.isclose((patch * weight).sum(), y[0, m, n], atol=1e-6)
        products.append({"at": [m, n], "x": [number(v) for v in patch.flatten()],
                         "products": [number(v) for v in (patch * weight).flatten()]})
    named = ", ".join(f"{key} {value}" for key, value in given.items()) or "defaults"
    return {"name": f"{kernel}: {named}", "image": PICTURE, "kernel": kernel, "options": options(**given),
            "output": [height, width],
            "values": [{"at": [m, n], "value": number(y[0, m, n])} for m, n in positions(height, width)],
            "explained": products}


def cases():
    path = pathlib.Path(__file__).resolve().parents[2] / "www" / "images" / PICTURE
    grey = numpy.asarray(PIL.Image.open(path).convert("L"), dtype=numpy.float32)
    x = torch.from_numpy(grey / numpy.float32(255))[None]
    return [case(x, kernel, given) for kernel in KERNELS for given in SETTINGS]
