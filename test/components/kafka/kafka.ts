/**
 * A real Apache Kafka for tests: the one at SCOREFOLD_TEST_KAFKA, else one in Docker, else one from the jars that Apache
 * publishes, which Maven brings.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { type Component, Missing } from "../component.js";
import { madeCertificates } from "./certificates.js";
import { Secured } from "./secured.js";

const run = promisify(execFile);
/** From the root of the project, where tests and the bench run: what is built of this file lies elsewhere. */
const POM = "test/components/kafka/pom.xml";
const VERSION = "4.2.0";
/** The Confluent Platform whose broker is that of Apache Kafka 4.1. */
const IMAGE = "confluentinc/cp-kafka:8.1.0";

export async function startKafka(): Promise<Component> {
  const address = process.env["SCOREFOLD_TEST_KAFKA"];
  if (address !== undefined) return { address, stop: async () => undefined };
  const why: string[] = ["SCOREFOLD_TEST_KAFKA is not set"];
  for (const [name, start] of [
    ["Docker", inDocker],
    ["Maven", fromJars],
  ] as const) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      why.push(`${name}: ${error.message}`);
    }
  }
  throw new Missing(`no Kafka for tests (${why.join("; ")})`);
}

async function inDocker(): Promise<Component> {
  // Loaded where it is asked for: most runs of tests need none of it.
  const [{ KafkaContainer }, { getContainerRuntimeClient }] = await Promise.all([
    import("@testcontainers/kafka"),
    import("testcontainers"),
  ]);
  await getContainerRuntimeClient().catch((error: unknown) => {
    throw new Missing(error instanceof Error ? error.message : String(error));
  });
  const container = await new KafkaContainer(IMAGE)
    .withEnvironment({
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
    })
    .start();
  const address = `${container.getHost()}:${container.getMappedPort(9093)}`;
  return { address, stop: async () => void (await container.stop()) };
}

/** The jars of the broker, which Kafka's own client is among. */
export async function kafkaJars(): Promise<Component> {
  return { address: await broughtJars(), stop: async () => undefined };
}

/** A broker of its own on a directory of its own, for tests that end it and start it again; made, not started. */
export async function ownBroker(jars: string): Promise<{ broker: LocalBroker; remove: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), "scorefold-test-kafka-"));
  const broker = new LocalBroker(jars, directory, await freePort(), await freePort());
  await broker.format();
  const remove = async (): Promise<void> => {
    await broker.stop("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  return { broker, remove };
}

async function fromJars(): Promise<Component> {
  const jars = await broughtJars();
  const directory = mkdtempSync(join(tmpdir(), "scorefold-test-kafka-"));
  const certificates = await madeCertificates(directory);
  const secured = certificates && new Secured(certificates, [await freePort(), await freePort(), await freePort()]);
  const broker = new LocalBroker(jars, directory, await freePort(), await freePort(), secured);
  await broker.format();
  await broker.start();
  return {
    address: broker.address,
    ...(secured !== null && { details: secured.details }),
    stop: async () => {
      await broker.stop("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

let brought: Promise<string> | undefined;

/** Brought once, whoever asks. */
async function broughtJars(): Promise<string> {
  brought ??= bringJars();
  return await brought;
}

/** Kept from run to run. */
async function bringJars(): Promise<string> {
  for (const [command, flag] of [
    ["mvn", "--version"],
    ["java", "-version"],
  ] as const) {
    await run(command, [flag]).catch(() => {
      throw new Missing(`there is no ${command} here`);
    });
  }
  const jars = join(tmpdir(), `scorefold-test-kafka-${VERSION}`);
  const complete = join(jars, ".complete");
  if (existsSync(complete)) return jars;
  mkdirSync(jars, { recursive: true });
  const goal = ["-q", "-B", "-f", POM, "dependency:copy-dependencies", `-DoutputDirectory=${jars}`];
  await run("mvn", goal).catch((error: { stdout?: string; message: string }) => {
    throw new Missing(`Maven can't bring the jars: ${error.stdout || error.message}`);
  });
  writeFileSync(complete, "");
  return jars;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a server without a port");
  return address.port;
}

/** A broker, controller and all, in one process on a directory. */
export class LocalBroker {
  readonly address: string;
  readonly #jars: string;
  readonly #directory: string;
  readonly #settings: string;
  readonly #secured: Secured | null;
  #process: ReturnType<typeof spawn> | null = null;

  /** @param secured with listeners beside the open one */
  constructor(jars: string, directory: string, port: number, controllerPort: number, secured: Secured | null = null) {
    this.#jars = jars;
    this.#secured = secured;
    this.#directory = directory;
    this.address = `127.0.0.1:${port}`;
    this.#settings = join(directory, "server.properties");
    const controller = `127.0.0.1:${controllerPort}`;
    const listeners = [`PLAINTEXT://${this.address}`, ...(secured?.listeners ?? [])];
    const settings = {
      "process.roles": "broker,controller",
      "node.id": 1,
      "controller.quorum.voters": `1@${controller}`,
      listeners: [...listeners, `CONTROLLER://${controller}`].join(","),
      "advertised.listeners": listeners.join(","),
      "controller.listener.names": "CONTROLLER",
      // All others are of the protocol that they are named after.
      "listener.security.protocol.map":
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL",
      ...secured?.settings,
      "log.dirs": join(directory, "data"),
      "offsets.topic.replication.factor": 1,
      "offsets.topic.num.partitions": 1,
      "transaction.state.log.replication.factor": 1,
      "transaction.state.log.min.isr": 1,
      "transaction.state.log.num.partitions": 4,
      "group.initial.rebalance.delay.ms": 0,
      "auto.create.topics.enable": false,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    writeFileSync(this.#settings, `${lines.join("\n")}\n`);
    writeFileSync(
      join(directory, "log4j2.yaml"),
      [
        "Configuration:",
        "  status: warn",
        "  Appenders:",
        "    Console:",
        "      name: C",
        '      PatternLayout: {pattern: "%d %p %c %m%n"}',
        "  Loggers:",
        "    Root: {level: warn, AppenderRef: [{ref: C}]}",
        "    Logger:",
        "      - {name: kafka.server.KafkaRaftServer, level: info}",
        "",
      ].join("\n"),
    );
  }

  async format(): Promise<void> {
    const tool = ["-Xmx128m", "-cp", `${this.#jars}/*`, "kafka.tools.StorageTool"];
    const { stdout } = await run("java", [...tool, "random-uuid"]);
    const id = stdout.trim().split("\n").at(-1)!;
    await run("java", [...tool, "format", "-t", id, "-c", this.#settings, ...(this.#secured?.formatOptions ?? [])]);
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const options = ["-Xmx512m", `-Dlog4j2.configurationFile=${join(this.#directory, "log4j2.yaml")}`];
    const broker = spawn("java", [...options, "-cp", `${this.#jars}/*`, "kafka.Kafka", this.#settings], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = broker;
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      broker.once("exit", (code) => reject(new Error(`the broker has ended with ${code}:\n${said.join("\n")}`)));
      createInterface({ input: broker.stdout! }).on("line", (line) => {
        said.push(line);
        if (said.length > 100) said.shift();
        if (line.includes("Kafka Server started")) resolve();
      });
    });
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const broker = this.#process;
    this.#process = null;
    if (broker === null || broker.exitCode !== null) return;
    const exit = once(broker, "exit");
    broker.kill(signal);
    await exit;
  }
}
