#!/usr/bin/env -S node --max-semi-space-size=32
/**
 * The `scorefold` command. A larger young generation: what is folded lives for a batch, and is not to be copied twice.
 */
import process from "node:process";
import { run } from "./run.js";

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
});
