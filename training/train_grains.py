"""Trains the small U-Net that finds grain boundaries, on the crate's own specimens, and writes www/models/grains.safetensors.

    pip install -r training/requirements.txt
    python training/train_grains.py

No real micrograph takes part in training. The titanium micrograph is only scored at the end.
"""

import argparse
import json
import pathlib
import random
import subprocess
import time

import numpy
import PIL.Image
import torch
import torch.nn.functional as F

import boundaries
import network

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHANNELS = (8, 16, 32)
NORMALIZE = {"rule": "meanStd"}
SIZE = 128


def looks(choose, seed):
    """Options of one specimen: grain diameters from 12 to 80 pixels, every kind of contrast, each now faint, now strong."""
    log = lambda low, high: low * (high / low) ** choose.random()
    some = lambda chance, value: value if choose.random() < chance else 0.0
    contrast = choose.choice([choose.uniform(0.4, 1), choose.uniform(0.2, 0.5)])
    edge = some(0.5 if contrast > 0.4 else 0.8, choose.choice([-1, 1]) * log(0.08, 0.8))
    return {"size": SIZE, "grains": max(2, round((SIZE / log(14, 80)) ** 2)), "seed": seed, "contrast": contrast,
            "warp": choose.uniform(0, 0.9), "blur": choose.uniform(0.2, 1.3), "noise": log(0.002, 0.03),
            "spread": choose.random(), "slope": some(0.5, choose.uniform(0, 0.6)), "edge": edge,
            "edgeWidth": choose.uniform(0, 1), "texture": some(0.3, log(0.05, 0.4)),
            "terraces": some(0.3, choose.uniform(0, 0.7)), "pores": round(some(0.5, choose.uniform(1, 10)))}


def specimens(count, seed, folder, generator=None):
    """Images and boundaries from the crate's generator: the program given, or one that is built first."""
    choose = random.Random(seed)
    lines = "\n".join(json.dumps(looks(choose, choose.randrange(10**9))) for _ in range(count))
    build = ["cargo", "run", "--quiet", "--release", "--example", "specimens", "--"]
    command = [generator] if generator else build
    subprocess.run([*command, str(folder)], input=lines.encode(), check=True, cwd=ROOT)
    load = lambda name: torch.from_numpy(numpy.load(folder / f"{name}.npy"))
    return load("images")[:, None], load("boundaries").long()


def turned(x, y, choose):
    """A quarter turn, a mirror image, and a negative now and then."""
    turns = choose.randrange(4)
    x, y = torch.rot90(x, turns, (-2, -1)), torch.rot90(y, turns, (-2, -1))
    if choose.random() < 0.5:
        x, y = x.flip(-1), y.flip(-1)
    return (1 - x if choose.random() < 0.2 else x), y


def loss_of(logits, y):
    """Cross-entropy, boundaries counting double, and the Dice loss of the boundaries."""
    entropy = F.cross_entropy(logits, y, weight=torch.tensor([1.0, 2.0]))
    p, y = logits.softmax(1)[:, 1], y.float()
    return entropy + 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)


def score(nodes, parameters, x, y, valid=None):
    with torch.no_grad():
        found = network.run(nodes, parameters, x[None])["logits"][0].argmax(0).bool().numpy()
    return boundaries.f1(found, y.numpy().astype(bool), valid)


def micrograph():
    """The titanium micrograph with the boundaries its authors traced; nothing is scored under the scale bar."""
    load = lambda name: numpy.asarray(PIL.Image.open(ROOT / "www" / "images" / name).convert("L"))
    labels = [load(name) > 0 for name in ("grain_ti_sem_boundaries.png", "labels/grain_ti_sem_valid.png")]
    x = torch.from_numpy(load("grain_ti_sem.png").astype(numpy.float32) / 255)[None]
    return x, torch.from_numpy(labels[0]), labels[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--specimens", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=14, help="the schedule is shortened to end after this time")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--generator", help="the built example `specimens`; without it, cargo builds it")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "www" / "models" / "grains.safetensors")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    choose = random.Random(given.seed)
    work = ROOT / "target" / "training"
    images, marks = specimens(given.specimens, given.seed, work / "train", given.generator)
    checks = specimens(24, given.seed + 1000, work / "check", given.generator)
    nodes, shapes = network.unet(CHANNELS, classes=2, normalize=NORMALIZE)
    parameters = network.initial(nodes, shapes, given.seed)
    for tensor in parameters.values():
        tensor.requires_grad_()
    count = sum(tensor.numel() for tensor in parameters.values())
    print(f"{count} parameters, {len(images)} specimens of {SIZE}², boundaries {marks.float().mean():.3f}", flush=True)
    optimizer = torch.optim.AdamW(parameters.values(), lr=4e-3, weight_decay=1e-4)
    start, batch, mean = time.time(), 8, None
    for step in range(given.steps):
        # The share of the work that is done, by steps or by time, whichever is further.
        done = max(step / given.steps, (time.time() - start) / (60 * given.minutes))
        if done >= 1:
            break
        warm = min(1, (step + 1) / 100)
        optimizer.param_groups[0]["lr"] = 4e-3 * warm * (0.5 + 0.5 * numpy.cos(numpy.pi * done)) + 1e-5
        pick = [turned(images[i], marks[i], choose) for i in choose.sample(range(len(images)), batch)]
        x, y = torch.stack([x for x, _ in pick]), torch.stack([y for _, y in pick])
        loss = loss_of(network.run(nodes[:-1], parameters, x)["logits"], y)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        optimizer.step()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 100 == 99:
            print(f"step {step + 1}  {time.time() - start:5.0f} s  loss {mean:.4f}", flush=True)
    # From here on the weights are what is shipped: rounded to half precision.
    parameters = {name: tensor.detach().half().float() for name, tensor in parameters.items()}
    scores = numpy.mean([score(nodes, parameters, x, y) for x, y in zip(*checks)], axis=0)
    print("unseen specimens: precision {:.3f}, recall {:.3f}, F1 {:.3f}".format(*scores), flush=True)
    real = score(nodes, parameters, *micrograph())
    print("titanium micrograph: precision {:.3f}, recall {:.3f}, F1 {:.3f}".format(*real), flush=True)
    card = {"name": "grains", "task": "grain boundaries", "classes": ["grain", "boundary"], "parameters": count,
            "trainedOn": f"{len(images)} synthetic specimens of {SIZE}×{SIZE} pixels, seed {given.seed}",
            "command": "python training/train_grains.py", "steps": step + 1, "licence": "MIT OR Apache-2.0",
            "boundaryF1": {"specimens": round(float(scores[2]), 3), "titanium": round(float(real[2]), 3)},
            "tolerance": 2}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    network.save(given.out, nodes, parameters, card, half=True)
    print(f"{given.out.name}: {given.out.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
