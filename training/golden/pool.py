"""Cases of max_pool2d, avg_pool2d and adaptive_avg_pool2d."""

import itertools
import random

import torch
import torch.nn.functional as F

from tensors import exact, options, rounded, sixteenths


def case(op, name, seed, x_shape, **given):
    x = sixteenths(torch.Generator().manual_seed(seed), x_shape)
    record = {"name": f"{op}: {name}", "op": op, "options": options(**given), "x": exact(x, 16)}
    try:
        if op == "adaptive_avg_pool2d":
            record["options"] = {"outputSize": record["options"]["output_size"]}
            y = F.adaptive_avg_pool2d(x, given["output_size"])
        else:
            y = getattr(F, op)(x, **given)
    except RuntimeError as error:
        record["error"] = str(error).splitlines()[0]
        return record
    if y.isinf().any():
        return None  # JSON knows no infinity: windows that see padding alone are tested in Rust
    # A mean of sixteenths is rounded; a maximum is one of them.
    record["y"] = exact(y, 16) if op == "max_pool2d" else rounded(y)
    return record


def each_option():
    seeds = itertools.count(1)
    for op in ("max_pool2d", "avg_pool2d"):
        one = lambda name, *args, **kwargs: case(op, name, next(seeds), *args, **kwargs)
        yield one("two by two", (1, 6, 8), kernel_size=2)
        yield one("batch", (2, 3, 6, 4), kernel_size=2)
        yield one("a remainder is dropped", (1, 7, 5), kernel_size=2)
        yield one("a remainder is kept", (1, 7, 5), kernel_size=2, ceil_mode=True)
        yield one("overlapping", (1, 7, 8), kernel_size=3, stride=2)
        yield one("overlapping, padded", (2, 7, 8), kernel_size=3, stride=2, padding=1)
        yield one("overlapping, padded, rounded up", (1, 8, 9), kernel_size=3, stride=2, padding=1, ceil_mode=True)
        yield one("stride 1", (1, 5, 6), kernel_size=3, stride=1, padding=1)
        yield one("stride beyond the kernel", (1, 9, 11), kernel_size=2, stride=3, ceil_mode=True)
        yield one("stride far beyond the kernel", (1, 9, 11), kernel_size=3, stride=5, padding=1, ceil_mode=True)
        yield one("rectangular", (1, 8, 9), kernel_size=(1, 3), stride=(2, 1), padding=(0, 1))
        yield one("one pixel", (2, 4, 5), kernel_size=1)
        yield one("the whole picture", (2, 4, 5), kernel_size=(4, 5))
        yield one("a window that must not start too late", (1, 5, 6), kernel_size=3, stride=3, padding=1, ceil_mode=True)
        yield one("rounded up although the kernel is too large", (1, 5, 5), kernel_size=6, stride=4, ceil_mode=True)
        yield one("kernel too large", (1, 4, 4), kernel_size=5)
        yield one("too much padding", (1, 6, 6), kernel_size=3, padding=2)
    seeds = itertools.count(200)
    for dilation in (2, (1, 3)):
        yield case("max_pool2d", f"dilation {dilation}", next(seeds), (1, 9, 8), kernel_size=3, dilation=dilation, stride=1)
        yield case("max_pool2d", f"dilation {dilation}, padded", next(seeds), (1, 9, 8), kernel_size=3, dilation=dilation,
                   stride=2, padding=1, ceil_mode=True)
    yield case("max_pool2d", "dilation allows no more padding", next(seeds), (1, 9, 8), kernel_size=2, dilation=3, padding=2)
    for kernel, stride, ceil in ((3, 2, False), (3, 2, True), (2, 2, True), (3, 5, True), ((2, 3), (1, 2), True)):
        padding = (1, 1)
        yield case("avg_pool2d", f"padding not counted, kernel {kernel}, stride {stride}, ceil {ceil}", next(seeds), (1, 8, 9),
                   kernel_size=kernel, stride=stride, padding=padding, ceil_mode=ceil, count_include_pad=False)
    for size, output in (((2, 6, 8), 2), ((1, 7, 5), 3), ((1, 5, 4), (7, 6)), ((3, 7, 9), 1), ((2, 2, 7, 5), (3, None)),
                         ((1, 1, 1), 4), ((2, 11, 13), (5, 4))):
        yield case("adaptive_avg_pool2d", f"{size} to {output}", next(seeds), size, output_size=output)


def at_random(count):
    choose = random.Random(7)
    for i in range(count):
        pair = lambda low, high: tuple(choose.randint(low, high) for _ in range(2))
        x_shape = (choose.randint(1, 2), *pair(3, 12))
        kernel = pair(1, 4)
        given = {"kernel_size": kernel, "stride": pair(1, 4), "ceil_mode": choose.random() < 0.5}
        given["padding"] = tuple(choose.randint(0, k // 2) for k in kernel)
        if i % 2:
            given["dilation"] = pair(1, 3)
            op = "max_pool2d"
        else:
            given["count_include_pad"] = choose.random() < 0.5
            op = "avg_pool2d"
        yield case(op, f"random {i}", 300 + i, x_shape, **given)


def cases():
    return [made for made in [*each_option(), *at_random(60)] if made]
