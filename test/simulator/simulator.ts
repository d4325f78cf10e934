/**
 * The real task, store and log port in a world that follows from a seed: records that come late or twice, crashes between
 * any two calls, disks that lose their end, brokers that do not answer. After every commit the invariant is looked at,
 * and in the end the stores are.
 */
import type { Faults } from "./plan.js";
import { drawPlan, noFaults } from "./plan.js";
import { quietEnd } from "./quiet-end.js";
import { Random } from "./random.js";
import { turn } from "./turns.js";
import { World } from "./world.js";

export interface Simulated {
  readonly seed: number;
  readonly trace: readonly string[];
  readonly commits: number;
  /** Those of each task in the end: only worlds of the same models can end alike. */
  readonly models: string;
  /** What is published in the end, to compare two runs by. */
  readonly scores: string;
  readonly failure: Error | null;
}

export interface SimulateOptions {
  /** In place of those that follow from the seed. */
  readonly faults?: Partial<Faults>;
}

const TURNS_MAX = 60_000;

export async function simulate(seed: number, { faults }: SimulateOptions = {}): Promise<Simulated> {
  const random = new Random(seed);
  const drawn = drawPlan(random.fork());
  const plan = { ...drawn, faults: faults === undefined ? drawn.faults : { ...noFaults, ...faults } };
  const world = new World(plan, random.fork());
  let scores = "";
  try {
    for (let turns = 0; world.waiting.length > 0 && turns < TURNS_MAX; turns++) await turn(world);
    scores = await quietEnd(world);
  } catch (error) {
    world.fail(error as Error);
  }
  const { trace, failure, invariant } = world;
  return { seed, trace, commits: invariant.commits, models: world.lastModels, scores, failure };
}

/** What to say of a seed that failed. */
export function told({ seed, trace, failure }: Simulated, lines = 60): string {
  const cause = failure?.cause === undefined ? "" : `\ncaused by ${(failure.cause as Error).stack}`;
  return [
    `seed ${seed}: ${failure?.stack}${cause}`,
    `the last of ${trace.length} steps (npm run simulate -- --seed ${seed} shows all):`,
    ...trace.slice(Math.max(0, trace.length - lines)),
  ].join("\n");
}
