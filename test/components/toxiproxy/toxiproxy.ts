/**
 * A real Toxiproxy for tests: connections through it can be slow, cut, or silent. The one whose API is at
 * SCOREFOLD_TEST_TOXIPROXY, which has to be on this machine, else one that Go builds, kept from run to run.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Toxiproxy } from "toxiproxy-node-client";
import { type Component, Missing } from "../component.js";
import { firstOf, freePort } from "../local.js";

const run = promisify(execFile);
const VERSION = "2.12.0";
const MODULE = `github.com/Shopify/toxiproxy/v2/cmd/server@v${VERSION}`;
const LOOK_MS = 50;

export async function startToxiproxy(): Promise<Component> {
  const address = process.env["SCOREFOLD_TEST_TOXIPROXY"];
  if (address !== undefined) return { address, stop: async () => undefined };
  return await firstOf("Toxiproxy", ["SCOREFOLD_TEST_TOXIPROXY is not set"], [["Go", fromGo]]);
}

async function fromGo(): Promise<Component> {
  const directory = join(tmpdir(), `scorefold-test-toxiproxy-${VERSION}`);
  if (!existsSync(directory)) await build(directory);
  const port = await freePort();
  const proxy = spawn(join(directory, "server"), ["-host", "127.0.0.1", "-port", String(port)], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { LOG_LEVEL: "error" },
  });
  const exit = once(proxy, "exit");
  const address = `http://127.0.0.1:${port}`;
  const client = new Toxiproxy(address);
  while (!(await client.getVersion().catch(() => null))) {
    if (proxy.exitCode !== null) throw new Error(`Toxiproxy has ended with ${proxy.exitCode}`);
    await sleep(LOOK_MS);
  }
  return {
    address,
    stop: async () => {
      proxy.kill("SIGKILL");
      await exit;
    },
  };
}

/** Made aside and moved there whole: another run may be making it as well. @throws Missing */
async function build(directory: string): Promise<void> {
  await run("go", ["version"]).catch(() => {
    throw new Missing("there is no go here");
  });
  const made = mkdtempSync(`${directory}-`);
  try {
    await run("go", ["install", MODULE], { env: { ...process.env, GOBIN: made } });
    renameSync(made, directory);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    const { stderr, message } = error as { stderr?: string; message: string };
    if (!existsSync(directory)) throw new Missing(`Go can't build it: ${stderr || message}`);
  }
}
