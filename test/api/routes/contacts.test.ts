import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { ScorefoldError } from "../../../src/errors.js";
import { encodeScoreLine } from "../../../src/events/encode.js";
import { told } from "../../cli/memory-io.js";
import { ask, click, now, opened, post, serve } from "../serve.js";

describe("scores", () => {
  it("are as of now, or as of an instant in any of the forms that inputs have", async () => {
    const { url } = await serve();
    await post(`${url}/v1/interactions`, [click("e1"), click("e2", "ann", "2026-05-02T00:00:00Z")]);
    const today = (await ask(`${url}/v1/contacts/ann/scores`)).json;
    expect(today).toMatchObject({ tenantId: "default", contactId: "ann", asOf: now });
    expect(today.scores).toMatchObject([{ model: "lead", version: 3, score: 9 }]);
    const at = Date.UTC(2026, 4, 1);
    for (const asOf of ["2026-05-01T00:00:00Z", "2026-05-01T02:00:00%2B02:00", "2026-05-01T02:00:00+02:00", `${at}`]) {
      const { json } = await ask(`${url}/v1/contacts/ann/scores?model=lead&asOf=${asOf}`);
      expect(json).toMatchObject({ asOf: at, scores: [{ score: 10 }] });
    }
    const before = (await ask(`${url}/v1/contacts/ann/scores?asOf=2026-04-30T00:00:00Z`)).json;
    expect(before.scores).toEqual([]);
  });

  it("are found under any id that an input can have", async () => {
    const { url } = await serve();
    const ids = ["a/b", "a%2Fb", "100%", "a b", "?#&", "Jürg 🙂", "x".repeat(256), "..a"];
    await post(
      `${url}/v1/interactions`,
      ids.map((id) => click("e1", id)),
    );
    for (const id of ids) {
      const { json } = await ask(`${url}/v1/contacts/${encodeURIComponent(id)}/scores`);
      expect(json.contactId).toBe(id);
    }
  });

  it.each([
    ["/v1/contacts/bob/scores", 404, "unknown-contact"],
    ["/v1/contacts/bob/explain", 404, "unknown-contact"],
    ["/v1/contacts/%zz/scores", 400, "bad-path"],
    ["/v1/contacts/%C3/scores", 400, "bad-path"],
    ["/v1/contacts//scores", 400, "bad-contact"],
    [`/v1/contacts/${"x".repeat(257)}/scores`, 400, "bad-contact"],
    [`/v1/contacts/${"%C3%BC".repeat(129)}/scores`, 400, "bad-contact"],
    [`/v1/contacts/${"x".repeat(5000)}/scores`, 414, "url-too-long"],
    [`/v1/contacts/${"x".repeat(9000)}/scores`, 414, "url-too-long"],
    ["/v1/contacts/a%00b/scores", 400, "bad-contact"],
    ["/v1/contacts/ann/scores?asOf=2026-05-01", 400, "bad-parameter"],
    ["/v1/contacts/ann/scores?asOf=2026-02-30T00:00:00Z", 400, "bad-parameter"],
    ["/v1/contacts/ann/scores?asOf=2026-05-01T00:00:00", 400, "bad-parameter"],
    ["/v1/contacts/ann/scores?asOf=99999999999999999", 400, "bad-parameter"],
    ["/v1/contacts/ann/scores?asOf=", 400, "bad-parameter"],
    ["/v1/contacts/ann/scores?asof=2026-05-01T00:00:00Z", 400, "bad-parameter"],
    ["/v1/contacts/ann/scores?model=lead&model=lead", 400, "bad-parameter"],
    ["/v1/contacts/ann/scores?model=leed", 404, "unknown-model"],
    ["/v1/contacts/ann/explain?timeline=-1", 400, "bad-parameter"],
    ["/v1/contacts/ann/explain?timeline=all", 400, "bad-parameter"],
    ["/v1/scores?model=leed", 404, "unknown-model"],
    ["/v1/scores?asOf=yesterday", 400, "bad-parameter"],
  ])("asked as GET %s are the problem %i %s", async (path, status, name) => {
    const { url } = await serve();
    await post(`${url}/v1/interactions`, click("e1"));
    const answer = await ask(url + path);
    expect([answer.status, answer.json.type]).toEqual([status, `/problems/${name}`]);
    expect(answer.json.status).toBe(status);
  });

  it("of a contact that is not there name the tenant", async () => {
    const { url } = await serve();
    const { json } = await ask(`${url}/v1/contacts/bob/scores`, { headers: { "x-tenant": "acme" } });
    expect(json.detail).toBe('tenant "acme" has no contact "bob"');
  });
});

describe("an explanation", () => {
  it("has lines that sum, what comes next, and the newest of the timeline", async () => {
    const { url } = await serve();
    await post(
      `${url}/v1/interactions`,
      [1, 2, 3].map((n) => click(`e${n}`, "ann", `2026-05-0${n}T00:00:00Z`)),
    );
    const asOf = "2026-05-03T00:00:00Z";
    const { json } = await ask(`${url}/v1/contacts/ann/explain?asOf=${asOf}&timeline=2`);
    const [{ dimensions, next, score }] = json.explanations;
    expect(dimensions[0].lines.map(({ points }: { points: number }) => points)).toEqual([dimensions[0].sum]);
    expect(score.contactId).toBe("ann");
    expect(next.cause).toBe("decay");
    expect(json.timeline).toHaveLength(2);
    expect(json.timeline.at(-1)).toMatchObject({ kind: "ScoreChanged", cause: { id: "e3" } });
    expect(json.timelineLength).toBeGreaterThan(2);
    const none = await ask(`${url}/v1/contacts/ann/explain?asOf=${asOf}&timeline=0`);
    expect(none.json.timeline).toEqual([]);
  });
});

describe("all scores", () => {
  it("come as lines, those of the tenant", async () => {
    const { url, engine } = await serve();
    const ids = Array.from({ length: 300 }, (_, i) => `c${String(i).padStart(3, "0")}`);
    await post(
      `${url}/v1/interactions`,
      ids.map((id) => click("e1", id)),
    );
    await post(`${url}/v1/interactions`, click("e1"), { "x-tenant": "acme" });
    const answer = await ask(`${url}/v1/scores?model=lead`);
    expect(answer.type).toBe("application/x-ndjson");
    const expected: string[] = [];
    for await (const batch of engine.allScores({ tenantId: "default" })) expected.push(...batch.map(encodeScoreLine));
    expect(expected).toHaveLength(300);
    expect(answer.text).toBe(expected.map((line) => `${line}\n`).join(""));
    expect((await ask(`${url}/v1/scores`, { headers: { "x-tenant": "nobody" } })).text).toBe("");
  });

  it("that can't be read are a problem, or end without their end", async () => {
    const { url, engine } = await serve();
    engine.scoresError = new ScorefoldError("database-corrupt", "block 7 of /data");
    const answer = await ask(`${url}/v1/scores`);
    expect([answer.status, answer.json.type]).toEqual([500, "/problems/internal"]);
    engine.allScores = async function* () {
      yield [];
      throw new Error("disk gone");
    };
    await expect(ask(`${url}/v1/scores`)).rejects.toThrow();
  });

  it("are not read on for a client that has gone away", async () => {
    const { url, engine } = await serve();
    const line = { ...(await scoreLine(url)), contactId: "x".repeat(200) };
    let given = 0;
    let ended: () => void;
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    engine.allScores = async function* () {
      try {
        for (;;) {
          given += 1;
          yield Array.from({ length: 100 }, () => line);
        }
      } finally {
        ended();
      }
    };
    const response = await opened(`${url}/v1/scores`);
    await once(response, "readable");
    response.destroy();
    await end;
    expect(given).toBeGreaterThan(0);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: what the server gave
async function scoreLine(url: string): Promise<any> {
  await post(`${url}/v1/interactions`, click("e1"));
  return (await ask(`${url}/v1/contacts/ann/scores`)).json.scores[0];
}

describe("erasure", () => {
  const erase = async (url: string, id: string, query = ""): ReturnType<typeof ask> =>
    await ask(`${url}/v1/contacts/${encodeURIComponent(id)}${query}`, { method: "DELETE" });

  it("is answered when it is published, and can be asked twice", async () => {
    const { url, engine } = await serve();
    await post(`${url}/v1/interactions`, [click("e1"), click("e1", "bob")]);
    for (let times = 0; times < 2; times += 1) {
      const answer = await erase(url, "ann");
      expect([answer.status, answer.text]).toEqual([204, ""]);
    }
    const published = engine.topicsByName.get("score-changed")!.values.map((value) => JSON.parse(value));
    expect(published.filter(({ kind }) => kind === "ContactErased")).toHaveLength(1);
    expect((await ask(`${url}/v1/contacts/ann/scores`)).json.scores).toEqual([]);
    expect((await ask(`${url}/v1/contacts/bob/scores`)).json.scores).toHaveLength(1);
  });

  it("of nobody is 404, with who was probably meant, and leaves nothing", async () => {
    const { url, engine } = await serve();
    await post(`${url}/v1/interactions`, click("e1", "ann-0042"));
    const before = engine.lines.length;
    const near = await erase(url, "ann-0024");
    expect([near.status, near.json.type, near.json.nearest]).toEqual([404, "/problems/unknown-contact", "ann-0042"]);
    expect(near.json.detail).toBe('tenant "default" has no contact "ann-0024"; did you mean "ann-0042"?');
    const far = await erase(url, "zzz");
    expect([far.status, far.json.nearest]).toEqual([404, null]);
    const other = await ask(`${url}/v1/contacts/ann-0042`, { method: "DELETE", headers: { "x-tenant": "acme" } });
    expect([other.status, other.json.nearest]).toEqual([404, null]);
    expect(engine.lines).toHaveLength(before);
  });

  it("tells how many later inputs stay, and takes them where it is told to", async () => {
    const { url } = await serve();
    const later = now + 60_000;
    await post(`${url}/v1/interactions`, [click("e1"), click("e2", "ann", later)]);
    const first = await erase(url, "ann");
    expect([first.status, first.headers.get("x-erased-until"), first.headers.get("x-later-inputs")]).toEqual([
      204,
      String(now),
      "1",
    ]);
    expect((await erase(url, "ann", "?alsoLater=false")).headers.get("x-later-inputs")).toBe("1");
    const all = await erase(url, "ann", "?alsoLater=true");
    expect([all.status, all.headers.get("x-erased-until"), all.headers.get("x-later-inputs")]).toEqual([
      204,
      String(later),
      "0",
    ]);
  });

  it("tells what stays in topics of a cluster, and the command says so in words", async () => {
    const { url, engine } = await serve();
    engine.left = [
      { topic: "interactions.web", partition: 3, start: 2, end: 17 },
      { topic: "lead.rekeyed", partition: 3, start: null, end: null },
    ];
    await post(`${url}/v1/interactions`, [click("e1"), click("e1", "bob")]);
    const { headers } = await erase(url, "bob");
    expect(headers.get("x-left-in-topics")).toBe("interactions.web/3/2-17, lead.rekeyed/3");
    const { code, stderr } = await told(["erase", "ann", "--url", url]);
    expect(code).toBe(0);
    expect(stderr).toContain("what was sent of it and published is still in Kafka");
    expect(stderr).toContain("    interactions.web, partition 3, offsets 2 up to 17\n    lead.rekeyed, partition 3\n");
    engine.deadLetters = null;
    const letters = await told(["dead-letters", "list", "--url", url]);
    expect(letters).toMatchObject({ code: 2 });
    expect(letters.stderr).toContain("dead letters of an engine on Kafka are in its topic there");
  });

  it.each(["?alsoLater=yes", "?alsoLater=", "?alsolater=true"])("with %s is refused", async (query) => {
    const { url } = await serve();
    await post(`${url}/v1/interactions`, click("e1"));
    const answer = await erase(url, "ann", query);
    expect([answer.status, answer.json.type]).toEqual([400, "/problems/bad-parameter"]);
    expect((await ask(`${url}/v1/contacts/ann/scores`)).json.scores).toHaveLength(1);
  });
});
