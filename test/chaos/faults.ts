/** What goes wrong, drawn from a seed; whom it hits depends on who is there then. */
import type { Random } from "../simulator/random.js";

export type Fault =
  /** kill -9, and started again after a while, perhaps on an empty disk. */
  | { readonly kind: "kill"; readonly whom: number; readonly losesData: boolean; readonly downMs: number }
  /** SIGSTOP for longer than the session, then SIGCONT: it goes on with what is no longer its own. */
  | { readonly kind: "zombie"; readonly whom: number; readonly beyondMs: number }
  | { readonly kind: "broker"; readonly downMs: number }
  /** One more process. */
  | { readonly kind: "out"; readonly keepsData: boolean }
  /** SIGTERM. */
  | { readonly kind: "in"; readonly whom: number };

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
    default:
      return kind satisfies never;
  }
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
  }
}
