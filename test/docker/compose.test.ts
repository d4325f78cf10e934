/**
 * docker-compose.yml and Dockerfile without Docker: they are valid, and what they name is there. The schema,
 * compose-spec.json, is the Compose Specification's own (github.com/compose-spec/compose-go, Apache-2.0).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { demoCommand } from "../../src/cli/commands/demo.js";
import { ingestCommand } from "../../src/cli/commands/ingest.js";
import { runCommand } from "../../src/cli/commands/run.js";
import { topicsCommand } from "../../src/cli/commands/topics.js";
import type { Io } from "../../src/cli/io.js";
import { readKafkaConfig } from "../../src/config/kafka.js";
import { readConfig } from "../../src/config/run.js";
import { kafkaVariables, runVariables } from "../../src/config/variables.js";
import { compose, root, type Service, textOf } from "./given.js";

const services = Object.entries(compose.services);
const own = services.filter(([, { build }]) => build !== undefined);

describe("docker-compose.yml", () => {
  it("is a Compose file", () => {
    const ajv = new Ajv2020({
      strict: false,
      formats: { duration: true, ports: true, expose: true, "uri-reference": true },
    });
    const isValid = ajv.compile(JSON.parse(textOf("test/docker/compose-spec.json")));
    isValid(compose);
    expect(isValid.errors ?? []).toEqual([]);
  });

  it("pins images: others' to a version, its own to that of the package", () => {
    const { version } = JSON.parse(textOf("package.json")) as { version: string };
    const images = services.map(([name, { image, build }]) => [name, image, build] as const);
    const loose = images.filter(([, image, build]) =>
      build === undefined ? !/^[a-z-]+\/[a-z-]+:v?\d+\.\d+\.\d+$/.test(image ?? "") : image !== `scorefold:${version}`,
    );
    expect(loose).toEqual([]);
  });

  it("opens ports to this machine only, each once", () => {
    const ports = services.flatMap(([, { ports }]) => ports ?? []);
    expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
    expect(new Set(ports.map((port) => port.split(":")[1])).size).toBe(ports.length);
  });

  it("mounts files that are there, and volumes and configs that it names", () => {
    const missing = services.flatMap(([name, service]) =>
      [
        ...(service.volumes ?? [])
          .map((volume) => volume.split(":")[0] as string)
          .filter((source) =>
            source.startsWith(".") ? !existsSync(join(root, source)) : !Object.hasOwn(compose.volumes, source),
          ),
        ...(service.configs ?? []).map(({ source }) => source).filter((one) => !Object.hasOwn(compose.configs, one)),
      ].map((one) => `${name}: ${one}`),
    );
    expect(missing).toEqual([]);
  });

  it("waits for services that can be what is waited for", () => {
    const conditions = services.flatMap(([name, { depends_on: on }]) =>
      Array.isArray(on)
        ? on.map((other: string) => [name, other, "service_started"] as const)
        : Object.entries(on ?? {}).map(([other, { condition }]) => [name, other, condition] as const),
    );
    const wrong = conditions.filter(([, other, condition]) => {
      const service = compose.services[other];
      return service === undefined || (condition === "service_healthy" && service.healthcheck === undefined);
    });
    expect(wrong).toEqual([]);
  });

  it.each(own)("runs commands of scorefold that can be parsed: %s", (_, service) => {
    const calls = callsOf(service);
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) parsed(call);
  });

  it("gives the engine settings that it takes, and no variable that nobody reads", () => {
    const { command, environment } = compose.services["scorefold"] as Service;
    const env = Object.fromEntries(
      Object.entries(environment ?? {}).map(([name, value]) => [name, String(value ?? "")]),
    );
    const options = parsed(command as string[]);
    const run = readConfig(options, env);
    expect(run).toMatchObject({ ok: true, config: { host: "0.0.0.0", port: 7070, apiToken: null } });
    expect(run.warnings).toEqual([]);
    expect(readKafkaConfig(options, env)).toMatchObject({
      ok: true,
      config: { brokers: ["kafka:19092"], registry: { url: "http://registry:8080/apis/ccompat/v7" } },
    });
    expect(readConfig(options, {})).toMatchObject({ ok: false });
    const known: readonly string[] = [...Object.values(runVariables), ...Object.values(kafkaVariables)];
    const named = own.flatMap(([, one]) => Object.keys(one.environment ?? {}));
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  it("gives Kafka's addresses as it listens to them, to those beside it and to the host", () => {
    const environment = (compose.services["kafka"] as Service).environment as Record<string, string>;
    const listeners = environment["KAFKA_LISTENERS"]!.split(",").map((one) => one.split("://:"));
    for (const advertised of environment["KAFKA_ADVERTISED_LISTENERS"]!.split(",")) {
      const [, name, host, port] = /^(\w+):\/\/(\w+):(\d+)$/.exec(advertised)!;
      expect(listeners).toContainEqual([name, port]);
      if (host === "localhost") expect(compose.services["kafka"]!.ports).toContain(`127.0.0.1:${port}:${port}`);
      else expect([host, port]).toEqual(["kafka", "19092"]);
    }
    expect(textOf("docker-compose.yml").match(/kafka:\d+/g)).not.toContain("kafka:9092");
  });
});

describe("Dockerfile", () => {
  const lines = textOf("Dockerfile").split("\n");
  const told = (instruction: string): string[] =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));

  it("begins with a pinned image", () => {
    const images = told("FROM").map((one) => one.split(" ")[0] as string);
    expect(images.filter((image) => !/^node:\d+\.\d+\.\d+-[a-z]+-slim$/.test(image))).toEqual([]);
    expect(new Set(images).size).toBe(1);
  });

  it("copies what is there and is not ignored", () => {
    const ignored = textOf(".dockerignore").split("\n");
    const sources = told("COPY")
      .filter((one) => !one.startsWith("--from"))
      .flatMap((one) => one.split(" ").slice(0, -1));
    expect(ignored).toContain("*");
    expect(sources.filter((source) => !existsSync(join(root, source)) || !ignored.includes(`!${source}`))).toEqual([]);
    const { files } = JSON.parse(textOf("package.json")) as { files: string[] };
    const runtime = files.filter((one) => one !== "dist" && one !== "docs");
    expect(sources).toEqual(expect.arrayContaining(runtime));
  });

  it("starts the command by its first line, as a user without rights, and asks it for its health", () => {
    expect(told("USER")).toEqual(["1000:1000"]);
    expect(told("STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(JSON.parse(told("ENTRYPOINT")[0]!)).toEqual(["tini", "--", "scorefold"]);
    expect(textOf("src/cli/main.ts")).toMatch(
      /^#!\/usr\/bin\/env -S MALLOC_ARENA_MAX=2 .* node --max-semi-space-size=/,
    );
    const health = /^HEALTHCHECK [^[]*CMD (\[[^\]]*\])/m.exec(textOf("Dockerfile"))![1]!;
    const [node, option, script] = JSON.parse(health.replaceAll("\\\n", "")) as string[];
    expect([node, option]).toEqual(["node", "-e"]);
    expect(script).toContain("/healthz");
    expect(() => new Function(script!)).not.toThrow();
  });
});

/** The calls of `scorefold` of a service: its command, or the lines of its script. */
function callsOf({ command, entrypoint }: Service): string[][] {
  if (entrypoint === undefined) return [[...(command ?? [])]];
  const lines = (command ?? []).join("\n").split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => line.trim().split(/\s+/).slice(1));
}

const commands: Readonly<Record<string, (io: Io) => Command>> = {
  run: runCommand,
  topics: topicsCommand,
  demo: demoCommand,
  ingest: ingestCommand,
};

/** The options of a call, by the real command, which is not run. @throws CommanderError where it can't be parsed */
function parsed([name, ...args]: readonly string[]): object {
  const nowhere = { write: () => true };
  const io = { env: {}, stdout: nowhere, stderr: nowhere, stdin: process.stdin, cwd: root } as unknown as Io;
  let options: object | undefined;
  const noted = (command: Command) => (): void => {
    options = command.opts();
  };
  const top = commands[name as string]!(io);
  const caught = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    if (command.commands.length === 0) command.action(noted(command));
    for (const child of command.commands) caught(child as Command);
  };
  caught(top);
  top.parse([...args], { from: "user" });
  if (options === undefined) throw new Error(`${name} ${args.join(" ")} names no command`);
  return options;
}
