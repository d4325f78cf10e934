/**
 * Errors that stay, on a broker of its own: what is said of them, that the engine is not ready until something has passed,
 * and that it goes on when the cause is gone.
 */
import type { Admin, Kafka } from "kafkajs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KafkaEngine } from "../../src/engine/kafka-engine.js";
import { connectKafka } from "../../src/kafka/client.js";
import { internalTopics } from "../../src/kafka/internal-topics.js";
import { kafkajs } from "../../src/kafka/kafkajs.js";
import { addressIfThere } from "../components/component.js";
import { authorized } from "../components/kafka/authorized.js";
import { ownBroker } from "../components/kafka/kafka.js";
import { KafkaApp } from "../kafka/kafka-app.js";
import { Told } from "./given.js";
import { KafkaEngines, until, visit } from "./kafka-engines.js";
import { SilentRegistry } from "./silent-registry.js";

const jars = await addressIfThere("kafka-jars");
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ResourcePatternTypes } =
  kafkajs().kafkajs;
const silent = { warn: () => undefined, debug: () => undefined };

describe.skipIf(jars === null)("an error that stays", () => {
  let own: Awaited<ReturnType<typeof ownBroker>>;
  let kafka: Kafka;
  let admin: Admin;
  let engines: KafkaEngines;
  let app: KafkaApp;
  let told: Told;

  beforeAll(async () => {
    own = await ownBroker(jars!, authorized);
    await own.broker.start();
    kafka = connectKafka({ brokers: [own.broker.address], clientId: "test", tls: false, sasl: null }, silent);
    admin = kafka.admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.disconnect();
    await own?.remove();
  });
  beforeEach(async () => {
    engines = new KafkaEngines();
    told = new Told();
    app = await KafkaApp.make(kafka, admin, ["web"], 1);
  });
  afterEach(async () => {
    await engines.end();
    await app.close();
  });

  async function running(over: Parameters<KafkaEngines["start"]>[1] = {}): Promise<KafkaEngine> {
    const engine = await engines.start(app, { told, ...over });
    await until(() => engine.status.isReady);
    return engine;
  }

  /** Waits until it has tried so often, and sees that it is not ready in between. */
  async function triesInVain(engine: KafkaEngine, tries: number): Promise<string> {
    await until(() => engine.status.state === "retrying");
    await until(() => {
      const { state, isReady, detail } = engine.status;
      expect([state, isReady]).toEqual(["retrying", false]);
      return detail!.includes(`tried ${tries} times`);
    });
    return engine.status.detail!;
  }

  /** What was said of errors, by their causes; numbers apart. */
  function causes(): string[] {
    const lines = told.lines as unknown as { readonly msg: string; readonly err?: { readonly message: string } }[];
    const tried = lines.filter(({ msg }) => msg.includes("tries again"));
    return tried.map(({ err }) => String(err?.message).replace(/\d+/g, "0"));
  }

  async function acl(topic: string, operation: number, permissionType: number): Promise<void> {
    const resource = { resourceType: AclResourceTypes.TOPIC, resourceName: topic };
    const acls = [
      { principal: "User:*", host: "*", operation, permissionType, ...resource },
      {
        principal: "User:*",
        host: "*",
        operation: AclOperationTypes.ALL,
        permissionType: AclPermissionTypes.ALLOW,
        ...resource,
      },
    ];
    await admin.createAcls({
      acl: acls.map((one) => ({ ...one, resourcePatternType: ResourcePatternTypes.LITERAL })),
    });
  }

  async function allowed(topic: string): Promise<void> {
    await admin.deleteAcls({
      filters: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          operation: AclOperationTypes.ANY,
          permissionType: AclPermissionTypes.ANY,
        },
      ],
    });
  }

  it.each([
    ["an output may not be written", "score-changed", AclOperationTypes.WRITE],
    ["an input may not be read", "web", AclOperationTypes.READ],
  ])("%s: it names topic, broker and error, says it once, and goes on when that is over", async (_, name, operation) => {
    const engine = await running();
    await acl(app.named(name), operation, AclPermissionTypes.DENY);
    await app.send("web", 0, [visit("ada", 1)]);
    const detail = await triesInVain(engine, 3);
    expect(detail).toContain(`topic ${app.named(name)}, partition 0: `);
    expect(detail).toContain("TOPIC_AUTHORIZATION_FAILED");
    expect(detail).toContain(own.broker.address);
    expect(detail).toContain("let this user read, write and describe the topic");
    // A commit under way and the fetch after it may meet it both.
    expect(new Set(causes()).size).toBe(causes().length);
    expect(causes().length).toBeLessThan(3);
    await allowed(app.named(name));
    await until(() => engine.status.isReady);
    await engine.stop();
    expect(await app.read("score-changed")).toHaveLength(1);
    // What it came through in each try is not said.
    const states = told.lines.filter(({ msg }) => msg.startsWith("task is ")).map(({ msg }) => msg.slice(8));
    expect(states.slice(states.indexOf("retrying"))).toEqual(["retrying", "running", "stopping", "stopped"]);
  });

  it("a limit of messages that was lowered is named with its topic, and what it has to be", async () => {
    const engine = await running();
    const set = async (value: string): Promise<void> => {
      await admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: ConfigResourceTypes.TOPIC,
            name: app.named("score-changed"),
            configEntries: [{ name: "max.message.bytes", value }],
          },
        ],
      });
    };
    await set("100");
    await app.send("web", 0, [visit("ada", 1)]);
    const detail = await triesInVain(engine, 2);
    expect(detail).toContain(`topic ${app.named("score-changed")}, partition 0: MESSAGE_TOO_LARGE`);
    expect(detail).toContain("set max.message.bytes of the topic to 1000000 or more");
    await set("1048588");
    await until(() => engine.status.isReady);
  });

  it("the application's topic that is deleted under it is named", async () => {
    const engine = await running();
    const { rekeyed } = internalTopics(app.id);
    await admin.deleteTopics({ topics: [rekeyed] });
    await app.send("web", 0, [visit("ada", 1)]);
    await until(() => !engine.status.isReady && engine.status.detail?.includes(rekeyed) === true);
  });

  it("a registry that hangs with a new schema in the way is named, with since when, and inputs show as lag", async () => {
    const registry = await SilentRegistry.start();
    const engine = await running({ registry: { url: registry.url } });
    await app.send("web", 0, [Buffer.from([0, 0, 0, 0, 77, 1])]);
    await app.send("web", 0, [visit("ada", 1)]);
    await until(() => engine.status.state === "waiting");
    expect(engine.status).toMatchObject({ isReady: false });
    expect(engine.status.detail).toMatch(
      new RegExp(`^task 0: waits for the schema registry at ${registry.url} since 20\\d\\d-`),
    );
    await until(() => engine.status.lag === 2 && (engine.status.oldestInputAgeMs ?? 0) > 0);
    registry.answers();
    await until(() => engine.status.isReady && engine.status.lag === 0);
    await engine.stop();
    await registry.close();
  });

  it("a broker that falls silent is named, with since when", async () => {
    const engine = await running();
    own.broker.fallSilent();
    try {
      await until(() => engine.status.state === "waiting");
      expect(engine.status.isReady).toBe(false);
      expect(engine.status.detail).toMatch(/^task 0: waits for .*broker.* since 20\d\d-/);
    } finally {
      own.broker.speakAgain();
    }
    await until(() => engine.status.isReady);
  });
});
