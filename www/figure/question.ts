/**
 * A question to answer before the figure tells. Choosing commits the guess, the answer shows in the figure, and stands
 * beside the guess with its reason. Whoever does not want to guess can be told.
 */
import { h } from "./dom";
import { type Guess, forget, recall, remember } from "./guesses";

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
  /** What gives the answer away is hidden while this is true: until a guess was made, or the reader asked to be told. */
  locked?(locked: boolean): void;
}

/** Told to a panel that the page does not show. */
export const UNASKED = "unasked";

export function questionPanel({ key, prompt, choices, prepare, reveal, locked }: Question): HTMLElement {
  const answer = h("div", { class: "answer", role: "status" });
  const buttons = choices.map((words, i) =>
    h("button", { type: "button", class: "button words", "aria-pressed": "false", onclick: () => void commit(i) }, words),
  );
  const place = h("button", { type: "button", class: "plain", onclick: () => prepare() }, "Show me the place");
  const skip = h("button", { type: "button", class: "plain skip", onclick: () => void commit("skipped") }, "Skip, and tell me");
  const again = h("button", { type: "button", class: "plain again", hidden: true, onclick: () => ask() }, "Ask me again");

  /** Pressed is what was guessed; right is shown by an outline and a word, not by colour alone. */
  const mark = (guess: Guess | null, right: number | null) =>
    buttons.forEach((button, i) => {
      button.setAttribute("aria-pressed", String(i === guess));
      button.classList.toggle("right", i === right);
    });
  const answered = (is: boolean) => {
    skip.hidden = is;
    again.hidden = !is;
    locked?.(!is);
  };
  const ask = () => {
    forget(key);
    mark(null, null);
    answer.replaceChildren();
    answered(false);
    buttons[0]?.focus();
  };
  const commit = async (guess: Guess) => {
    remember(key, guess);
    mark(guess, null);
    answered(true);
    prepare();
    try {
      const { right, because } = await reveal();
      mark(guess, right);
      answer.replaceChildren(...told(guess, right, choices, because));
    } catch (error) {
      answer.replaceChildren(h("p", {}, error instanceof Error ? error.message : String(error)));
    }
  };

  const before = recall(key, choices.length);
  mark(before, null);
  answered(before !== null);
  if (before !== null) {
    const show = h("button", { type: "button", class: "plain", onclick: () => void commit(before) }, "Show the answer");
    answer.append(h("p", {}, before === "skipped" ? "You have seen the answer. " : `Last time you said “${choices[before]}”. `, show));
  }
  const panel = h("section", { class: "question", "aria-label": `Question: ${prompt}` },
    h("p", {}, h("b", {}, "Before you go on. "), prompt, " ", place),
    h("div", { class: "answers" }, ...buttons, skip, again),
    answer,
  );
  // A page that leaves the question out has nobody who could answer it: nothing stays hidden.
  panel.addEventListener(UNASKED, () => locked?.(false));
  return panel;
}

/** The guess beside the answer, and the reason below both. */
function told(guess: Guess, right: number, choices: string[], because: string): HTMLElement[] {
  const pair = (label: string, words: string, role = "") => h("div", {}, h("dt", {}, label), h("dd", { class: role }, words));
  const yes = guess === right;
  return [
    h("dl", { class: "told" },
      pair("You said", guess === "skipped" ? "nothing yet" : choices[guess]!),
      pair(yes ? "Yes, it is" : "It is", choices[right]!, "out"),
    ),
    h("p", {}, because),
  ];
}
