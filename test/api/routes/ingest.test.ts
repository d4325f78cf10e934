import { describe, expect, it } from "vitest";
import { ScorefoldError } from "../../../src/errors.js";
import { tooMany } from "../memory-engine.js";
import { ask, click, lines, post, serve } from "../serve.js";

describe("one input", () => {
  it("is taken, and counts", async () => {
    const { url, engine } = await serve();
    const answer = await post(`${url}/v1/interactions`, click("e1"));
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({ accepted: 1, refused: 0, offset: 0, results: [{ status: "accepted", offset: 0 }] });
    const { json } = await ask(`${url}/v1/contacts/ann/scores?asOf=2026-05-01T00:00:00Z`);
    expect(json.scores[0].score).toBe(10);
    // As it was sent, to the letter.
    expect(engine.lines).toEqual([JSON.stringify(click("e1"))]);
  });

  it("that is sent again is accepted again, and changes nothing", async () => {
    const { url, engine } = await serve();
    await post(`${url}/v1/interactions`, click("e1"));
    const again = await post(`${url}/v1/interactions?wait=folded`, click("e1"));
    expect(again.status).toBe(202);
    const { json } = await ask(`${url}/v1/contacts/ann/scores?asOf=2026-05-01T00:00:00Z`);
    expect(json.scores[0].score).toBe(10);
    expect(engine.topicsByName.get("score-changed")!.values).toHaveLength(1);
  });

  it("is not waited for where inputs have no order of offsets, and then nothing is taken", async () => {
    const { url, engine } = await serve();
    engine.hasOffsets = false;
    const answer = await post(`${url}/v1/interactions?wait=folded`, click("e1"));
    expect([answer.status, answer.json.type]).toEqual([400, "/problems/bad-parameter"]);
    expect(engine.appends).toBe(0);
    expect((await post(`${url}/v1/interactions`, click("e1"))).status).toBe(202);
  });

  it("that is refused is a problem, and a dead letter with its original", async () => {
    const { url, engine } = await serve();
    const answer = await post(`${url}/v1/interactions?wait=folded`, {
      id: "e1",
      type: "email.clicked",
      at: 1_000_000_000_001,
    });
    expect(answer.status).toBe(422);
    expect(answer.type).toContain("application/problem+json");
    expect(answer.json).toMatchObject({ type: "/problems/input-refused", reason: "no-contact", offset: 0 });
    const [letter] = engine.topicsByName.get("dead-letters")!.values.map((value) => JSON.parse(value));
    expect(letter).toMatchObject({
      reason: "no-contact",
      original: '{"id":"e1","type":"email.clicked","at":1000000000001}',
    });
  });

  it("of each kind goes to its own path, and has its kind put in", async () => {
    const { url, engine } = await serve();
    const profile = await post(`${url}/v1/profiles`, '{"contactId":"ann","at":1000000000001,"fields":{}}');
    const adjustment = await post(
      `${url}/v1/adjustments`,
      '{"kind":null,"contactId":"ann","at":1000000000002,"model":"lead","add":5 }',
    );
    expect([profile.status, adjustment.status]).toEqual([202, 202]);
    expect(engine.lines).toEqual([
      '{"contactId":"ann","at":1000000000001,"fields":{},"kind":"profile"}',
      '{"kind":null,"contactId":"ann","at":1000000000002,"model":"lead","add":5 ,"kind":"adjustment"}',
    ]);
    const wrong = await post(`${url}/v1/interactions`, {
      kind: "profile",
      contactId: "ann",
      at: 1_000_000_000_001,
      fields: null,
    });
    expect(wrong.status).toBe(422);
    expect(wrong.json).toMatchObject({ reason: "kind-mismatch" });
    expect(wrong.json).not.toHaveProperty("offset");
    expect(engine.lines).toHaveLength(2);
    const unknown = await post(`${url}/v1/interactions`, {
      kind: "interction",
      contactId: "ann",
      at: 1_000_000_000_001,
    });
    expect(unknown.json).toMatchObject({ reason: "unknown-kind", offset: 2 });
  });

  it("that says something as a number too large for a double is refused, not changed", async () => {
    const { url } = await serve();
    const text = '{"id":"e1","contactId":"ann","type":"email.clicked","at":1000000000001,"attributes":{"value":1e999}}';
    expect((await post(`${url}/v1/interactions`, text)).json).toMatchObject({ reason: "invalid" });
  });

  it("over several lines is one line in the log", async () => {
    const { url, engine } = await serve();
    const pretty = JSON.stringify(click("e1"), null, 2).replaceAll("\n", "\r\n");
    expect((await post(`${url}/v1/interactions`, `\r\n [ ${pretty} ,\n${pretty}]\n`)).json.accepted).toBe(2);
    expect(engine.lines.every((line) => typeof line === "string" && !/[\r\n]/.test(line))).toBe(true);
    expect(JSON.parse(engine.lines[0] as string)).toEqual(click("e1"));
  });
});

describe("a batch", () => {
  it("is answered item by item, in order", async () => {
    const { url, engine } = await serve();
    const batch = [click("e1"), { contactId: "ann" }, 7, { ...click("e2"), kind: "profile" }, click("e3")];
    const { status, json } = await post(`${url}/v1/interactions`, batch);
    expect(status).toBe(202);
    expect(json).toMatchObject({ accepted: 2, refused: 3, offset: 0 });
    expect(json.results).toEqual([
      { status: "accepted", offset: 0 },
      { status: "refused", offset: 1, reason: "bad-instant", error: expect.any(String), item: 1 },
      { status: "refused", offset: 2, reason: "undecodable", error: expect.any(String), item: 2 },
      { status: "refused", reason: "kind-mismatch", error: expect.any(String), item: 3 },
      { status: "accepted", offset: 3 },
    ]);
    expect(engine.appends).toBe(1);
  });

  it("can leave out what was accepted", async () => {
    const { url } = await serve();
    const { json } = await post(`${url}/v1/interactions?results=refused`, [click("e1"), {}, click("e2")]);
    expect(json).toMatchObject({ accepted: 2, refused: 1 });
    expect(json.results).toMatchObject([{ status: "refused", item: 1, offset: 1 }]);
  });

  it("in which all are refused has been taken", async () => {
    const { url } = await serve();
    const { status, json } = await post(`${url}/v1/interactions`, [{}, []]);
    expect(status).toBe(202);
    expect(json).toMatchObject({ accepted: 0, refused: 2 });
  });

  it("without items is answered, and appends nothing", async () => {
    const { url, engine } = await serve();
    const { status, json } = await post(`${url}/v1/interactions`, " [ ] ");
    expect(status).toBe(202);
    expect(json).toEqual({ accepted: 0, refused: 0, offset: null, results: [] });
    expect(engine.appends).toBe(0);
  });

  it("has at most so many items", async () => {
    const { url, engine } = await serve({ limits: { itemsMax: 3 } });
    const items = Array.from({ length: 4 }, (_, i) => click(`e${i}`));
    expect((await post(`${url}/v1/interactions`, items)).json.type).toBe("/problems/too-many-items");
    const text = items.map((item) => JSON.stringify(item)).join("\n");
    expect((await ask(`${url}/v1/interactions`, lines(text))).json.type).toBe("/problems/too-many-items");
    expect(engine.appends).toBe(0);
    expect((await post(`${url}/v1/interactions`, items.slice(1))).status).toBe(202);
  });
});

describe("lines", () => {
  it("come one a line; those that are no JSON become dead letters as they are", async () => {
    const { url, engine } = await serve();
    const text = `\uFEFF${JSON.stringify(click("e1"))}\r\n\n  \n{"oops\n${JSON.stringify(click("e2"))}`;
    const { status, json } = await ask(`${url}/v1/interactions?wait=folded`, lines(text));
    expect(status).toBe(202);
    expect(json).toMatchObject({ accepted: 2, refused: 1, offset: 0, folded: true });
    expect(json.results[1]).toMatchObject({ status: "refused", reason: "undecodable" });
    const [letter] = engine.topicsByName.get("dead-letters")!.values.map((value) => JSON.parse(value));
    expect(letter.original).toBe('{"oops');
  });

  it("that are not UTF-8 become dead letters, and the others are taken", async () => {
    const { url, engine } = await serve();
    const good = Buffer.from(`${JSON.stringify(click("e1"))}\n`);
    const bad = Buffer.from(`${JSON.stringify(click("J\u00fcrg"))}\n`, "latin1");
    const { json } = await ask(`${url}/v1/interactions?wait=folded`, lines(Buffer.concat([good, bad, good])));
    expect(json).toMatchObject({ accepted: 2, refused: 1 });
    const [letter] = engine.topicsByName.get("dead-letters")!.values.map((value) => JSON.parse(value));
    expect(letter).toMatchObject({ reason: "undecodable", length: bad.length - 1, sha256: expect.any(String) });
  });

  it("that are longer than is kept are cut in the dead letter", async () => {
    const { url, engine } = await serve();
    const long = JSON.stringify({ ...click("e1"), attributes: { text: "x".repeat(600_000) } });
    for (const body of [lines(long), { ...lines(`[${long}]`), headers: { "content-type": "application/json" } }]) {
      const { json } = await ask(`${url}/v1/interactions?wait=folded`, body);
      expect(json.results).toMatchObject([{ reason: "too-large" }]);
    }
    const letters = engine.topicsByName.get("dead-letters")!.values.map((value) => JSON.parse(value));
    expect(letters).toMatchObject([{ length: long.length }, { length: long.length }]);
    expect(letters[0].original).toHaveLength(512 * 1024);
  });
});

describe("the tenant", () => {
  it("is put in where it is missing, and has to agree where it is not", async () => {
    const { url, engine } = await serve();
    const batch = [click("e1"), { ...click("e2"), tenantId: "acme" }, { ...click("e3"), tenantId: "other" }, {}];
    const { json } = await post(`${url}/v1/interactions`, batch, { "x-tenant": "acme" });
    expect(json.results.map(({ status, reason }: { status: string; reason?: string }) => reason ?? status)).toEqual([
      "accepted",
      "accepted",
      "tenant-mismatch",
      "no-contact",
    ]);
    expect(engine.lines.map((line) => JSON.parse(line as string).tenantId)).toEqual(["acme", "acme", "acme"]);
    expect(engine.lines[2]).toBe('{"tenantId":"acme"}');
    expect((await ask(`${url}/v1/contacts/ann/scores`, { headers: { "x-tenant": "acme" } })).status).toBe(200);
    expect((await ask(`${url}/v1/contacts/ann/scores`)).status).toBe(404);
  });

  it("is UTF-8 of at most 256 bytes", async () => {
    const { url } = await serve();
    const utf8 = Buffer.from("z\u00fcrich").toString("latin1");
    const good = await post(`${url}/v1/interactions`, click("e1"), { "x-tenant": utf8 });
    expect(good.status).toBe(202);
    for (const tenant of ["z\u00fcrich", "x".repeat(257), ""]) {
      const { status, json } = await post(`${url}/v1/interactions`, click("e1"), { "x-tenant": tenant });
      expect([status, json.type]).toEqual([400, "/problems/bad-tenant"]);
    }
  });
});

describe("wait=folded", () => {
  it("answers once the inputs are folded", async () => {
    const { url, engine } = await serve();
    let open = (): void => undefined;
    engine.foldGate = new Promise((resolve) => {
      open = resolve;
    });
    const order: string[] = [];
    const waiting = post(`${url}/v1/interactions?wait=folded`, click("e1")).then((answer) => {
      order.push("waiting");
      return answer;
    });
    await post(`${url}/v1/interactions`, click("e2"));
    order.push("durable");
    open();
    expect((await waiting).json).toMatchObject({ accepted: 1, folded: true });
    expect(order).toEqual(["durable", "waiting"]);
  });

  it("does not wait for ever", async () => {
    const { url, engine } = await serve({ limits: { waitMs: 1 } });
    engine.foldGate = new Promise(() => undefined);
    const { status, json } = await post(`${url}/v1/interactions?wait=folded`, click("e1"));
    expect([status, json.folded]).toEqual([202, false]);
  });
});

describe("an engine that can't", () => {
  it.each([
    [tooMany(), 429, "too-many", "1"],
    [new ScorefoldError("stopping", "the engine is stopping"), 503, "stopping", "1"],
    [new ScorefoldError("disk-full", "/data: no space left"), 507, "disk-full", "60"],
    [new ScorefoldError("database-failed", "/data/log: EIO"), 503, "unavailable", "1"],
    [new Error("secret inside"), 500, "internal", null],
    ["not even an error", 500, "internal", null],
  ])("answers %s as a problem", async (error, status, name, retryAfter) => {
    const { url, engine } = await serve();
    engine.appendError = error;
    const answer = await post(`${url}/v1/interactions`, [click("e1")]);
    expect([answer.status, answer.json.type]).toEqual([status, `/problems/${name}`]);
    expect(answer.headers.get("retry-after")).toBe(retryAfter);
    expect(answer.text).not.toMatch(/secret|\/data|EIO/);
  });

  it("says what to do where its log is gone: nobody but a person can help", async () => {
    const { url, engine } = await serve();
    engine.appendError = new ScorefoldError("directory-unusable", "/data/log was removed; put it back");
    const { status, json } = await post(`${url}/v1/interactions`, [click("e1")]);
    expect([status, json.type, json.state]).toEqual([503, "/problems/failed", "failed"]);
    expect(json.detail).toBe("/data/log was removed; put it back");
  });

  it.each([
    ["catching-up", "not-ready"],
    ["rebuilding", "not-ready"],
    ["stopping", "stopping"],
    ["failed", "failed"],
  ])("is not asked while it is %s", async (state, name) => {
    const { url, engine } = await serve();
    engine.status = { ...engine.status, state, isUp: false, isReady: false, detail: "because" };
    for (const answer of [await post(`${url}/v1/interactions`, click("e1")), await ask(`${url}/v1/scores`)]) {
      expect([answer.status, answer.json.type, answer.json.state]).toEqual([503, `/problems/${name}`, state]);
    }
    expect(engine.appends).toBe(0);
  });
});

describe("inputs of any kind", () => {
  it("say which they are; without a word they are interactions", async () => {
    const { url } = await serve();
    const profile = { kind: "profile", contactId: "ann", at: "2026-05-01T00:00:00Z", fields: { title: "CEO" } };
    const { json } = await post(`${url}/v1/inputs?wait=folded`, [
      click("e1"),
      profile,
      { kind: "visit", contactId: "ann" },
    ]);
    expect(json).toMatchObject({ accepted: 2, refused: 1, folded: true });
    expect(json.results[2]).toMatchObject({ status: "refused", reason: "unknown-kind", item: 2 });
  });

  it("can be waited for afterwards", async () => {
    const { url } = await serve();
    const { json } = await post(`${url}/v1/inputs`, [click("e1")]);
    expect((await ask(`${url}/v1/folded?offset=${json.offset}`)).json).toEqual({ folded: true });
    expect((await ask(`${url}/v1/folded`)).json.type).toBe("/problems/bad-parameter");
    expect((await ask(`${url}/v1/folded?offset=-1`)).json.type).toBe("/problems/bad-parameter");
  });
});
