#!/usr/bin/env -S MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=262144 node --max-semi-space-size=16 --heap-growing-percent=60
/**
 * The `scorefold` command. What is folded lives for a batch, so a larger young generation copies less of it; and a heap that
 * grows slowly stays as small as what is in it.
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
