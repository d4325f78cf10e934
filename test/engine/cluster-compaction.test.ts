/** Stores of an application on Kafka: what is left of erased contacts in them, and what is said of the topics. */
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compactTaskStores } from "../../src/engine/cluster-compaction.js";
import { DataDirectory } from "../../src/engine/directory.js";
import type { Input } from "../../src/events/types.js";
import { contactKey } from "../../src/store/keys.js";
import { noProof, noTimers } from "../../src/store/position.js";
import { ContactStore } from "../../src/store/store.js";
import { TaskContact } from "../../src/stream/contact.js";
import { told } from "../cli/memory-io.js";
import { erasure, start, visitsModel } from "../stream/given.js";
import { placesOf } from "./bytes.js";
import { Place } from "./given.js";

const memory = { bytes: 3 * 1024 * 1024, openFilesMax: 24 };
const name = "Zörabelle Quixworth";
const traces = [name, "Quixworth", "zorabelle"];
let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.remove());

function profile(contactId: string, text: string): Input {
  return { kind: "profile", id: "p", tenantId: "acme", contactId, at: start, fields: { name: text } };
}

/** A store with two contacts, the first of them erased. */
async function given(task: number): Promise<void> {
  const directory = await DataDirectory.open(place.data);
  await directory.beOfCluster();
  const database = await directory.openTaskStore(task, memory);
  const origin = { app: "lead", tasks: 2, topicIds: new Map([["web", "id"]]) };
  const store = await ContactStore.open(database, { clusterId: "c", foldVersion: 1, origin });
  const position = {
    ...noProof,
    offsets: new Map([
      ["web", 120 + task],
      ["lead.rekeyed", 0],
    ]),
    timer: noTimers,
    change: null,
  };
  const model = visitsModel();
  const contacts = ["zorabelle", "bob"].map((id) => new TaskContact(contactKey("acme", id), [model], undefined));
  contacts[0]!.receive(profile("zorabelle", name));
  contacts[1]!.receive(profile("bob", "Bob"));
  await store.write(
    contacts.map((contact) => contact.beginWrite(store.segment)),
    position,
  );
  for (const contact of contacts) contact.written();
  contacts[0]!.receive(erasure(start + 1, "zorabelle"));
  await store.write([contacts[0]!.beginWrite(store.segment)], position);
  await database.close();
}

const compact = async (): ReturnType<typeof told> => await told(["compact"], { env: { SCOREFOLD_DATA: place.data } });

describe("compact on the stores of a cluster", () => {
  it("takes out what is left of erased contacts, and says which topics still hold what was sent", async () => {
    await given(0);
    await given(1);
    mkdirSync(join(place.data, "tasks", "1.damaged-1"));
    writeFileSync(join(place.data, "tasks", "1.damaged-1", "000005.ldb"), name);
    expect(placesOf(place.data, traces).length).toBeGreaterThan(0);
    const { code, stderr } = await compact();
    expect(code, stderr).toBe(0);
    expect(placesOf(place.data, traces)).toEqual([]);
    expect(placesOf(place.data, ["bob"])).not.toEqual([]);
    expect(stderr).toMatch(/^2 erased contacts taken out of 2 stores, 1 store that had been put aside removed; /);
    expect(stderr).toContain("Kafka still holds what was sent of them to application lead");
    expect(stderr).toContain("    partition 0: web up to 120\n    partition 1: web up to 121\n");
    const again = await compact();
    expect(again.stderr).toMatch(/^0 erased contacts taken out of 2 stores; /);
    expect(again.stderr).not.toContain("Kafka");
    expect(readdirSync(join(place.data, "tasks")).sort()).toEqual(["0", "1"]);
  });

  it("goes on with what it was made of where it was cut off", async () => {
    await given(0);
    const tasks = join(place.data, "tasks");
    mkdirSync(join(tasks, "0.copy"));
    renameSync(join(tasks, "0"), join(tasks, "0.old"));
    await (await DataDirectory.open(place.data)).beOfCluster();
    expect(readdirSync(tasks)).toEqual(["0"]);
    const { stores } = await compactTaskStores(await DataDirectory.open(place.data), () => undefined);
    expect(stores).toMatchObject([{ task: 0, erased: 1, app: "lead" }]);
  });

  it("is refused while the store is open, and other commands say that an engine is needed", async () => {
    await given(0);
    const database = await (await DataDirectory.open(place.data)).openTaskStore(0, memory);
    const refused = await compact();
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("the store of task 0");
    await database.close();
    expect(existsSync(join(place.data, "compacting.json"))).toBe(false);
    for (const args of [["erase", "bob"], ["dead-letters", "list"], ["scores"]]) {
      const { code, stderr } = await told(args, { env: { SCOREFOLD_DATA: place.data } });
      expect([args, code]).toEqual([args, 2]);
      expect(stderr).toContain("stores of an application on Kafka, and no engine runs on it");
    }
  });
});
