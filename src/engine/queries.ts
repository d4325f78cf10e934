/** Questions about contacts: where they stand, stood or will stand at an instant, and why. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ContactAnswer, ExplainAnswer, Question } from "../api/engine.js";
import { ScorefoldError } from "../errors.js";
import type { ContactId, EpochMs, Input, ScoreLine } from "../events/types.js";
import { ContactFold } from "../fold/contact.js";
import { type Explanation, explain } from "../fold/explain.js";
import { advance } from "../fold/fold.js";
import { scoreLine } from "../fold/score-line.js";
import { cloneState } from "../fold/state.js";
import type { CompiledModel } from "../model/compile.js";
import { contactKey, contactOf } from "../store/keys.js";
import type { ContactStore } from "../store/store.js";
import { TaskContact } from "../stream/contact.js";
import type { Task } from "../stream/task.js";

/** A long history is folded in pieces, so that others are answered meanwhile. */
const FOLDED_AT_ONCE = 10_000;

/** Where a contact stands at an instant. @returns null where it is not known, or was not then */
export async function scoresOf(task: Task, contactId: ContactId, question: Question): Promise<ContactAnswer | null> {
  const contact = await task.contact(contactKey(question.tenantId, contactId));
  if (contact.fold.inputs === 0) return null;
  const asOf = question.asOf ?? presentOf(task, contact);
  const scores = (await linesAt(contact, storeOf(task), asOf)).filter(isAsked(question));
  return scores.length === 0 && asOf < (contact.fold.record().clock ?? asOf) ? null : { asOf, scores };
}

/** Why a contact stands where it stands at an instant. @returns null where it is not known, or was not then */
export async function explanationOf(
  task: Task,
  contactId: ContactId,
  question: Question,
): Promise<ExplainAnswer | null> {
  const contact = await task.contact(contactKey(question.tenantId, contactId));
  if (contact.fold.inputs === 0) return null;
  const asOf = question.asOf ?? presentOf(task, contact);
  const fold = await foldedAgain(contact, await contact.history(storeOf(task)), asOf);
  const isOf = ({ model }: CompiledModel): boolean => question.model === undefined || model.id === question.model;
  const explanations = fold.models.flatMap((model, i): Explanation[] => {
    if (!isOf(model)) return [];
    const found = explain(model, contact.tenantId, contact.contactId, fold.foldedStates()[i]!);
    return found === null ? [] : [found];
  });
  const timeline = fold
    .drain()
    .filter(
      (output) => output.kind === "ContactErased" || question.model === undefined || output.model === question.model,
    );
  return explanations.length === 0 ? null : { asOf, explanations, timeline };
}

/** Score lines of all contacts of a tenant behind `after`, by contact and model. */
export async function* allScores(
  task: Task,
  question: Question,
  after: ContactId = "",
): AsyncGenerator<readonly ScoreLine[]> {
  // One that has ended by itself may be taken up again, here or elsewhere.
  if (["failed", "stopped"].includes(task.state.state)) throw cannotAnswer(task);
  // What is only in memory gets its place among the rows.
  await task.written();
  const store = storeOf(task);
  const start = contactKey(question.tenantId, after);
  const asked = isAsked(question);
  for await (const rows of store.allContacts(start)) {
    const lines: ScoreLine[] = [];
    for (const [key, stored] of rows) {
      const { tenantId } = contactOf(key);
      if (tenantId !== question.tenantId) {
        if (lines.length > 0) yield lines;
        return;
      }
      const contact = new TaskContact(key, task.models.of(tenantId), stored);
      const asOf = question.asOf ?? presentOf(task, contact);
      lines.push(...(await linesAt(contact, store, asOf)).filter(asked));
    }
    yield lines;
  }
}

function isAsked({ model }: Question): (line: ScoreLine) => boolean {
  return (line) => model === undefined || line.model === model;
}

function storeOf(task: Task): ContactStore {
  if (task.store === null) throw cannotAnswer(task);
  return task.store;
}

function cannotAnswer(task: Task): ScorefoldError {
  return new ScorefoldError("stopping", `the task can't answer now: it is ${task.state.state}`);
}

/** Nothing is known beyond the newest input of a contact but by time passing: the later of both is the present. */
function presentOf(task: Task, contact: TaskContact): EpochMs {
  return Math.max(task.time ?? Number.NEGATIVE_INFINITY, contact.fold.record().clock ?? 0);
}

async function linesAt(contact: TaskContact, store: ContactStore, asOf: EpochMs): Promise<ScoreLine[]> {
  const { fold, tenantId, contactId } = contact;
  const { clock } = fold.record();
  if (clock !== null && asOf < clock)
    return (await foldedAgain(contact, await contact.history(store), asOf)).scoreLines();
  const due = fold.due();
  if (due === null || due > asOf) return fold.scoreLines();
  return fold.models.flatMap((model, i) => {
    const state = cloneState(fold.foldedStates()[i]!);
    advance(model, state, asOf);
    return scoreLine(model, tenantId, contactId, state) ?? [];
  });
}

/** The contact folded from its inputs up to an instant. */
async function foldedAgain(
  { fold, tenantId, contactId }: TaskContact,
  history: readonly Input[],
  asOf: EpochMs,
): Promise<ContactFold> {
  const again = new ContactFold(fold.models, tenantId, contactId, { history: "kept" });
  let folded = 0;
  for (const input of history) {
    if (input.at > asOf) break;
    again.receive(input);
    folded += 1;
    if (folded % FOLDED_AT_ONCE === 0) await nextTurn();
  }
  again.advance(asOf);
  return again;
}
