import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/components/owner.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // A property that fails prints its seed and path; a shrunk scene of models and inputs is long, and cut off it is
    // of no use.
    chaiConfig: { truncateThreshold: 0 },
    // A test that was left out by mistake must not look like one that passed.
    allowOnly: process.env["CI"] === undefined,
    passWithNoTests: false,
  },
});
