"""Writes tests/golden/*.json: what PyTorch computes, for the crate to be held against.

    pip install -r requirements.txt
    python generate.py           writes the files
    python generate.py --check   computes them again and compares with the committed ones

Inputs and weights are whole numbers of sixteenths wherever possible, so that every product and sum is exact in float32
and the comparison can be exact whatever the order of summation.
"""

import argparse
import json
import math
import pathlib
import platform
import sys

import numpy
import torch

sys.dont_write_bytecode = True

import conv2d
import operators
import page
import pool
import receptive

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
FILES = {"conv2d": conv2d.cases, "page": page.cases, "operators": operators.cases, "pool": pool.cases, "receptive": receptive.cases}


def versions():
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__}


def same(a, b):
    """Equal, numbers within float32's rounding."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-5)
    return a == b


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files and write nothing")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    differing = []
    for name, cases in FILES.items():
        path = GOLDEN / f"{name}.json"
        fresh = json.loads(json.dumps(cases()))
        names = [case["name"] for case in fresh]
        assert len(set(names)) == len(names), "case names must be unique"
        if check:
            committed = json.loads(path.read_text())["cases"]
            wrong = [a["name"] for a, b in zip(fresh, committed) if not same(a, b)]
            if wrong or len(fresh) != len(committed):
                differing.append(f"{name}: {len(fresh)} cases now, {len(committed)} committed, differing: {wrong}")
            else:
                print(f"{name}: {len(fresh)} cases agree")
        else:
            lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in fresh)
            head = json.dumps(versions())
            path.write_text(f'{{"versions":{head},\n"cases":[\n{lines}\n]}}\n')
            print(f"{path.name}: {len(fresh)} cases, {path.stat().st_size / 1024:.0f} KiB")
    if differing:
        sys.exit("\n".join(differing))


if __name__ == "__main__":
    main()
