"""Cases of conv2d: every option alone, then many drawn at random, then the ones PyTorch refuses."""

import itertools
import random

import torch

from tensors import exact, options, rounded, sixteenths


def layer(weight, bias, given):
    """torch.nn.Conv2d with these weights: the only place where PyTorch knows padding modes."""
    out_channels, per_group, kh, kw = weight.shape
    in_channels = per_group * given.get("groups", 1)
    conv = torch.nn.Conv2d(in_channels, out_channels, (kh, kw), bias=bias is not None, **given)
    with torch.no_grad():
        conv.weight.copy_(weight)
        if bias is not None:
            conv.bias.copy_(bias)
    return conv


def case(name, seed, x_shape, kernel, out_channels=1, bias=True, inexact=False, **given):
    generator = torch.Generator().manual_seed(seed)
    channels = x_shape[-3]
    weight_shape = (out_channels, channels // given.get("groups", 1), *kernel)
    if inexact:
        draw = lambda shape: torch.randn(shape, generator=generator)
        store = rounded
    else:
        draw = lambda shape: sixteenths(generator, shape)
        store = lambda tensor: exact(tensor, 16)
    x, weight = draw(x_shape), draw(weight_shape)
    b = draw((out_channels,)) if bias else None
    record = {"name": name, "op": "conv2d", "options": options(**given), "x": store(x), "weight": store(weight)}
    if bias:
        record["bias"] = store(b)
    try:
        with torch.no_grad():
            y = layer(weight, b, given)(x)
    except (RuntimeError, ValueError) as error:
        record["error"] = str(error).splitlines()[0]
        return record
    record["y"] = rounded(y) if inexact else exact(y, 256)
    return record


def each_option():
    seeds = itertools.count(1)
    one = lambda name, *args, **kwargs: case(name, next(seeds), *args, **kwargs)
    yield one("plain", (1, 7, 9), (3, 3))
    yield one("no bias", (1, 7, 9), (3, 3), bias=False)
    yield one("batch", (2, 1, 6, 5), (3, 3), out_channels=2)
    yield one("channels", (3, 6, 7), (3, 3), out_channels=5)
    yield one("1x1 kernel", (4, 5, 6), (1, 1), out_channels=3)
    yield one("1x1 picture", (2, 1, 1), (1, 1), out_channels=2)
    yield one("1x1 picture, padded", (1, 1, 1), (3, 3), padding=1)
    yield one("1x1 picture, replicate", (1, 1, 1), (3, 3), padding=1, padding_mode="replicate")
    yield one("1x1 picture, circular", (1, 1, 1), (3, 3), padding=1, padding_mode="circular")
    yield one("kernel as large as the picture", (2, 5, 4), (5, 4), out_channels=2)
    yield one("kernel as large as the padded picture", (1, 3, 4), (5, 6), padding=1)
    yield one("a row", (1, 1, 40), (1, 3), padding=(0, 1))
    yield one("a column", (1, 40, 1), (3, 1), padding=(1, 0), stride=(2, 1))
    yield one("wide, past one tile", (1, 4, 70), (3, 3), padding=1)
    yield one("wide, two channels out", (1, 4, 35), (3, 3), out_channels=2)
    yield one("wide, seven channels out", (2, 4, 19), (3, 3), out_channels=7, padding=1)
    yield one("even kernel", (1, 6, 7), (2, 4))
    yield one("even kernel, same", (1, 6, 7), (2, 4), padding="same")
    for stride in (1, 2, 3, (2, 1), (1, 3), 5, 9):
        yield one(f"stride {stride}", (1, 9, 10), (3, 3), stride=stride)
        yield one(f"stride {stride}, padding 1", (2, 8, 9), (3, 3), out_channels=2, stride=stride, padding=1)
    for padding in (0, 1, 2, (2, 1), (0, 3), 4, "same", "valid"):
        for mode in ("zeros", "reflect", "replicate", "circular"):
            yield one(f"padding {padding}, {mode}", (1, 6, 5), (3, 3), padding=padding, padding_mode=mode)
    for dilation in (2, 3, (1, 2), (3, 1)):
        yield one(f"dilation {dilation}", (1, 9, 8), (3, 3), dilation=dilation)
        yield one(f"dilation {dilation}, same", (1, 9, 8), (3, 2), dilation=dilation, padding="same")
        yield one(f"dilation {dilation}, stride 2, reflect", (1, 9, 8), (3, 3), dilation=dilation, stride=2,
                  padding=2, padding_mode="reflect")
    yield one("padding as large as circular allows", (1, 4, 5), (3, 3), padding=(4, 5), padding_mode="circular")
    yield one("padding as large as reflect allows", (1, 4, 5), (3, 3), padding=(3, 4), padding_mode="reflect")
    yield one("padding far beyond the picture", (1, 3, 3), (3, 3), padding=7, stride=4)
    yield one("groups", (4, 5, 6), (3, 3), out_channels=6, groups=2, padding=1)
    yield one("depthwise", (3, 5, 6), (3, 3), out_channels=3, groups=3)
    yield one("depthwise with two maps each, batch", (2, 2, 5, 6), (2, 3), out_channels=4, groups=2, stride=2)


def at_random(count):
    choose = random.Random(6)
    for i in range(count):
        pair = lambda low, high: tuple(choose.randint(low, high) for _ in range(2))
        groups = choose.choice([1, 1, 1, 2, 3])
        x_shape = (groups * choose.randint(1, 3), *pair(4, 14))
        if choose.random() < 0.4:
            x_shape = (2, *x_shape)
        given = {"stride": pair(1, 3), "dilation": pair(1, 3), "groups": groups}
        given["padding_mode"] = choose.choice(["zeros", "reflect", "replicate", "circular"])
        given["padding"] = choose.choice([pair(0, 3), pair(0, 3), "valid"])
        if choose.random() < 0.2:
            given |= {"stride": 1, "padding": "same"}
        yield case(f"random {i}", 100 + i, x_shape, pair(1, 4), out_channels=groups * choose.randint(1, 3),
                   bias=choose.random() < 0.5, **given)


def refused():
    yield case("kernel too large", 1000, (1, 4, 4), (5, 5))
    yield case("kernel too large in one direction", 1001, (1, 4, 9), (5, 5), padding=(0, 1))
    yield case("dilated kernel too large", 1002, (1, 7, 7), (5, 5), dilation=2)
    yield case("reflect too far", 1003, (1, 4, 5), (3, 3), padding=4, padding_mode="reflect")
    yield case("circular too far", 1004, (1, 4, 5), (3, 3), padding=5, padding_mode="circular")
    yield case("same with a stride", 1005, (1, 6, 6), (3, 3), stride=2, padding="same")


def with_rounding():
    yield case("normal numbers", 2000, (3, 12, 11), (3, 3), out_channels=2, inexact=True, padding=1)
    yield case("normal numbers, many terms", 2001, (24, 6, 6), (5, 5), out_channels=2, inexact=True, padding=2)


def cases():
    accepted = [*each_option(), *at_random(60)]
    refusals = [*refused()]
    surprising = [c["name"] for c in accepted if "error" in c and not c["name"].startswith(("random", "padding"))]
    assert not surprising, f"PyTorch refuses {surprising}"
    assert all("error" in c for c in refusals), "PyTorch accepts what it should refuse"
    return [*accepted, *refusals, *with_rounding()]
