"""What a labelled picture is worth: the same network trained on 10, 20, 50, 100 and 200 specimens, with several seeds each.

    python training/labelling_cost.py        # writes training/labelling_cost.json

Every run takes the same number of steps, so that only the number of pictures differs; the score is the IoU of the boundaries (and
the F1 at two pixels) over the same 64 specimens that no run was trained on, at a probability of one half.
"""

import argparse
import json
import random

import numpy
import torch

import looks
import network
import train

COUNTS, SEEDS = (10, 20, 50, 100, 200), (1, 2, 3, 4)
PLAN = {"task": "boundaries", "look": looks.grains, "size": 96, "batch": 6, "steps": 500, "rate": 4e-3}


def once(x, y, seed):
    """A network trained on these pictures, batch norm folded: node list and parameters."""
    torch.manual_seed(seed)
    choose = random.Random(seed)
    nodes, shapes = network.unet((8, 16, 32), classes=2, normalize=train.NORMALIZE, norm=True)
    parameters = train.fresh(network.initial(nodes, shapes, seed))
    train.learn(nodes, parameters, x, y, choose, {**PLAN, "batch": min(PLAN["batch"], len(x))}, say=lambda step, loss: None)
    return network.folded(nodes, {key: tensor.detach() for key, tensor in parameters.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generator", help="the built example `specimens`; without it, cargo builds it")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    work = looks.ROOT / "target" / "training" / "labelling_cost"
    tests = train.specimens(PLAN, 64, 9000, work / "test", given.generator)
    points = []
    for count in COUNTS:
        for seed in SEEDS:
            # Another seed is another set of pictures and another start.
            x, y = train.specimens(PLAN, count, 10_000 * seed + count, work / "train", given.generator)
            nodes, parameters = once(x, y, seed)
            with torch.no_grad():
                masks = torch.cat([network.run(nodes, parameters, each[None])["probabilities"] for each in tests[0]])[:, 1] > 0.5
            points.append({"pictures": count, "seed": seed, "iou": round(train.iou(masks, tests[1]), 4), "f1": round(train.f1(masks, tests[1]), 4)})
            print(points[-1], flush=True)
    for count in COUNTS:
        ious = [point["iou"] for point in points if point["pictures"] == count]
        print(f"{count:4} pictures: IoU {numpy.mean(ious):.3f} ± {numpy.std(ious, ddof=1):.3f}")
    card = {"about": "grain boundaries, U-Net 8-16-32, 96×96 pixels, IoU over 64 specimens not trained on",
            "command": "python training/labelling_cost.py", "steps": PLAN["steps"], "batch": PLAN["batch"], "points": points}
    (looks.ROOT / "training" / "labelling_cost.json").write_text(json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    main()
