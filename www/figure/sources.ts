/** The pictures that figures may look at: real micrographs, specimens of the crate, the reader's own. */
import type { Engine, Tensor } from "../engine/api";
import { fromBase64 } from "../engine/base64";
import { chosen } from "./chosen";
import { host } from "./host";

export interface Source {
  /** (1, H, W), values from 0 to 1. */
  image: Tensor;
  /** What the caption says: material, instrument, pixel size. */
  about: string;
  /** Nanometres a pixel, where known. */
  pixelSize?: number;
  /** 1 on grain boundaries, 0 elsewhere, where the truth is known. */
  boundaries?: Tensor;
}

export interface SourceInfo {
  value: string;
  label: string;
  load(engine: Engine): Promise<Source>;
}

/** A square of the micrograph with bright, dark and pitted grains, clear of the burnt-in scale bar. */
const TITANIUM = { top: 20, left: 174, size: 256 };

const specimen = (value: string, label: string, kind: string, size: number, options: object = {}): SourceInfo => ({
  value,
  label,
  load: async (engine) => {
    const { image, pixelSize, labels } = await engine.specimen(kind, { size, ...options });
    return { image, about: `computed · ${size} × ${size} · ${pixelSize} nm a pixel`, pixelSize, boundaries: labels.boundaries };
  },
});

export const SOURCES: SourceInfo[] = [
  {
    value: "titanium",
    label: "titanium, SEM",
    load: async (engine) => {
      const [image, boundaries] = await Promise.all([shipped(engine, "image-grain_ti_sem"), shipped(engine, "image-grain_ti_sem_boundaries")]);
      return { image, boundaries, about: "α-titanium, SEM · 0.63 µm a pixel", pixelSize: 630 };
    },
  },
  specimen("grains", "grains, computed", "grains", 256, { seed: 7 }),
  specimen("grains-64", "grains, 64 × 64", "grains", 64, { seed: 7 }),
  specimen("two-grains", "two grains", "two-grains", 64),
  {
    value: "yours",
    label: "your micrograph",
    // Before one was chosen: what the specimen figure begins with.
    load: async (engine) => {
      if (chosen.source) return chosen.source;
      const { image, pixelSize } = await engine.specimen("nanoparticles");
      return { image, pixelSize, about: `nanoparticles, computed · ${pixelSize} nm a pixel · choose another in the specimens` };
    },
  },
];

/** The titanium square of a shipped file. */
async function shipped(engine: Engine, name: string): Promise<Tensor> {
  const { image } = await engine.decode(fromBase64(await host.load<string>(name)));
  return cut(image, TITANIUM.top, TITANIUM.left, TITANIUM.size);
}

/** Rows and columns of the first channel; copies, computes nothing. */
function cut({ data, shape }: Tensor, top: number, left: number, size: number): Tensor {
  const width = shape[2]!;
  const out = new Float32Array(size * size);
  for (let y = 0; y < size; y++) out.set(data.subarray((top + y) * width + left, (top + y) * width + left + size), y * size);
  return { data: out, shape: [1, size, size] };
}

/** A picture of the reader's own: a PNG; of several channels the first is taken. */
export async function ownPicture(engine: Engine, file: File): Promise<Source> {
  const { image, bitDepth } = await engine.decode(new Uint8Array(await file.arrayBuffer()));
  const [, height, width] = image.shape as [number, number, number];
  return {
    image: { data: image.data.slice(0, height * width), shape: [1, height, width] },
    about: `${file.name} · ${width} × ${height} · ${bitDepth} bits`,
  };
}
