// The page by the Tab key alone.
import { Key } from "selenium-webdriver";

/** What has the focus, also inside open shadow roots: a name to compare by, and whether it is seen to have it. */
const FOCUSED = () => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (!element || element === document.body || element === document.documentElement) return null;
  window.__reached ??= new Set();
  window.__reached.add(element);
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  return {
    name: `${element.localName}${element.id ? `#${element.id}` : ""} “${(element.ariaLabel || element.textContent || element.value || "").trim().slice(0, 40)}”`,
    marked: (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none",
  };
};

/** Everything a pointer can use, or that says it can be focused: natively, or with tabindex 0. */
const MISSED = () => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((element) => [element, ...(element.shadowRoot ? all(element.shadowRoot) : [])]);
  const usable = all(document).filter(
    (element) =>
      element.matches("a[href], button, input, select, textarea, summary, [tabindex='0']") &&
      !element.matches("[disabled], [tabindex='-1'], [type=hidden]") &&
      element.checkVisibility({ visibilityProperty: true }),
  );
  const name = (element) => `${element.localName} “${(element.ariaLabel || element.textContent || element.value || "").trim().slice(0, 40)}”`;
  return { usable: usable.length, missed: usable.filter((element) => !window.__reached.has(element)).map(name) };
};

/** Presses Tab from the top until the focus leaves the page; what was reached, in order, and what was not. */
export async function tabThrough(browser, most = 1200) {
  const reached = [];
  await browser.run(() => {
    window.__reached = new Set();
    scrollTo(0, 0);
    // Tab goes on from where one was last, be it the target of a link: from here the first one leads to the page's first element.
    const start = document.createElement("i");
    start.tabIndex = -1;
    document.body.prepend(start);
    start.focus();
    start.addEventListener("blur", () => start.remove());
  });
  for (let i = 0; i < most; i++) {
    await browser.driver.actions().sendKeys(Key.TAB).perform();
    const now = await browser.run(FOCUSED);
    if (!now && reached.length > 0) break;
    // Firefox goes from the last element to the first.
    if (now && reached.length > 5 && now.name === reached[0].name) break;
    if (now) reached.push(now);
  }
  return { reached, ...(await browser.run(MISSED)) };
}
