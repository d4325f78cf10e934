/** From arguments to an exit code: 0 ok, 1 failed, 2 usage, 3 checks found problems. */
import { readFileSync } from "node:fs";
import type { Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Command, CommanderError } from "commander";
import { ScorefoldError } from "../errors.js";
import { writeError } from "../rebuild/line-output.js";
import { deadLettersCommand } from "./commands/dead-letters.js";
import { demoCommand } from "./commands/demo.js";
import { compactCommand, eraseCommand } from "./commands/erase.js";
import { explainCommand } from "./commands/explain.js";
import { ingestCommand } from "./commands/ingest.js";
import { modelsCommand } from "./commands/models.js";
import { recoverCommand } from "./commands/recover.js";
import { replayCommand } from "./commands/replay.js";
import { runCommand } from "./commands/run.js";
import { schemasCommand } from "./commands/schemas.js";
import { scoresCommand } from "./commands/scores.js";
import { tailCommand } from "./commands/tail.js";
import { topicsCommand } from "./commands/topics.js";
import { workerCommand } from "./commands/worker.js";
import { type Io, painter } from "./io.js";
import { ProblemsFound } from "./problems.js";

export const exitOk = 0;
export const exitFailed = 1;
export const exitUsage = 2;
export const exitProblems = 3;
/** Not an exit code: the command ended because of one of its streams, of which nothing has been told yet. */
const exitUntold = -1;

export async function run(args: readonly string[], io: Io): Promise<number> {
  let broken: NodeJS.ErrnoException | undefined;
  const onError = (error: NodeJS.ErrnoException): void => {
    broken ??= error;
  };
  const streams = [io.stdout, io.stderr];
  for (const stream of streams) stream.on("error", onError);
  try {
    const code = await parsed(args, io, () => broken !== undefined);
    for (const stream of streams) await written(stream);
    if (broken === undefined) return code;
    if (code !== exitUntold && code !== exitOk) return code;
    // A reader that goes away (`| head`) has what it wanted.
    if (broken.code === "EPIPE") return exitOk;
    return told(writeError("standard output", broken), io);
  } finally {
    for (const stream of streams) stream.off("error", onError);
  }
}

async function parsed(args: readonly string[], io: Io, isBroken: () => boolean): Promise<number> {
  try {
    await program(io).parseAsync(args, { from: "user" });
    return isBroken() ? exitUntold : exitOk;
  } catch (error) {
    const isIncomplete = error instanceof ScorefoldError && error.code === "incomplete";
    return isBroken() && !isIncomplete ? exitUntold : told(error, io);
  }
}

/** Waits until a stream has passed on what it was given, or has failed to: what follows need not listen to it. */
async function written(stream: Writable): Promise<void> {
  if (stream.writableLength > 0 && !stream.destroyed) {
    await new Promise<void>((done) => stream.write("", () => done()));
  }
  // The error event comes after the write, and after its callback.
  await nextTurn();
}

function told(error: unknown, io: Io): number {
  if (error instanceof ProblemsFound) return exitProblems;
  // Commander has told its own.
  if (error instanceof CommanderError) {
    if (error.code === "commander.missingArgument") {
      io.stderr.write("(--model and --input take every word that follows them: put other arguments first)\n");
    }
    return error.exitCode === 0 ? exitOk : exitUsage;
  }
  const paint = painter(io, io.stderr);
  if (error instanceof ScorefoldError) {
    io.stderr.write(`${paint("red", "error:")} ${error.message}\n`);
    return error.code === "usage" ? exitUsage : exitFailed;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.stderr.write(`${paint("red", "error:")} this is a fault of scorefold itself, please report it:\n${text}\n`);
  return exitFailed;
}

function program(io: Io): Command {
  const root = new Command("scorefold")
    .description(
      "Scores contacts by what they do: a score is a pure function of the inputs, and every point can be explained.",
    )
    .version(version(), "--version", "print the version")
    .helpCommand("help [command]", "show help for a command")
    .addHelpText(
      "after",
      `
Start here:
  $ scorefold demo                                   a made-up company, scored and explained
  $ scorefold models check models/                   every problem of every model, with its place
  $ scorefold replay --input inputs.jsonl --scores - scores of your own inputs

Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 checks found problems. Data goes to standard output, talk to standard error.`,
    );
  const commands = [
    ...[demoCommand, runCommand, ingestCommand, replayCommand],
    ...[scoresCommand, explainCommand, tailCommand, eraseCommand, compactCommand, deadLettersCommand, recoverCommand],
    ...[modelsCommand, topicsCommand, schemasCommand],
  ];
  for (const make of commands) {
    root.addCommand(make(io));
  }
  root.addCommand(workerCommand(io), { hidden: true });
  configure(root, io);
  return root;
}

/** Commander's settings do not pass to commands that are added ready-made. */
function configure(command: Command, io: Io): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError("(--help tells what there is)")
    .helpOption("-h, --help", "show help")
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  for (const child of command.commands) configure(child as Command, io);
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
