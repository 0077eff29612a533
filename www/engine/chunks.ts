/** Chunks: classic scripts beside the core that hand over what they carry with `kernelscope.provide`. */

const payloads = new Map<string, unknown>();
const waiting = new Map<string, { promise: Promise<unknown>; resolve(payload: unknown): void }>();
const script = typeof document === "undefined" ? null : (document.currentScript as HTMLScriptElement | null);
// Relative to the core's own address, so that a page may keep pkg/ wherever it likes. A script that was taken into the page
// (as text, or as a data: address) has no place beside which anything could lie.
const own = /^(https?|file|blob):/.test(script?.src ?? "") ? script!.src : null;
const base = own ? new URL("chunks/", own).href : "chunks/";

/** The address of a file, given relative to the core's own. */
export const address = (path: string): string => new URL(path, own ?? new URL("pkg/", location.href)).href;

export function provide(name: string, payload: unknown): void {
  payloads.set(name, payload);
  waiting.get(name)?.resolve(payload);
}

/** `inOrder` chunks run in the order in which they were asked for, however fast each comes: later ones build on earlier ones. */
export function load<T>(name: string, { inOrder = false } = {}): Promise<T> {
  if (payloads.has(name)) return Promise.resolve(payloads.get(name) as T);
  const known = waiting.get(name);
  if (known) return known.promise as Promise<T>;
  let resolve!: (payload: unknown) => void;
  const promise = new Promise<unknown>((done, failed) => {
    resolve = done;
    const element = document.createElement("script");
    element.src = `${base}${name}.js`;
    element.async = !inOrder;
    element.onerror = () => {
      waiting.delete(name);
      element.remove();
      failed(new Error(`the file chunks/${name}.js, which belongs to this page, could not be read; is the folder pkg complete?`));
    };
    document.head.append(element);
  });
  waiting.set(name, { promise, resolve });
  return promise as Promise<T>;
}
