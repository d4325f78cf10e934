/** The demo's stream: the same for the same seed, and in proportions that make the demo believable. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generateDemo } from "../../../src/cli/demo/generate.js";
import { generatePurchases } from "../../../src/cli/demo/purchases.js";
import { Random } from "../../../src/cli/demo/random.js";
import { canonicalJson } from "../../../src/events/canonical.js";
import type { Input, ScoreLine } from "../../../src/events/types.js";
import { ContactFold } from "../../../src/fold/contact.js";
import { checkModel } from "../../../src/model/check.js";
import { compile } from "../../../src/model/compile.js";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const start = Date.UTC(2026, 0, 5);
const options = { seed: 7, contacts: 800, start, months: 5 };
const end = start + options.months * 30 * DAY_MS;
const inputs = [...generateDemo(options)];
const distinct = [...new Map(inputs.map((input) => [`${input.contactId} ${input.id}`, input])).values()];

function ofType(type: string): Input[] {
  return distinct.filter((input) => input.kind === "interaction" && input.type === type);
}

describe("the stream", () => {
  test("is the same for the same seed, and another for another seed", () => {
    const small = { ...options, contacts: 40 };
    const lines = (seed: number) => [...generateDemo({ ...small, seed })].map(canonicalJson);
    expect(lines(7)).toEqual(lines(7));
    expect(lines(8)).not.toEqual(lines(7));
  });

  test("more contacts leave the others as they are", () => {
    const some = [...generateDemo({ ...options, contacts: 40 })];
    const names = new Set(some.map(({ contactId }) => contactId));
    expect(names.size).toBe(40);
    expect(inputs.filter(({ contactId }) => names.has(contactId))).toEqual(some);
  });

  test("every contact is there, within the months, with ids of its own", () => {
    expect(new Set(inputs.map(({ contactId }) => contactId)).size).toBe(options.contacts);
    expect(inputs.filter(({ at }) => !Number.isInteger(at) || at < start || at >= end)).toEqual([]);
    const contents = new Map<string, string>();
    for (const input of inputs) {
      const key = `${input.contactId} ${input.id}`;
      expect(contents.get(key) ?? canonicalJson(input)).toBe(canonicalJson(input));
      contents.set(key, canonicalJson(input));
    }
  });

  test("about one per cent comes twice, and a few per cent come late", () => {
    const duplicates = (inputs.length - distinct.length) / inputs.length;
    expect(duplicates).toBeGreaterThan(0.007);
    expect(duplicates).toBeLessThan(0.013);
    let newest = start;
    let late = 0;
    for (const { at } of inputs) {
      newest = Math.max(newest, at);
      if (newest - at > HOUR_MS) late += 1;
    }
    expect(late / inputs.length).toBeGreaterThan(0.01);
    expect(late / inputs.length).toBeLessThan(0.05);
  });

  test("has everything that the models look at", () => {
    const types = new Set(distinct.map((input) => (input.kind === "interaction" ? input.type : input.kind)));
    const wanted =
      "profile adjustment email.sent email.opened email.clicked email.bounced email.unsubscribed email.complained web.page_viewed web.session_ended web.video_watched form.submitted asset.downloaded webinar.attended meeting.booked meeting.held product.purchased conversion.won social.shared sms.clicked interaction.retracted";
    expect(wanted.split(" ").filter((type) => !types.has(type))).toEqual([]);
    expect(distinct.some((input) => input.kind === "profile" && input.fields === null)).toBe(true);
    expect(
      ofType("web.page_viewed").some((input) => input.kind === "interaction" && input.resource === "/pricing"),
    ).toBe(true);
  });

  test("machines click within seconds of the sending; people open a part of what is sent, and click less", () => {
    const sent = ofType("email.sent").length;
    const isAutomated = (input: Input) => input.kind === "interaction" && input.automated !== undefined;
    const opened = ofType("email.opened").filter((input) => !isAutomated(input)).length;
    const clicked = ofType("email.clicked").filter((input) => !isAutomated(input)).length;
    const scanned = ofType("email.clicked").filter(isAutomated);
    expect(opened / sent).toBeGreaterThan(0.05);
    expect(opened / sent).toBeLessThan(0.2);
    expect(clicked / opened).toBeGreaterThan(0.1);
    expect(clicked / opened).toBeLessThan(0.4);
    expect(scanned.length).toBeGreaterThan(clicked);
    const sentAt = new Map(
      ofType("email.sent").map((input) => [
        `${input.contactId} ${(input as { resource?: string }).resource}`,
        input.at,
      ]),
    );
    const delays = scanned.map((input) => {
      const campaign = (input as { resource?: string }).resource?.split("#")[0];
      return input.at - (sentAt.get(`${input.contactId} ${campaign}`) ?? 0);
    });
    expect(Math.max(...delays)).toBeLessThan(10_000);
  });

  test("people work on weekdays, and sleep at night", () => {
    const sessions = ofType("web.session_ended");
    const weekend = sessions.filter(({ at }) => [0, 6].includes(new Date(at).getUTCDay())).length;
    expect(weekend / sessions.length).toBeLessThan(0.15);
    const atFive = sessions.filter(({ at }) => [3, 4, 5].includes(new Date(at).getUTCHours())).length;
    expect(atFive / sessions.length).toBeLessThan(0.05);
  });
});

describe("the scores it leads to", () => {
  const models = ["marketing-suite", "lead-fit-engagement"].map((name) => {
    const file = join(import.meta.dirname, "../../../models", `${name}.yaml`);
    const result = checkModel(readFileSync(file, "utf8"), file);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    return compile(result.model);
  });
  const folds = new Map<string, ContactFold>();
  for (const input of inputs) {
    const fold =
      folds.get(input.contactId) ?? new ContactFold(models, input.tenantId, input.contactId, { history: "kept" });
    folds.set(input.contactId, fold);
    fold.receive(input);
  }
  const lines: ScoreLine[] = [];
  const recent: string[] = [];
  for (const fold of folds.values()) {
    fold.advance(end);
    lines.push(...fold.scoreLines());
    for (const output of fold.drain()) {
      if (output.kind === "ThresholdCrossed" && output.at > end - 7 * DAY_MS) {
        recent.push(`${output.model} ${output.direction}`);
      }
    }
  }

  test.each([
    ["marketing-suite", ["subscriber", "lead", "mql", "sql"]],
    ["lead-fit-engagement", ["cold", "cool", "nurture", "warm", "hot"]],
  ])("%s: every band has contacts, and each fewer than the one below", (model, grades) => {
    const counts = grades.map((grade) => lines.filter((line) => line.model === model && line.grade === grade).length);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect(counts.at(-1)).toBeGreaterThan(0);
    expect((counts.at(-1) ?? 0) / options.contacts).toBeLessThan(0.05);
    expect((counts[0] ?? 0) / options.contacts).toBeGreaterThan(0.4);
  });

  test("crossings up and down in the last week, under both models", () => {
    expect([...new Set(recent)].sort()).toEqual([
      "lead-fit-engagement down",
      "lead-fit-engagement up",
      "marketing-suite down",
      "marketing-suite up",
    ]);
  });
});

describe("the file of purchases", () => {
  const purchases = [...generatePurchases({ seed: 1, customers: 3000 })].map((line) => JSON.parse(line));

  test("is the same for the same seed, and another for another seed", () => {
    const lines = (seed: number) => [...generatePurchases({ seed, customers: 50 })];
    expect(lines(1)).toEqual(lines(1));
    expect(lines(2)).not.toEqual(lines(1));
  });

  test("has about three purchases a customer, half of whom buy once", () => {
    const perCustomer = new Map<string, number>();
    for (const { contactId } of purchases) perCustomer.set(contactId, (perCustomer.get(contactId) ?? 0) + 1);
    expect(perCustomer.size).toBe(3000);
    expect(purchases.length / 3000).toBeGreaterThan(2.6);
    expect(purchases.length / 3000).toBeLessThan(3.4);
    const once = [...perCustomer.values()].filter((count) => count === 1).length;
    expect(once / 3000).toBeGreaterThan(0.45);
    expect(once / 3000).toBeLessThan(0.55);
  });

  test("is dated by the day, in order, over eighteen months", () => {
    const days: string[] = purchases.map(({ at }) => at);
    expect(days.filter((day) => !/^199[78]-\d\d-\d\dT00:00:00\.000Z$/.test(day))).toEqual([]);
    expect(days).toEqual([...days].sort());
    expect(days[0]).toBe("1997-01-01T00:00:00.000Z");
    expect(days.at(-1)?.slice(0, 7)).toBe("1998-06");
    expect(new Set(purchases.map(({ id }) => id)).size).toBe(purchases.length);
  });

  test("has amounts in cents and whole quantities", () => {
    for (const { attributes } of purchases) {
      expect(attributes.amount).toBe(Math.round(attributes.amount * 100) / 100);
      expect(Number.isInteger(attributes.quantity) && attributes.quantity >= 1).toBe(true);
    }
  });
});

test("the generator of numbers is mulberry32", () => {
  // The published algorithm's first three numbers for seed 1.
  const random = new Random(1);
  expect([random.next(), random.next(), random.next()]).toEqual([
    0.6270739405881613, 0.002735721180215478, 0.5274470399599522,
  ]);
  const draws = Array.from({ length: 10_000 }, () => random.next());
  expect(Math.abs(draws.reduce((sum, draw) => sum + draw, 0) / draws.length - 0.5)).toBeLessThan(0.02);
});
