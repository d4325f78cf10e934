/**
 * The built command on a real broker, under load and under faults that follow from a seed: processes killed, stopped and
 * gone on with, added and removed, their data lost, the broker killed, the network between them slow, silent or cut. When the load has ended and all is folded, what
 * everybody can read is held against a second reading of the rules, and against the broker's own records.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Turn } from "./faults.js";
import { Load } from "./load.js";
import { Processes } from "./processes.js";
import { Topics } from "./topics.js";
import { verdictOf } from "./verdict.js";

export interface ChaosOptions {
  /** Of what is sent. */
  readonly seed: number;
  /** Asked for the next turn when the one before is over and all tasks run; ends where there is none. */
  readonly turns: Iterable<Turn>;
  readonly contacts: number;
  readonly perSecond: number;
  readonly jars: string;
  readonly toxiproxy: string;
  readonly say: (text: string) => void;
}

/** The least that a broker takes. */
const SESSION_MS = 6_000;
/** No task may be with nobody for longer, while there is a broker. */
const WITHOUT_MS_MAX = 60_000;
const FOLDED_MS_MAX = 120_000;
/** Timers have passed an instant so long after it: the grace, and some looks at what is due. */
const TIMERS_MS = 8_000;
const LINES_SAID = 30;

/** @returns what is wrong */
export async function chaos(options: ChaosOptions): Promise<readonly string[]> {
  const { jars, toxiproxy } = options;
  const began = performance.now();
  const say = (text: string): void =>
    options.say(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} ${text}`);
  const directory = mkdtempSync(join(tmpdir(), "scorefold-chaos-"));
  const limits = { sessionMs: SESSION_MS, withoutMsMax: WITHOUT_MS_MAX };
  const processes = await Processes.start({ directory, jars, toxiproxy, say, ...limits });
  const problems: string[] = [];
  try {
    problems.push(...(await underFaults(processes, options, say)));
  } catch (error) {
    problems.push(String(error instanceof Error ? error.stack : error));
  }
  problems.push(...processes.problems);
  if (problems.length > 0) say(processes.lastWords(LINES_SAID));
  await processes.end();
  if (problems.length === 0) rmSync(directory, { recursive: true, force: true });
  else say(`what the instances have said and stored is in ${directory}`);
  return problems;
}

async function underFaults(
  processes: Processes,
  { seed, turns, contacts, perSecond, jars }: ChaosOptions,
  say: (text: string) => void,
): Promise<readonly string[]> {
  const { watch, brokers } = processes;
  const topics = new Topics(brokers);
  await topics.connect();
  const load = new Load(seed, contacts);
  await topics.send(load.profiles(Date.now()));
  await topics.caughtUp(FOLDED_MS_MAX);
  say(`${processes.instances.length} instances, ${contacts} contacts, ${perSecond} records a second`);
  const stopping = new AbortController();
  const sending = topics.sendAll(load, perSecond, stopping.signal);
  try {
    for (const turn of turns) {
      await Promise.all(turn.faults.map((fault) => processes.inject(fault)));
      await watch.allRun();
      say("all tasks run");
      await sleep(turn.pauseMs);
    }
  } finally {
    stopping.abort();
  }
  const sent = await sending;
  await topics.caughtUp(FOLDED_MS_MAX);
  await topics.close();
  const asOf = Date.now();
  say(`${sent} records sent, all folded; faults: ${processes.tally}`);
  await sleep(TIMERS_MS);
  await watch.allRun();
  const { problems, seen } = await verdictOf({ jars, brokers, instances: processes.instances, asOf });
  const { task, ms, at } = watch.longest;
  say(
    `${seen}; longest without a running task: task ${task}, ${(ms / 1000).toFixed(1)} s at ${(at / 1000).toFixed(0)} s`,
  );
  const isLong = ms > WITHOUT_MS_MAX ? [`task ${task} was with nobody for ${Math.round(ms / 1000)} s`] : [];
  return [...problems, ...isLong];
}
