/** What goes wrong, drawn from a seed; whom it hits depends on who is there then. */
import type { Random } from "../simulator/random.js";
import type { Trouble } from "./network.js";

export type Fault =
  /** kill -9, and started again after a while, perhaps on an empty disk. */
  | { readonly kind: "kill"; readonly whom: number; readonly losesData: boolean; readonly downMs: number }
  /** SIGSTOP for longer than the session, then SIGCONT: it goes on with what is no longer its own. */
  | { readonly kind: "zombie"; readonly whom: number; readonly beyondMs: number }
  | { readonly kind: "broker"; readonly downMs: number }
  /** One more process. */
  | { readonly kind: "out"; readonly keepsData: boolean }
  /** SIGTERM. */
  | { readonly kind: "in"; readonly whom: number }
  /** Between one instance and the broker, or all of them and the broker. */
  | { readonly kind: "network"; readonly whom: number | "all"; readonly trouble: Trouble; readonly lastsMs: number };

export interface Turn {
  /** They begin together. */
  readonly faults: readonly Fault[];
  /** Afterwards, when all tasks run again. */
  readonly pauseMs: number;
}

export function drawTurn(random: Random): Turn {
  const faults = [drawFault(random)];
  if (random.chance(0.25)) faults.push(drawFault(random));
  // Soon after one who was stopped goes on is when it joins the group again.
  return { faults, pauseMs: random.between(0, random.chance(0.3) ? 800 : 8_000) };
}

function drawFault(random: Random): Fault {
  const whom = random.between(0, 1000);
  const kind = random.weighted([
    [5, "kill"],
    [3, "zombie"],
    [2, "broker"],
    [2, "out"],
    [2, "in"],
    [9, "network"],
  ] as const);
  switch (kind) {
    case "kill":
      return { kind, whom, losesData: random.chance(0.35), downMs: random.pick([0, 500, 3_000, 12_000]) };
    case "zombie":
      return { kind, whom, beyondMs: random.pick([500, 2_000, 10_000, 20_000]) };
    case "broker":
      return { kind, downMs: random.pick([0, 1_000, 8_000]) };
    case "out":
      return { kind, keepsData: random.chance(0.5) };
    case "in":
      return { kind, whom };
    case "network": {
      const lastsMs = random.pick([1_000, 5_000, 10_000, 20_000]);
      return { kind, whom: random.chance(0.3) ? "all" : whom, trouble: drawTrouble(random), lastsMs };
    }
    default:
      return kind satisfies never;
  }
}

function drawTrouble(random: Random): Trouble {
  const type = random.weighted([
    [2, "latency"],
    [2, "bandwidth"],
    [3, "timeout"],
    [2, "reset_peer"],
    [2, "limit_data"],
    [2, "down"],
    [1, "slow_close"],
  ] as const);
  const stream = random.pick(["upstream", "downstream"] as const);
  switch (type) {
    case "latency":
      return { type, stream, attributes: { latency: 300, jitter: 100 } };
    case "bandwidth":
      return { type, stream, attributes: { rate: random.pick([16, 64]) } };
    case "timeout":
      // Connections stay, and nothing comes, until the trouble ends.
      return { type, stream, attributes: { timeout: 0 } };
    case "reset_peer":
      return { type, stream, attributes: { timeout: random.pick([0, 500]) } };
    case "limit_data":
      return { type, stream, attributes: { bytes: random.pick([100, 1_000, 20_000]) } };
    case "slow_close":
      return { type, stream, attributes: { delay: 3_000 } };
    case "down":
      return { type };
    default:
      return type satisfies never;
  }
}

/** What faults are counted by. */
export function nameOf(fault: Fault): string {
  return fault.kind === "network" ? fault.trouble.type : fault.kind;
}

/** What a fault is, in a few words. */
export function described(fault: Fault): string {
  switch (fault.kind) {
    case "kill":
      return `kill -9, ${fault.losesData ? "its data removed, " : ""}started again after ${fault.downMs} ms`;
    case "zombie":
      return `SIGSTOP for ${fault.beyondMs} ms more than a session, then SIGCONT`;
    case "broker":
      return `the broker: kill -9, started again after ${fault.downMs} ms`;
    case "out":
      return "one more instance";
    case "in":
      return "SIGTERM";
    case "network":
      return `${troubleOf(fault.trouble)} for ${fault.lastsMs} ms`;
  }
}

function troubleOf(trouble: Trouble): string {
  if (trouble.type === "down") return "connections to the broker are refused";
  const { type, stream, attributes } = trouble;
  const way = stream === "upstream" ? "to the broker" : "from the broker";
  const more = Object.entries(attributes).map(([name, value]) => `${name} ${value}`);
  return `${type} (${more.join(", ")}) on the way ${way}`;
}
