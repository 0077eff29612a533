"""Writes tests/golden/onnx/export: small networks as torch.onnx.export writes them, with pictures and what PyTorch computes.

    python onnx_exports.py

Both exporters: the one of today ("dynamo"), which keeps weights in a second file, and the older TorchScript one.
"""
import logging
import pathlib
import sys
import warnings

import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import network  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "onnx"


def block(came, made):
    return nn.Sequential(nn.Conv2d(came, made, 3, padding=1, bias=False), nn.BatchNorm2d(made), nn.ReLU(),
                         nn.Conv2d(made, made, 3, padding=1), nn.LeakyReLU(0.1))


class Unet(nn.Module):
    """The network of Ronneberger et al. (2015), small; `pad` makes every upsampled map as large as its skip connection's."""

    def __init__(self, up="transposed", pad=False, align=False):
        super().__init__()
        self.enc = nn.ModuleList([block(1, 4), block(4, 6)])
        self.bottom = block(6, 8)
        if up == "transposed":
            ups = [nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in ((8, 6), (6, 4))]
        else:
            corners = {} if up == "nearest" else {"align_corners": align}
            ups = [nn.Sequential(nn.Upsample(scale_factor=2, mode=up, **corners), nn.Conv2d(a, b, 3, padding=1))
                   for a, b in ((8, 6), (6, 4))]
        self.up, self.pad = nn.ModuleList(ups), pad
        self.dec = nn.ModuleList([block(12, 6), block(8, 4)])
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        skips = []
        for enc in self.enc:
            x = enc(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for up, dec in zip(self.up, self.dec):
            x, skip = up(x), skips.pop()
            if self.pad:
                dy, dx = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
                x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
            x = dec(torch.cat([skip, x], 1))
        return torch.softmax(self.head(x), 1)


class Framed(nn.Module):
    """Widens the picture to a multiple of 4 by mirroring, and cuts the result back."""

    def __init__(self):
        super().__init__()
        self.unet = Unet("bilinear")

    def forward(self, x):
        h, w = x.shape[-2:]
        x = F.pad(x, (0, -w % 4, 0, -h % 4), mode="reflect")
        return self.unet(x)[..., :h, :w]


class Resized(nn.Module):
    """Upsamples to the skip connection's size, as segmentation networks often do."""

    def __init__(self, mode):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 3, 3, stride=2), nn.Conv2d(3, 2, 3, stride=2, padding=1)
        self.kind = {"mode": mode} if mode == "nearest" else {"mode": mode, "align_corners": False}

    def forward(self, x):
        y = torch.relu(self.a(x))
        z = F.interpolate(self.b(y), size=y.shape[-2:], **self.kind)
        return F.interpolate(torch.cat([y, z], 1), size=x.shape[-2:], **self.kind)


class Classifier(nn.Module):
    def __init__(self, last):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2, 1, ceil_mode=True),
                                      nn.Conv2d(4, 6, 3, padding="same", groups=2), nn.ReLU(), nn.AvgPool2d(2, ceil_mode=True))
        self.last = {"flatten": nn.Sequential(nn.Flatten(), nn.Linear(6 * 3 * 4, 10), nn.ReLU(), nn.Dropout(), nn.Linear(10, 3)),
                     "pooled": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Sigmoid(),
                                             nn.Linear(8, 3, bias=False))}[last]

    def forward(self, x):
        return F.softmax(self.last(self.features(x)), dim=-1)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 5, stride=2, padding=2, padding_mode="reflect")
        self.conv = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=2, dilation=2, padding_mode="replicate") for _ in range(2)])
        self.bias = nn.Parameter(torch.randn(4, 1, 1))
        self.grow = nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1, dilation=1)
        self.mix = nn.Linear(10, 10, bias=False)

    def forward(self, x):
        x = self.stem(x)
        for conv in self.conv:
            x = F.relu(conv(x) + x) + self.bias
        return torch.sigmoid(self.mix(self.grow(x)[..., :10]))


OPEN = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}


def exports():
    """name, network, the size at export, dynamo or not, sizes open or not, opset, sizes of pictures"""
    even, odd = [(24, 32), (16, 20)], [(24, 32), (23, 30), (17, 19)]
    for dynamo in (True, False):
        kind = "dynamo" if dynamo else "script"
        yield f"unet-transposed-{kind}", Unet(), (24, 32), dynamo, False, None, [(24, 32)]
        yield f"unet-nearest-{kind}", Unet("nearest"), (24, 32), dynamo, True, None, even
        yield f"unet-bilinear-{kind}", Unet("bilinear"), (24, 32), dynamo, True, None, even
        yield f"unet-padding-itself-{kind}", Unet(pad=True), (24, 32), dynamo, True, None, odd
        yield f"unet-framed-{kind}", Framed(), (23, 30), dynamo, True, None, odd
        yield f"resized-nearest-{kind}", Resized("nearest"), (21, 30), dynamo, True, None, odd
        yield f"resized-bilinear-{kind}", Resized("bilinear"), (21, 30), dynamo, True, None, odd
        yield f"classifier-flatten-{kind}", Classifier("flatten"), (11, 15), dynamo, False, None, [(11, 15)]
        yield f"classifier-pooled-{kind}", Classifier("pooled"), (11, 15), dynamo, True, None, [(11, 15), (16, 9)]
        yield f"residual-{kind}", Residual(), (12, 12), dynamo, False, None, [(12, 12)]
    for opset in (9, 10, 11, 13, 16):
        yield f"unet-nearest-opset{opset}", Unet("nearest"), (24, 32), False, True, opset, even
        yield f"classifier-flatten-opset{opset}", Classifier("flatten"), (11, 15), False, False, opset, [(11, 15)]
    yield "unet-padding-itself-opset11", Unet(pad=True), (24, 32), False, True, 11, odd
    yield "unet-corners-opset11", Unet("bilinear", align=True), (24, 32), False, True, 11, even
    yield "unet-nearest-opset24", Unet("nearest"), (24, 32), True, True, 24, even


def export(path, net, x, dynamo, open_sizes, opset):
    options = {"opset_version": opset, "dynamo": dynamo}
    if dynamo:
        options |= {"verbose": False} | ({"dynamic_shapes": {"x": OPEN}} if open_sizes else {})
    else:
        options |= {"input_names": ["x"]} | ({"dynamic_axes": {"x": {2: "h", 3: "w"}}} if open_sizes else {})
    torch.onnx.export(net, (x,), str(path), **options)
    # Where the exporter stood when it wrote a node: long, and about this machine.
    made = onnx.load(path, load_external_data=False)
    for part in (made.graph, *made.graph.node, *made.graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    path.write_bytes(made.SerializeToString())
    beside = pathlib.Path(f"{path}.data")
    if beside.exists() and not beside.stat().st_size:
        beside.unlink()


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    folder = FOLDER / "export"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    tensors = {}
    for seed, (name, net, size, dynamo, open_sizes, opset, sizes) in enumerate(exports()):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / max(1, parameter[0].numel()) ** 0.5)
            for norm in (part for part in net.modules() if isinstance(part, (nn.BatchNorm2d, nn.BatchNorm1d))):
                norm.running_mean.copy_(torch.randn(norm.running_mean.shape, generator=generator) / 4)
                norm.running_var.copy_(torch.rand(norm.running_var.shape, generator=generator) + 0.5)
            net.eval()
            try:
                export(folder / f"{name}.onnx", net, torch.rand((1, 1, *size), generator=generator), dynamo, open_sizes, opset)
            except Exception as error:
                print(f"{name}: PyTorch cannot export it: {str(error).splitlines()[0][:200]}")
                (folder / f"{name}.onnx").unlink(missing_ok=True)
                continue
            for h, w in sizes:
                x = torch.rand((1, 1, h, w), generator=generator)
                tensors |= {f"{name}:x:{h}x{w}": x, f"{name}:y:{h}x{w}": net(x)}
    network.save(folder.with_suffix(".safetensors"), [], tensors, metadata={"onnx": onnx.__version__, "torch": torch.__version__})
    total = sum(f.stat().st_size for f in folder.iterdir()) + folder.with_suffix(".safetensors").stat().st_size
    print(f"{len(list(folder.glob('*.onnx')))} exports, {total / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
