// From the one table of elements (www/widgets/elements.json): the custom-elements manifest, and the page that documents
// every element with a live example.
import { readFileSync } from "node:fs";

const KINDS = ["choice", "text", "number", "flag", "numbers"];

/** The table, checked: every figure of the registry is in it, and nothing else. */
export function readElements(file, tags) {
  const table = JSON.parse(readFileSync(file, "utf8"));
  const named = Object.keys(table.figures).sort();
  const wrong = [...tags.filter((tag) => !named.includes(tag)), ...named.filter((tag) => !tags.includes(tag))];
  if (wrong.length) throw new Error(`${file} and the registry differ in ${wrong.join(", ")}`);
  for (const [tag, { summary, attributes }] of Object.entries(table.figures)) {
    if (!summary) throw new Error(`${file}: ${tag} has no summary`);
    for (const [name, { kind, about, values }] of Object.entries(attributes)) {
      if (!KINDS.includes(kind) || !about || (kind === "choice") !== Array.isArray(values)) throw new Error(`${file}: ${tag}, ${name}: kind, about, or the values of a choice are missing`);
    }
  }
  return table;
}

const TYPES = { text: "string", number: "number", flag: "boolean", numbers: "string" };
const typeOf = ({ kind, values }) => (kind === "choice" ? values.map((value) => `"${value}"`).join(" | ") : TYPES[kind]);

/** https://github.com/webcomponents/custom-elements-manifest, schema 2.1.0: what editors read. */
export function customElementsManifest({ common, figures }) {
  const attribute = ([name, entry]) => ({ name, type: { text: typeOf(entry) }, default: entry.default === undefined ? undefined : JSON.stringify(entry.default), description: entry.about });
  const plain = ([name, about]) => ({ name, description: about });
  const typed = ([name, { type, about }]) => ({ name, type: { text: type }, description: about });
  const declarations = Object.entries(figures).sort(([a], [b]) => (a < b ? -1 : 1)).map(([tag, { summary, attributes, time }]) => ({
    kind: "class",
    customElement: true,
    name: tag.replace(/(^|-)(\w)/g, (_, dash, letter) => letter.toUpperCase()),
    tagName: tag,
    summary,
    attributes: [...Object.entries(attributes), ...Object.entries(common.attributes)].map(attribute),
    members: [
      ...Object.entries(common.properties).map((entry) => ({ kind: "field", ...typed(entry) })),
      ...Object.entries(common.methods).filter(([, { time: needs }]) => !needs || time).map(([name, { about }]) => ({ kind: "method", name, description: about })),
    ],
    events: Object.entries(common.events).map(typed),
    slots: [{ name: "", description: "The figure's caption." }],
    cssParts: Object.entries(common.parts).map(plain),
    cssProperties: Object.entries(common.cssProperties).map(([name, { about, default: value }]) => ({ name, default: value, description: about })),
  }));
  const exports = declarations.map(({ tagName, name }) => ({ kind: "custom-element-definition", name: tagName, declaration: { name, module: "kernelscope.js" } }));
  return `${JSON.stringify({ schemaVersion: "2.1.0", readme: "", modules: [{ kind: "javascript-module", path: "kernelscope.js", declarations, exports }] }, null, 1)}\n`;
}

const escaped = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
/** `code` in a text becomes <code>. */
const prose = (text) => escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");

/** The page that documents every element, each with a live example. Opens from file:// too. */
export function documentation({ common, figures }) {
  const row = (cells) => `<tr>${cells.map((cell, i) => (i === 0 ? `<th scope="row"><code>${escaped(cell)}</code></th>` : `<td>${cell}</td>`)).join("")}</tr>`;
  const table = (head, rows) => (rows.length === 0 ? "" : `<div class="wide" tabindex="0" role="region" aria-label="${escaped(head[0])}"><table><thead><tr>${head.map((cell) => `<th scope="col">${cell}</th>`).join("")}</tr></thead><tbody>${rows.map(row).join("")}</tbody></table></div>`);
  const shown = (value) => (value === undefined || value === "" ? "" : `<code>${escaped(value)}</code>`);
  const kindOf = ({ kind, values }) => (kind === "choice" ? values.map((value) => `<code>${escaped(value)}</code>`).join(" ") : { text: "text", number: "number", flag: "yes or no", numbers: "numbers" }[kind]);
  const attributes = (entries) => table(["Attribute", "Takes", "At first", "What it does"], Object.entries(entries).map(([name, entry]) => [name, kindOf(entry), shown(entry.default), prose(entry.about)]));
  const plain = (head, entries) => table([head, "What it is"], Object.entries(entries).map(([name, about]) => [name, prose(about)]));
  const typed = (head, entries) => table([head, "Type", "What it is"], Object.entries(entries).map(([name, { type, about }]) => [name, shown(type), prose(about)]));
  const section = ([tag, { summary, example, attributes: own, time, height }]) => {
    const given = Object.entries(example ?? {}).map(([name, value]) => ` ${name}="${escaped(value)}"`).join("");
    const code = `<${tag}${given}></${tag}>`;
    return `<section id="${tag}"><h2><code>&lt;${tag}&gt;</code></h2>
<p>${prose(summary)}${time ? " It has time: <code>autoplay</code>, <code>play()</code>, <code>pause()</code> and <code>stepBy()</code> apply." : ""}</p>
<pre><code>${escaped(code)}</code></pre>
<div class="example"${height ? ` style="min-height: ${height}px"` : ""}><${tag}${given} data-key="${tag.slice(3)}"></${tag}></div>
${attributes(own)}</section>`;
  };
  const order = Object.entries(figures);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; base-uri 'none'; form-action 'none'">
<title>kernelscope: every element, with a live example</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="kernelscope.css">
<script src="kernelscope.js" defer></script>
<style>
body { font: 400 16px/1.6 var(--sans); }
main { max-width: 992px; margin: 0 auto; padding: 24px 20px 120px; }
section { padding: 40px 0 0; }
section > p { max-width: 660px; }
h1 { margin: 40px 0 16px; } h2 { font: 600 24px/1.3 var(--sans); margin: 24px 0 10px; } h2 code { font-size: 22px; } h3 { font: 600 17px/1.3 var(--sans); margin: 30px 0 8px; }
code { font: 400 .92em/1.4 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); border-radius: 6px; padding: 12px 14px; overflow-x: auto; font-size: 14px; margin: 0 0 18px; } pre code { overflow-wrap: normal; }
.example { margin: 0 0 18px; }
.wide { overflow-x: auto; margin: 0 0 12px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.45; }
th, td { text-align: left; vertical-align: top; padding: 6px 16px 6px 0; border-bottom: 1px solid var(--hair); } thead th { color: var(--muted); font-weight: 500; white-space: nowrap; }
tbody th { font-weight: 500; white-space: nowrap; } td code { margin-right: 4px; }
nav.all { columns: 3 200px; font-size: 14.5px; margin: 0 0 8px; } nav.all a { display: block; padding: 2px 0; }
</style>
</head>
<body>
<main>
<h1>Every element, with a live example</h1>
<p class="lead">One script, and each figure of the lecture is an HTML element: <code>&lt;script src="kernelscope.js" defer&gt;&lt;/script&gt;</code>. All figures of a page share one engine; each loads the code and the pictures that it needs, from the folder of the script and from nowhere else.</p>
<nav class="all" aria-label="Elements">${order.map(([tag]) => `<a href="#${tag}"><code>&lt;${tag}&gt;</code></a>`).join("")}<a href="#common">what all have in common</a><a href="#slides">slides</a><a href="#frames">frames</a></nav>
<section id="common"><h2>What all have in common</h2>
<p>The lesson’s parameters are attributes of each element, listed with it below. These are for all:</p>
${attributes(common.attributes)}
<h3>Properties and methods</h3>
${typed("Property", common.properties)}
${table(["Method", "What it does"], Object.entries(common.methods).map(([name, { about }]) => [`${name}()`, prose(about)]))}
<h3>Events</h3>
${typed("Event", common.events)}
<h3>Look</h3>
<p>A figure wears the page’s theme. Custom properties change its colours, parts what CSS can change: <code>ks-convolution::part(caption) { font-size: 16px }</code>. The script’s own style sheet <code>fonts.css</code> brings the typefaces and nothing else; <code>kernelscope.css</code> is the lecture’s whole look.</p>
${table(["Custom property", "Light, dark", "What it colours"], Object.entries(common.cssProperties).map(([name, { about, default: value }]) => [name, shown(value), prose(about)]))}
${plain("Part", common.parts)}
</section>
<section id="slides"><h2>Slides</h2>
<p>In reveal.js a figure starts on its slide, rests on all others, is made to fit the slide’s height (<code>fit="none"</code> leaves it alone), keeps the keys that are pressed in it, and gives them back at Escape. A fragment prepares a state:</p>
<pre><code>${escaped('<section>\n  <ks-convolution id="sliding" controls="minimal"></ks-convolution>\n  <p class="fragment" data-ks-at="kernel=sobel-y&amp;whole=yes">The other direction</p>\n  <p class="fragment" data-ks-at="stride=2" data-ks-for="sliding">Every second pixel</p>\n</section>')}</code></pre>
<p>The last visible fragment decides; going back, the one before it does. <code>data-ks-for</code> names one figure where a slide has several. A printed deck shows each figure at rest.</p></section>
<section id="frames"><h2>Frames</h2>
<p><code>embed.html?widget=convolution#kernel=sobel-y&amp;at=20.30</code> is one figure alone, for course systems that strip scripts. It needs no permission beyond <code>sandbox="allow-scripts"</code>, stores nothing it cannot do without, and tells the page around it how high it is:</p>
<pre><code>${escaped('addEventListener("message", ({ source, data }) => {\n  for (const frame of document.querySelectorAll("iframe"))\n    if (frame.contentWindow === source && data?.type === "kernelscope:height") frame.style.height = `${data.height}px`;\n});')}</code></pre>
<p>It also tells <code>kernelscope:ready</code>, <code>kernelscope:change</code> and <code>kernelscope:error</code>, and hears <code>{ type: "kernelscope:set", at: "kernel=sobel-y" }</code> and <code>{ type: "kernelscope:theme", theme: "dark" }</code> from the page that holds it.</p></section>
${order.map(section).join("\n")}
</main>
</body>
</html>
`;
}
