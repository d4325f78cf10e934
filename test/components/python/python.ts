/** A Python of its own for tests, with what test/interop/requirements.txt names; kept from run to run. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Component, Missing } from "../component.js";

const run = promisify(execFile);
/** From the root of the project, where tests run. */
const REQUIREMENTS = "test/interop/requirements.txt";

/** Its address is the path of the interpreter. */
export async function preparePython(): Promise<Component> {
  const wanted = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex").slice(0, 12);
  const directory = join(tmpdir(), `scorefold-test-python-${wanted}`);
  if (!existsSync(directory)) await make(directory);
  return { address: join(directory, "bin", "python"), stop: async () => undefined };
}

/** Made aside and moved there whole: another run may be making it as well. @throws Missing */
async function make(directory: string): Promise<void> {
  await run("python3", ["--version"]).catch(() => {
    throw new Missing("there is no python3 here");
  });
  const made = mkdtempSync(`${directory}-`);
  const why = (error: { stdout?: string; stderr?: string; message: string }): never => {
    rmSync(made, { recursive: true, force: true });
    throw new Missing(`Python can't be made ready: ${error.stderr || error.stdout || error.message}`);
  };
  await run("python3", ["-m", "venv", made]).catch(why);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS];
  await run(join(made, "bin", "python"), pip).catch(why);
  try {
    renameSync(made, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
    rmSync(made, { recursive: true, force: true });
  }
}
