/**
 * The cluster has forgotten what was committed, a topic was made anew or has got more partitions, or a partition has lost
 * its end, and others have perhaps written past it: nobody may go on as if nothing had been. All processes are gone, somebody starts one, and its
 * tasks are refused; then a person puts right what was wrong.
 */
import type { Committed } from "../../src/stream/log.js";
import type { Cluster } from "./cluster.js";
import type { Host } from "./host.js";
import type { World } from "./world.js";

const TURNS_MAX = 5000;
const WEEK = 7 * 24 * 3_600_000;

export async function refuse(world: World): Promise<void> {
  const { cluster, random } = world;
  if (cluster === null) return;
  await endAll(world, cluster);
  const machine = random.between(0, world.plan.stores - 1);
  const disaster = random.pick([forget, makeAnew, grow, loseEnd, loseEnd]);
  const repair = disaster(world, cluster, machine);
  const { refusal } = cluster;
  if (refusal !== null && refusal.tasks.size > 0) {
    const before = [...refusal.tasks].map((task) => told(world, task));
    cluster.start(machine);
    await until(world, "all that has to be refused is", () => refusal.met.size === refusal.tasks.size);
    const after = [...refusal.tasks].map((task) => told(world, task));
    if (after.join() !== before.join()) throw new Error(`something of ${before} was committed: ${after}`);
  }
  await endAll(world, cluster);
  cluster.refusal = null;
  repair();
  world.note("a person has put right what was wrong");
}

/** What a broker forgets a week after the last member is gone. @returns what brings it back */
function forget(world: World, cluster: Cluster, machine: number): () => void {
  const { broker, random } = world;
  world.advance(WEEK);
  const isAll = random.chance(0.7);
  const topics = isAll ? broker.inputTopics : broker.inputTopics.slice(-1);
  const saved = new Map<number, Committed | null>();
  for (const host of hostsOf(world, machine)) {
    const { task } = host;
    const committed = broker.committed(task);
    // Where there is neither an output nor a store there is nothing to know it by, and nothing to be said twice.
    const isKnown = broker.read("score-changed", task).length > 0 || (!host.isDamaged && hasFolded(host));
    if (committed === null || (isAll && !isKnown)) continue;
    saved.set(task, committed);
    broker.forget(task, topics);
  }
  world.note(`what was committed for ${topics.join()} is forgotten, of tasks ${[...saved.keys()].join()}`);
  cluster.refusal = { code: "history-lost", tasks: new Set(saved.keys()), met: new Set() };
  return () => {
    for (const [task, committed] of saved) broker.recall(task, committed);
  };
}

/** A topic that was deleted and made again under its name. @returns what brings the old one back */
function makeAnew(world: World, cluster: Cluster, machine: number): () => void {
  const { broker, random } = world;
  const topic = random.pick(broker.inputTopics);
  const hosts = hostsOf(world, machine);
  const stored = hosts.filter((host) => !host.isDamaged && host.row("m\0store") !== null);
  // Of a topic that nothing was taken of yet nothing is lost.
  const known = stored.filter((host) => (foldedOf(host)[topic] ?? 0) > 0);
  // Such a store takes the new topic for its own, and would not know the old one when that is brought back.
  if (known.length < stored.length) return () => undefined;
  const id = broker.topicIds.get(topic) as string;
  broker.topicIds.set(topic, `${id} anew`);
  world.note(
    `${topic} was made anew, and tasks ${known.map(({ task }) => task).join()} have a store that was folded from it`,
  );
  cluster.refusal = { code: "log-lost", tasks: new Set(known.map(({ task }) => task)), met: new Set() };
  return () => {
    broker.topicIds.set(topic, id);
    // What was made meanwhile is of the topic that is gone now.
    for (const host of hosts) if (!stored.includes(host)) void host.setAside();
  };
}

/**
 * Somebody has added partitions: contacts lie elsewhere now, and their histories are with other tasks. Here it is the store
 * that knows how many there were. A process without one is refused before it opens the log, by what the application's own
 * topic says, which is no part of this world. @returns what takes the partitions away again, as nobody can
 */
function grow(world: World, cluster: Cluster, machine: number): () => void {
  const { broker, random } = world;
  const own = hostsOf(world, machine);
  if (own.some((host) => host.isDamaged || host.row("m\0store") === null)) return () => undefined;
  broker.partitions = broker.tasks + random.between(1, 3);
  world.note(`topics have ${broker.partitions} partitions, and scores were made with ${broker.tasks}`);
  cluster.refusal = { code: "format-unknown", tasks: new Set(own.map(({ task }) => task)), met: new Set() };
  return () => {
    broker.partitions = broker.tasks;
  };
}

/**
 * The end of a partition is lost, also of what was scored; mostly others have written past it since. Whoever has the task,
 * with a store or without, must not read on. @returns what brings the old log back
 */
function loseEnd(world: World, cluster: Cluster): () => void {
  const { broker, random, plan } = world;
  const topic = random.pick(plan.topics);
  const task = random.between(0, broker.tasks - 1);
  const read = broker.committed(task)?.offsets.get(topic) ?? 0;
  if (read === 0) return () => undefined;
  const partition = broker.partition(topic, task);
  const restore = partition.keep();
  broker.truncate(topic, task, random.between(partition.bounds.start, read - 1));
  const from = partition.end;
  const count = random.chance(0.6) ? read - from + random.between(0, 3) : random.between(0, read - from);
  broker.append(
    topic,
    task,
    Array.from({ length: count }, (_, i) => `another ${i}`),
  );
  world.note(
    `${topic}-${task} was read up to ${read}, and has lost what was from ${from} on; it ends at ${partition.end}`,
  );
  cluster.refusal = { code: "log-lost", tasks: new Set([task]), met: new Set() };
  return restore;
}

/** Nobody is left, also in the eyes of the group, and nothing hangs open. */
async function endAll(world: World, cluster: Cluster): Promise<void> {
  const { broker, random } = world;
  for (const member of cluster.living) cluster.kill(member, random.chance(0.3));
  for (const id of cluster.coordinator.memberIds) cluster.coordinator.remove(id);
  // What was sent arrives.
  await until(world, "nothing is on its way", () => world.scheduler.isIdle);
  for (let task = 0; task < broker.tasks; task++) broker.timeOut(task);
  for (const id of cluster.coordinator.memberIds) cluster.coordinator.remove(id);
  await until(world, "nothing is on its way", () => world.scheduler.isIdle);
}

function hostsOf({ hosts }: World, machine: number): Host[] {
  return hosts.filter((host) => host.machine === machine);
}

function hasFolded(host: Host): boolean {
  return Object.values(foldedOf(host)).some((offset) => offset > 0);
}

/** Up to where its store has folded topics. */
function foldedOf(host: Host): Readonly<Record<string, number>> {
  const meta = host.row("m\0store");
  return meta === null ? {} : (JSON.parse(meta) as { offsets: Record<string, number> }).offsets;
}

/** What is readable of a task's outputs. */
function told({ broker }: World, task: number): string {
  return ["score-changed", "threshold-crossed", "dead-letters"]
    .map((topic) => broker.partition(topic, task).bounds.end)
    .join(" ");
}

async function until(world: World, what: string, holds: () => boolean): Promise<void> {
  const { scheduler } = world;
  for (let turns = 0; turns < TURNS_MAX; turns++) {
    await scheduler.settle();
    if (world.failure !== null) throw world.failure;
    if (holds()) return;
    world.cluster?.expel(false);
    if (scheduler.isIdle) world.advance(250);
    else world.release();
  }
  throw new Error(`never comes: ${what}; waiting: ${scheduler.waiting}`);
}
