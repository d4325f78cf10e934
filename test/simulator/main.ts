/**
 * `npm run simulate`: more seeds than a test has time for, or one of them with all that happened.
 *
 *   npm run simulate -- --seeds 5000              seeds 1 to 5000
 *   npm run simulate -- --seeds 5000 --from 70000
 *   npm run simulate -- --seed 4711               one seed, step by step
 */
import { parseArgs } from "node:util";
import { simulate, told } from "./simulator.js";

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    failures: { type: "string", default: "1" },
  },
});

if (values.seed !== undefined) {
  const one = await simulate(Number(values.seed));
  for (const line of one.trace) say(line);
  say(one.failure === null ? `seed ${one.seed}: all is well, after ${one.commits} commits` : told(one, 0));
  process.exitCode = one.failure === null ? 0 : 1;
} else {
  const from = Number(values.from);
  const seeds = Number(values.seeds);
  let commits = 0;
  let failed = 0;
  for (let seed = from; seed < from + seeds && failed < Number(values.failures); seed++) {
    const one = await simulate(seed);
    commits += one.commits;
    if (one.failure === null) continue;
    failed += 1;
    say(told(one, Number(values.failures) > 1 ? 0 : 60));
  }
  say(`${seeds} seeds from ${from}, ${commits} commits, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
