// Lays out the states of states.js, each in both themes, or those that the query asks for: ?only=name&theme=dark.
const query = new URLSearchParams(location.search);
const themes = query.get("theme") ? [query.get("theme")] : ["light", "dark"];
const gallery = document.getElementById("gallery");
for (const [name, { figure, attributes, about }] of Object.entries(states)) {
  if (query.get("only") && query.get("only") !== name) continue;
  for (const theme of themes) {
    const frame = document.createElement("section");
    frame.className = "state";
    frame.dataset.theme = theme;
    const heading = document.createElement("h2");
    heading.textContent = `${name} · ${theme} · ${about}`;
    const element = document.createElement(figure);
    for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
    element.dataset.key = `${name}-${theme}`;
    element.id = `${name}-${theme}`;
    frame.append(heading, element);
    gallery.append(frame);
  }
}
