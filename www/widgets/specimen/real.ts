/** The real micrographs of the picker. */
import type { Engine, Specimen, Tensor } from "../../engine/api";
import { fromBase64 } from "../../engine/base64";
import { host } from "../../figure/host";

export interface Real {
  value: string;
  label: string;
  about: string;
  image: string;
  mask?: { name: string; file: string };
  /** Nanometres a pixel, where it is known. */
  pixelSize?: number;
}

const hrtem = (value: string, label: string, file: string): Real => ({
  value,
  label,
  about: "gold on amorphous carbon, HRTEM (Sytwu et al.) · 0.077 nm a pixel · mask drawn by hand",
  image: file,
  mask: { name: "crystalline", file: `${file}_mask` },
  pixelSize: 0.077,
});

export const REAL: Real[] = [
  hrtem("gold-2nm", "gold, 2.2 nm, HRTEM", "hrtem_au_2p2nm_0"),
  hrtem("gold-5nm", "gold, 5 nm, HRTEM", "hrtem_au_5nm_1"),
  hrtem("gold-10nm", "gold, 10 nm, HRTEM", "hrtem_au_10nm_0"),
  { value: "gold-boundary", label: "gold, grain boundary, STEM", about: "grain boundary in gold, ADF-STEM (Lin et al.) · pixel size not documented", image: "stem_au_grainboundary" },
  {
    value: "titanium", label: "titanium, SEM", about: "α-titanium, SEM (Ozaki et al.) · 0.63 µm a pixel", image: "grain_ti_sem",
    mask: { name: "boundaries", file: "grain_ti_sem_boundaries" }, pixelSize: 630,
  },
  {
    value: "superalloy", label: "superalloy, SEM", about: "etched nickel superalloy, SEM (Stuckner et al.) · pixel size not documented", image: "ood_nisuperalloy_sem_b",
    mask: { name: "precipitates", file: "ood_nisuperalloy_sem_b_classes" },
  },
  { value: "laths", label: "Ti-6Al-4V laths, SEM", about: "α-β Ti-6Al-4V with laths, SEM, backscattered electrons (Moser, NIST) · pixel size not documented", image: "lath_ti64_bse" },
  { value: "silicon", label: "silicon [110], STEM", about: "silicon along [110], HAADF-STEM (Lin et al.) · about 0.01 nm a pixel, by its file name", image: "stem_si110_haadf", pixelSize: 5 / 512 },
  { value: "soot", label: "soot, HRTEM", about: "soot, curved graphitic fringes, HRTEM (Botero et al.) · pixel size not documented", image: "ood_soot_hrtem" },
];

/** Where the pixel size is unknown, the microscope counts in pixels: 1 stands for one. */
export async function loadReal(engine: Engine, { image, mask, pixelSize = 1 }: Real): Promise<Specimen> {
  const [picture, drawn] = await Promise.all([shipped(engine, image), mask ? shipped(engine, mask.file) : null]);
  return { image: picture, labels: mask && drawn ? { [mask.name]: { ...drawn, data: drawn.data.map((value) => (value > 0 ? 1 : 0)) } } : {}, pixelSize };
}

async function shipped(engine: Engine, file: string): Promise<Tensor> {
  const { image } = await engine.decode(fromBase64(await host.load<string>(`image-${file}`)));
  const [, height, width] = image.shape as [number, number, number];
  return { data: image.data.slice(0, height * width), shape: [1, height, width] };
}
