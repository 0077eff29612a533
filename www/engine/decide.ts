/** Which backend computes, and why: no side effects, so that every answer can be tested. */

/** A graphics card as the browser describes it. */
export interface Described {
  /** Its name, as far as it is told. */
  adapter: string;
  /** The processor imitates it. */
  software: boolean;
  features: string[];
}

/** The same small network on both, in milliseconds, and the largest difference as a share of the largest value. */
export interface Trial {
  cpu: number;
  gpu: number;
  off: number;
}

export interface Decision {
  use: boolean;
  /** Goes on after "on the processor, in a worker" or "on the graphics card". */
  why: string;
}

/** How far the card's values may lie from the processor's. */
export const TOLERANCE = 1e-4;

const nameOf = ({ adapter }: Described): string => (adapter ? ` (${adapter})` : "");

/** What `backend: "auto"` takes: a real card that was right and faster. `card` is a refusal in words where there is none. */
export function decide(card: Described | string, trial?: Trial | string): Decision {
  if (typeof card === "string") return { use: false, why: card };
  if (card.software) return { use: false, why: `what WebGPU offers here is no graphics card but an imitation by the processor${nameOf(card)}` };
  if (trial === undefined) return { use: false, why: `the graphics card${nameOf(card)} is being tried` };
  if (typeof trial === "string") return { use: false, why: `the graphics card${nameOf(card)} failed on a trial: ${trial}` };
  if (!(trial.off <= TOLERANCE)) return { use: false, why: `the graphics card${nameOf(card)} computed wrong values on a trial (off by ${percent(trial.off)})` };
  if (!(trial.gpu < trial.cpu)) return { use: false, why: `the processor was faster on a trial than the graphics card${nameOf(card)}: ${ms(trial.cpu)} against ${ms(trial.gpu)}` };
  return { use: true, why: `which took ${ms(trial.gpu)} for a trial where the processor took ${ms(trial.cpu)}` };
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const percent = (share: number): string => (Number.isFinite(share) ? `${(share * 100).toPrecision(2)} %` : "without measure");

const IMITATIONS = ["swiftshader", "llvmpipe", "lavapipe", "softpipe", "basic render", "warp"];

interface AdapterInfo {
  vendor?: string;
  architecture?: string;
  device?: string;
  description?: string;
  isFallbackAdapter?: boolean;
}
interface Adapter {
  info?: AdapterInfo;
  isFallbackAdapter?: boolean;
}
interface Gpu {
  requestAdapter(options: object): Promise<Adapter | null>;
}

/** How long a browser may think about whether it has a card. */
const OFFER_MS = 5000;

/** What the browser offers, before anything is downloaded for it: a card, or why there is none. */
export async function offer(): Promise<Described | string> {
  const gpu = (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu;
  if (!gpu) return "this browser, or this place in a page, has no WebGPU";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, OFFER_MS, "the browser did not say whether it has a graphics card");
  });
  const asked = gpu.requestAdapter({ powerPreference: "high-performance" }).then(
    (adapter) => (adapter ? described(adapter) : "the browser offers no graphics card"),
    (error: unknown) => `the browser refused its graphics card (${error instanceof Error ? error.message : String(error)})`,
  );
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

function described({ info = {}, isFallbackAdapter }: Adapter): Described {
  const told = [info.description, info.device, info.vendor, info.architecture].filter((part): part is string => Boolean(part));
  const adapter = [...new Set(told)].join(", ");
  const lower = adapter.toLowerCase();
  const software = Boolean(info.isFallbackAdapter ?? isFallbackAdapter) || IMITATIONS.some((name) => lower.includes(name));
  return { adapter, software, features: [] };
}
