/** Nothing more goes wrong, all is folded, timers have gone to one instant, all is written: what must be there then. */
import { ScorefoldError } from "../../src/errors.js";
import { MINUTE } from "../arbitrary/vocabulary.js";
import { noFaults } from "./plan.js";
import type { Process } from "./process.js";
import { checkStore } from "./store-check.js";
import { ensureOwners } from "./turns.js";
import type { World } from "./world.js";

const TURNS_MAX = 40_000;
/** After so long without a commit, and so often with nobody about to go on, each task has looked again at what is due. */
const LOOKED_MS = 1000;
const LOOKED_TIMES = 8;

/** @returns what is published, to compare by */
export async function quietEnd(world: World): Promise<string> {
  const { plan, broker } = world;
  world.note("---- nothing more goes wrong ----");
  world.faults = noFaults;
  world.skew = 0;
  for (const { disk } of world.hosts) disk.isFull = false;
  for (const { isGone, client, member } of world.processes) if (isGone && member === null) client.kill();
  while (world.hasWriters) world.endWriter();
  world.generation = plan.models.length - 1;
  world.cluster?.renew();
  await allFolded(world);
  const now = Math.max(broker.now, plan.end);
  world.advance(now - broker.now);
  if (plan.timers === "manual")
    await askOwners(world, "timers are fired", async ({ task }) => await task.fireUntil(now));
  else {
    const end = now + MINUTE;
    let [since, commits, idle] = [0, 0, 0];
    const isThere = ({ task }: Process): boolean => task.time === end && task.timersBehindMs === 0;
    const areThere = (): boolean => {
      // The wall clock stands still, so that all timers go to one instant.
      world.skew = end - broker.now;
      const { scheduler, invariant } = world;
      if (invariant.commits !== commits || !isEveryTask(world, isThere)) [since, idle] = [scheduler.elapsed, 0];
      commits = invariant.commits;
      if (!scheduler.isIdle) return false;
      idle += 1;
      return idle > LOOKED_TIMES && scheduler.elapsed - since > LOOKED_MS;
    };
    world.skew = end - broker.now;
    await until(world, "timers are there", areThere);
  }
  const last = plan.timers === "manual" ? now : now + MINUTE - plan.limits.timerGraceMs;
  await askOwners(world, "all is written", async ({ task }) => await task.written());
  await until(world, "all can be read", () => world.broker.isQuiet);
  const scores: string[] = [];
  for (const process of owners(world)) {
    const contacts = world.invariant.contacts(process.host.task);
    for (const contact of contacts.values()) {
      contact.folded(last);
      contact.check();
      contact.checkNaively(last);
      // Of one without inputs in force the empty score may be published or not: it depends on what came first.
      const { length } = contact.folded(last).scoreLines();
      if (length > 0) scores.push(`${contact.key} ${contact.published.scoresOf(contact.models.of(contact.tenantId))}`);
    }
    if (!process.host.isDamaged) checkStore(process.host.disk, contacts, last);
  }
  world.invariant.checkWhole();
  return scores.sort().join("\n");
}

async function allFolded(world: World): Promise<void> {
  await until(world, "all is folded", () => isEveryTask(world, (process) => isCaughtUp(world, process)));
}

/** Asks the owner of each task; again where another one has taken the task over meanwhile, or is given it. */
async function askOwners(world: World, what: string, ask: (owner: Process) => Promise<void>): Promise<void> {
  for (;;) {
    // While tasks move nobody has them, and nobody would be asked.
    if (!isEveryTask(world, () => true)) await allFolded(world);
    let answer: "done" | "moved" | null = null;
    Promise.all(owners(world).map(ask)).then(
      () => {
        answer = "done";
      },
      (error: Error) => {
        const hasMoved = error instanceof ScorefoldError && ["fenced", "stopping"].includes(error.code);
        if (hasMoved) answer = "moved";
        else world.fail(error);
      },
    );
    await until(world, what, () => answer !== null);
    if (answer === "done") return;
    await allFolded(world);
  }
}

function isEveryTask(world: World, holds: (process: Process) => boolean): boolean {
  const own = owners(world);
  return own.length === world.plan.tasks && own.every(holds);
}

/** The process that took each task over last; in a cluster it is the only one that has it. */
function owners(world: World): Process[] {
  const { cluster, plan } = world;
  const tasks = Array.from({ length: plan.tasks }, (_, task) => task);
  if (cluster !== null && !cluster.isSettled) return [];
  const own = tasks.map((task) => world.running(task));
  if (cluster !== null && own.some(({ length }) => length !== 1)) return [];
  return own.flatMap((some) => some.at(-1) ?? []);
}

function isCaughtUp({ broker }: World, { task, host }: Process): boolean {
  const offsets = broker.committed(host.task)?.offsets;
  return (
    task.state.state === "running" &&
    broker.inputTopics.every((topic) => (offsets?.get(topic) ?? 0) === broker.partition(topic, host.task).end)
  );
}

async function until(world: World, what: string, holds: () => boolean): Promise<void> {
  const { scheduler, random } = world;
  for (let turns = 0; turns < TURNS_MAX; turns++) {
    ensureOwners(world);
    world.cluster?.expel(false);
    await scheduler.settle();
    if (world.failure !== null) throw world.failure;
    if (holds()) return;
    if (scheduler.isIdle) world.advance(random.pick([1, 250, 5000]));
    else world.release();
  }
  const alive = world.processes.filter(({ isGone }) => !isGone);
  const states = alive.map(({ name, task, host }) => ({ name, ...task.state, ...placesOf(world, host.task) }));
  throw new Error(`never comes: ${what}; ${JSON.stringify(states)}; waiting: ${scheduler.waiting}`);
}

/** Where a task is, and where its inputs end. */
function placesOf({ broker }: World, task: number): Record<string, string> {
  const offsets = broker.committed(task)?.offsets;
  return Object.fromEntries(
    broker.inputTopics.map((topic) => {
      const { stable, end } = broker.partition(topic, task);
      return [topic, `${offsets?.get(topic) ?? 0} of ${stable}, ${end}`];
    }),
  );
}
