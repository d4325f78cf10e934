/**
 * The short form: one of each kind of fault, on the built command and a broker of its own. `npm run chaos` draws as many as there
 * is time for, from a seed.
 */
import { expect, it } from "vitest";
import { addressIfThere } from "../components/component.js";
import { checkBuild } from "../e2e/command.js";
import { chaos } from "./chaos.js";
import type { Fault } from "./faults.js";
import type { Trouble } from "./network.js";

const SEED = 4711;
/** Nothing of what the broker answers comes, for longer than a session. */
const silence: Trouble = { type: "timeout", stream: "downstream", attributes: { timeout: 0 } };
const turns: readonly (readonly Fault[])[] = [
  [{ kind: "kill", whom: 0, losesData: true, downMs: 500 }],
  [
    { kind: "zombie", whom: 1, beyondMs: 1_500 },
    { kind: "network", whom: 0, trouble: silence, lastsMs: 7_500 },
  ],
  [{ kind: "broker", downMs: 500 }],
  [{ kind: "out", keepsData: false }],
  [{ kind: "in", whom: 2 }],
];

const jars = await addressIfThere("kafka-jars");
const toxiproxy = await addressIfThere("toxiproxy");

it.skipIf(jars === null || toxiproxy === null)(
  "what is published and stored follows from the inputs, whatever becomes of the processes",
  async () => {
    checkBuild();
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    const problems = await chaos({
      seed: SEED,
      turns: turns.map((faults) => ({ faults, pauseMs: 500 })),
      ...{ contacts: 120, perSecond: 150, jars: jars!, toxiproxy: toxiproxy!, say },
    });
    expect(problems, said.join("\n")).toEqual([]);
  },
  400_000,
);
