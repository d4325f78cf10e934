/** Nothing more goes wrong, all is folded, timers have gone to one instant, all is written: what must be there then. */
import { ScorefoldError } from "../../src/errors.js";
import { MINUTE } from "../arbitrary/vocabulary.js";
import { noFaults } from "./plan.js";
import { checkStore } from "./store-check.js";
import type { Process, World } from "./world.js";

const TURNS_MAX = 40_000;
/** After so long without a commit each task has looked again at what is due, and found nothing. */
const LOOKED_MS = 1000;

/** @returns what is published, to compare by */
export async function quietEnd(world: World): Promise<string> {
  const { plan, broker } = world;
  world.note("---- nothing more goes wrong ----");
  world.faults = noFaults;
  world.skew = 0;
  for (const { disk } of world.hosts) disk.isFull = false;
  for (const { isGone, client } of world.processes) if (isGone) client.kill();
  world.generation = plan.models.length - 1;
  await allFolded(world);
  const now = Math.max(broker.now, plan.end);
  world.advance(now - broker.now);
  if (plan.timers === "manual")
    await askOwners(world, "timers are fired", async ({ task }) => await task.fireUntil(now));
  else {
    const end = now + MINUTE;
    let [since, commits] = [0, 0];
    const isThere = ({ task }: Process): boolean => task.time === end && task.timersBehindMs === 0;
    const areThere = (): boolean => {
      // The wall clock stands still, so that all timers go to one instant.
      world.skew = end - broker.now;
      const { scheduler, invariant } = world;
      if (invariant.commits !== commits || !isEveryTask(world, isThere)) since = scheduler.elapsed;
      commits = invariant.commits;
      return scheduler.isIdle && scheduler.elapsed - since > LOOKED_MS;
    };
    world.skew = end - broker.now;
    await until(world, "timers are there", areThere);
  }
  const last = plan.timers === "manual" ? now : now + MINUTE - plan.limits.timerGraceMs;
  await askOwners(world, "all is written", async ({ task }) => await task.written());
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
  return scores.sort().join("\n");
}

async function allFolded(world: World): Promise<void> {
  await until(world, "all is folded", () => isEveryTask(world, (process) => isCaughtUp(world, process)));
}

/** Asks the owner of each task; again where one that had tried in vain before has come back and taken the task over. */
async function askOwners(world: World, what: string, ask: (owner: Process) => Promise<void>): Promise<void> {
  for (;;) {
    let answer: "done" | "fenced" | null = null;
    Promise.all(owners(world).map(ask)).then(
      () => {
        answer = "done";
      },
      (error: Error) => {
        if (error instanceof ScorefoldError && error.code === "fenced") answer = "fenced";
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

/** The process that took each task over last. */
function owners(world: World): Process[] {
  return Array.from({ length: world.plan.tasks }, (_, task) => world.running(task).at(-1)).filter(
    (process) => process !== undefined,
  );
}

function isCaughtUp({ broker, plan }: World, { task, host }: Process): boolean {
  const offsets = broker.committed(host.task)?.offsets;
  return (
    task.state.state === "running" &&
    plan.topics.every((topic) => (offsets?.get(topic) ?? 0) === broker.partition(topic, host.task).stable)
  );
}

async function until(world: World, what: string, holds: () => boolean): Promise<void> {
  const { scheduler, random, plan } = world;
  for (let turns = 0; turns < TURNS_MAX; turns++) {
    for (let task = 0; task < plan.tasks; task++) {
      const hosts = world.hosts.filter((host) => host.task === task);
      if (world.running(task).length === 0) world.start(random.pick(hosts));
    }
    await scheduler.settle();
    if (world.failure !== null) throw world.failure;
    if (holds()) return;
    if (scheduler.isIdle) world.advance(random.pick([1, 250, 5000]));
    else world.release();
  }
  const states = world.processes.filter(({ isGone }) => !isGone).map(({ name, task }) => ({ name, ...task.state }));
  throw new Error(`never comes: ${what}; ${JSON.stringify(states)}; waiting: ${scheduler.waiting}`);
}
