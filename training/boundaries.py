"""Boundary F1 with a tolerance, as crate/metrics.rs computes it: thin both masks, then compare lines."""

import numpy


def thin(mask):
    """Zhang and Suen's thinning (Commun. ACM 27, 1984)."""
    image = numpy.pad(mask.astype(bool), 1)
    while True:
        before = image.sum()
        for odd in (0, 1):
            n = [numpy.roll(image, (dy, dx), (0, 1)) for dy, dx in
                 ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))]  # north, then clockwise
            count = sum(x.astype(int) for x in n)
            turns = sum((~n[i] & n[(i + 1) % 8]).astype(int) for i in range(8))
            a, b = ((0, 2, 4), (2, 4, 6)) if odd == 0 else ((0, 2, 6), (0, 4, 6))
            gone = image & (count >= 2) & (count <= 6) & (turns == 1)
            gone &= ~(n[a[0]] & n[a[1]] & n[a[2]]) & ~(n[b[0]] & n[b[1]] & n[b[2]])
            image = image & ~gone
        if image.sum() == before:
            return image[1:-1, 1:-1]


def near(mask, tolerance):
    """Pixels within this distance of a pixel of the mask."""
    r = int(tolerance)
    wide = numpy.pad(mask, r)
    out = numpy.zeros_like(mask)
    for dy in range(-r, r + 1):
        for dx in range(-r, r + 1):
            if dy * dy + dx * dx <= tolerance * tolerance:
                out |= wide[r + dy : r + dy + mask.shape[0], r + dx : r + dx + mask.shape[1]]
    return out


def f1(predicted, truth, valid=None, tolerance=2):
    """Precision, recall and F1 of the thinned boundaries."""
    predicted, truth = thin(predicted), thin(truth)
    valid = numpy.ones_like(truth) if valid is None else valid
    hits = (predicted & near(truth, tolerance) & valid).sum()
    found = (truth & near(predicted, tolerance) & valid).sum()
    precision = hits / max((predicted & valid).sum(), 1)
    recall = found / max((truth & valid).sum(), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)
