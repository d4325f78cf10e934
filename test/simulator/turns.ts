/** What happens in one turn of the world. */
import { HOUR, MINUTE } from "../arbitrary/vocabulary.js";
import { refuse } from "./disaster.js";
import type { ClusterPlan } from "./plan.js";
import type { Process } from "./process.js";
import type { World } from "./world.js";

/** One thing happens, and whatever follows from it without anybody's help. */
export async function turn(world: World): Promise<void> {
  const { random, scheduler } = world;
  ensureOwners(world);
  if (!scheduler.isIdle && random.chance(isFiring(world) ? 0.7 : 0.9)) world.release();
  else happen(world);
  misfortune(world);
  if (isTime(world, world.faults.disaster)) await refuse(world);
  await scheduler.settle();
  if (world.failure !== null) throw world.failure;
}

/** Somebody sees to it that each task has a process, most of the time. */
export function ensureOwners(world: World): void {
  world.cluster?.ensure();
  if (world.cluster !== null) return;
  for (let task = 0; task < world.plan.tasks; task++) {
    if (world.running(task).length > 0) continue;
    const hosts = world.hosts.filter((host) => host.task === task);
    world.start(world.random.pick(hosts));
  }
}

function happen(world: World): void {
  const { random, plan } = world;
  const choice = random.weighted([
    // Inputs between two slices of one run of the timers are what it has to mind.
    // A group takes a while to come together, and is to have something to do then.
    [isFiring(world) ? 30 : world.cluster === null ? 6 : 2, "arrive"],
    [world.hasWriters ? 2 : 0, "writer"],
    [3, "time"],
    [2, "timers"],
    [0.3, "written"],
    [0.2, "stop"],
    [canChange(world) ? 0.4 : 0, "models"],
  ]);
  const alive = world.processes.filter(({ isGone }) => !isGone);
  const process = alive.length === 0 ? null : random.pick(alive);
  switch (choice) {
    case "arrive":
      world.arrive(random.pick([1, 1, 2, 5, 10]));
      return;
    case "writer":
      world.endWriter();
      return;
    case "time":
      world.advance(random.pick([1, 250, 1000, 31_000]));
      return;
    case "timers":
      if (plan.timers === "manual" && process !== null) fireUntil(world, process, random.pick(plan.instants));
      return;
    case "written":
      process?.task.written().catch(() => undefined);
      return;
    case "stop":
      if (process !== null) world.stop(process);
      return;
    case "models":
      world.generation += 1;
      // Whoever runs goes on with the old ones; the next one has the new.
      world.note("the models change");
      if (process !== null) world.stop(process);
      return;
  }
}

function isFiring({ plan, broker }: World): boolean {
  return Array.from({ length: plan.tasks }, (_, task) => broker.committed(task)).some(
    (committed) => committed !== null && JSON.parse(committed.metadata)[2] !== null,
  );
}

/** A change of models that is under way everywhere is ended before the next. */
function canChange({ plan, generation, processes, broker }: World): boolean {
  if (plan.models.length <= generation + 1) return false;
  const alive = processes.filter(({ isGone }) => !isGone);
  const tasks = Array.from({ length: plan.tasks }, (_, task) => task);
  return tasks.every((number) =>
    alive.some(
      (process) =>
        process.host.task === number &&
        process.generation === generation &&
        process.task.state.state === "running" &&
        broker.owner(number) === process.client,
    ),
  );
}

function fireUntil(world: World, process: Process, at: number): void {
  world.note(`${process.name} is told to let timers go to ${at}`);
  process.task.fireUntil(at).then(
    () => {
      const metadata = world.broker.decided(process.host.task)?.metadata;
      const all = metadata === undefined ? null : (JSON.parse(metadata)[1] as number | null);
      if (all === null || all < at) world.fail(new Error(`${process.name} has said that timers are at ${at}`));
    },
    () => undefined,
  );
}

function isTime({ random }: World, seldom: number): boolean {
  return seldom > 0 && random.chance(1 / seldom);
}

function misfortune(world: World): void {
  const { random, faults, broker, cluster } = world;
  if (isTime(world, faults.timeout)) {
    const task = random.between(0, broker.tasks - 1);
    world.note(`what task ${task} has begun takes too long`);
    broker.timeOut(task);
  }
  if (cluster !== null) {
    cluster.expel(isTime(world, faults.silence));
    if (random.chance(1 / 200)) cluster.wanted = random.between(1, (world.plan.cluster as ClusterPlan).membersMax);
  }
  const alive = world.processes.filter(({ isGone }) => !isGone);
  if (alive.length === 0) return;
  const process = random.pick(alive);
  // Where a crash hurts most: what is published, or written, and nobody has heard of it; and in the middle of a fold.
  const isTender = /publish (written|with offsets|committed)$|: mark$|disk write|turn$/.test(world.trace.at(-1) ?? "");
  if (isTime(world, isTender ? Math.ceil(faults.crash / 8) : faults.crash)) {
    if (cluster === null && random.chance(0.15)) world.strand(process);
    else world.crash(process);
    return;
  }
  if (cluster === null && isTime(world, faults.rival)) {
    const busy = new Set(alive.map(({ host }) => host));
    const free = world.hosts.find((host) => host.task === process.host.task && !busy.has(host));
    if (free !== undefined) world.start(free);
  }
  if (isTime(world, faults.full)) {
    process.host.disk.isFull = !process.host.disk.isFull;
    world.note(`${process.host.name} is ${process.host.disk.isFull ? "full" : "no more full"}`);
  }
  if (isTime(world, faults.damage)) damage(world, process);
  if (isTime(world, faults.clock)) {
    world.skew = random.pick([0, -HOUR, -MINUTE, 1000, MINUTE, HOUR, 24 * HOUR, 365 * 24 * HOUR]);
    world.note(`the wall clock is wrong by ${world.skew} ms`);
  }
}

function damage({ random }: World, { host }: Process): void {
  const rows = host.disk.entries({}).filter(([key, value]) => value !== "" && /^[chsm]/.test(key));
  if (rows.length === 0) return;
  const [key] = random.pick(rows);
  host.isDamaged = true;
  host.disk.damage(key, (value) => {
    const at = random.between(0, value.length - 1);
    return value.slice(0, at) + (value[at] === "7" ? "8" : "7") + value.slice(at + 1);
  });
}
