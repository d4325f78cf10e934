/**
 * `npm run chaos`: the long form of the test, on processes of the built command and a broker of its own.
 *
 *   npm run chaos                               a seed by chance, ten minutes
 *   npm run chaos -- --seed 7 --minutes 20
 *
 * What is sent and what goes wrong follow from the seed; when it goes wrong, and so whom it hits, does not.
 */
import { parseArgs } from "node:util";
import { kafkaJars } from "../components/kafka/kafka.js";
import { startToxiproxy } from "../components/toxiproxy/toxiproxy.js";
import { Random } from "../simulator/random.js";
import { chaos } from "./chaos.js";
import { drawTurn, type Turn } from "./faults.js";

const PROBLEMS_SAID = 40;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function* turnsFor(minutes: number, random: Random): Generator<Turn> {
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) yield drawTurn(random);
}

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e6)) },
    minutes: { type: "string", default: "10" },
    contacts: { type: "string", default: "600" },
    rate: { type: "string", default: "200" },
  },
});
const seed = Number(values.seed);
const [minutes, contacts, perSecond] = [values.minutes, values.contacts, values.rate].map(Number) as [
  number,
  number,
  number,
];
say(`seed ${seed}, ${minutes} minutes`);
const { address: jars } = await kafkaJars();
const turns = turnsFor(minutes, new Random(seed));
const toxiproxy = await startToxiproxy();
const problems = await chaos({ seed, turns, contacts, perSecond, jars, toxiproxy: toxiproxy.address, say }).finally(
  async () => await toxiproxy.stop(),
);
for (const problem of problems.slice(0, PROBLEMS_SAID)) say(problem);
if (problems.length > PROBLEMS_SAID) say(`and ${problems.length - PROBLEMS_SAID} more`);
say(problems.length === 0 ? `seed ${seed}: all is well` : `seed ${seed}: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
