/** The client of a schema registry against a real one, also behind TLS and a password, and where there is none. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttp, type RequestListener, request } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { SchemaRegistry } from "../../src/kafka/registry.js";
import { checkSubjects, outputSubjects, registerSubjects, shippedSubjects } from "../../src/kafka/schemas.js";
import { addressIfThere } from "../components/component.js";

const run = promisify(execFile);
const url = await addressIfThere("registry");
const closing: (() => void)[] = [];

afterAll(() => {
  for (const close of closing) close();
});

function connected(settings: Partial<ConstructorParameters<typeof SchemaRegistry>[0]> = {}): SchemaRegistry {
  const registry = new SchemaRegistry({ url: url!, ...settings });
  closing.push(() => registry.close());
  return registry;
}

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const schema = (...names: readonly string[]): string =>
  JSON.stringify({ type: "record", name: "A", fields: names.map((name) => ({ name, type: "string" })) });
const newSubject = (): string => `${randomUUID()}-value`;

describe.skipIf(url === null)("a schema registry", () => {
  it("gives back what was registered, under one id", async () => {
    const registry = connected();
    const subject = newSubject();
    expect(await registry.idOf(subject, schema("a"))).toBeNull();
    const id = await registry.register(subject, schema("a"));
    expect(await registry.register(subject, schema("a"))).toBe(id);
    expect(await registry.idOf(subject, schema("a"))).toBe(id);
    expect(await registry.idOf(subject, schema("b"))).toBeNull();
    expect(await registry.schemaOf(id)).toEqual({ type: "AVRO", text: schema("a"), hasReferences: false });
  });

  it("answers for an id that it does not know", async () => {
    expect(await connected().schemaOf(2_000_000_001)).toBeNull();
  });

  it("refuses what its compatibility does not allow", async () => {
    const registry = connected();
    const subject = newSubject();
    expect(await registry.incompatibility(subject, schema("a", "b"))).toBeNull();
    await registry.register(subject, schema("a", "b"));
    expect(await registry.incompatibility(subject, schema("a"))).toBeNull();
    expect(await registry.incompatibility(subject, schema("a", "b", "c"))).not.toBeNull();
    await expect(registry.register(subject, schema("a", "b", "c"))).rejects.toMatchObject({
      code: "schema-incompatible",
      message: expect.stringContaining(subject),
    });
  });

  it("takes the schemas of this version once, and says so", async () => {
    const registry = connected();
    const app = randomUUID();
    const subjects = shippedSubjects().map((one) => ({ ...one, subject: `${app}.${one.subject}` }));
    expect((await checkSubjects(registry, subjects)).map(({ state }) => state)).toEqual(subjects.map(() => "new"));
    const ids = await registerSubjects(registry, subjects);
    expect(await registerSubjects(registry, subjects)).toEqual(ids);
    const states = await checkSubjects(registry, subjects);
    expect(states.map(({ subject, state, id }) => [subject, state, id])).toEqual(
      subjects.map(({ subject }) => [subject, "registered", ids.get(subject)]),
    );
  });

  it("is asked for nothing where one of the schemas can't be", async () => {
    const registry = connected();
    const app = randomUUID();
    const topics = {
      scoreChanged: `${app}.changes`,
      thresholdCrossed: `${app}.crossings`,
      deadLetters: `${app}.letters`,
    };
    const { scoreChanged, deadLetters } = outputSubjects(topics);
    await registry.register(deadLetters.subject, schema("something", "else"));
    await expect(registerSubjects(registry, [scoreChanged, deadLetters])).rejects.toMatchObject({
      code: "schema-incompatible",
      retryable: false,
      message: expect.stringContaining(deadLetters.subject),
    });
    expect(await registry.idOf(scoreChanged.subject, JSON.stringify(scoreChanged.schema))).toBeNull();
  });

  it("is reached by TLS with a certificate of one's own, and by user and password", async () => {
    const directory = mkdtempSync(join(tmpdir(), "scorefold-test-tls-"));
    closing.push(() => rmSync(directory, { recursive: true, force: true }));
    const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(directory, name)) as [string, string];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, ...subject]);
    const authorization = `Basic ${Buffer.from("ada:s3cret").toString("base64")}`;
    const pass: RequestListener = (incoming, outgoing) => {
      if (incoming.headers.authorization !== authorization) {
        outgoing.writeHead(401, { "content-type": "text/html" }).end("<html>no</html>");
        return;
      }
      const { pathname } = new URL(url!);
      const to = new URL(`${pathname.replace(/\/$/, "")}${incoming.url}`, url!);
      incoming.pipe(
        request(to, { method: incoming.method!, headers: incoming.headers }, (answer) => {
          outgoing.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(outgoing);
        }),
      );
    };
    const ca = readFileSync(cert, "utf8");
    const port = await listening(createHttps({ key: readFileSync(key), cert: ca }, pass));
    const behind = { url: `https://127.0.0.1:${port}/`, username: "ada", password: "s3cret", ca };
    expect(await connected(behind).schemaOf(2_000_000_001)).toBeNull();
    const { ca: _, ...untrusted } = behind;
    await expect(connected(untrusted).schemaOf(1)).rejects.toMatchObject({
      code: "registry-failed",
      message: expect.stringMatching(/self-signed certificate/),
    });
    const wrong = connected({ ...behind, password: "s3cre7" }).schemaOf(1);
    await expect(wrong).rejects.toMatchObject({ message: expect.stringMatching(/401; check its user and password/) });
    await expect(wrong).rejects.not.toMatchObject({ message: expect.stringContaining("s3cre7") });
  });

  it("is not taken for one that knows no schema where the URL is another's", async () => {
    await expect(connected({ url: new URL(url!).origin }).schemaOf(1)).rejects.toMatchObject({
      code: "registry-failed",
      retryable: true,
      message: expect.stringMatching(/answers 404; is that the URL/),
    });
  });
});

describe("where no registry answers", () => {
  it("it is told, and can be tried again", async () => {
    const server = createHttp();
    const port = await listening(server);
    server.close();
    await once(server, "close");
    await expect(connected({ url: `http://127.0.0.1:${port}` }).schemaOf(1)).rejects.toMatchObject({
      code: "registry-failed",
      retryable: true,
      message: expect.stringMatching(/ECONNREFUSED/),
    });
  });

  it("what passes is asked for again: an answer that breaks off, a registry that is busy", async () => {
    let count = 0;
    const port = await listening(
      createHttp((_, outgoing) => {
        count += 1;
        if (count === 1) outgoing.writeHead(200, { "content-length": "100" }).write("{", () => outgoing.destroy());
        else outgoing.writeHead(count === 2 ? 503 : 200).end(count === 2 ? "" : `{"schema":"x"}`);
      }),
    );
    expect(await connected({ url: `http://127.0.0.1:${port}` }).schemaOf(1)).toMatchObject({ text: "x" });
    expect(count).toBe(3);
  });

  it("an answer that does not come is given up when the caller is stopped", async () => {
    const server = createHttp((_, outgoing) => {
      outgoing.writeHead(200, { "content-length": "100" }).write("{", () => server.emit("begun"));
    });
    const port = await listening(server);
    const stop = new AbortController();
    const asked = connected({ url: `http://127.0.0.1:${port}` }).schemaOf(1, stop.signal);
    await once(server, "begun");
    stop.abort();
    await expect(asked).rejects.toMatchObject({ code: "stopping" });
    server.closeAllConnections();
  });
});
