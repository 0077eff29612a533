/** What the specimen figure remembers. */
import { flag, number, text } from "../../figure/state";

/** Values by name as the address has them: "dose:40,drift:6". */
export type Settings = Record<string, number>;

const settings = {
  initial: {} as Settings,
  parse(given: string): Settings | undefined {
    const pairs = given.split(",").filter(Boolean).map((pair) => pair.split(":"));
    if (pairs.some(([name, value]) => !/^\w{1,20}$/.test(name ?? "") || !value || !Number.isFinite(Number(value)))) return undefined;
    return Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)]));
  },
  format: (value: Settings): string => Object.entries(value).map(([name, one]) => `${name}:${one}`).join(","),
};

export const values = {
  /** A kind of specimen or a real micrograph. */
  specimen: text("nanoparticles", /^[\w-]{1,40}$/),
  knobs: settings,
  microscope: settings,
  seed: number(1),
  label: text("none", /^\w{1,30}$/),
  channel: number(0),
  /** Whether the other figures are offered this picture. */
  use: flag(false),
};

export interface Values {
  specimen: string;
  knobs: Settings;
  microscope: Settings;
  seed: number;
  label: string;
  channel: number;
  use: boolean;
}
