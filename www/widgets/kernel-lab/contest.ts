/** The challenge's panel: the reader's score, the best preset's, the network's, and what was tried before. */
import { decimal } from "../../draw/numbers";
import { h } from "../../figure/dom";

export interface Score {
  iou: number;
  threshold: number;
  weights: number;
}

export interface Task {
  name: string;
  label: string;
  about: string;
  signed: boolean;
}

interface Try extends Score {
  kernel: string;
}

const KEY = "kernelscope.challenge.";

export class Contest {
  readonly element: HTMLElement;
  private readonly about = h("p", { class: "about" });
  private readonly bars = h("div", { class: "scores" });
  private readonly past = h("ol");
  private readonly tries = h("div", { class: "past", hidden: true }, h("div", { class: "label" }, h("b", {}, "Your tries"), h("span", { class: "note" }, "kept on this device")), this.past);
  private readonly button: HTMLButtonElement;
  private readonly status = h("span", { class: "progress", role: "status" });

  constructor(score: () => void) {
    this.button = h("button", { type: "button", class: "button primary words", onclick: score }, "Score on hidden specimens");
    this.element = h("div", { class: "contest" }, this.about, h("div", { class: "go" }, this.button, this.status), this.bars, this.tries);
  }

  show(task: Task, race: boolean): void {
    this.about.textContent = `${task.about} ${task.signed ? "Counted is where your answer lies above the threshold." : "Counted is where your answer, whatever its sign, lies above the threshold."}`;
    if (race) this.about.textContent += " Against you: the network.";
    this.bars.replaceChildren();
    this.list(task.name);
  }

  busy(words: string): void {
    this.status.textContent = words;
    this.button.disabled = words !== "";
  }

  /** Bars from 0 to 1, one a competitor. */
  scores(rows: { who: string; role: string; iou: number; more: string }[]): void {
    this.bars.replaceChildren(...rows.map(({ who, role, iou, more }) =>
      h("div", { class: `score ${role}` }, h("span", { class: "who" }, who), h("span", { class: "track" }, h("i", { style: `width:${100 * iou}%` })), h("b", {}, decimal(iou, 3)), h("small", {}, more))));
  }

  remember(task: string, entry: Try): void {
    const list = [entry, ...this.load(task)].sort((a, b) => b.iou - a.iou || a.weights - b.weights);
    const unique = list.filter((each, i) => list.findIndex(({ kernel }) => kernel === each.kernel) === i).slice(0, 5);
    try {
      localStorage.setItem(KEY + task, JSON.stringify(unique));
    } catch {
      // A sandboxed frame has no storage; the tries then are not kept.
    }
    this.list(task, unique);
  }

  private list(task: string, tries = this.load(task)): void {
    this.past.replaceChildren(...tries.map(({ iou, weights, kernel }) => h("li", {}, h("b", {}, decimal(iou, 3)), ` with ${weights} weights `, h("small", {}, kernel))));
    this.tries.hidden = tries.length === 0;
  }

  private load(task: string): Try[] {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(KEY + task) ?? "[]");
      return Array.isArray(kept) ? kept.filter((each): each is Try => typeof each?.iou === "number" && typeof each.weights === "number" && typeof each.kernel === "string") : [];
    } catch {
      return [];
    }
  }
}
