import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { openapi } from "../../../src/api/openapi.js";
import { EmbeddedLog, INPUTS } from "../../../src/embedded/log.js";
import { DeadLettersOfLog } from "../../../src/engine/dead-letters.js";
import type { DeadLetterReason } from "../../../src/events/decode.js";
import { SimulatedDisk } from "../../simulator/disk.js";
import { fromOffset, line } from "../../stream/log.contract.js";
import { type Answer, ask, serve } from "../serve.js";

const originals = ["ann,1", "Änn;2", line("of nobody"), "é"];
const reasons: readonly DeadLetterReason[] = ["undecodable", "undecodable", "too-far-ahead", "undecodable"];

/** A server whose engine has a log of four inputs, each with its dead letter. */
async function served(): Promise<{ url: string; log: EmbeddedLog }> {
  const database = new SimulatedDisk().open();
  const log = await EmbeddedLog.open(database, { now: () => 1000, memoryBytesMax: 0 });
  await log.append([line("fine"), ...originals], { name: "a.csv", firstLine: 1 });
  const deadLetters = originals.map((original, i) => {
    const source = i === 2 ? null : `a.csv:${i + 2}`;
    return { reason: reasons[i]!, error: "bad", topic: INPUTS, partition: 0, offset: i + 1, source, original };
  });
  const task = await log.open(0);
  await task.publish({ offsets: fromOffset(log, 0), metadata: "", outputs: [], deadLetters });
  const { url, engine } = await serve();
  engine.deadLetters = new DeadLettersOfLog(log, database);
  return { url: `${url}/v1/dead-letters`, log };
}

const idsOf = ({ json }: Answer): number[] => json.letters.map(({ id }: { id: number }) => id);
const drop = async (url: string): Promise<Answer> => await ask(url, { method: "DELETE" });

describe("dead letters", () => {
  it("are found by what they are, page by page, and shown whole", async () => {
    const { url } = await served();
    const all = await ask(url);
    expect(all.json.letters[0]).toEqual({
      id: 0,
      at: 1000,
      ...{ reason: "undecodable", error: "bad", topic: "inputs", partition: 0, offset: 1, source: "a.csv:2" },
      preview: "ann,1",
    });
    expect([idsOf(all), all.json.next]).toEqual([[0, 1, 2, 3], null]);
    const page = await ask(`${url}?limit=2`);
    expect([idsOf(page), page.json.next]).toEqual([[0, 1], 2]);
    expect(idsOf(await ask(`${url}?limit=2&from=${page.json.next}`))).toEqual([2, 3]);
    expect(idsOf(await ask(`${url}?reason=too-far-ahead,conflict`))).toEqual([2]);
    expect(idsOf(await ask(`${url}?source=a.csv`))).toEqual([0, 1, 3]);
    expect(idsOf(await ask(`${url}?source=a.csv:3`))).toEqual([1]);
    expect(idsOf(await ask(`${url}?containing=${encodeURIComponent("A\u0308NN")}`))).toEqual([1]);
    expect(idsOf(await ask(`${url}?containing=ann&ids=0,1`))).toEqual([0]);
    expect(idsOf(await ask(`${url}?containing=a.n`))).toEqual([]);
    const whole = await ask(`${url}/2`);
    expect(whole.json).toMatchObject({ id: 2, at: 1000, kind: "DeadLetter", original: originals[2] });
  });

  it("are dropped with their lines, and their offsets stay", async () => {
    const { url, log } = await served();
    expect((await drop(`${url}?containing=ann,1&reason=undecodable`)).json).toEqual({ letters: 1, lines: 1 });
    expect((await drop(`${url}?ids=0,2`)).json).toEqual({ letters: 1, lines: 1 });
    expect(idsOf(await ask(url))).toEqual([1, 3]);
    const { records, end } = await log.read(INPUTS, 0, { recordsMax: 100, bytesMax: 1e6 });
    expect([records.map(({ offset }) => offset), end]).toEqual([[0, 2, 4], 5]);
    const gone = await ask(`${url}/2`);
    expect([gone.status, gone.json.type]).toEqual([404, "/problems/unknown-dead-letter"]);
  });

  it.each([
    ["GET", "?reason=bad"],
    ["GET", "?containing="],
    ["GET", "?ids=1,x"],
    ["GET", "?limit=5000"],
    ["GET", "?contains=a"],
    ["GET", "/x"],
    ["DELETE", ""],
    ["DELETE", "?from=1"],
    ["DELETE", `?ids=${"1,".repeat(1000)}1`],
  ])("asked for by %s %s are a mistake", async (method, path) => {
    const { url } = await served();
    const answer = await ask(url + path, { method });
    expect([answer.status, answer.json.type]).toEqual([400, "/problems/bad-parameter"]);
    expect(idsOf(await ask(url))).toHaveLength(4);
  });

  it("of an engine on Kafka are in its topic", async () => {
    const { url, engine } = await serve();
    engine.deadLetters = null;
    const { status, json } = await ask(`${url}/v1/dead-letters`);
    expect([status, json.type]).toEqual([404, "/problems/unknown-topic"]);
  });

  it("are as the OpenAPI document has them", async () => {
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ $id: "api", ...openapi });
    const { url } = await served();
    const answers = {
      DeadLetters: await ask(url),
      DeadLetter: await ask(`${url}/0`),
      Dropped: await drop(`${url}?ids=0`),
    };
    for (const [schema, { json }] of Object.entries(answers)) {
      const validate = ajv.compile({ $ref: `api#/components/schemas/${schema}` });
      validate(json);
      expect(validate.errors ?? [], schema).toEqual([]);
    }
  });
});
