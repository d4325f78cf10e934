/** Options that several commands share, and their values. */
import { InvalidArgumentError, Option } from "commander";
import { parseInstant } from "../events/time.js";
import type { EpochMs } from "../events/types.js";
import type { Io } from "./io.js";

export interface ModelOptions {
  readonly model?: string[];
  readonly models: string;
}

export function modelOption(): Option {
  return new Option("--model <files...>", "model files to score under (default: all of --models)");
}

export function modelOrIdOption(): Option {
  return new Option("--model <names...>", "only these models: ids; with --input, files (default: all of --models)");
}

export function modelsOption(): Option {
  return new Option("--models <dir>", "directory of models, or one file").default("models");
}

export function inputOption(): Option {
  return new Option("--input <files...>", "inputs as JSON lines, also .gz; - is standard input");
}

export function dataOption(io: Io): Option {
  return new Option("--data <dir>", "data directory (or SCOREFOLD_DATA)").default(io.env["SCOREFOLD_DATA"] ?? "data");
}

export function urlOption(): Option {
  return new Option("--url <url>", "the engine to ask (default: the one that runs on the data directory)");
}

export function asOfOption(): Option {
  return new Option(
    "--as-of <instant>",
    "ISO 8601 with a zone, 2026-06-30T00:00:00Z (default: the newest input of files, the present of an engine)",
  ).argParser(instantArgument);
}

export function tenantOption(): Option {
  return new Option("--tenant <id>", "tenant").default("default");
}

export function formatOption(formats: readonly string[]): Option {
  return new Option("--format <format>", "how to print").choices(formats).default(formats[0]);
}

/** The model paths that the options name. */
export function modelPaths(options: ModelOptions): string[] {
  return options.model ?? [options.models];
}

/** The value of an option that counts something: a whole number, 0 or more. */
export function countArgument(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Expected a whole number, such as 20.");
  return Number(text);
}

function instantArgument(text: string): EpochMs {
  const at = parseInstant(text);
  if (at === undefined) {
    throw new InvalidArgumentError("Expected an ISO 8601 instant with a zone, such as 2026-06-30T00:00:00Z.");
  }
  return at;
}
