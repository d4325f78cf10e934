/** What components that run on this machine share. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Missing } from "./component.js";

const run = promisify(execFile);

/**
 * A directory with what Maven has brought there, kept from run to run.
 *
 * @param goal of the dependency plugin that takes `outputDirectory`
 * @throws Missing where there is no Maven, or it can't bring it
 */
export async function broughtByMaven(name: string, pom: string, goal: string): Promise<string> {
  await run("mvn", ["--version"]).catch(() => {
    throw new Missing("there is no mvn here");
  });
  const directory = join(tmpdir(), name);
  const complete = join(directory, ".complete");
  if (existsSync(complete)) return directory;
  mkdirSync(directory, { recursive: true });
  const args = ["-q", "-B", "-f", pom, `dependency:${goal}`, `-DoutputDirectory=${directory}`];
  await run("mvn", args).catch((error: { stdout?: string; message: string }) => {
    throw new Missing(`Maven can't bring it: ${error.stdout || error.message}`);
  });
  writeFileSync(complete, "");
  return directory;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a server without a port");
  return address.port;
}

/** The first way that can be gone; each says why not by Missing. @throws Missing that names all reasons */
export async function firstOf<T>(
  what: string,
  why: string[],
  ways: readonly (readonly [string, () => Promise<T>])[],
): Promise<T> {
  for (const [name, start] of ways) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      why.push(`${name}: ${error.message}`);
    }
  }
  throw new Missing(`no ${what} for tests (${why.join("; ")})`);
}
