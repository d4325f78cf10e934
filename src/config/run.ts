/**
 * The settings of `scorefold run`. Read once, all problems at once, and never changed after that.
 */
import { isLoopback } from "../api/loopback.js";
import { type Environment, type Found, quoted, type Read, Reader } from "./reader.js";
import { runVariables as variables } from "./variables.js";

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
  /** How far the host's clock may jump ahead before timers wait for it to last. */
  readonly clockJumpMs: number;
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
  readonly clockJump?: string;
  readonly inputAhead?: string;
}

/** What of it bounds a task, embedded or on a cluster. */
export function taskLimitsOf({ timerGraceMs, clockJumpMs, inputAheadMs }: Config) {
  return { timerGraceMs, clockJumpMsMax: clockJumpMs, inputAheadMsMax: inputAheadMs };
}

const TOKEN_LENGTH_MIN = 16;
const TOKEN_LENGTH_MAX = 512;

/** @param env usually `process.env`; an empty variable is one that is not there */
export function readConfig(given: GivenOptions, env: Environment): Read<Config> {
  const reader = new Reader(env);
  const find = (name: keyof typeof variables, option: string, text?: string): Found | undefined =>
    reader.find(variables[name], option, text);
  const hostFound = find("host", "--host", given.host);
  const config: Config = {
    data: reader.text(find("data", "--data", given.data), "data"),
    models: Object.freeze(modelsOf(reader, given.models)),
    host: hostOf(reader, hostFound),
    port: reader.whole(find("port", "--port", given.port?.toString()), 7070, 0, 65_535),
    apiToken: tokenOf(reader),
    allowAnonymous: reader.truth(find("allowAnonymous", "--allow-anonymous", given.allowAnonymous?.toString())),
    logLevel: reader.oneOf(find("logLevel", "--log-level", given.logLevel), logLevels, "info"),
    timerGraceMs: reader.duration(find("timerGrace", "--timer-grace", given.timerGrace), "5s"),
    clockJumpMs: reader.duration(find("clockJump", "--clock-jump", given.clockJump), "1d"),
    inputAheadMs: reader.duration(find("inputAhead", "--input-ahead", given.inputAhead), "1h"),
  };
  // A token that can't be used has been named already.
  const hasToken = reader.secret(variables.apiToken) !== null;
  if (!isLoopback(config.host) && !hasToken && !config.allowAnonymous) {
    reader.problems.push(
      `${hostFound?.place ?? "--host"} is ${quoted(config.host)}, and everybody who reaches it could read and write; ` +
        `expected a token in ${variables.apiToken}, or 127.0.0.1, or --allow-anonymous`,
    );
  }
  return reader.result(config);
}

/** Any number of options, or one variable. */
function modelsOf(reader: Reader, given: string | readonly string[] | undefined): readonly string[] {
  if (given !== undefined && typeof given !== "string") {
    return given.map((text) => reader.text({ place: "--models", text }, ""));
  }
  return [reader.text(reader.find(variables.models, "--models", given), "models")];
}

function hostOf(reader: Reader, found: Found | undefined): string {
  if (found === undefined) return "127.0.0.1";
  // A URL or a port in the place of an address is the likely slip.
  const isPlain = /^[A-Za-z0-9_.-]+$/.test(found.text) || /^\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?$/.test(found.text);
  const hasPort = /^[^:]*:\d+$/.test(found.text);
  if (!isPlain || hasPort) reader.wrong(found, "a host name or an address, as 127.0.0.1 or 0.0.0.0, without a port");
  return found.text;
}

function tokenOf(reader: Reader): string | null {
  const place = variables.apiToken;
  const token = reader.secret(place);
  if (token === null) return null;
  const expected = `${TOKEN_LENGTH_MIN} to ${TOKEN_LENGTH_MAX} printable ASCII characters without blanks`;
  if (token.length < TOKEN_LENGTH_MIN || token.length > TOKEN_LENGTH_MAX) {
    reader.problems.push(`${place} has ${token.length} characters; expected ${expected}`);
  } else if (!/^[!-~]*$/.test(token)) {
    reader.problems.push(`${place} has a character that can't be sent; expected ${expected}`);
  }
  return token;
}
