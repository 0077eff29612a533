"""Tensors as JSON: {"shape", "data"} with data in units of 1/scale, so that exact numbers stay short."""

import torch


def sixteenths(generator, shape):
    """Random whole numbers of sixteenths from -2 to 2."""
    return torch.randint(-32, 33, shape, generator=generator).float() / 16


def exact(tensor, scale):
    """A tensor of whole numbers of 1/scale."""
    numbers = tensor.double() * scale
    assert numbers.isfinite().all(), "not finite"
    assert torch.equal(numbers, numbers.round()), "not a multiple"
    return {"shape": list(tensor.shape), "scale": scale, "data": numbers.flatten().long().tolist()}


def rounded(tensor):
    """A tensor of arbitrary float32 numbers: nine digits give each one back."""
    return {"shape": list(tensor.shape), "scale": 1, "data": [float(f"{v:.9g}") for v in tensor.flatten().tolist()]}


def pair(value):
    return list(value) if isinstance(value, tuple) else value


def options(**given):
    """Options by their public names."""
    names = {"padding_mode": "paddingMode", "kernel_size": "kernelSize", "ceil_mode": "ceilMode",
             "count_include_pad": "countIncludePad"}
    return {names.get(name, name): pair(value) for name, value in given.items()}
