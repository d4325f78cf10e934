/**
 * A raised version publishes only what differs: net crossings, and nothing for a threshold or trigger that is new and
 * that the contact stands above already.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Input, Output } from "../../src/events/types.js";
import { carried } from "../../src/fold/carry.js";
import { ContactFold } from "../../src/fold/contact.js";
import type { CompiledModel } from "../../src/model/compile.js";
import type { Model } from "../../src/model/types.js";
import { inputLists } from "../arbitrary/inputs.js";
import { modelOf, singleModel } from "../arbitrary/models.js";
import { compiled } from "./engine.js";

/** The contact goes over from one version to the next. */
function changed(before: CompiledModel, next: CompiledModel, inputs: readonly Input[]): Output[] {
  const [own] = inputs;
  const old = new ContactFold([before], "acme", own!.contactId, { history: "kept" });
  for (const input of inputs) old.receive(input);
  const record = old.record();
  const published = record.published[0]!;
  const fold = new ContactFold([next], "acme", own!.contactId, { history: "kept" }, record);
  fold.load(null, held(inputs, old));
  fold.change([0], null, (_, state) => carried(next, state, before, published));
  return fold.drain();
}

/** What is in the history: each key once, and nothing that was erased. */
function held(inputs: readonly Input[], fold: ContactFold): Input[] {
  const again = new ContactFold(fold.models, fold.tenantId, fold.contactId, { history: "kept" });
  const kept = new Map<string, Input>();
  for (const input of inputs) {
    const key = JSON.stringify([input.at, input.kind, input.id]);
    const received = again.receive(input);
    if (received.status === "folded" || received.status === "late") kept.set(key, input);
    if (received.status === "conflict" && received.loser !== input) kept.set(key, input);
  }
  const until = again.erasedUntil ?? Number.NEGATIVE_INFINITY;
  const left = [...kept.values()].filter(({ at }) => at > until);
  const order = ["profile", "interaction", "adjustment"];
  return left.sort(
    (a, b) =>
      a.at - b.at ||
      order.indexOf(a.kind) - order.indexOf(b.kind) ||
      Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)),
  );
}

const histories = inputLists({ contactsMax: 1 }).map((inputs) =>
  inputs.map((input): Input => ({ ...input, tenantId: "acme", contactId: "ada" })),
);

function versions(before: Model, next: Model): [CompiledModel, CompiledModel] {
  const [one, other] = [before, next].map((model, i): Model => {
    const { tenants: _, ...rest } = model;
    return { ...rest, version: i + 1 };
  });
  return [compiled([one!])[0]!, compiled([other!])[0]!];
}

describe("a raised version", () => {
  it("with the same content publishes nothing", () => {
    fc.assert(
      fc.property(singleModel, histories, (model, inputs) => {
        expect(changed(...versions(model, model), inputs)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("with other thresholds and triggers publishes none that is new for a contact that stands there already", () => {
    fc.assert(
      fc.property(singleModel, modelOf("lead"), histories, (model, other, inputs) => {
        const triggers = other.triggers.map((trigger) => ({ ...trigger, id: `new-${trigger.id}` }));
        const [before, next] = versions(model, { ...model, thresholds: other.thresholds, triggers });
        const known = new Set(model.thresholds.map(({ at }) => String(at)));
        for (const output of changed(before, next, inputs)) {
          expect(output).toMatchObject({ kind: "ThresholdCrossed", cause: { kind: "model" } });
          if (output.kind !== "ThresholdCrossed" || known.has(output.id)) continue;
          // One that was reached once and is still held may be told: the contact stands below it.
          const at = output.crossing === "threshold" ? Number(output.id) : atOf(triggers, output.id);
          expect(output.direction === "up" && (output.previous ?? 0) >= at).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("with other rules publishes the net difference once, of what moved", () => {
    fc.assert(
      fc.property(singleModel, modelOf("lead"), histories, (model, other, inputs) => {
        const outputs = changed(...versions(model, { ...other, id: model.id }), inputs);
        const names = outputs.map((output) =>
          output.kind === "ThresholdCrossed" ? `${output.crossing} ${output.id}` : output.kind,
        );
        expect(new Set(names).size).toBe(names.length);
        for (const output of outputs) expect(output).toMatchObject({ cause: { kind: "model" }, version: 2 });
      }),
      { numRuns: 300 },
    );
  });
});

/** `risesBy` is of no score: it is never told of a change. */
function atOf(triggers: Model["triggers"], id: string): number {
  const trigger = triggers.find((one) => one.id === id)!;
  return trigger.kind === "risesBy" ? Number.NEGATIVE_INFINITY : trigger.at;
}
