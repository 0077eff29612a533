/** The first layer's kernels of the shipped boundary network: what it found by itself. */
import type { Engine, Model, Tensor } from "../../engine/api";
import { fromBase64 } from "../../engine/base64";
import { host } from "../../figure/host";

export class Learned {
  private loading: Promise<{ model: Model; kernels: Tensor[]; threshold: number }> | undefined;

  constructor(private engine: Engine) {}

  /** Loaded once, when first asked for. */
  open(): Promise<{ model: Model; kernels: Tensor[]; threshold: number }> {
    this.loading ??= this.load().catch((error: unknown) => {
      this.loading = undefined;
      throw error;
    });
    return this.loading;
  }

  private async load() {
    const model = await this.engine.loadModel(fromBase64(await host.load<string>("model-grains")));
    const first = model.graph.find(({ op }) => op === "conv2d")!;
    const { data, shape } = await model.parameter(`${first.name}.weight`);
    const [count, , k] = shape as [number, number, number];
    const kernels = Array.from({ length: count }, (_, i): Tensor => ({ data: data.slice(i * k * k, (i + 1) * k * k), shape: [1, 1, k, k] }));
    const { threshold } = await model.card();
    return { model, kernels, threshold: typeof threshold === "number" ? threshold : 0.5 };
  }
}
