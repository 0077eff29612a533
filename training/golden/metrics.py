"""What scikit-learn, scipy and scikit-image say of two label maps: confusion, accuracy, IoU, Dice, boundary F1 with a tolerance,
cross-entropy, grain matching. Writes tests/golden/metrics.json.

    pip install scipy==1.* scikit-image==0.26.* scikit-learn==1.*
    python training/golden/metrics.py
"""

import json
import pathlib

import numpy
import scipy.ndimage
import scipy.special
import sklearn.metrics

ROOT = pathlib.Path(__file__).resolve().parents[2]


def field(random, shape, sigma):
    return scipy.ndimage.gaussian_filter(random.normal(size=shape), sigma)


def masks(seed, shape, classes, off):
    """A truth of some classes with pixels that are not scored (−1), and a prediction that is like it."""
    random = numpy.random.default_rng(seed)
    truth, other = field(random, shape, 1.6), field(random, shape, 1.2)
    levels = numpy.quantile(truth, numpy.arange(1, classes) / classes)
    wanted, found = numpy.digitize(truth, levels), numpy.digitize(truth + off * other, levels)
    unknown = random.random(shape) < 0.1
    t, p = wanted[~unknown], found[~unknown]
    logits = numpy.round(random.normal(size=(classes, 12)), 3)
    target = random.integers(classes, size=12)
    return {"shape": list(shape), "classes": classes, "truth": numpy.where(unknown, -1, wanted).ravel().tolist(), "prediction": found.ravel().tolist(),
            "confusion": sklearn.metrics.confusion_matrix(t, p, labels=range(classes)).tolist(),
            "accuracy": sklearn.metrics.accuracy_score(t, p),
            "iou": sklearn.metrics.jaccard_score(t, p, labels=range(classes), average=None).tolist(),
            "dice": sklearn.metrics.f1_score(t, p, labels=range(classes), average=None).tolist(),
            "logits": logits.T.tolist(), "target": target.tolist(),
            "crossEntropy": sklearn.metrics.log_loss(target, scipy.special.softmax(logits, 0).T, labels=range(classes))}


def lines(seed, shape, tolerance):
    """Lines of one pixel's width, which thinning leaves as they are, and the same shifted and broken; distances are scipy's."""
    random = numpy.random.default_rng(seed)
    truth, found = numpy.zeros(shape, bool), numpy.zeros(shape, bool)
    for row, shift in zip(range(4, shape[0] - 3, 8), (0, 1, -2, 3)):
        at = random.integers(2, shape[1] // 3)
        truth[row, at : shape[1] - 3] = True
        found[row + shift, at + 5 : shape[1] - random.integers(3, 12)] = True
    near = lambda mask: scipy.ndimage.distance_transform_edt(~mask) <= tolerance
    precision, recall = near(truth)[found].mean(), near(found)[truth].mean()
    return {"shape": list(shape), "tolerance": tolerance, "truth": truth.astype(int).ravel().tolist(), "prediction": found.astype(int).ravel().tolist(),
            "precision": precision, "recall": recall, "f1": 2 * precision * recall / (precision + recall)}


def grains(seed, shape, least):
    """Two maps of numbered grains: a true one is found where scikit-learn's Jaccard index of the pair exceeds one half."""
    random = numpy.random.default_rng(seed)
    centres = random.random((14, 2)) * shape
    place = numpy.stack(numpy.mgrid[: shape[0], : shape[1]], -1)[..., None, :]
    nearest = lambda points: ((place - points) ** 2).sum(-1).argmin(-1) + 1
    truth, found = nearest(centres), nearest((centres + random.normal(size=centres.shape) * 2.5)[random.permutation(14)[:11]])
    valid = random.random(shape) < 0.9
    of = [i for i in numpy.unique(truth) if (truth[valid] == i).sum() >= least]
    index = lambda i, j: sklearn.metrics.jaccard_score(truth[valid] == i, found[valid] == j)
    hits = sum(max(index(i, j) for j in numpy.unique(found)) > 0.5 for i in of)
    return {"shape": list(shape), "least": least, "truth": truth.ravel().tolist(), "found": found.ravel().tolist(),
            "valid": valid.astype(int).ravel().tolist(), "of": len(of), "hits": int(hits)}


def main():
    cases = {"masks": [masks(1, (13, 17), 2, 0.5), masks(2, (16, 11), 3, 0.4), masks(3, (9, 20), 5, 0.3)],
             "lines": [lines(4, (40, 36), tolerance) for tolerance in (0, 1, 2, 3)],
             "grains": [grains(5, (36, 40), 30), grains(6, (40, 30), 60), grains(7, (32, 32), 1)]}
    (ROOT / "tests" / "golden" / "metrics.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
