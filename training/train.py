"""Trains the networks that the page ships, on the crate's own specimens, and writes www/models/<name>.safetensors.

    pip install -r training/requirements.txt
    python training/train.py                  # all of them, one after the other
    python training/train.py grains particles # these

No real micrograph takes part: neither in training nor in choosing when to stop, a threshold or a setting.
"""

import argparse
import csv
import json
import pathlib
import random
import time

import numpy
import torch
import torch.nn.functional as F

import boundaries
import looks
import network

ROOT = looks.ROOT
NORMALIZE = {"rule": "meanStd"}
ENOUGH = {"specimens": 3000, "size": 128, "batch": 8, "rate": 4e-3}


def segmenter(channels, skips=True):
    return lambda: network.unet(channels, classes=2, normalize=NORMALIZE, skips=skips, norm=True)


# One line a network: what it is, what it is shown, how long it learns.
NETWORKS = {
    "grains": {"task": "boundaries", "graph": segmenter((8, 16, 32, 64)), "look": looks.grains, "steps": 6000},
    "grains_deep": {"task": "boundaries", "graph": segmenter((8, 16, 16, 16, 16)), "look": looks.grains, "steps": 3000},
    "grains_deep_noskip": {"task": "boundaries", "graph": segmenter((8, 16, 16, 16, 16), skips=False), "look": looks.grains, "steps": 3000},
    "particles": {"task": "particles", "graph": segmenter((8, 16, 16, 16, 16)), "look": looks.particles, "steps": 2200},
    # Without skips it learns more slowly: after 2200 steps it is still on its way.
    "particles_noskip": {"task": "particles", "graph": segmenter((8, 16, 16, 16, 16), skips=False), "look": looks.particles, "steps": 6000},
    "microstructure": {"task": "classes", "classes": looks.CLASSES, "size": 96, "batch": 32, "specimens": 6000, "steps": 2500,
                       "graph": lambda: network.classifier((8, 16, 32, 64), 32, len(looks.CLASSES), NORMALIZE)},
    "lenet5": {"task": "classes", "classes": looks.CLASSES, "size": 64, "cut": 32, "batch": 64, "specimens": 12000, "steps": 24000, "rate": 2e-3,
               "graph": lambda: network.lenet(len(looks.CLASSES), NORMALIZE)},
}
WORDS = {"boundaries": ("grain boundaries", ["grain", "boundary"]), "particles": ("crystalline particles", ["film", "particle"])}


def specimens(plan, count, seed, folder, generator):
    """Images and what is asked of the network: a mask each, or a class each."""
    size = plan["size"]
    if plan["task"] != "classes":
        return looks.draw(looks.seeded(count, seed, lambda choose, i: plan["look"](choose, size)), folder, generator)
    names = plan["classes"]
    lines = looks.seeded(count, seed, lambda choose, i: looks.kind(choose, size, names[i % len(names)], choose.random() < 0.6))
    images, _ = looks.draw(lines, folder, generator)
    return images, torch.arange(count) % len(names)


def turned(x, y, choose, plan):
    """A quarter turn, a mirror image, and for boundaries a negative now and then; a piece of it, if the network is small."""
    if "cut" in plan:
        top, left = (choose.randrange(plan["size"] - plan["cut"] + 1) for _ in range(2))
        x = x[..., top : top + plan["cut"], left : left + plan["cut"]]
    turns, flip = choose.randrange(4), choose.random() < 0.5
    look = lambda t: (torch.rot90(t, turns, (-2, -1)).flip(-1) if flip else torch.rot90(t, turns, (-2, -1))) if t.ndim > 1 else t
    negative = plan["task"] == "boundaries" and choose.random() < 0.25
    return (1 - look(x) if negative else look(x)), look(y)


def loss_of(logits, y, task):
    """Cross-entropy; for masks the foreground counts double, and the Dice loss of it is added."""
    if task == "classes":
        return F.cross_entropy(logits, y, label_smoothing=0.05)
    entropy = F.cross_entropy(logits, y, weight=torch.tensor([1.0, 2.0 if task == "boundaries" else 1.0]))
    p, y = logits.softmax(1)[:, 1], y.float()
    return entropy + 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)


def fresh(parameters):
    """With batch norm as it starts out: `initial` draws its statistics at random, for tests."""
    def start(key, tensor):
        if "norm" not in key:
            return tensor
        return torch.ones_like(tensor) if key.endswith((".weight", ".runningVar")) else torch.zeros_like(tensor)
    started = {key: start(key, tensor) for key, tensor in parameters.items()}
    # Channels last in memory: few channels on a CPU learn twice as fast.
    return {key: tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor for key, tensor in started.items()}


def learn(nodes, parameters, x, y, choose, plan, say):
    """Trains in place: AdamW, a cosine from `rate` to nothing; `say(step, loss)` after every hundred steps."""
    learned = [tensor.requires_grad_() for key, tensor in parameters.items() if "running" not in key]
    optimizer = torch.optim.AdamW(learned, lr=plan["rate"], weight_decay=1e-4)
    before_softmax = nodes[: 1 + [each["name"] for each in nodes].index("logits")]
    mean = None
    for step in range(plan["steps"]):
        done = step / plan["steps"]
        optimizer.param_groups[0]["lr"] = plan["rate"] * min(1, (step + 1) / 100) * (0.5 + 0.5 * numpy.cos(numpy.pi * done)) + 1e-5
        pick = [turned(x[i], y[i], choose, plan) for i in choose.sample(range(len(x)), plan["batch"])]
        images, wanted = torch.stack([each for each, _ in pick]), torch.stack([each for _, each in pick])
        images = images.contiguous(memory_format=torch.channels_last)
        loss = loss_of(network.run(before_softmax, parameters, images, training=True)["logits"], wanted, plan["task"])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 100 == 99:
            say(step + 1, mean)


def train(name, plan, given):
    torch.manual_seed(plan["seed"])
    choose = random.Random(plan["seed"])
    work = ROOT / "target" / "training" / name
    x, y = specimens(plan, plan["specimens"], plan["seed"], work / "train", given.generator)
    checks = specimens(plan, 64, plan["seed"] + 1000, work / "check", given.generator)
    nodes, shapes = plan["graph"]()
    parameters = fresh(network.initial(nodes, shapes, plan["seed"]))
    count = sum(tensor.numel() for key, tensor in parameters.items() if "running" not in key)
    print(f"{name}: {len(x)} specimens of {plan['size']}², {count} parameters with batch norm", flush=True)
    start, curve = time.time(), []

    def say(step, loss):
        curve.append((step, round(loss, 4)))
        print(f"{name} step {step}  {time.time() - start:5.0f} s  loss {loss:.4f}", flush=True)

    learn(nodes, parameters, x, y, choose, plan, say)
    nodes, parameters = network.folded(nodes, {key: tensor.detach() for key, tensor in parameters.items()})
    # From here on the weights are what is shipped: rounded to half precision.
    parameters = {key: tensor.half().float() for key, tensor in parameters.items()}
    write(name, plan, nodes, parameters, checks, given)
    log = ROOT / "training" / "logs" / f"{name}.csv"
    log.parent.mkdir(exist_ok=True)
    with log.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("step", "loss"), *curve])


def write(name, plan, nodes, parameters, checks, given):
    """Chooses the threshold on synthetic specimens, scores, and writes the file."""
    x, y = checks
    if "cut" in plan:
        x = x[..., : plan["cut"], : plan["cut"]]
    with torch.no_grad():
        p = torch.cat([network.run(nodes, parameters, each[None])["probabilities"] for each in x])
    kept = sum(tensor.numel() for tensor in parameters.values())
    card = {"name": name, "parameters": kept, "trainedOn": f"{plan['specimens']} synthetic specimens of {plan['size']}×{plan['size']} pixels, seed {plan['seed']}",
            "command": f"python training/train.py {name}", "steps": plan["steps"], "licence": "MIT OR Apache-2.0"}
    if plan["task"] == "classes":
        accuracy = (p.argmax(1) == y).float().mean().item()
        card |= {"task": "kinds of microstructure", "classes": list(plan["classes"]), "accuracy": {"specimens": round(accuracy, 3)}}
        print(f"{name}: accuracy {accuracy:.3f} on specimens not trained on", flush=True)
    else:
        score = f1 if plan["task"] == "boundaries" else iou
        tried = {t: score(p[:, 1] > t, y) for t in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)}
        threshold = max(tried, key=tried.get)
        task, classes = WORDS[plan["task"]]
        measure = "boundaryF1" if plan["task"] == "boundaries" else "iou"
        card |= {"task": task, "classes": classes, "threshold": threshold, measure: {"specimens": round(tried[threshold], 3)}}
        if plan["task"] == "boundaries":
            card["tolerance"] = 2
        print(f"{name}: {measure} {tried[threshold]:.3f} at {threshold}, {tried[0.5]:.3f} at 0.5", flush=True)
    out = given.out / f"{name}.safetensors"
    network.save(out, nodes, parameters, card, half=True)
    print(f"{out.name}: {out.stat().st_size} bytes", flush=True)


def f1(masks, y):
    return float(numpy.mean([boundaries.f1(mask.numpy(), truth.numpy() > 0)[2] for mask, truth in zip(masks, y)]))


def iou(masks, y):
    """Over all pixels of all specimens, as crate/metrics.rs over one."""
    y = y > 0
    return ((masks & y).sum() / (masks | y).sum()).item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *NETWORKS], help="which; all without a name")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, help="fewer, to try something out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--generator", help="the built example `specimens`; without it, cargo builds it")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "www" / "models")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.names or NETWORKS:
        plan = {**ENOUGH, "seed": given.seed, **NETWORKS[name]}
        train(name, {**plan, "steps": given.steps or plan["steps"]}, given)


if __name__ == "__main__":
    main()
