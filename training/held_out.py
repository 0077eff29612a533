"""Writes the frozen lists of held-out specimens, training/held_out/*.jsonl, on which `training/evaluate` scores. Run once."""

import json

import looks

SIZE = 128
FOLDER = looks.ROOT / "training" / "held_out"


def main():
    FOLDER.mkdir(exist_ok=True)
    # The first 24 are there to choose settings on, the others to score.
    lists = {name: looks.seeded(64, seed, lambda choose, _, look=look: look(choose, SIZE))
             for name, seed, look in (("grains", 7000, looks.grains), ("particles", 7002, looks.particles), ("particles_whole", 7001, looks.whole_particles))}
    for name, nuisances in (("classes", False), ("classes_nuisances", True)):
        lists[name] = looks.seeded(160, 7100 + nuisances, lambda choose, i, n=nuisances: looks.kind(choose, 96, looks.CLASSES[i % 8], n))
    for name, nuisances in (("patches", False), ("patches_nuisances", True)):
        lists[name] = looks.seeded(160, 7200 + nuisances, lambda choose, i, n=nuisances: looks.kind(choose, 32, looks.CLASSES[i % 8], n))
    for name, lines in lists.items():
        rounded = [{key: round(value, 4) if isinstance(value, float) else value for key, value in line.items()} for line in lines]
        for line in rounded:
            if "microscope" in line:
                line["microscope"] = {key: round(value, 4) for key, value in line["microscope"].items()}
        (FOLDER / f"{name}.jsonl").write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in rounded))


if __name__ == "__main__":
    main()
