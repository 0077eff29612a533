/** The map of the lecture: what was read and which questions were answered, on this device only. */
import { answered, GUESSED, type Guessed } from "../figure/guesses";

const KEY = "kernelscope.read";

interface Stop {
  link: HTMLAnchorElement;
  section: HTMLElement;
  /** The key of the section's question, where it has one. */
  question: string | undefined;
}

export function roadmap(): void {
  const map = document.querySelector<HTMLElement>(".roadmap");
  if (!map) return;
  const stops = [...map.querySelectorAll<HTMLAnchorElement>("a[href^='#']")].flatMap((link): Stop[] => {
    const section = document.getElementById(link.hash.slice(1));
    return section ? [{ link, section, question: link.dataset.question }] : [];
  });
  const read = load();
  const done = new Set(stops.flatMap(({ question }) => (question && answered(question) ? [question] : [])));
  const progress = map.querySelector<HTMLElement>(".progress")!;
  const clear = Object.assign(document.createElement("button"), { type: "button", textContent: "Forget what I have read" });
  clear.addEventListener("click", () => {
    read.clear();
    save(read);
    show();
  });

  const show = () => {
    for (const { link, section, question } of stops) {
      const [seen, right] = [read.has(section.id), question !== undefined && done.has(question)];
      link.classList.toggle("read", seen);
      link.classList.toggle("answered", right);
      // In words, for those who do not see the ring.
      const words = right ? "question answered" : seen ? "read" : "";
      if (words) link.setAttribute("aria-description", words);
      else link.removeAttribute("aria-description");
    }
    const questions = stops.filter(({ question }) => question).length;
    progress.hidden = read.size + done.size === 0;
    progress.replaceChildren(`${read.size} of ${stops.length} sections read, ${done.size} of ${questions} questions answered. `, clear);
  };

  // A section counts as read when its last paragraph has been in the middle of the window.
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const section = target.closest("section");
        if (!isIntersecting || !section || read.has(section.id)) continue;
        read.add(section.id);
        save(read);
        show();
      }
    },
    { rootMargin: "-25% 0px -25% 0px" },
  );
  for (const { section } of stops) if (section.lastElementChild) observer.observe(section.lastElementChild);
  addEventListener(GUESSED, (event) => {
    const { key, answered } = (event as CustomEvent<Guessed>).detail;
    if (answered) done.add(key);
    else done.delete(key);
    show();
  });
  show();
}

function load(): Set<string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return new Set(Array.isArray(kept) ? kept.filter((id): id is string => typeof id === "string" && document.getElementById(id)?.localName === "section") : []);
  } catch {
    return new Set();
  }
}

function save(read: Set<string>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([...read]));
  } catch {
    // A sandboxed frame has no storage; the map then remembers as long as the page.
  }
}
