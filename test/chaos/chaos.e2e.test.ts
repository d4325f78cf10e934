/**
 * The short form: one of each fault, on the built command and a broker of its own. `npm run chaos` draws as many as there
 * is time for, from a seed.
 */
import { expect, it } from "vitest";
import { addressIfThere } from "../components/component.js";
import { checkBuild } from "../e2e/command.js";
import { chaos } from "./chaos.js";
import type { Fault } from "./faults.js";

const SEED = 4711;
const faults: readonly Fault[] = [
  { kind: "kill", whom: 0, losesData: true, downMs: 500 },
  { kind: "zombie", whom: 1, beyondMs: 1_500 },
  { kind: "broker", downMs: 500 },
  { kind: "out", keepsData: false },
  { kind: "in", whom: 2 },
];

const jars = await addressIfThere("kafka-jars");

it.skipIf(jars === null)(
  "what is published and stored follows from the inputs, whatever becomes of the processes",
  async () => {
    checkBuild();
    const turns = faults.map((fault) => ({ faults: [fault], pauseMs: 500 }));
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    const problems = await chaos({ seed: SEED, turns, contacts: 120, perSecond: 150, jars: jars!, say });
    expect(problems, said.join("\n")).toEqual([]);
  },
  400_000,
);
