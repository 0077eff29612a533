/** The ways to a map of probabilities: the shipped networks, and two classical filters without a network. */
import type { Engine, Model, Tensor } from "../../engine/api";
import { fromBase64 } from "../../engine/base64";
import { host } from "../../figure/host";

export interface Method {
  value: string;
  label: string;
  /** Boundaries divide a picture into grains; particles are what lies above the threshold. */
  finds: "boundaries" | "particles";
  /** A shipped network, or the crate's function. */
  network?: string;
  filter?: string;
  /** Chosen on synthetic specimens (training/evaluation.md): above it a pixel counts as boundary or particle. */
  threshold: number;
  /** The same for the watershed. */
  flood: Flood;
}

/** A marker's pixels lie below `threshold`, further than `clear` pixels from all others; it is cut at necks narrower than this share of the narrower part. */
export interface Flood {
  threshold: number;
  clear: number;
  neck: number;
  least: number;
}

const flood = (threshold: number, clear: number, neck: number, least: number): Flood => ({ threshold, clear, neck, least });
/** Particles are regions above the threshold; smaller ones are specks. */
const above = (threshold: number): Flood => flood(threshold, 0, 0, 20);

export const METHODS: Method[] = [
  { value: "grains", label: "U-Net, boundaries", finds: "boundaries", network: "grains", threshold: 0.3, flood: flood(0.1, 0, 0.7, 20) },
  { value: "deep", label: "deep U-Net, boundaries", finds: "boundaries", network: "grains_deep", threshold: 0.3, flood: flood(0.1, 1, 0.7, 5) },
  { value: "deep-noskip", label: "the same without skips", finds: "boundaries", network: "grains_deep_noskip", threshold: 0.3, flood: flood(0.1, 0, 0.8, 5) },
  { value: "sobel", label: "Gaussian + Sobel", finds: "boundaries", filter: "gaussian_sobel", threshold: 0.2, flood: flood(0.2, 0, 0.7, 20) },
  { value: "dog", label: "difference of Gaussians", finds: "boundaries", filter: "difference_of_gaussians", threshold: 0.3, flood: flood(0.2, 0, 0.7, 20) },
  { value: "particles", label: "U-Net, particles", finds: "particles", network: "particles", threshold: 0.45, flood: above(0.45) },
  { value: "particles-noskip", label: "the same without skips, particles", finds: "particles", network: "particles_noskip", threshold: 0.3, flood: above(0.3) },
];

/** Class 1 of the shipped networks: the boundary, respectively the particle. */
const CLASS = 1;

export class Methods {
  private readonly models = new Map<string, Promise<Model>>();

  constructor(private readonly engine: Engine) {}

  /** What a method makes of a picture: (1, H, W) from 0 up. */
  async map(method: Method, image: Tensor): Promise<Tensor> {
    if (method.filter) return this.engine.askTensor(method.filter, image);
    const { output } = await (await this.model(method.network!)).run(image);
    const [, height, width] = output.shape as [number, number, number];
    return { data: output.data.slice(CLASS * height * width, (CLASS + 1) * height * width), shape: [1, height, width] };
  }

  /** Loaded once, when first asked for. */
  private model(name: string): Promise<Model> {
    let model = this.models.get(name);
    if (!model) {
      model = host.load<string>(`model-${name}`).then((file) => this.engine.loadModel(fromBase64(file)));
      this.models.set(name, model);
      model.catch(() => this.models.delete(name));
    }
    return model;
  }
}
