"""What the networks are shown: options of specimens, drawn at random, for the crate's generator. No real micrograph takes part."""

import json
import math
import pathlib
import random
import subprocess

import numpy
import torch

ROOT = pathlib.Path(__file__).resolve().parents[1]

# The kinds that the classifiers tell apart.
CLASSES = ("grains", "laths", "two-phase", "porous", "fibres", "nanoparticles", "columns", "precipitate")


def log(choose, low, high):
    return low * (high / low) ** choose.random()


def some(choose, chance, value):
    return value if choose.random() < chance else 0.0


def grains(choose, size):
    """Polycrystals with grain diameters of 12 to 80 pixels and every kind of contrast, each now faint, now strong."""
    contrast = choose.choice([choose.uniform(0.4, 1), choose.uniform(0.2, 0.5), choose.uniform(0.03, 0.25)])
    # Where the grains are equally grey only grooves, rims or domes tell them apart.
    marked = 0.5 if contrast > 0.4 else 0.8 if contrast > 0.25 else 1
    edge = some(choose, marked, choose.choice([-1, -1, 1]) * log(choose, 0.25 if contrast < 0.25 else 0.08, 1))
    return {"kind": "grains", "size": size, "grains": max(2, round((size / log(choose, 13, 80)) ** 2)), "contrast": contrast,
            "warp": choose.uniform(0, 0.9), "blur": choose.uniform(0.2, 1.6), "noise": log(choose, 0.002, 0.05),
            "spread": choose.random(), "slope": some(choose, 0.5, choose.uniform(0, 0.6)), "edge": edge,
            "edgeWidth": choose.uniform(0, 1.4), "texture": some(choose, 0.4, log(choose, 0.05, 0.5)),
            "terraces": some(choose, 0.35, choose.uniform(0, 0.9)), "domes": some(choose, 0.35, choose.uniform(0, 1)),
            "pores": round(some(choose, 0.5, choose.uniform(1, 12)))}


def whole_particles(choose, size):
    """Nanoparticles of 1.5 to 12 nm at 0.06 to 0.09 nm a pixel, from hardly visible to plain."""
    diameter = log(choose, 1.5, 12)
    pixel = choose.choice([0.06, 0.065, 0.07, 0.075, 0.08, 0.085, 0.09])
    room = (size * pixel / diameter) ** 2
    return {"kind": "nanoparticles", "size": size, "pixelSize": pixel, "diameter": diameter,
            "particles": 0 if choose.random() < 0.08 else max(1, min(24, round(room * choose.uniform(0.1, 0.9)))),
            "spacing": choose.uniform(0.2, 0.24), "orientations": choose.choice([0, 0, 1, 2, 3]), "visibility": choose.uniform(0.4, 1),
            "twins": choose.random(), "rim": choose.random() ** 2, "darkness": choose.random() ** 2,
            # A film may be plain speckle or all noise: what is fine-grained and dark is no particle for that.
            "film": choose.uniform(0.1, 1), "defocus": round(choose.uniform(5, 140)), "noise": log(choose, 0.005, 0.12),
            "microscope": {"background": some(choose, 0.6, choose.uniform(0, 0.4)), "blur": some(choose, 0.4, choose.uniform(0, 0.8))}}


def particles(choose, size):
    """Nanoparticles of 1.4 to 14 nm at 0.06 to 0.09 nm a pixel, whole, cut by the rim or larger than the field, on films of structured
    speckle or of a detector's noise. Fringes, darkness and rims are drawn in parts of what film and noise make together."""
    diameter = log(choose, 1.4, 14)
    pixel = choose.uniform(0.06, 0.09)
    # A thick film shows its speckle, a very thin one little but noise.
    film, noise = choose.choice([(choose.uniform(0.2, 0.6), log(choose, 0.004, 0.04)), (choose.uniform(0.2, 0.6), log(choose, 0.004, 0.04)),
                                 (choose.uniform(0.03, 0.2), choose.uniform(0.02, 0.07))])
    sigma = math.hypot(0.13 * film, noise)
    share = lambda amount, full: min(1.0, amount * sigma / full)
    beyond = some(choose, 0.6, choose.uniform(0, 0.5))
    room = (size * pixel * (1 + 2 * beyond) / diameter) ** 2
    many = choose.choice([choose.uniform(0.1, 0.9), choose.uniform(0.1, 0.9), choose.uniform(0.9, 2)])
    return {"kind": "nanoparticles", "size": size, "pixelSize": pixel, "diameter": diameter,
            "particles": 0 if choose.random() < 0.08 else max(1, min(40, round(room * many))), "beyond": beyond,
            "spacing": choose.uniform(0.2, 0.24), "orientations": choose.choice([0, 0, 1, 2, 3]), "visibility": share(log(choose, 1.5, 8), 0.26),
            "twins": choose.random(), "domains": choose.choice([0, 0, 2, 3, 4, 5, 6]) if diameter > 2.5 else 0, "fading": choose.uniform(0, 0.7),
            "delocalised": some(choose, 0.7, choose.random()), "rim": share(choose.random() * 1.2, 0.11), "halo": some(choose, 0.6, share(choose.random() * 1.2, 0.11)),
            "darkness": share(choose.uniform(0.1, 1.3), 0.11), "film": film, "under": choose.uniform(0.7, 1),
            "defocus": round(choose.uniform(5, 110)), "noise": noise,
            # A detector's point spread takes the noise along; pictures are often made smaller, which does the same.
            "microscope": {"background": some(choose, 0.4, choose.uniform(0, 0.15)), "blur": some(choose, 0.75, choose.uniform(0.2, 0.75))}}


def kind(choose, size, name, nuisances):
    """One specimen of a kind with its size, contrast and noise at random; with nuisances, seen through a poor microscope."""
    nm = lambda pixels, pixel: round(pixels * pixel)
    scale = lambda low, high: log(choose, low, high)
    common = {"kind": name, "size": size, "noise": scale(0.005, 0.08)}
    blur = {"blur": choose.uniform(0.2, 1.6)}
    looks = {
        "grains": lambda: {**grains(choose, size), **common, "contrast": choose.uniform(0.25, 1),
                           "grains": max(9, round((size / scale(10, 28)) ** 2))},
        "laths": lambda: {"packets": choose.randint(1, 6), "width": nm(scale(5, 16), 50), "aspect": choose.uniform(4, 14),
                          "film": choose.random(), "contrast": choose.uniform(0.15, 0.8), **blur},
        "two-phase": lambda: {"fraction": choose.uniform(0.25, 0.7), "scale": nm(scale(7, 26), 10),
                              "contrast": choose.uniform(0.25, 0.9), **blur},
        "porous": lambda: {"porosity": choose.uniform(0.15, 0.6), "diameter": nm(scale(8, 34), 8), "spread": choose.random(),
                           "edge": choose.random(), **blur},
        "fibres": lambda: {"fibres": choose.randint(8, 45), "diameter": nm(scale(5, 18), 40), "order": choose.random(),
                           "waviness": choose.random(), **blur},
        "nanoparticles": lambda: {**whole_particles(choose, size), "particles": choose.randint(1, 8), "diameter": scale(2, 7),
                                  "visibility": choose.uniform(0.5, 1)},
        "columns": lambda: {"spacing": choose.uniform(0.16, 0.4), "misorientation": round(choose.uniform(0, 30)),
                            "vacancies": choose.randint(0, 8), "dislocations": choose.randint(0, 2),
                            "background": choose.uniform(0.05, 0.4)},
        "precipitate": lambda: {"count": choose.randint(1, 16), "radius": nm(scale(5, 18), 4), "cube": choose.random(),
                                "contrast": choose.uniform(0.25, 0.9), "rim": choose.random(), **blur},
    }[name]()
    asked = {**common, **looks}
    if nuisances:
        asked["microscope"] = {"dose": round(log(choose, 8, 400)), "gain": 10, "blur": choose.uniform(0, 1.5),
                               "background": choose.uniform(0, 0.4), "gamma": choose.uniform(0.6, 1.6),
                               "invert": choose.choice([0, 1]), "drift": choose.choice([0, 0, 1, 2, 3])}
    return asked


def draw(lines, folder, generator=None):
    """Images (n, 1, H, W) and labels (n, H, W) of these options, each with a seed; the generator is built where none is given."""
    build = ["cargo", "run", "--quiet", "--release", "--example", "specimens", "--"]
    text = "\n".join(json.dumps(line) for line in lines)
    subprocess.run([*([generator] if generator else build), str(folder)], input=text.encode(), check=True, cwd=ROOT)
    load = lambda name: torch.from_numpy(numpy.load(pathlib.Path(folder) / f"{name}.npy"))
    return load("images")[:, None], load("labels").long()


def seeded(count, seed, look):
    """Options of `count` specimens; the same seed gives the same specimens, whatever was drawn before."""
    choose = random.Random(seed)
    return [{**look(choose, i), "seed": choose.randrange(10**9)} for i in range(count)]
