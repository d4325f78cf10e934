/**
 * A task on a real broker: what a reader of the outputs sees is the fold of the inputs, each output once, whoever takes the
 * task over and whenever, with or without the store of the one before.
 */
import { afterAll, expect, it } from "vitest";
import { decodeLine } from "../../src/events/decode.js";
import type { Input, Output, ScoreChanged } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { systemClock } from "../../src/stream/clock.js";
import { Task } from "../../src/stream/task.js";
import { seededRandom } from "../bench/stream.js";
import { SimulatedDisk } from "../simulator/disk.js";
import { modelOf, start } from "../stream/given.js";
import { connectedKafka, KafkaApp } from "./kafka-app.js";

const model = modelOf(`
model: lead
version: 1
dimensions: { score: { min: 0, max: 1000 } }
rules:
  - { id: visits, when: web.page_viewed, points: 10, within: 1h }
  - { id: opens, when: email.opened, points: 3 }
thresholds: [{ at: 20 }, { at: 50 }]
`);
const CONTACTS = 12;
const MINUTE = 60_000;
const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);

afterAll(async () => {
  await connected?.admin.disconnect();
});

/** Inputs of some contacts over some hours, mostly in order, with doubles and lines that are broken. */
function lines(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    if (random() < 0.02) return `broken ${seed}-${i}`;
    const n = random() < 0.05 ? Math.floor(random() * (i + 1)) : i;
    const type = n % 3 === 0 ? "web.page_viewed" : "email.opened";
    const at = start + n * MINUTE - (n % 10 === 0 ? 90 * MINUTE : 0);
    return `{"tenantId":"acme","contactId":"c${n % CONTACTS}","id":"i${seed}-${n}","at":${at},"type":"${type}"}`;
  });
}

function run(app: KafkaApp, disk: SimulatedDisk, task: number) {
  const log = app.log();
  const running = new Task({
    log,
    task,
    store: { open: async () => disk.open(), setAside: async () => "aside" },
    models: [model],
    clock: systemClock,
    timers: "manual",
    limits: { batchRecordsMax: 40, writeIntervalMs: 0 },
  });
  const ended = running.run().then(
    () => null,
    (error: unknown) => error,
  );
  return { task: running, ended, log };
}

it.skipIf(connected === null)(
  "is the fold of its inputs, each output once, over takeovers with the store and without it",
  async () => {
    const app = await KafkaApp.make(kafka, admin, ["email", "web"], 2);
    const sent: string[] = [];
    let disk = new SimulatedDisk();
    let owner = run(app, disk, 1);
    const replaced: (typeof owner)[] = [];
    await owner.task.running();
    for (let round = 0; round < 6; round++) {
      for (const topic of ["email", "web"]) {
        const some = lines(150, 2 * round + (topic === "web" ? 1 : 0));
        sent.push(...some);
        await app.send(topic, 1, some);
      }
      if (round === 5) break;
      if (round % 2 === 0) {
        // Another machine takes over in the middle of it, without a store; the one before knows nothing of it.
        replaced.push(owner);
        disk = new SimulatedDisk();
      } else {
        owner.task.stop();
        expect(await owner.ended).toBeNull();
        await owner.log.close();
      }
      owner = run(app, disk, 1);
      await owner.task.running();
    }
    await owner.task.caughtUp();
    const ends = await Promise.all(app.inputTopics.map((topic) => admin.fetchTopicOffsets(topic)));
    const offsets = app.inputTopics.map((topic, i) => {
      const found = ends[i]!.find(({ partition }) => partition === 1)!;
      return [topic, Number(found.high)] as const;
    });
    await owner.task.foldedUpTo(new Map(offsets));
    owner.task.stop();
    expect(await owner.ended).toBeNull();
    await owner.log.close();
    for (const { ended, log } of replaced) {
      expect(await ended).toMatchObject({ code: "fenced" });
      await log.close();
    }

    const outputs = (await app.read("score-changed", 1)).map((text) => JSON.parse(text) as Output);
    const crossings = (await app.read("threshold-crossed", 1)).map((text) => JSON.parse(text) as { eventId: string });
    const letters = (await app.read("dead-letters", 1)).map((text) => JSON.parse(text) as { original: string });
    const inputs = sent.flatMap((line): Input[] => {
      const decoded = decodeLine(line);
      return decoded.ok ? [decoded.input] : [];
    });
    expect(letters.map(({ original }) => original).sort()).toEqual(
      sent.filter((line) => line.startsWith("broken")).sort(),
    );
    for (const ids of [outputs.map((output) => (output as ScoreChanged).id), crossings.map(({ eventId }) => eventId)])
      expect(new Set(ids).size).toBe(ids.length);
    for (let contact = 0; contact < CONTACTS; contact++) {
      const own = outputs.filter(({ contactId }) => contactId === `c${contact}`) as ScoreChanged[];
      let before: number | null = null;
      for (const { previous, current } of own) {
        expect(previous).toBe(before);
        before = current;
      }
      const fold = new ContactFold([model], "acme", `c${contact}`, { history: "kept" });
      for (const input of inputs) if (input.contactId === `c${contact}`) fold.receive(input);
      expect(before).toBe(fold.scoreLines()[0]!.score);
    }
    await app.close();
  },
);
