/** A task's parts as tests of them need them: a model, inputs, a store on a simulated disk. */
import type { Input } from "../../src/events/types.js";
import { checkModel } from "../../src/model/check.js";
import { type CompiledModel, compile } from "../../src/model/compile.js";
import { ContactStore } from "../../src/store/store.js";
import { SimulatedDisk } from "../simulator/disk.js";

export const HOUR = 3_600_000;
export const start = Date.UTC(2026, 0, 1, 9);

/** Ten points a visit, gone after an hour. */
export function visitsModel(version = 1, points = 10, more = ""): CompiledModel {
  const text = [
    "model: lead",
    `version: ${version}`,
    "dimensions: { score: { min: 0, max: 1000 } }",
    `rules: [{ id: visits, when: web.page_viewed, points: ${points}, within: 1h }]`,
    more,
  ].join("\n");
  return modelOf(text);
}

export function modelOf(text: string): CompiledModel {
  const checked = checkModel(text, "lead");
  if (!checked.ok) throw new Error(JSON.stringify(checked));
  return compile(checked.model);
}

export function visit(n: number, at = start + n, contactId = "ada"): Input {
  return { kind: "interaction", id: `v${n}`, tenantId: "acme", contactId, at, type: "web.page_viewed", attributes: {} };
}

export function erasure(at: number, contactId = "ada"): Input {
  return { kind: "profile", id: "e", tenantId: "acme", contactId, at, fields: null };
}

export async function openStore(disk = new SimulatedDisk()): Promise<{ disk: SimulatedDisk; store: ContactStore }> {
  return { disk, store: await ContactStore.open(disk.open(), { clusterId: "log-1", foldVersion: 1 }) };
}
