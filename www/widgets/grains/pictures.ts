/** What can be measured: pictures with the truth about boundaries or particles, and the reader's own. */
import type { Engine, Tensor } from "../../engine/api";
import { loadReal, REAL } from "../../figure/real";
import { SOURCES } from "../../figure/sources";

export interface Measurable {
  image: Tensor;
  about: string;
  pixelSize?: number;
  /** 1 on boundaries, respectively on particles. */
  truth?: Tensor;
  finds?: "boundaries" | "particles";
}

export const PICTURES = ["titanium", "grains", "gold-5nm", "gold-10nm", "nanoparticles", "yours"] as const;
export type PictureName = (typeof PICTURES)[number];

/** The method that suits a picture when the reader has not chosen one. */
export const suits = (picture: PictureName): "boundaries" | "particles" => (picture === "titanium" || picture === "grains" || picture === "yours" ? "boundaries" : "particles");

export const labelOf = (picture: PictureName): string => {
  if (picture === "nanoparticles") return "nanoparticles, computed";
  return SOURCES.find(({ value }) => value === picture)?.label ?? REAL.find(({ value }) => value === picture)!.label;
};

export async function load(engine: Engine, picture: PictureName): Promise<Measurable> {
  if (picture === "nanoparticles") {
    const { image, labels, pixelSize } = await engine.specimen("nanoparticles", { size: 256, pixelSize: 0.08, particles: 12, diameter: 3, seed: 4 });
    return { image, pixelSize, truth: labels.crystalline, finds: "particles", about: `computed · 256 × 256 · ${pixelSize} nm a pixel` };
  }
  const real = REAL.find(({ value }) => value === picture);
  if (real && picture !== "titanium") {
    const { image, labels, pixelSize } = await loadReal(engine, real);
    return { image, about: real.about, pixelSize: real.pixelSize && pixelSize, truth: labels.crystalline, finds: "particles" };
  }
  const { image, boundaries, pixelSize, about } = await SOURCES.find(({ value }) => value === picture)!.load(engine);
  return { image, about, pixelSize, truth: boundaries, finds: "boundaries" };
}
