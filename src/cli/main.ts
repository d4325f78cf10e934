#!/usr/bin/env -S MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=262144 node --max-semi-space-size=16 --heap-growing-percent=60
/**
 * The `scorefold` command. What is folded lives for a batch, so a larger young generation copies less of it; a heap that
 * grows slowly stays near to what is in it; and malloc keeps less of what the database's threads have freed.
 */
import process from "node:process";
import { run } from "./run.js";

const LEFT_OPEN_MS = 5_000;

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
});

// An engine that has stopped has written everything; what its clients may have left open must not hold up the end.
if (process.argv[2] === "run") setTimeout(() => process.exit(), LEFT_OPEN_MS).unref();
