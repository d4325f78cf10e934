/**
 * The settings of `scorefold run`: from options of the command line, else from the environment, else by default. Read
 * once, all problems at once, and never changed after that. What is secret comes from the environment only (an option
 * would be seen in the list of processes) and is in no message.
 */
import { isLoopback } from "./api/loopback.js";
import { nearest } from "./nearest.js";

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Config {
  /** Directory of the log and the store. */
  readonly data: string;
  /** Model files, or directories of them. */
  readonly models: readonly string[];
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly apiToken: string | null;
  readonly allowAnonymous: boolean;
  readonly logLevel: LogLevel;
  /** Timers fire so long after their instant. */
  readonly timerGraceMs: number;
  /** How far an input may be dated after its arrival. */
  readonly inputAheadMs: number;
}

/** Options of the command line, as they were written. */
export interface GivenOptions {
  readonly data?: string;
  readonly models?: string | readonly string[];
  readonly host?: string;
  readonly port?: string | number;
  readonly allowAnonymous?: boolean;
  readonly logLevel?: string;
  readonly timerGrace?: string;
  readonly inputAhead?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export type ConfigResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[]; readonly warnings: readonly string[] };

const TOKEN_LENGTH_MIN = 16;
const TOKEN_LENGTH_MAX = 512;
const PREFIX = "SCOREFOLD_";
const variables = {
  data: "SCOREFOLD_DATA",
  models: "SCOREFOLD_MODELS",
  host: "SCOREFOLD_HOST",
  port: "SCOREFOLD_PORT",
  apiToken: "SCOREFOLD_API_TOKEN",
  allowAnonymous: "SCOREFOLD_ALLOW_ANONYMOUS",
  logLevel: "SCOREFOLD_LOG_LEVEL",
  timerGrace: "SCOREFOLD_TIMER_GRACE",
  inputAhead: "SCOREFOLD_INPUT_AHEAD",
} as const;

/** What a setting was given as, and where. */
interface Found {
  /** `--port` or `SCOREFOLD_PORT`, for messages. */
  readonly place: string;
  readonly text: string;
}

/** @param env usually `process.env`; an empty variable is one that is not there */
export function readConfig(given: GivenOptions, env: Environment): ConfigResult {
  const reader = new Reader(env);
  const hostFound = reader.find("host", "--host", given.host);
  const config: Config = Object.freeze({
    data: reader.text(reader.find("data", "--data", given.data), "data"),
    models: Object.freeze(reader.models(given.models)),
    host: reader.host(hostFound),
    port: reader.port(reader.find("port", "--port", given.port?.toString())),
    apiToken: reader.token(),
    allowAnonymous: reader.truth(reader.find("allowAnonymous", "--allow-anonymous", given.allowAnonymous?.toString())),
    logLevel: reader.logLevel(reader.find("logLevel", "--log-level", given.logLevel)),
    timerGraceMs: reader.duration(reader.find("timerGrace", "--timer-grace", given.timerGrace), "5s"),
    inputAheadMs: reader.duration(reader.find("inputAhead", "--input-ahead", given.inputAhead), "1h"),
  });
  // A token that can't be used has been named already.
  const hasToken = (env[variables.apiToken] ?? "") !== "";
  if (!isLoopback(config.host) && !hasToken && !config.allowAnonymous) {
    reader.problems.push(
      `${hostFound?.place ?? "--host"} is ${quoted(config.host)}, and everybody who reaches it could read and write; ` +
        `expected a token in ${variables.apiToken}, or 127.0.0.1, or --allow-anonymous`,
    );
  }
  const warnings = unknownVariables(env);
  return reader.problems.length === 0
    ? { ok: true, config, warnings }
    : { ok: false, problems: reader.problems, warnings };
}

/** Reads one setting after the other; where one can't be read, its default stands in, and the problem is noted. */
class Reader {
  readonly problems: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  find(name: keyof typeof variables, option: string, given: string | undefined): Found | undefined {
    if (given !== undefined) return { place: option, text: given };
    const variable = variables[name];
    const text = this.#env[variable];
    return text === undefined || text === "" ? undefined : { place: variable, text };
  }

  text(found: Found | undefined, byDefault: string): string {
    if (found === undefined) return byDefault;
    if (found.text.trim() === "" || found.text.includes("\0")) this.#wrong(found, "a path");
    return found.text;
  }

  /** Any number of options, or one variable. */
  models(given: string | readonly string[] | undefined): readonly string[] {
    if (given !== undefined && typeof given !== "string") {
      return given.map((text) => this.text({ place: "--models", text }, ""));
    }
    return [this.text(this.find("models", "--models", given), "models")];
  }

  host(found: Found | undefined): string {
    if (found === undefined) return "127.0.0.1";
    // A URL or a port in the place of an address is the likely slip.
    const isPlain = /^[A-Za-z0-9_.-]+$/.test(found.text) || /^\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?$/.test(found.text);
    const hasPort = /^[^:]*:\d+$/.test(found.text);
    if (!isPlain || hasPort) this.#wrong(found, "a host name or an address, as 127.0.0.1 or 0.0.0.0, without a port");
    return found.text;
  }

  port(found: Found | undefined): number {
    if (found === undefined) return 7070;
    const port = /^\d{1,5}$/.test(found.text) ? Number(found.text) : Number.NaN;
    if (port <= 65_535) return port;
    return this.#wrong(found, "a whole number from 0 to 65535", 7070);
  }

  token(): string | null {
    const place = variables.apiToken;
    const token = this.#env[place] ?? "";
    if (token === "") return null;
    const expected = `${TOKEN_LENGTH_MIN} to ${TOKEN_LENGTH_MAX} printable ASCII characters without blanks`;
    if (token.length < TOKEN_LENGTH_MIN || token.length > TOKEN_LENGTH_MAX) {
      this.problems.push(`${place} has ${token.length} characters; expected ${expected}`);
    } else if (!/^[!-~]*$/.test(token)) {
      this.problems.push(`${place} has a character that can't be sent; expected ${expected}`);
    }
    return token;
  }

  truth(found: Found | undefined): boolean {
    if (found === undefined) return false;
    const text = found.text.toLowerCase();
    if (text === "true" || text === "1" || text === "yes") return true;
    if (text === "false" || text === "0" || text === "no") return false;
    return this.#wrong(found, "true or false", false);
  }

  logLevel(found: Found | undefined): LogLevel {
    if (found === undefined) return "info";
    const level = logLevels.find((one) => one === found.text.toLowerCase());
    return level ?? this.#wrong(found, `one of ${logLevels.join(", ")}`, "info", hint(found.text, logLevels));
  }

  /** @returns milliseconds */
  duration(found: Found | undefined, byDefault: string): number {
    if (found === undefined) return durationMs(byDefault) as number;
    return durationMs(found.text) ?? this.#wrong(found, "a duration such as 500ms, 5s, 10m or 1h", 0);
  }

  #wrong<T>({ place, text }: Found, expected: string, standIn?: T, more = ""): T {
    this.problems.push(`${place} is ${quoted(text)}; expected ${expected}${more}`);
    return standIn as T;
  }
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  return count === undefined || unit === undefined ? undefined : Number(count) * (unitsMs[unit] as number);
}

/** A variable that nobody reads was probably meant to be another one. Its value may be a secret, and is not told. */
function unknownVariables(env: Environment): string[] {
  const known: readonly string[] = Object.values(variables);
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

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
