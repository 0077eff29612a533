/** A question to answer before the figure tells: choosing commits the guess, the answer shows in the figure. */
import { h } from "./dom";

export interface Answer {
  /** Index of the right choice. */
  right: number;
  /** The reason, with the numbers of the figure. */
  because: string;
}

export interface Question {
  /** Under which the guess is kept, on this device only. */
  key: string;
  prompt: string;
  choices: string[];
  /** Brings the figure into the state the question is about. */
  prepare(): void;
  /** Shows the answer in the figure and says it. */
  reveal(): Promise<Answer>;
}

export function questionPanel({ key, prompt, choices, prepare, reveal }: Question): HTMLElement {
  const answer = h("p", { class: "answer", role: "status" });
  const buttons = choices.map((words, i) =>
    h("button", { type: "button", class: "button words", "aria-pressed": "false", onclick: () => void choose(i) }, words),
  );
  const show = h("button", { type: "button", class: "plain", onclick: () => prepare() }, "Show me the place");
  const choose = async (guess: number) => {
    remember(key, guess);
    prepare();
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === guess)));
    try {
      const { right, because } = await reveal();
      buttons.forEach((button, i) => button.classList.toggle("right", i === right));
      answer.textContent = `${guess === right ? "Yes." : `It is “${choices[right]}”.`} ${because}`;
    } catch (error) {
      answer.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  const guess = recall(key);
  if (guess !== null && guess < buttons.length) buttons[guess]!.classList.add("before");
  return h("section", { class: "question", "aria-label": `Question: ${prompt}` },
    h("p", {}, h("b", {}, "Before you go on. "), prompt, " ", show),
    h("div", { class: "answers" }, ...buttons),
    answer,
  );
}

const name = (key: string) => `kernelscope.guess.${key}`;

function remember(key: string, guess: number): void {
  try {
    localStorage.setItem(name(key), String(guess));
  } catch {
    // A sandboxed frame has no storage; the guess then lives as long as the page.
  }
}

function recall(key: string): number | null {
  try {
    const kept = localStorage.getItem(name(key));
    return kept === null ? null : Number(kept);
  } catch {
    return null;
  }
}
