/**
 * Reads settings: from options of the command line, else from the environment, else by default; all problems at once.
 * What is secret comes from the environment only (an option would be seen in the list of processes) and is in no message.
 */
import { nearest } from "../nearest.js";
import { kafkaVariables, runVariables } from "./variables.js";

const PREFIX = "SCOREFOLD_";

export type Environment = Readonly<Record<string, string | undefined>>;

export type Read<T> =
  | { readonly ok: true; readonly config: T; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[]; readonly warnings: readonly string[] };

/** What a setting was given as, and where. */
export interface Found {
  /** `--port` or `SCOREFOLD_PORT`, for messages. */
  readonly place: string;
  readonly text: string;
}

/** Reads one setting after the other; where one can't be read, its default stands in, and the problem is noted. */
export class Reader {
  readonly problems: string[] = [];
  readonly #env: Environment;

  /** @param env usually `process.env`; an empty variable is one that is not there */
  constructor(env: Environment) {
    this.#env = env;
  }

  find(variable: string, option: string | null, given?: string): Found | undefined {
    if (option !== null && given !== undefined) return { place: option, text: given };
    const text = this.#env[variable];
    return text === undefined || text === "" ? undefined : { place: variable, text };
  }

  /** A secret; only ever looked at for whether it is there. */
  secret(variable: string): string | null {
    return this.find(variable, null)?.text ?? null;
  }

  text(found: Found | undefined, byDefault: string): string {
    return this.optionalText(found) ?? byDefault;
  }

  optionalText(found: Found | undefined): string | null {
    if (found === undefined) return null;
    if (found.text.trim() === "" || found.text.includes("\0")) this.wrong(found, "a path");
    return found.text;
  }

  whole(found: Found | undefined, byDefault: number, min: number, max: number): number {
    if (found === undefined) return byDefault;
    const number = /^\d{1,9}$/.test(found.text) ? Number(found.text) : Number.NaN;
    if (number >= min && number <= max) return number;
    return this.wrong(found, `a whole number from ${min} to ${max}`, byDefault);
  }

  truth(found: Found | undefined): boolean {
    if (found === undefined) return false;
    const text = found.text.toLowerCase();
    if (text === "true" || text === "1" || text === "yes") return true;
    if (text === "false" || text === "0" || text === "no") return false;
    return this.wrong(found, "true or false", false);
  }

  oneOf<T extends string>(found: Found | undefined, words: readonly T[], byDefault: T): T {
    if (found === undefined) return byDefault;
    const word = words.find((one) => one === found.text.toLowerCase());
    return word ?? this.wrong(found, `one of ${words.join(", ")}`, byDefault, hint(found.text, words));
  }

  /**
   * @param bounds the least and the most, both allowed
   * @returns milliseconds
   */
  duration(found: Found | undefined, byDefault: string, bounds?: readonly [min: string, max: string]): number {
    if (found === undefined) return durationMs(byDefault) as number;
    const ms = durationMs(found.text);
    if (bounds === undefined) return ms ?? this.wrong(found, "a duration such as 500ms, 5s, 10m or 1h", 0);
    const [min, max] = bounds.map(durationMs) as [number, number];
    if (ms !== undefined && ms >= min && ms <= max) return ms;
    return this.wrong(found, `a duration from ${bounds[0]} to ${bounds[1]}`, 0);
  }

  /** Notes that it is not what was expected, and gives what stands in. */
  wrong<T>({ place, text }: Found, expected: string, standIn?: T, more = ""): T {
    this.problems.push(`${place} is ${quoted(text)}; expected ${expected}${more}`);
    return standIn as T;
  }

  /** What was read, frozen; or all problems. */
  result<T extends object>(config: T): Read<T> {
    const warnings = unknownVariables(this.#env);
    return this.problems.length === 0
      ? { ok: true, config: Object.freeze(config), warnings }
      : { ok: false, problems: this.problems, warnings };
  }
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  return count === undefined || unit === undefined ? undefined : Number(count) * (unitsMs[unit] as number);
}

/** A variable that nobody reads was probably meant to be another one. Its value may be a secret, and is not told. */
function unknownVariables(env: Environment): string[] {
  const known: readonly string[] = [...Object.values(runVariables), ...Object.values(kafkaVariables)];
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .sort()
    .map((name) => `${name} is set, and nothing reads it${hint(name, known)}`);
}

/** Names are told apart by what follows the prefix that all of them have. */
function hint(name: string, known: readonly string[]): string {
  const rest = (one: string): string => (one.startsWith(PREFIX) ? one.slice(PREFIX.length) : one);
  const near = nearest(rest(name), known.map(rest));
  const whole = known.find((one) => rest(one) === near);
  return whole === undefined ? "" : `; did you mean ${whole}?`;
}

export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
