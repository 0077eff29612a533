/** A figure's parameters: defaults, then attributes, then the page's URL, then the reader. */

export interface Param<T> {
  initial: T;
  /** What it takes, for those who set it from outside. */
  kind?: "choice" | "text" | "number" | "flag" | "numbers";
  /** Of a choice. */
  options?: readonly string[];
  /** `undefined` where the text means nothing: the default stays. */
  parse(text: string): T | undefined;
  format(value: T): string;
}

export type Specs<S> = { [K in keyof S]: Param<S[K]> };

export const choice = <T extends string>(options: readonly T[], initial: T): Param<T> => ({
  initial,
  kind: "choice",
  options,
  parse: (text) => options.find((option) => option === text),
  format: (value) => value,
});

export const text = (initial: string, pattern = /^[\w.,:+ -]{0,400}$/): Param<string> => ({
  initial,
  kind: "text",
  parse: (given) => (pattern.test(given) ? given : undefined),
  format: (value) => value,
});

export const number = (initial: number): Param<number> => ({
  initial,
  kind: "number",
  parse: (given) => (given.trim() !== "" && Number.isFinite(Number(given)) ? Number(given) : undefined),
  format: String,
});

export const flag = (initial: boolean): Param<boolean> => ({
  initial,
  kind: "flag",
  parse: (given) => (given === "no" || given === "false" ? false : true),
  format: (value) => (value ? "yes" : "no"),
});

/** A list of numbers: "150.190" or "-1,0,1". */
export const numbers = (initial: number[], separator = ","): Param<number[]> => ({
  initial,
  kind: "numbers",
  parse: (given) => {
    if (given === "") return [];
    const list = given.split(separator).map(Number);
    return list.length <= 400 && list.every(Number.isFinite) ? list : undefined;
  },
  format: (value) => value.join(separator),
});

/** Names of parameters that HTML has taken for attributes of its own. */
const TAKEN: Record<string, string> = { hidden: "hidden-units", class: "answer-class" };
export const attributeOf = (name: string): string => TAKEN[name] ?? name;

/** What a text or a value from outside came to: what can be taken, and a sentence on each thing that cannot. */
export interface Given<S> {
  values: Partial<S>;
  refused: string[];
}

/** The address as the figures last wrote it or heard of it. */
let heard = location.hash;
addEventListener("hashchange", () => (heard = location.hash));

/** Parameters of one figure, and their share of the URL: `#section?figure.name=value&…`. */
export class State<S extends object> {
  readonly value: S;
  private initial: S;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private told = "";
  private taken = false;
  private listener: ((kind: "input" | "change") => void) | undefined;
  /** Whether the page's address follows this figure. */
  addressed = true;
  /** A figure that has not started yet cannot hear of a followed link: until its first change its state listens itself. */
  private readonly untouched = () => void this.follow();

  constructor(private specs: Specs<S>, private figure: string, attribute: (name: string) => string | null) {
    const initial: Partial<S> = {};
    for (const name of this.names) {
      const given = attribute(attributeOf(String(name)));
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
    this.timer = setTimeout(() => this.rest(), 300);
    if (this.isNews()) this.listener?.("input");
  }

  reset(): void {
    Object.assign(this.value, this.initial);
    if (this.isNews()) this.listener?.("input");
    this.rest();
  }

  private rest(): void {
    this.writeUrl();
    if (this.changed) this.listener?.("change");
    this.changed = false;
  }

  private changed = false;

  /** Figures set what is already so; nobody outside wants to hear of that. */
  private isNews(): boolean {
    const now = this.text;
    if (now === this.told) return false;
    this.told = now;
    return (this.changed = true);
  }

  /** Calls when the reader, or time, has changed something: at each change, and when it has come to rest. */
  listen(listener: (kind: "input" | "change") => void): void {
    this.told = this.text;
    this.changed = false;
    this.listener = listener;
  }

  /** Today's state: `name=value&…`, where it is not what the figure begins with. */
  get text(): string {
    return this.given.map(([name, now]) => `${name}=${encodeURIComponent(now).replace(/%2C/g, ",").replace(/%20/g, " ")}`).join("&");
  }

  /** The same as pairs, not encoded. */
  get given(): [name: string, text: string][] {
    const pairs = this.names.map((name): [string, string, string] => [String(name), this.specs[name].format(this.value[name]), this.specs[name].format(this.specs[name].initial)]);
    return pairs.filter(([, now, first]) => now !== first).map(([name, now]) => [name, now]);
  }

  /** What can be set, for documentation and tests. */
  get parameters(): { name: string; attribute: string; kind: string; options: readonly string[] | undefined; initial: string }[] {
    return this.names.map((name) => {
      const { kind = "text", options, format, initial } = this.specs[name];
      return { name: String(name), attribute: attributeOf(String(name)), kind, options, initial: format(initial) };
    });
  }

  /** `name=value&…` from an attribute, a slide, a frame's address: believed only as far as it means something. */
  read(text: string): Given<S> {
    const pairs = [...new URLSearchParams(text.slice(0, 4000))];
    const own = `${this.figure}.`;
    return this.understand(pairs.map(([name, value]) => [name.startsWith(own) ? name.slice(own.length) : name, value]));
  }

  /** Values as numbers, lists and so on, or as the texts that attributes hold. */
  understand(pairs: Iterable<[string, unknown]>): Given<S> {
    const given: Given<S> = { values: {}, refused: [] };
    for (const [called, value] of pairs) {
      const name = this.names.find((name) => name === called || attributeOf(String(name)) === called);
      if (name === undefined) {
        given.refused.push(`there is no “${called.slice(0, 40)}” here; there are ${this.names.map((name) => attributeOf(String(name))).join(", ")}`);
        continue;
      }
      const spec = this.specs[name];
      let parsed: S[typeof name] | undefined;
      try {
        parsed = spec.parse(typeof value === "string" ? value : spec.format(value as S[typeof name]));
      } catch {
        // Not even the right kind of thing: told below.
      }
      if (parsed === undefined) given.refused.push(`${attributeOf(String(name))} cannot be “${String(value).slice(0, 60)}”${spec.options ? `; it is one of ${spec.options.join(", ")}` : ""}`);
      else given.values[name] = parsed;
    }
    return given;
  }

  /** Where the figure begins, and where “reset” leads, from now on. */
  begin(values: Partial<S>, { atFirst = false } = {}): void {
    Object.assign(this.initial, values);
    Object.assign(this.value, values);
    // What the address says counts more than what the page's author wrote, but not than what the page does later.
    if (atFirst) this.readUrl();
    this.told = this.text;
  }

  /** Whether values came from outside that nothing shows yet. */
  get waiting(): boolean {
    return this.taken;
  }

  /** Values from outside; `follow` then tells the figure once that there is something to show. */
  take(values: Partial<S>, { from }: { from?: "start" } = {}): void {
    removeEventListener("hashchange", this.untouched);
    clearTimeout(this.timer);
    if (from) Object.assign(this.value, this.initial);
    Object.assign(this.value, values);
    this.taken = true;
    this.told = this.text;
    this.timer = setTimeout(() => this.rest(), 300);
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
    if (this.taken) {
      this.taken = false;
      return true;
    }
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
    // A deck or an application that keeps its own place in the address is left alone.
    if (!this.addressed || /^#[/!]/.test(location.hash)) return;
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
