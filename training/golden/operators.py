"""The operators of whole networks, one by one: options that the networks in models.py leave at rest."""

import torch
import torch.nn.functional as F

from tensors import exact, options, rounded, sixteenths

NAMES = {"output_padding": "outputPadding", "scale_factor": "scaleFactor", "align_corners": "alignCorners",
         "negative_slope": "negativeSlope", "start_dim": "startDim", "end_dim": "endDim"}


def case(name, op, seed, shapes, call, given, inexact=False, positive=()):
    """`shapes` are the inputs' (None for one that is not given); `given` the options in PyTorch's names."""
    generator = torch.Generator().manual_seed(seed)
    inputs = [None if shape is None else sixteenths(generator, shape) for shape in shapes]
    inputs = [x if i not in positive else x.abs() + 0.5 for i, x in enumerate(inputs)]
    result = {"name": name, "op": op, "options": {NAMES.get(k, k): v for k, v in options(**given).items()},
              "inputs": [None if x is None else exact(x, 16) for x in inputs]}
    try:
        y = call(*inputs)
    except (RuntimeError, ValueError, IndexError) as error:
        return result | {"error": str(error).splitlines()[0]}
    return result | {"y": rounded(y.float()) if inexact else exact(y, 256)}


def transposed():
    sizes = [{}, {"stride": 2}, {"stride": (2, 3), "padding": 1}, {"stride": 2, "padding": 1, "output_padding": 1},
             {"stride": 3, "output_padding": (2, 1)}, {"dilation": 2}, {"dilation": (1, 3), "padding": (0, 2), "stride": (1, 2)},
             {"padding": 2}, {"stride": 2, "dilation": 3, "output_padding": 2, "padding": 1}]
    for i, given in enumerate(sizes):
        for groups, bias in ((1, True), (2, False)):
            shapes = [(4, 3, 5), (4, 3 if groups == 1 else 2, 3, 2), (3,) if bias else None]
            used = given | {"groups": groups}
            yield case(f"conv_transpose2d {used}", "conv_transpose2d", i, shapes,
                       lambda x, w, b: F.conv_transpose2d(x[None], w, b, **used)[0], used)
    yield case("conv_transpose2d of a batch", "conv_transpose2d", 50, [(2, 3, 4, 4), (3, 2, 2, 2), (2,)],
               lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2), {"stride": 2})
    yield case("conv_transpose2d with too much output padding", "conv_transpose2d", 51, [(1, 3, 3), (1, 1, 2, 2), None],
               lambda x, w, b: F.conv_transpose2d(x[None], w, output_padding=1)[0], {"output_padding": 1})
    yield case("conv_transpose2d with nothing left", "conv_transpose2d", 52, [(1, 1, 1), (1, 1, 2, 2), None],
               lambda x, w, b: F.conv_transpose2d(x[None], w, padding=1)[0], {"padding": 1})


def interpolated():
    kinds = [{"mode": "nearest"}, {"mode": "bilinear"}, {"mode": "bilinear", "align_corners": True}]
    sizes = [{"scale_factor": 2}, {"scale_factor": (2, 3)}, {"scale_factor": 0.5}, {"scale_factor": 1.7}, {"size": (7, 3)},
             {"size": 1}, {"size": (1, 13)}, {"size": (5, 4)}, {"scale_factor": (0.6, 2.3)}]
    for i, size in enumerate(sizes):
        for kind in kinds:
            given = size | kind
            yield case(f"interpolate {given}", "interpolate", 100 + i, [(2, 5, 4)],
                       lambda x: F.interpolate(x[None], **given)[0], given, inexact=True)
    yield case("interpolate one pixel", "interpolate", 150, [(1, 1, 1)], lambda x: F.interpolate(x[None], size=(2, 3))[0],
               {"size": (2, 3)})


def others():
    for dim in (0, 1, 2, -1, -3):
        shapes = [[2, 3, 4], [2, 3, 4]]
        shapes[1][dim] = 5
        yield case(f"concat {dim}", "concat", 200, [tuple(s) for s in shapes], lambda a, b: torch.cat((a, b), dim), {"dim": dim})
        yield case(f"softmax {dim}", "softmax", 201, [(2, 3, 4)], lambda x: x.softmax(dim), {"dim": dim}, inexact=True)
        yield case(f"argmax {dim}", "argmax", 202, [(2, 3, 4)], lambda x: x.argmax(dim), {"dim": dim})
    yield case("concat what does not fit", "concat", 203, [(1, 2, 2), (1, 3, 2)], lambda a, b: torch.cat((a, b)), {"dim": 0})
    yield case("add", "add", 204, [(2, 3), (2, 3)], torch.add, {})
    yield case("sigmoid", "sigmoid", 205, [(2, 3, 4)], torch.sigmoid, {}, inexact=True)
    yield case("leaky_relu", "leaky_relu", 206, [(4, 5)], lambda x: F.leaky_relu(x, 0.25), {"negative_slope": 0.25})
    yield case("leaky_relu by default", "leaky_relu", 207, [(4, 5)], F.leaky_relu, {}, inexact=True)
    yield case("linear", "linear", 208, [(3, 5), (4, 5), (4,)], F.linear, {})
    yield case("linear of one row", "linear", 209, [(5,), (4, 5)], F.linear, {})
    yield case("linear that does not fit", "linear", 210, [(5,), (4, 6)], F.linear, {})
    yield case("flatten", "flatten", 211, [(2, 3, 4)], torch.flatten, {})
    yield case("flatten in part", "flatten", 212, [(2, 3, 4, 2)], lambda x: x.flatten(1, 2), {"start_dim": 1, "end_dim": 2})
    for shape in ((3, 2, 2), (2, 3, 2, 2)):
        one = lambda x: x if x.ndim == 4 else x[None]
        norm = lambda x, m, v, w=None, b=None: F.batch_norm(one(x), m, v, w, b, eps=0.01).reshape(x.shape)
        for count in (2, 4):
            yield case(f"batch_norm {shape} {count}", "batch_norm", 213, [shape, *[(3,)] * count], norm, {"eps": 0.01},
                       inexact=True, positive=(2,))


def shapes():
    """Operators that move values, and shapes that are repeated."""
    pads = [((1, 2), "constant", (2, 3)), ((1, 2, 0, 3), "constant", (2, 3, 4)), ((-1, 2, 1, -2), "constant", (2, 3, 4)),
            ((0, 0, 0, 0, 1, 2), "constant", (2, 3, 4)), ((1, 0, 0, 1, 2, 0, 0, 1), "constant", (1, 2, 3, 2)), ((-1, -1), "constant", (2, 4)),
            ((2, 1, 1, 2), "reflect", (2, 3, 4)), ((2, 1, 1, 2), "reflect", (2, 2, 3, 4)),
            ((3, 0, 0, 2), "reflect", (1, 3, 3)), ((4, 5, 3, 0), "replicate", (2, 3, 4)), ((2, 4, 1, 3), "circular", (2, 3, 4)),
            ((5, 0, 0, 0), "circular", (2, 3, 4)), ((0, 1, -1, 0), "replicate", (1, 3, 4))]
    for i, (pad, mode, shape) in enumerate(pads):
        yield case(f"pad {pad} {mode} {shape}", "pad", 300 + i, [shape], lambda x: F.pad(x, pad, mode=mode), {"pad": pad, "mode": mode})
    yield case("pad with a value", "pad", 320, [(1, 2, 3)], lambda x: F.pad(x, (1, 1, 2, 0), value=1.5), {"pad": (1, 1, 2, 0), "value": 1.5})
    for i, order in enumerate(((0, 1, 2), (2, 0, 1), (1, 2, 0), (0, 2, 1))):
        yield case(f"permute {order}", "permute", 330 + i, [(2, 3, 4)], lambda x: x.permute(order), {"dims": order})
    yield case("permute of a batch", "permute", 335, [(2, 3, 1, 4)], lambda x: x.permute(0, 2, 3, 1), {"dims": (0, 2, 3, 1)})
    yield case("permute an axis that is not there", "permute", 336, [(2, 3)], lambda x: x.permute(0, 2, 1), {"dims": (0, 2, 1)})
    for i, shape in enumerate(((6, 4), (24,), (1, 2, 3, 4), (5, 5))):
        yield case(f"reshape {shape}", "reshape", 340 + i, [(2, 3, 4)], lambda x: x.reshape(shape), {"shape": shape})
    pairs = [((2, 3, 4), (4,)), ((2, 3, 4), (3, 1)), ((2, 3, 4), (1, 1, 1)), ((4,), (2, 3, 4)), ((2, 1, 4), (3, 1)), ((1, 2, 3, 4), (2, 1, 1)),
             ((2, 3), (3, 2)), ((2, 3, 4), (3,)), ((1,), (2, 3))]
    for i, (a, b) in enumerate(pairs):
        yield case(f"add {a} and {b}", "add", 350 + i, [a, b], torch.add, {})
    for i, shape in enumerate(((5,), (3, 4), (2, 3, 2, 2))):
        for dim in range(-1, len(shape)):
            yield case(f"softmax {shape} {dim}", "softmax", 360 + i, [shape], lambda x: x.softmax(dim), {"dim": dim}, inexact=True)
            if len(shape) > 1:
                yield case(f"argmax {shape} {dim}", "argmax", 370 + i, [shape], lambda x: x.argmax(dim), {"dim": dim})
        if len(shape) > 1:
            yield case(f"linear {shape}", "linear", 380 + i, [shape, (3, shape[-1]), (3,)], F.linear, {})
            for dim in range(-1, len(shape)):
                yield case(f"concat {shape} {dim}", "concat", 390 + i, [shape] * 3, lambda *x: torch.cat(x, dim), {"dim": dim})


def cases():
    every = [*transposed(), *interpolated(), *others(), *shapes()]
    refused = [c["name"] for c in every if "error" in c]
    print("refused by PyTorch:", *refused, sep="\n  ")
    return every
