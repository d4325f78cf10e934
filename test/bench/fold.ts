/** The fold by itself: one core, 20 rules. */
import { readFileSync } from "node:fs";
import type { Input } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { fold } from "../../src/fold/fold.js";
import { initial } from "../../src/fold/initial.js";
import { checkModel } from "../../src/model/check.js";
import { type CompiledModel, compile } from "../../src/model/compile.js";
import { contactInputs, seededRandom } from "./stream.js";

const dayMs = 86_400_000;

/** From the root of the project, where npm runs scripts. */
export const benchModelFile = "test/bench/twenty-rules.yaml";

export interface Measured {
  readonly name: string;
  readonly count: number;
  readonly seconds: number;
}

export function benchModel(): CompiledModel {
  const checked = checkModel(readFileSync(benchModelFile, "utf8"), benchModelFile);
  if (!checked.ok) throw new Error(checked.problems.map(({ message }) => message).join("\n"));
  return compile(checked.model);
}

/** The same contacts for every measure: 100 inputs each over a year. */
export function contacts(count: number): Input[][] {
  const random = seededRandom(42);
  return Array.from({ length: count }, (_, i) => contactInputs(`c${i}`, 100, 365 * dayMs, random));
}

/** Folds in key order, muted: what a rebuild does. */
export function foldInOrder(model: CompiledModel, histories: readonly Input[][]): Measured {
  const started = performance.now();
  let count = 0;
  for (const history of histories) {
    const state = initial(model);
    for (const input of history) fold(model, state, input);
    count += history.length;
  }
  return { name: "fold in order, 20 rules", count, seconds: (performance.now() - started) / 1000 };
}

/** In key order with outputs decided: what live and replay do. */
export function foldAndDecide(model: CompiledModel, histories: readonly Input[][]): Measured {
  const started = performance.now();
  let count = 0;
  let outputs = 0;
  for (const history of histories) {
    const contact = new ContactFold([model], "default", "c", { history: "none" });
    for (const input of history) contact.receive(input);
    count += history.length;
    outputs += contact.drain().length;
  }
  const seconds = (performance.now() - started) / 1000;
  return { name: `fold and decide (${(outputs / count).toFixed(2)} outputs an input)`, count, seconds };
}

/** Two of a hundred inputs arrive up to ten places late, so what came between is folded again. */
export function foldWithLate(model: CompiledModel, histories: readonly Input[][]): Measured {
  const random = seededRandom(7);
  const arrivals = histories.map((history) => {
    const order = history.slice();
    for (let i = order.length - 11; i > 0; i--) {
      if (random() < 0.02) order.splice(i + 1 + Math.floor(random() * 10), 0, ...order.splice(i, 1));
    }
    return order;
  });
  const started = performance.now();
  let count = 0;
  for (const order of arrivals) {
    const contact = new ContactFold([model], "default", "c", { history: "kept" });
    for (const input of order) contact.receive(input);
    count += order.length;
    contact.drain();
  }
  return { name: "fold, 2 % late", count, seconds: (performance.now() - started) / 1000 };
}

/** A bot: one contact with a million inputs in 90 days. */
export function foldOneContact(model: CompiledModel, count: number): Measured {
  const history = contactInputs("bot", count, 90 * dayMs, seededRandom(3));
  const started = performance.now();
  const contact = new ContactFold([model], "default", "bot", { history: "none" });
  for (const input of history) {
    contact.receive(input);
    contact.drain();
  }
  return { name: "one contact with all inputs", count, seconds: (performance.now() - started) / 1000 };
}
