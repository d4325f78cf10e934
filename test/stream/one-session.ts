/** One session of a task over the broker model on a simulated disk, under a model in which time does something. */
import type { ScoreChanged } from "../../src/events/types.js";
import type { Position } from "../../src/store/position.js";
import { ContactStore } from "../../src/store/store.js";
import { type Clock, systemClock } from "../../src/stream/clock.js";
import { defaultLimits, type TaskLimits } from "../../src/stream/limits.js";
import type { TaskLog } from "../../src/stream/log.js";
import { decodeMetadata } from "../../src/stream/metadata.js";
import { Session } from "../../src/stream/session.js";
import { Broker } from "../simulator/broker.js";
import type { SimulatedDisk } from "../simulator/disk.js";
import { HOUR, modelOf, openStore, start } from "./given.js";

/** Who is quiet for two hours loses points, which a later visit puts off. */
const model = modelOf(`
model: lead
version: 1
dimensions: { score: { min: 0, max: 100 } }
rules:
  - { id: visits, when: web.page_viewed, points: 10 }
  - { id: quiet, inactive: 2h, points: -5 }
`);
export let broker: Broker;
export let disk: SimulatedDisk;
export let store: ContactStore;
export let log: TaskLog;
export let session: Session;
/** Publishes that have failed. */
export let failures: number;

/** Everything anew, with an empty log. */
export async function beginAnew(): Promise<void> {
  broker = new Broker();
  broker.advance(start + 9 * HOUR - broker.now);
  ({ disk, store } = await openStore());
  await begin();
}

/** One contact a slice, so that a run may be interrupted anywhere. */
export async function begin(
  through: (log: TaskLog) => TaskLog = (own) => own,
  limits: Partial<TaskLimits> = {},
  clock: Clock = systemClock,
): Promise<void> {
  log = await broker.connect().open(0);
  failures = 0;
  session = new Session({
    log: through(log),
    starts: new Map([["inputs", 0]]),
    store,
    taskOf: null,
    modelSets: ["set", "set"],
    modelsOf: () => [model],
    clock,
    limits: { ...defaultLimits, sliceContactsMax: 1, unwrittenInputsMax: 1, ...limits },
    onCommit: () => undefined,
    onPublishFailed: () => {
      failures += 1;
    },
    onWrite: () => undefined,
  });
}

/** Up to where the log says that all is published. */
export async function committed(): Promise<Position> {
  const { offsets, marks, metadata } = (await log.committed())!;
  const { models: _, ...position } = decodeMetadata(metadata);
  return { offsets, marks, outputs: session.position.outputs, ...position };
}

/** Inputs come and are folded. @param visited with instants counted from `start` */
export async function visits(...visited: readonly (readonly [contact: string, at: number])[]): Promise<void> {
  await arrive(visited.map(([contactId, at]) => visit(contactId, at)));
}

/** @param rest takes the place of what it would be, or adds to it */
export function visit(contactId: string, at: number, rest: object = {}): string {
  return JSON.stringify({ contactId, id: `v${at}`, at: start + at, type: "web.page_viewed", ...rest });
}

/** Lines come and are folded. */
export async function arrive(lines: readonly string[]): Promise<void> {
  broker.append("inputs", 0, lines);
  await session.commitInputs(await session.fetch(0));
}

/** Ends the process, and begins another one with the store as it was last written, or with a new one. */
export async function crash({ isStoreLost }: { readonly isStoreLost: boolean }): Promise<void> {
  await session.published();
  const before = await committed();
  if (isStoreLost) ({ disk, store } = await openStore());
  else store = await ContactStore.open(disk.crash({ loseTail: 0 }), { clusterId: "log-1", foldVersion: 1 });
  await begin();
  await session.catchUp(before, () => undefined);
}

/** What is published of a contact, in order. */
export function changesOf(contactId: string): ScoreChanged[] {
  const outputs = broker.read("score-changed").map(({ value }) => JSON.parse(value) as ScoreChanged);
  return outputs.filter((output) => output.kind === "ScoreChanged" && output.contactId === contactId);
}

/** Their instants, counted from `start`. */
export function instantsOf(contactId: string): number[] {
  return changesOf(contactId).map(({ at }) => at - start);
}
