/** A figure's parameters: defaults, then attributes, then the page's URL, then the reader. */

export interface Param<T> {
  initial: T;
  /** `undefined` where the text means nothing: the default stays. */
  parse(text: string): T | undefined;
  format(value: T): string;
}

export type Specs<S> = { [K in keyof S]: Param<S[K]> };

export const choice = <T extends string>(options: readonly T[], initial: T): Param<T> => ({
  initial,
  parse: (text) => options.find((option) => option === text),
  format: (value) => value,
});

export const text = (initial: string, pattern = /^[\w.,:+ -]{0,400}$/): Param<string> => ({
  initial,
  parse: (given) => (pattern.test(given) ? given : undefined),
  format: (value) => value,
});

export const number = (initial: number): Param<number> => ({
  initial,
  parse: (given) => (given.trim() !== "" && Number.isFinite(Number(given)) ? Number(given) : undefined),
  format: String,
});

export const flag = (initial: boolean): Param<boolean> => ({
  initial,
  parse: (given) => (given === "no" || given === "false" ? false : true),
  format: (value) => (value ? "yes" : "no"),
});

/** A list of numbers: "150.190" or "-1,0,1". */
export const numbers = (initial: number[], separator = ","): Param<number[]> => ({
  initial,
  parse: (given) => {
    if (given === "") return [];
    const list = given.split(separator).map(Number);
    return list.length <= 400 && list.every(Number.isFinite) ? list : undefined;
  },
  format: (value) => value.join(separator),
});

/** The address as the figures last wrote it or heard of it. */
let heard = location.hash;
addEventListener("hashchange", () => (heard = location.hash));

/** Parameters of one figure, and their share of the URL: `#section?figure.name=value&…`. */
export class State<S extends object> {
  readonly value: S;
  private initial: S;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** A figure that has not started yet cannot hear of a followed link: until its first change its state listens itself. */
  private readonly untouched = () => void this.follow();

  constructor(private specs: Specs<S>, private figure: string, attribute: (name: string) => string | null) {
    const initial: Partial<S> = {};
    for (const name of this.names) {
      const given = attribute(String(name));
      const parsed = given === null ? undefined : specs[name].parse(given);
      initial[name] = parsed === undefined ? specs[name].initial : parsed;
    }
    this.initial = initial as S;
    this.value = { ...this.initial };
    this.readUrl();
    addEventListener("hashchange", this.untouched);
  }

  set(change: Partial<S>): void {
    removeEventListener("hashchange", this.untouched);
    Object.assign(this.value, change);
    clearTimeout(this.timer);
    // Browsers limit how often the URL may change; a drag changes it many times a second.
    this.timer = setTimeout(() => this.writeUrl(), 300);
  }

  reset(): void {
    Object.assign(this.value, this.initial);
    this.writeUrl();
  }

  /** The figure's own defaults, whatever attributes and address say: always computable. */
  get plain(): S {
    return Object.fromEntries(this.names.map((name) => [name, this.specs[name].initial])) as S;
  }

  /**
   * Computes with the present values. A link or an attribute may carry some that cannot be: then computes with the plain
   * ones, leaves what was asked for in place to be corrected, and returns why it was refused.
   */
  async orPlain(compute: () => Promise<void>): Promise<unknown> {
    try {
      await compute();
      return undefined;
    } catch (error) {
      const given = { ...this.value };
      Object.assign(this.value, this.plain);
      await compute();
      Object.assign(this.value, given);
      return error;
    }
  }

  /** The page's address with this figure's state, whatever else it says. */
  link(): string {
    const { anchor } = splitHash();
    return `${location.href.split("#")[0]}#${this.figure || anchor}?${this.own()}`;
  }

  /** Takes over what the address says of this figure; what it does not name is as at first. False where it says nothing. */
  follow(): boolean {
    if (!this.mentions()) return false;
    clearTimeout(this.timer);
    Object.assign(this.value, this.initial);
    this.readUrl();
    return true;
  }

  private readUrl(): void {
    for (const [key, given] of splitHash().params) {
      const name = key.startsWith(`${this.figure}.`) ? (key.slice(this.figure.length + 1) as keyof S) : undefined;
      const parsed = name !== undefined && name in this.specs ? this.specs[name].parse(given) : undefined;
      if (parsed !== undefined) this.value[name!] = parsed;
    }
  }

  private get names(): (keyof S)[] {
    return Object.keys(this.specs) as (keyof S)[];
  }

  private own(): URLSearchParams {
    const params = new URLSearchParams();
    for (const name of this.names) {
      const { format } = this.specs[name];
      const now = format(this.value[name]);
      if (now !== format(this.initial[name])) params.set(`${this.figure}.${String(name)}`, now);
    }
    return params;
  }

  private writeUrl(): void {
    // A link was followed, and the figures have not heard of it yet: what it says comes first.
    if (location.hash !== heard && this.mentions()) return;
    const { anchor, params } = splitHash();
    for (const key of [...params.keys()]) if (key.startsWith(`${this.figure}.`)) params.delete(key);
    for (const [key, given] of this.own()) params.set(key, given);
    const query = params.toString().replace(/%2C/g, ",");
    try {
      history.replaceState(history.state, "", query ? `#${anchor}?${query}` : anchor ? `#${anchor}` : location.pathname + location.search);
    } catch {
      // A sandboxed frame may not change its address; the figure works all the same.
    }
    heard = location.hash;
  }

  private mentions(): boolean {
    return [...splitHash().params.keys()].some((key) => key.startsWith(`${this.figure}.`));
  }
}

export function splitHash(): { anchor: string; params: URLSearchParams } {
  const [anchor = "", query = ""] = location.hash.slice(1).split(/\?(.*)/s);
  return { anchor, params: new URLSearchParams(query) };
}
