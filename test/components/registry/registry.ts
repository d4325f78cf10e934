/**
 * A real schema registry for tests: the one at SCOREFOLD_TEST_REGISTRY, else Apicurio Registry in Docker, else as it is
 * published in Maven's repository, which needs Java 21. Its API is that of Confluent's registry.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { type Component, Missing } from "../component.js";
import { broughtByMaven, firstOf, freePort } from "../local.js";

const run = promisify(execFile);
const POM = "test/components/registry/pom.xml";
const VERSION = "3.3.3";
const IMAGE = `apicurio/apicurio-registry:${VERSION}`;
const PORT = 8080;
const PATH = "/apis/ccompat/v7";
const JAVA_MIN = 21;
/** Where Linux distributions put them. */
const JAVAS = "/usr/lib/jvm";
/** Of its own it would take any schema; Confluent's registry has this. */
const COMPATIBILITY = "BACKWARD";

export async function startRegistry(): Promise<Component> {
  const address = process.env["SCOREFOLD_TEST_REGISTRY"];
  if (address !== undefined) return { address, stop: async () => undefined };
  return await firstOf(
    "schema registry",
    ["SCOREFOLD_TEST_REGISTRY is not set"],
    [
      ["Docker", inDocker],
      ["Maven", fromMaven],
    ],
  );
}

async function inDocker(): Promise<Component> {
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import("testcontainers");
  await getContainerRuntimeClient().catch((error: unknown) => {
    throw new Missing(error instanceof Error ? error.message : String(error));
  });
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ APICURIO_RULES_GLOBAL_COMPATIBILITY: COMPATIBILITY })
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forHttp(`${PATH}/subjects`, PORT))
    .start();
  const address = `http://${container.getHost()}:${container.getMappedPort(PORT)}${PATH}`;
  return { address, stop: async () => void (await container.stop()) };
}

async function fromMaven(): Promise<Component> {
  const java = await newJava();
  const directory = await broughtByMaven(`scorefold-test-registry-${VERSION}`, POM, "unpack-dependencies");
  const port = await freePort();
  const settings = {
    "quarkus.http.host": "127.0.0.1",
    "quarkus.http.port": port,
    "quarkus.management.host": "127.0.0.1",
    "quarkus.management.port": await freePort(),
    "apicurio.rules.global.compatibility": COMPATIBILITY,
  };
  const options = ["-Xmx512m", ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)];
  const registry = spawn(java, [...options, "-jar", "quarkus-run.jar"], {
    cwd: directory,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    registry.once("exit", (code) => reject(new Error(`the registry has ended with ${code}:\n${said.join("\n")}`)));
    createInterface({ input: registry.stdout }).on("line", (line) => {
      said.push(line);
      if (said.length > 100) said.shift();
      if (line.includes("Listening on:")) resolve();
    });
  });
  return {
    address: `http://127.0.0.1:${port}${PATH}`,
    stop: async () => {
      if (registry.exitCode !== null) return;
      const exit = once(registry, "exit");
      registry.kill("SIGKILL");
      await exit;
    },
  };
}

/** A Java that is new enough: that of JAVA_HOME, one of those installed, or that of the path. */
async function newJava(): Promise<string> {
  const homes = existsSync(JAVAS) ? readdirSync(JAVAS).map((name) => join(JAVAS, name)) : [];
  const home = process.env["JAVA_HOME"];
  const all = [...(home === undefined ? [] : [home]), ...homes].map((one) => join(one, "bin", "java"));
  for (const java of [...all.filter((one) => existsSync(one)), "java"]) {
    const { stderr } = await run(java, ["-version"]).catch(() => ({ stderr: "" }));
    if (Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0) >= JAVA_MIN) return java;
  }
  throw new Missing(`there is no Java ${JAVA_MIN} here, or newer`);
}
