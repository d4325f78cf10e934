/**
 * Topics on a cluster: what is there, and making what is not. What is there is compared and left as it is: a task is a
 * partition number, so growing a topic would give contacts to tasks that do not have their history.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Admin, Kafka } from "kafkajs";
import { ScorefoldError } from "../errors.js";
import type { TopicDefinition } from "../topics/types.js";
import { kafkaError } from "./errors.js";
import { kafkajs } from "./kafkajs.js";

export type { Admin } from "kafkajs";

/** What is always told of a topic; other settings where a definition names them. */
export const settingsShown = ["retention.ms", "cleanup.policy", "message.timestamp.type", "max.message.bytes"] as const;

/** A topic as the cluster has it. */
export interface TopicState {
  readonly partitions: number;
  readonly replication: number;
  /** What holds, from wherever it is set: the topic, the broker, or by default. */
  readonly config: ReadonlyMap<string, string>;
}

/** A setting (or `partitions`) of a topic that is not what its definition says. */
export interface Difference {
  readonly setting: string;
  readonly wanted: string;
  /** Null where the broker does not know the setting. */
  readonly found: string | null;
}

export interface TopicReport {
  readonly topic: TopicDefinition;
  /** `missing`: it would be made, by a dry run. */
  readonly outcome: "created" | "missing" | "same" | "differs";
  /** Null of a topic that is missing. */
  readonly state: TopicState | null;
  readonly differences: readonly Difference[];
}

export interface ApplyOptions {
  /** Copies of each partition of a new topic; null: as many as the broker makes by default. */
  readonly replication: number | null;
  /** Asks the broker whether it would make what is missing, and makes nothing. */
  readonly isDryRun: boolean;
}

const CREATE_MS = 30_000;
const READY_MS = 30_000;
const READY_RETRY_MS = 20;
const BROKER_DEFAULT = -1;

/** Does something by an admin of its own connection. @throws ScorefoldError */
export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    throw kafkaError(error, "asking the cluster");
  } finally {
    await admin.disconnect();
  }
}

/**
 * The topics of these that are there, by name.
 *
 * @param settings to be told beside `settingsShown`
 */
export async function describeTopics(
  admin: Admin,
  names: readonly string[],
  settings: Iterable<string> = [],
): Promise<ReadonlyMap<string, TopicState>> {
  // Asking for a topic that is not there is an error after many tries, or makes it where the broker makes topics itself.
  const there = new Set(await admin.listTopics());
  const asked = names.filter((name) => there.has(name));
  if (asked.length === 0) return new Map();
  await waitForTopics(admin, asked);
  const { TOPIC } = kafkajs().kafkajs.ConfigResourceTypes;
  const configNames = [...new Set([...settingsShown, ...settings])];
  const [metadata, described] = await Promise.all([
    admin.fetchTopicMetadata({ topics: asked }),
    admin.describeConfigs({
      includeSynonyms: false,
      resources: asked.map((name) => ({ type: TOPIC, name, configNames })),
    }),
  ]);
  const configs = new Map(described.resources.map((own) => [own.resourceName, own.configEntries]));
  return new Map(
    metadata.topics.map(({ name, partitions }) => {
      const entries = configs.get(name) ?? [];
      const config = entries.filter(({ configValue }) => configValue !== null);
      return [
        name,
        {
          partitions: partitions.length,
          replication: partitions[0]?.replicas.length ?? 0,
          config: new Map(config.map(({ configName, configValue }) => [configName, configValue])),
        },
      ];
    }),
  );
}

/** What is there, against what is defined; changes nothing. */
export async function compareTopics(admin: Admin, topics: readonly TopicDefinition[]): Promise<TopicReport[]> {
  const names = topics.map(({ name }) => name);
  const states = await describeTopics(admin, names, new Set(topics.flatMap(({ config }) => [...config.keys()])));
  return topics.map((topic) => {
    const state = states.get(topic.name) ?? null;
    if (state === null) return { topic, outcome: "missing", state, differences: [] };
    const differences = differencesOf(topic, state);
    return { topic, outcome: differences.length === 0 ? "same" : "differs", state, differences };
  });
}

/**
 * Makes the topics that are missing, and compares the others. What differs is reported and left as it is.
 *
 * @param admin used by nobody else meanwhile: it has one picture of the cluster, and each call takes its own
 * @returns a report for each topic, in the order given
 * @throws ScorefoldError `log-failed`, with the broker's word on each topic that it did not make
 */
export async function applyTopics(
  admin: Admin,
  topics: readonly TopicDefinition[],
  options: ApplyOptions,
): Promise<TopicReport[]> {
  const before = await compareTopics(admin, topics);
  const missing = before.filter(({ outcome }) => outcome === "missing").map(({ topic }) => topic);
  if (missing.length === 0) return before;
  const made = await create(admin, missing, options);
  if (options.isDryRun) return before;
  // A broker may not list yet what was just made, by us or by somebody else, and it would seem to be missing.
  await waitForTopics(
    admin,
    missing.map(({ name }) => name),
  );
  const after = await compareTopics(admin, topics);
  return after.map((report) =>
    made.has(report.topic.name) && report.outcome === "same" ? { ...report, outcome: "created" } : report,
  );
}

/**
 * Resolves when brokers answer for all partitions of topics that were just made, which they do a moment later: until then
 * they say that there is no such topic, or that another one leads it.
 *
 * @throws ScorefoldError `log-failed` where they do not in half a minute
 */
export async function waitForTopics(admin: Admin, names: readonly string[]): Promise<void> {
  const start = performance.now();
  for (const name of names) {
    while (!(await isReady(admin, name))) {
      if (performance.now() - start > READY_MS)
        throw new ScorefoldError(
          "log-failed",
          `topic ${name}: after ${READY_MS / 1000} s no broker leads all of its partitions; look at the brokers' logs`,
        );
      await sleep(READY_RETRY_MS);
    }
  }
}

const NOT_YET = new Set(["UNKNOWN_TOPIC_OR_PARTITION", "LEADER_NOT_AVAILABLE", "NOT_LEADER_FOR_PARTITION"]);

async function isReady(admin: Admin, name: string): Promise<boolean> {
  try {
    await admin.fetchTopicOffsets(name);
    return true;
  } catch (error) {
    if (NOT_YET.has((error as { type?: string }).type ?? "")) return false;
    throw error;
  }
}

/**
 * One by one: of several at once the client does not tell which of them somebody else had made.
 *
 * @returns the names of those that were made; the others somebody else made meanwhile
 */
async function create(
  admin: Admin,
  topics: readonly TopicDefinition[],
  options: ApplyOptions,
): Promise<ReadonlySet<string>> {
  const made = new Set<string>();
  const refused: string[] = [];
  for (const topic of topics) {
    try {
      if (await createOne(admin, topic, options)) made.add(topic.name);
    } catch (error) {
      const [first] = (error as { errors?: readonly Error[] }).errors ?? [];
      // What is no answer for this topic is none for the others.
      if (first === undefined) throw error;
      refused.push(`topic ${topic.name} can't be made: ${first.message}`);
    }
  }
  if (refused.length === 0) return made;
  if (!options.isDryRun && made.size > 0) refused.push(`(made: ${[...made].join(", ")})`);
  throw new ScorefoldError("log-failed", refused.join("\n"));
}

/** @returns false where it is there already */
async function createOne(
  admin: Admin,
  { name, partitions, config }: TopicDefinition,
  { replication, isDryRun }: ApplyOptions,
): Promise<boolean> {
  return await admin.createTopics({
    validateOnly: isDryRun,
    // It waits for one broker to know of them, which is not all there is to wait for.
    waitForLeaders: false,
    timeout: CREATE_MS,
    topics: [
      {
        topic: name,
        numPartitions: partitions,
        replicationFactor: replication ?? BROKER_DEFAULT,
        configEntries: [...config].map(([setting, value]) => ({ name: setting, value })),
      },
    ],
  });
}

function differencesOf({ partitions, config }: TopicDefinition, state: TopicState): Difference[] {
  const differences: Difference[] = [];
  if (state.partitions !== partitions)
    differences.push({ setting: "partitions", wanted: String(partitions), found: String(state.partitions) });
  for (const [setting, wanted] of config) {
    const found = state.config.get(setting) ?? null;
    if (found === null || !isSame(wanted, found)) differences.push({ setting, wanted, found });
  }
  return differences;
}

/** Numbers as numbers, lists in any order. */
function isSame(wanted: string, found: string): boolean {
  if (wanted === found) return true;
  const isNumber = (text: string): boolean => /^-?\d{1,15}(\.\d+)?$/.test(text);
  if (isNumber(wanted) && isNumber(found)) return Number(wanted) === Number(found);
  const list = (text: string): string =>
    text
      .split(",")
      .map((one) => one.trim())
      .sort()
      .join(",");
  return list(wanted) === list(found);
}
