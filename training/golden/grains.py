"""What scipy and scikit-image make of a random map: components, watershed. Writes tests/golden/grains.json.

    pip install scipy==1.* scikit-image==0.26.*
    python training/golden/grains.py
"""

import json
import pathlib

import numpy
import scipy.ndimage
import skimage.segmentation

ROOT = pathlib.Path(__file__).resolve().parents[2]


def case(seed, shape, sigma, threshold):
    random = numpy.random.default_rng(seed)
    field = scipy.ndimage.gaussian_filter(random.normal(size=shape), sigma)
    order = field.ravel().argsort().argsort().reshape(shape)  # every value once
    threshold = round(threshold * field.size)
    inside = order < threshold
    components, count = scipy.ndimage.label(inside)
    flooded = skimage.segmentation.watershed(order, components, connectivity=1)
    return {"shape": list(shape), "order": order.ravel().tolist(), "threshold": threshold, "count": int(count),
            "components": components.ravel().tolist(), "flooded": flooded.ravel().tolist()}


def main():
    cases = [case(1, (24, 31), 1.2, 0.5), case(2, (17, 40), 0.6, 0.35), case(3, (32, 32), 2.5, 0.6)]
    (ROOT / "tests" / "golden" / "grains.json").write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
