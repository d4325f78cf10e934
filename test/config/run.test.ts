import { expect, it } from "vitest";
import type { Read } from "../../src/config/reader.js";
import { type Config, readConfig } from "../../src/config/run.js";

const token = "0123456789abcdef0123456789abcdef";

function problemsOf(result: Read<Config>): readonly string[] {
  return result.ok ? [] : result.problems;
}

it("has a default for everything", () => {
  const result = readConfig({}, { PATH: "/bin" });
  expect(result).toEqual({
    ok: true,
    warnings: [],
    config: {
      data: "data",
      models: ["models"],
      host: "127.0.0.1",
      port: 7070,
      apiToken: null,
      allowAnonymous: false,
      logLevel: "info",
      timerGraceMs: 5_000,
      clockJumpMs: 86_400_000,
      inputAheadMs: 3_600_000,
    },
  });
  expect(result.ok && Object.isFrozen(result.config) && Object.isFrozen(result.config.models)).toBe(true);
});

it("takes options before variables, and an empty variable for none", () => {
  const env = {
    SCOREFOLD_DATA: "/var/scores",
    SCOREFOLD_MODELS: "rules",
    SCOREFOLD_HOST: "0.0.0.0",
    SCOREFOLD_PORT: "80",
    SCOREFOLD_API_TOKEN: token,
    SCOREFOLD_LOG_LEVEL: "WARN",
    SCOREFOLD_ALLOW_ANONYMOUS: "",
    SCOREFOLD_TIMER_GRACE: "10m",
  };
  const result = readConfig({ port: 0, models: ["a.yaml", "b.yaml"] }, env);
  expect(result).toMatchObject({
    ok: true,
    config: { data: "/var/scores", models: ["a.yaml", "b.yaml"], host: "0.0.0.0", port: 0, logLevel: "warn" },
  });
  expect(result).toMatchObject({ config: { apiToken: token, allowAnonymous: false, timerGraceMs: 600_000 } });
});

it("names all problems at once, with place, found and expected", () => {
  const env = { SCOREFOLD_PORT: "70707", SCOREFOLD_LOG_LEVEL: "inof", SCOREFOLD_ALLOW_ANONYMOUS: "maybe" };
  expect(problemsOf(readConfig({ host: "http://localhost", data: "", timerGrace: "5 s" }, env))).toEqual([
    '--data is ""; expected a path',
    '--host is "http://localhost"; expected a host name or an address, as 127.0.0.1 or 0.0.0.0, without a port',
    'SCOREFOLD_PORT is "70707"; expected a whole number from 0 to 65535',
    'SCOREFOLD_ALLOW_ANONYMOUS is "maybe"; expected true or false',
    'SCOREFOLD_LOG_LEVEL is "inof"; expected one of trace, debug, info, warn, error, fatal, silent; did you mean info?',
    '--timer-grace is "5 s"; expected a duration such as 500ms, 5s, 10m or 1h',
    '--host is "http://localhost", and everybody who reaches it could read and write; expected a token in SCOREFOLD_API_TOKEN, or 127.0.0.1, or --allow-anonymous',
  ]);
});

it("asks for a token where others reach the API", () => {
  expect(problemsOf(readConfig({ host: "0.0.0.0" }, {}))).toHaveLength(1);
  expect(problemsOf(readConfig({}, { SCOREFOLD_HOST: "::" }))[0]).toMatch(/^SCOREFOLD_HOST is "::"/);
  for (const host of ["localhost", "127.0.0.1", "::1"]) expect(readConfig({ host }, {}).ok).toBe(true);
  expect(readConfig({ host: "0.0.0.0", allowAnonymous: true }, {}).ok).toBe(true);
  expect(readConfig({ host: "0.0.0.0" }, { SCOREFOLD_API_TOKEN: token }).ok).toBe(true);
});

it.each([
  "short",
  "has blanks in it all over",
  "x".repeat(513),
  "t\u00f6ken-t\u00f6ken-t\u00f6ken",
])("tells what is wrong with a token, never the token: %s", (secret) => {
  const problems = problemsOf(readConfig({ host: "0.0.0.0" }, { SCOREFOLD_API_TOKEN: secret }));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^SCOREFOLD_API_TOKEN has .*; expected 16 to 512 printable ASCII/);
  expect(problems[0]).not.toContain(secret);
});

it("warns of variables that nothing reads, without their values", () => {
  const env = { SCOREFOLD_API_TOKN: "very secret", SCOREFOLD_LOGLEVEL: "debug", SCOREFOLD_XYZZY: "1", OTHER: "2" };
  expect(readConfig({}, env).warnings).toEqual([
    "SCOREFOLD_API_TOKN is set, and nothing reads it; did you mean SCOREFOLD_API_TOKEN?",
    "SCOREFOLD_LOGLEVEL is set, and nothing reads it; did you mean SCOREFOLD_LOG_LEVEL?",
    "SCOREFOLD_XYZZY is set, and nothing reads it",
  ]);
});
